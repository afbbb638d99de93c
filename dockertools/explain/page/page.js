"use strict";
// The page shows D: the image, its layers, its store paths and what refers to
// which, as page.go writes it. Everything is drawn from D and S, the state.
const D = JSON.parse(document.getElementById("data").textContent);
const S = { view: "size", node: -1, focus: D.nodes.length > 60, sort: "leaving", up: false, all: false };
const $ = (id) => document.getElementById(id);
const view = $("view");
const total = D.nodes.reduce((n, x) => n + x.size, 0) + D.layers.reduce((n, l) => n + l.other, 0);
D.nodes.forEach((n, i) => { n.id = i; n.from = []; });
D.nodes.forEach((n) => n.refs.forEach((r) => D.nodes[r.to].from.push(n.id)));

function bytes(n) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let u = 0;
  while (n >= 999.5 && u < units.length - 1) { n /= 1000; u++; }
  return (u && n < 99.95 ? n.toFixed(1) : Math.round(n)) + " " + units[u];
}
const many = (n, one, more) => n + " " + (n === 1 ? one : more || one + "s");
// Neighbouring layers get hues that are far apart.
const hue = (layer) => (250 + layer * 137.5) % 360;
const hueOf = (n) => hue(D.layers.length > 1 ? layerOf(n) : n.id + 1);
const layerOf = (n) => n.layers.length ? n.layers[0] : 0;
const fullPath = (n) => "/nix/store/" + n.hash + "-" + n.name;

function el(tag, attrs, ...children) {
  const svg = /^(svg|g|rect|text|path|title)$/.test(tag);
  const e = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [k, v] of Object.entries(attrs || {})) {
    if (k.startsWith("on")) e.addEventListener(k.slice(2), v);
    else if (v === undefined) continue;
    else if (k === "hue") e.style.setProperty("--hue", v);
    else if (v !== false) e.setAttribute(k, v === true ? "" : v);
  }
  e.append(...children.filter((c) => c !== undefined));
  return e;
}

// reach returns the nodes that a walk from a node meets, itself among them.
function reach(id, next) {
  const seen = new Set([id]);
  for (const at of seen) next(D.nodes[at]).forEach((x) => seen.add(x));
  return seen;
}
const needs = (id) => reach(id, (n) => n.refs.map((r) => r.to));
const users = (id) => reach(id, (n) => n.from);

// chains returns a shortest way from each root to a node, the shortest first.
function chains(id) {
  const next = new Map([[id, null]]);
  for (const [at] of next) for (const f of D.nodes[at].from) if (!next.has(f)) next.set(f, at);
  const length = (at) => { let n = 0; for (; at !== null; at = next.get(at)) n++; return n; };
  const walk = (root, at) => {
    const steps = [];
    for (let via = ""; ; ) {
      steps.push({ id: at, via });
      const to = next.get(at);
      if (to === null) return { root, steps };
      via = D.nodes[at].refs.find((r) => r.to === to).via;
      at = to;
    }
  };
  const list = [];
  for (const r of D.roots) {
    const starts = r.to.filter((t) => next.has(t));
    if (starts.length) list.push(walk(r.name, starts.reduce((a, b) => (length(b) < length(a) ? b : a))));
  }
  if (!list.length) {
    const tops = [...next.keys()].filter((x) => !D.nodes[x].from.length);
    for (const x of tops.length ? tops : [id]) list.push(walk("", x));
  }
  return list.sort((a, b) => a.steps.length - b.steps.length);
}

// squarify places areas in a rectangle so that they are as square as they can be
// (Bruls, Huizing and van Wijk: Squarified Treemaps). items are sorted, largest first.
function squarify(items, x, y, w, h, place) {
  let sum = items.reduce((n, i) => n + i.size, 0);
  for (let at = 0; at < items.length && w > 0 && h > 0; ) {
    const short = Math.min(w, h), scale = (w * h) / sum;
    let row = 0, end = at, worst = Infinity;
    for (; end < items.length; end++) {
      const r = row + items[end].size, side = (r * scale) / short;
      const bad = Math.max((items[at].size * scale) / (side * side), (side * side) / (items[end].size * scale));
      if (bad > worst) break;
      worst = bad;
      row = r;
    }
    const side = (row * scale) / short;
    for (let pos = 0; at < end; at++) {
      const len = (items[at].size * scale) / side;
      w >= h ? place(items[at], x, y + pos, side, len) : place(items[at], x + pos, y, len, side);
      pos += len;
      sum -= items[at].size;
    }
    if (w >= h) { x += side; w -= side; } else { y += side; h -= side; }
  }
}

