// The panel beside the view, the search, and what keys do.
function link(id) {
  return el("button", { class: "link", type: "button", onclick: () => select(id) }, D.nodes[id].name);
}

function sizeRow(label, size, title) {
  const bar = el("i", { "aria-hidden": "true" });
  bar.style.setProperty("--part", (100 * size) / Math.max(1, total) + "%");
  return [el("span", { title }, label), bar, el("span", { class: "num" }, bytes(size))];
}

function list(title, ids, limit) {
  if (!ids.length) return [];
  const sorted = [...ids].sort((a, b) => D.nodes[b].size - D.nodes[a].size || a - b);
  const ul = el("ul", { class: "list" });
  const fill = (n) => ul.replaceChildren(...sorted.slice(0, n).map((id) => el("li", {}, link(id), el("span", { class: "num hint" }, bytes(D.nodes[id].size)))));
  fill(limit);
  const out = [el("h3", {}, title + " (" + ids.length + ")"), ul];
  if (ids.length > limit) out.push(el("button", { class: "more", type: "button", onclick: (e) => { fill(ids.length); e.target.remove(); } }, "show all " + ids.length));
  return out;
}

function chainList(id) {
  const all = chains(id), out = [el("h3", {}, "Why it is here")];
  const draw = (c) => el("ol", { class: "chain" }, el("li", {}, c.root || "nothing outside of the store refers to"),
    ...c.steps.map((s, i) => el("li", {}, s.via ? el("small", { class: "mono" }, "in " + s.via) : undefined, s.id === id ? el("b", {}, D.nodes[s.id].name) : link(s.id))));
  const box = el("div", {}, ...all.slice(0, 2).map(draw));
  out.push(box);
  if (all.length > 2) out.push(el("button", { class: "more", type: "button", onclick: (e) => { box.append(...all.slice(2).map(draw)); e.target.remove(); } }, many(all.length - 2, "more way")));
  return out;
}

function panel() {
  const n = D.nodes[S.node];
  if (!n) {
    const top = [...D.nodes].sort((a, b) => b.leaving - a.leaving || a.id - b.id).slice(0, 8).filter((x) => x.leaving > 0);
    $("detail").replaceChildren(el("h2", {}, "What is in it"),
      el("p", { class: "hint" }, "Choose a store path to see through which chain of references it is in the image, and what would leave with it."),
      ...(top.length ? [el("h3", {}, "Most would leave with"), el("ul", { class: "list" }, ...top.map((x) => el("li", {}, link(x.id), el("span", { class: "num hint" }, bytes(x.leaving)))))] : []),
      ...(D.roots.length ? [el("h3", {}, "Roots (" + D.roots.length + ")"), ...D.roots.slice(0, 12).map((r) => el("p", {}, el("span", { class: "hint" }, r.name + " → "), ...r.to.slice(0, 6).flatMap((t, i) => (i ? [", ", link(t)] : [link(t)])), r.to.length > 6 ? " and " + (r.to.length - 6) + " more" : ""))] : []));
    return;
  }
  const copy = el("button", { type: "button", onclick: () => { navigator.clipboard && navigator.clipboard.writeText(fullPath(n)).then(() => { copy.textContent = "copied"; }); } }, "copy");
  $("detail").replaceChildren(el("h2", {}, n.name), el("div", { class: "path" }, el("code", {}, fullPath(n)), copy),
    el("h3", {}, "Size"), el("div", { class: "sizes" }, ...sizeRow("itself", n.size, many(n.count, "file")), ...sizeRow("closure", n.closure, many(n.closureCount, "store path")), ...sizeRow("would leave", n.leaving, many(n.leavingCount, "store path"))),
    el("p", { class: "hint" }, many(n.count, "file") + " · closure of " + many(n.closureCount, "store path") + " · " + (n.leavingCount === 1 ? "nothing else would leave with it" : many(n.leavingCount - 1, "other") + " would leave with it")),
    ...n.layers.map((l) => el("p", { class: "dot", hue: hue(l) }, "layer " + (l + 1) + " of " + D.layers.length + (D.layers[l].base ? ", of the base image" : "") + " ", el("code", { class: "hint", title: D.layers[l].digest }, D.layers[l].digest.slice(7, 19)))),
    ...chainList(S.node), ...list("Refers to", n.refs.map((r) => r.to), 12), ...list("Referred to by", n.from, 12));
  $("detail").scrollTop = 0;
}

