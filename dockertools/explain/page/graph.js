// The graph: columns from what is not needed by others to what needs nothing.
function drawGraph() {
  const { columns, edges, names } = S.focus && S.node >= 0 ? around(S.node) : whole();
  order(columns, edges);
  // A column that is taller than the view goes on beside itself.
  const rows = Math.max(8, Math.floor((view.clientHeight - 16) / 33));
  const wrapped = columns.flatMap((c) => {
    const parts = Math.max(1, Math.ceil(c.length / rows)), size = Math.ceil(c.length / parts);
    return Array.from({ length: parts }, (_, i) => ({ c: c.slice(i * size, (i + 1) * size), near: i + 1 < parts }));
  });

  const W = 168, H = 26, gapX = 62, gapY = 7, pad = 6;
  const height = Math.max(10, view.clientHeight - 4), at = new Map();
  let width = pad;
  for (const { c, near } of wrapped) {
    c.forEach((id, j) => at.set(id, { x: width, y: height / 2 - (c.length * (H + gapY) - gapY) / 2 + j * (H + gapY) }));
    width += W + (near ? 10 : gapX);
  }
  width += pad - gapX;
  const svg = el("svg", { width, height, role: "group", "aria-label": "Graph of references" });
  for (const [a, b] of edges) {
    const p = at.get(a), q = at.get(b), x = p.x + W, m = (q.x - x) / 2;
    svg.append(el("path", { class: "edge", "data-a": a, "data-b": b, d: `M${x} ${p.y + H / 2}C${x + m} ${p.y + H / 2} ${q.x - m} ${q.y + H / 2} ${q.x} ${q.y + H / 2}` }));
  }
  const label = (s) => (s.length > 22 ? s.slice(0, 21) + "…" : s);
  for (const c of columns) for (const id of c) {
    const { x, y } = at.get(id), n = D.nodes[id];
    const g = el("g", { class: "node" + (n ? "" : " root"), transform: `translate(${x} ${y})`, hue: n && hueOf(n), "data-id": n && n.id, tabindex: -1, role: n && "button", "aria-label": n && n.name + ", " + bytes(n.size) },
      el("rect", { width: W, height: H, rx: 7 }), el("text", { x: 9, y: 17 }, label(n ? n.name : names.get(id))));
    if (n) {
      g.addEventListener("click", () => select(n.id));
      tip(g, n.name, [bytes(n.size) + " itself, " + bytes(n.closure) + " with its closure", "layer " + n.layers.map((l) => l + 1).join(", ")]);
    } else {
      tip(g, names.get(id), []);
    }
    svg.append(g);
  }
  view.append(svg);
  const on = at.get(S.node);
  if (on) view.scrollTo(on.x - view.clientWidth / 2 + W / 2, on.y - view.clientHeight / 2);
}

// whole is the graph of all: a column says how far, by the longest way, a store
// path is from one that nothing refers to. Edges that follow from others are left out.
function whole() {
  const depth = new Map(), open = new Set();
  const deep = (id) => {
    if (depth.has(id)) return depth.get(id);
    if (open.has(id)) return 0; // references in a circle
    open.add(id);
    const d = Math.max(-1, ...D.nodes[id].from.map(deep)) + 1;
    open.delete(id);
    depth.set(id, d);
    return d;
  };
  const columns = [[]], edges = [], names = new Map();
  for (const n of D.nodes) {
    (columns[deep(n.id) + 1] ||= []).push(n.id);
    const further = new Set();
    for (const r of n.refs) for (const x of needs(r.to)) if (x !== r.to) further.add(x);
    for (const r of n.refs) if (!further.has(r.to)) edges.push([n.id, r.to]);
  }
  D.roots.slice(0, 12).forEach((r, i) => {
    columns[0].push("r" + i);
    names.set("r" + i, r.name);
    const further = new Set(r.to.flatMap((t) => [...needs(t)].filter((x) => x !== t)));
    for (const t of r.to) if (!further.has(t)) edges.push(["r" + i, t]);
  });
  for (let i = 0; i < columns.length; i++) columns[i] ||= [];
  return { columns, edges, names };
}

// around is what leads to a store path and what it needs, each by a shortest way.
function around(id) {
  const most = 20, names = new Map(), edges = [];
  const wave = (next, join) => {
    const seen = new Set([id]), list = [];
    for (let rim = [id]; rim.length; ) {
      const links = [];
      for (const at of rim) for (const x of next(D.nodes[at])) if (!seen.has(x)) { seen.add(x); links.push([at, x]); }
      links.sort((a, b) => D.nodes[b[1]].size - D.nodes[a[1]].size);
      rim = links.map((l) => l[1]);
      if (!rim.length) break;
      const column = links.slice(0, most).filter(([at]) => !list.length || list.at(-1).includes(at)).map(([at, x]) => { edges.push(join(at, x)); return x; });
      const more = rim.length - column.length;
      if (more) { const key = "more" + names.size; names.set(key, "… and " + more + " more"); column.push(key); }
      list.push(column);
    }
    return list;
  };
  const before = wave((n) => n.from, (at, x) => [x, at]).reverse();
  const after = wave((n) => n.refs.map((r) => r.to), (at, x) => [at, x]);
  return { columns: [...before, [id], ...after], edges, names };
}

// order sorts columns so that few edges cross: each node near the middle of its
// neighbours, a few times to and fro.
function order(columns, edges) {
  const links = new Map();
  for (const [a, b] of edges) {
    (links.get(a) || links.set(a, []).get(a)).push(b);
    (links.get(b) || links.set(b, []).get(b)).push(a);
  }
  const place = new Map();
  const note = (c) => c.forEach((id, i) => place.set(id, (i + 0.5) / c.length));
  columns.forEach(note);
  for (let pass = 0; pass < 12; pass++) {
    for (const c of pass % 2 ? [...columns].reverse() : columns) {
      const mid = new Map(c.map((id) => {
        const l = links.get(id) || [];
        return [id, l.length ? l.reduce((s, x) => s + place.get(x), 0) / l.length : place.get(id)];
      }));
      c.sort((a, b) => mid.get(a) - mid.get(b));
      note(c);
    }
  }
}