const largest = (list) => list.filter((i) => i.size > 0).sort((a, b) => b.size - a.size);
const nodeItem = (n) => ({ size: n.size, node: n, layer: layerOf(n), label: n.name });
const otherItem = (l, i) => ({ size: l.other, layer: i, label: (l.base ? "base image" : "files outside the store"), other: l });

function cell(item, x, y, w, h) {
  if (w < 1.5 || h < 1.5) return;
  const attrs = { class: "cell" + (item.other ? " other" : ""), hue: item.node ? hueOf(item.node) : hue(item.layer), type: "button", tabindex: -1, "aria-label": item.label + ", " + bytes(item.size) };
  if (item.node) attrs["data-id"] = item.node.id;
  const b = el("button", attrs);
  if (w > 44 && h > 19) b.append(el("b", {}, item.label));
  if (w > 44 && h > 38) b.append(el("small", {}, bytes(item.size)));
  Object.assign(b.style, { left: x + "px", top: y + "px", width: Math.max(1, w - 2) + "px", height: Math.max(1, h - 2) + "px" });
  if (w < 16 || h < 12) b.style.padding = 0;
  tip(b, item.label, [bytes(item.size) + (item.node ? " itself, " + bytes(item.node.closure) + " with its closure" : " in " + many(item.other.files, "file")), "layer " + (item.layer + 1)]);
  if (item.node) b.addEventListener("click", () => select(item.node.id));
  view.append(b);
}

function drawSize() {
  const items = D.nodes.map(nodeItem).concat(D.layers.map(otherItem));
  squarify(largest(items), 0, 0, view.clientWidth, view.clientHeight, cell);
}

function drawLayers() {
  const groups = D.layers.map((l, i) => {
    const items = largest(D.nodes.filter((n) => layerOf(n) === i).map(nodeItem).concat([otherItem(l, i)]));
    return { layer: i, l, items, size: items.reduce((n, x) => n + x.size, 0) };
  });
  squarify(largest(groups), 0, 0, view.clientWidth, view.clientHeight, (g, x, y, w, h) => {
    const f = el("div", { class: "frame", hue: hue(g.layer) });
    Object.assign(f.style, { left: x + "px", top: y + "px", width: w - 3 + "px", height: h - 3 + "px" });
    const titled = w > 70 && h > 44;
    if (titled) f.append("layer " + (g.layer + 1) + " · " + bytes(g.size) + (w > 210 ? ", " + bytes(g.l.size) + " shipped" : ""));
    view.append(f);
    const top = titled ? 21 : 3;
    squarify(g.items, x + 3, y + top, w - 7, h - top - 4, cell);
  });
}

function drawTable() {
  const columns = [["name", "Store path"], ["size", "Own size"], ["closure", "Closure"], ["leaving", "Would leave"], ["used", "Used by"], ["layer", "Layer"]];
  const value = { name: (n) => n.name, size: (n) => n.size, closure: (n) => n.closure, leaving: (n) => n.leaving, used: (n) => n.from.length, layer: layerOf };
  const list = [...D.nodes].sort((a, b) => {
    const x = value[S.sort](a), y = value[S.sort](b);
    return (x < y ? -1 : x > y ? 1 : a.id - b.id) * (S.up ? 1 : -1);
  });
  const head = columns.map(([key, label], i) => el("th", { class: i && "num", "aria-sort": S.sort === key ? (S.up ? "ascending" : "descending") : "none" },
    el("button", { type: "button", onclick: () => { S.up = S.sort === key ? !S.up : key === "name"; S.sort = key; draw(); view.querySelectorAll("th button")[i].focus(); } }, label + (S.sort === key ? (S.up ? " ↑" : " ↓") : ""))));
  const num = (text) => el("td", { class: "num" }, String(text));
  view.append(el("table", {}, el("thead", {}, el("tr", {}, ...head)), el("tbody", {}, ...list.map((n) =>
    el("tr", { "data-id": n.id }, el("td", {}, el("button", { class: "link", type: "button", onclick: () => select(n.id) }, n.name)),
      num(bytes(n.size)), num(bytes(n.closure)), num(bytes(n.leaving)), num(n.from.length), num(n.layers.map((l) => l + 1).join(", ")))))));
}