// mark shows the selection in the view, with the ways to it and what it needs.
function mark() {
  const on = S.node, way = new Set(), need = on >= 0 ? needs(on) : new Set();
  if (on >= 0) for (const c of chains(on)) for (const s of c.steps) way.add(s.id);
  const stage = S.view === "graph" ? view.querySelector("svg") : view;
  view.classList.remove("dim");
  if (stage) stage.classList.toggle("dim", on >= 0 && !(S.view === "graph" && S.focus));
  let tab = null;
  for (const e of view.querySelectorAll("[data-id]")) {
    const id = Number(e.dataset.id);
    e.classList.toggle("on", id === on);
    e.classList.toggle("way", id !== on && way.has(id));
    e.classList.toggle("need", need.has(id));
    if (e.matches(".cell, .node")) { e.setAttribute("tabindex", -1); if (!tab || id === on) tab = e; }
  }
  if (tab) tab.setAttribute("tabindex", 0);
  const up = on >= 0 ? users(on) : new Set();
  for (const e of view.querySelectorAll(".edge")) {
    const { a, b } = e.dataset;
    e.classList.toggle("hot", on >= 0 && ((up.has(+b) && (a[0] === "r" || up.has(+a))) || (need.has(+a) && need.has(+b))));
  }
}

function draw() {
  view.replaceChildren();
  view.className = S.view === "graph" || S.view === "table" ? "scroll" : "";
  document.querySelectorAll("[role=tab]").forEach((t) => {
    t.setAttribute("aria-selected", t.dataset.view === S.view);
    t.setAttribute("tabindex", t.dataset.view === S.view ? 0 : -1);
  });
  $("focus-label").hidden = S.view !== "graph";
  $("focus-label").style.display = S.view === "graph" ? "" : "none";
  ({ size: drawSize, layer: drawLayers, graph: drawGraph, table: drawTable })[S.view]();
  mark();
}

function select(id) {
  S.node = id === S.node && S.view !== "table" ? -1 : id;
  try { history.replaceState(null, "", S.node >= 0 ? "#" + D.nodes[S.node].hash : "#"); } catch { /* not in every frame */ }
  const focused = document.activeElement && view.contains(document.activeElement);
  S.view === "graph" && S.focus ? draw() : mark();
  panel();
  const e = view.querySelector(`[data-id="${S.node}"]`) || view.querySelector("[tabindex='0']");
  if (focused && e && !view.contains(document.activeElement)) e.focus();
}

function tip(e, title, lines) {
  const show = (x, y) => {
    const t = $("tip");
    t.replaceChildren(el("b", {}, title), ...lines.map((l) => el("div", {}, el("span", {}, l))));
    t.hidden = false;
    t.style.left = Math.max(4, Math.min(x + 14, innerWidth - t.offsetWidth - 8)) + "px";
    t.style.top = (y + 18 + t.offsetHeight > innerHeight ? y - t.offsetHeight - 10 : y + 18) + "px";
  };
  e.addEventListener("mousemove", (m) => show(m.clientX, m.clientY));
  e.addEventListener("mouseleave", () => { $("tip").hidden = true; });
  e.addEventListener("blur", () => { $("tip").hidden = true; });
}

// move goes to the nearest cell or node in the direction of an arrow key.
function move(from, key) {
  const a = from.getBoundingClientRect(), c = (r) => [(r.left + r.right) / 2, (r.top + r.bottom) / 2], [ax, ay] = c(a);
  let best = null, least = Infinity;
  for (const e of view.querySelectorAll(".cell, .node[data-id]")) {
    if (e === from) continue;
    const [x, y] = c(e.getBoundingClientRect()), dx = x - ax, dy = y - ay;
    const [along, across] = { ArrowRight: [dx, dy], ArrowLeft: [-dx, dy], ArrowDown: [dy, dx], ArrowUp: [-dy, dx] }[key];
    const far = along + 2.2 * Math.abs(across);
    if (along > 1 && far < least) { least = far; best = e; }
  }
  if (best) { from.setAttribute("tabindex", -1); best.setAttribute("tabindex", 0); best.focus(); best.scrollIntoView({ block: "nearest", inline: "nearest" }); }
}

function search() {
  const q = $("query").value.trim().toLowerCase(), hits = $("hits");
  // A name, or a store path, also one of a file in it, or the beginning of its hash.
  const base = q.replace(/^\/nix\/store\//, "").replace(/\/.*/, "");
  const score = (n) => { const i = n.name.toLowerCase().indexOf(q); return i >= 0 ? i : (n.hash + "-" + n.name.toLowerCase()).startsWith(base || "/") ? 500 : -1; };
  const found = q ? D.nodes.map((n) => [score(n), n]).filter(([s]) => s >= 0).sort(([a, x], [b, y]) => a - b || y.size - x.size).slice(0, 30) : [];
  hits.replaceChildren(...(found.length ? found.map(([, n], i) => el("li", { role: "option", id: "hit" + i, "aria-selected": String(i === 0), "data-hit": n.id, onmousedown: (e) => { e.preventDefault(); choose(n.id); } }, el("span", {}, n.name), el("span", { class: "num hint" }, bytes(n.size)))) : [el("li", { class: "none" }, "no store path has that in its name")]));
  hits.hidden = !q;
  $("query").setAttribute("aria-expanded", !!q);
  $("query").setAttribute("aria-activedescendant", found.length ? "hit0" : "");
}

function choose(id) {
  $("query").value = "";
  search();
  S.node = -1;
  select(id);
  $("query").blur();
  const e = view.querySelector(`[data-id="${id}"]`);
  if (e) { (e.querySelector("button") || e).focus(); e.scrollIntoView({ block: "nearest", inline: "nearest" }); }
}

function searchKey(e) {
  const rows = [...$("hits").querySelectorAll("[data-hit]")], at = rows.findIndex((r) => r.getAttribute("aria-selected") === "true");
  if ((e.key === "ArrowDown" || e.key === "ArrowUp") && rows.length) {
    const to = (at + (e.key === "ArrowDown" ? 1 : rows.length - 1)) % rows.length;
    rows.forEach((r, i) => r.setAttribute("aria-selected", i === to));
    $("query").setAttribute("aria-activedescendant", rows[to].id);
    rows[to].scrollIntoView({ block: "nearest" });
    e.preventDefault();
  } else if (e.key === "Enter" && rows[at]) {
    e.preventDefault(); // the key would press what gets the focus
    choose(Number(rows[at].dataset.hit));
  } else if (e.key === "Escape") {
    $("query").value = "";
    search();
    $("query").blur();
  }
  e.stopPropagation();
}

function start() {
  const [name, ...rest] = D.name.split(/(?=:[^:/]*$)/);
  $("name").replaceChildren(name, el("span", {}, rest.join("")));
  const shipped = D.layers.reduce((n, l) => n + l.size, 0);
  $("facts").replaceChildren(...[bytes(total) + " loaded, " + bytes(shipped) + " shipped", many(D.nodes.length, "store path"), many(D.layers.length, "layer"), D.platform, "created " + D.created, D.digest.slice(0, 19) + "…"].map((t) => el("span", t.startsWith("sha256:") ? { title: D.digest, class: "mono" } : {}, t)));
  $("legend").hidden = D.layers.length < 2;
  $("legend").replaceChildren(...D.layers.map((l, i) => el("span", { hue: hue(i), title: l.digest }, "layer " + (i + 1) + " · " + bytes(l.size) + " shipped" + (l.base ? ", base" : ""))));
  document.querySelectorAll("[role=tab]").forEach((t) => t.addEventListener("click", () => { S.view = t.dataset.view; draw(); }));
  $("focus").checked = S.focus;
  $("focus").addEventListener("change", () => { S.focus = $("focus").checked; draw(); });
  $("query").addEventListener("input", search);
  $("query").addEventListener("keydown", searchKey);
  $("query").addEventListener("blur", () => { $("hits").hidden = true; });
  $("query").addEventListener("focus", search);
  $("theme").addEventListener("click", () => {
    const root = document.documentElement, dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });
  document.addEventListener("keydown", (e) => {
    const tab = e.target.closest && e.target.closest("[role=tab]");
    if (e.key === "/" && e.target.tagName !== "INPUT") { $("query").focus(); e.preventDefault(); }
    else if (e.key === "Escape" && S.node >= 0) select(-1);
    else if (tab && (e.key === "ArrowRight" || e.key === "ArrowLeft")) {
      const tabs = [...document.querySelectorAll("[role=tab]")], to = tabs[(tabs.indexOf(tab) + (e.key === "ArrowRight" ? 1 : tabs.length - 1)) % tabs.length];
      to.click(); to.focus();
    } else if (/^Arrow/.test(e.key) && e.target.matches && e.target.matches(".cell, .node")) { move(e.target, e.key); e.preventDefault(); }
    else if ((e.key === "Enter" || e.key === " ") && e.target.matches && e.target.matches(".node[data-id]")) { select(Number(e.target.dataset.id)); e.preventDefault(); }
  });
  const fromHash = () => {
    const [hash, v] = location.hash.slice(1).split(",");
    if (v && $("tab-" + v)) S.view = v;
    S.node = D.nodes.findIndex((n) => n.hash === hash);
  };
  fromHash();
  addEventListener("hashchange", () => { fromHash(); draw(); panel(); });
  new ResizeObserver(() => draw()).observe(view);
  panel();
}
start();
