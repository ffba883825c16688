// The service graph: laid out by layers, with the measured and the predicted share of failures at each call.
import { byId, make, percent } from "./dom.js";

const node = { width: 132, head: 34, chip: 26, pad: 8 };
const mostLabelled = 40; // calls; of more, the table has the numbers
const known = new Map(); // versions that were ever seen, by service

let layout = null;
let shape = "";

/** Notes that a version of a service exists: calls without a rule do not name those to which they go. */
export function meet(service, version) {
  if (!version) return;
  const versions = known.get(service) ?? known.set(service, new Set()).get(service);
  if (!versions.has(version)) versions.add(version);
}

/** The services and calls of a phase. */
function read(phase) {
  const nodes = new Map();
  const edges = new Map();
  const add = (name) => nodes.get(name) ?? nodes.set(name, { name, versions: known.get(name) ?? known.set(name, new Set()).get(name), next: new Set() }).get(name);
  for (const call of phase.calls ?? []) {
    const from = add(call.from), to = add(call.to);
    from.next.add(to);
    const key = call.from + "\n" + call.to;
    const edge = edges.get(key) ?? edges.set(key, { key, from, to, k: 0, n: 0, expected: 0, weight: 0, versions: new Set() }).get(key);
    edge.k += call.fails.k;
    edge.n += call.fails.n;
    const weight = call.fails.n || 1e-9;
    edge.expected += call.fails.predicted * weight;
    edge.weight += weight;
    for (const d of call.rule?.destinations ?? []) {
      for (const v of d.versions ?? []) { to.versions.add(v); if (d.share > 0) edge.versions.add(v); }
    }
    if (!call.rule) for (const v of to.versions) edge.versions.add(v);
  }
  return { nodes: [...nodes.values()], edges: [...edges.values()], entry: phase.entry };
}

/** The layer of each node is the longest way to it. */
function layers(nodes) {
  const depth = new Map(nodes.map((n) => [n, 0]));
  for (let round = 0, moved = true; moved && round < nodes.length; round++) {
    moved = false;
    for (const n of nodes) for (const m of n.next) if (m !== n && depth.get(m) < depth.get(n) + 1) { depth.set(m, depth.get(n) + 1); moved = true; }
  }
  const all = [];
  for (const [n, d] of depth) (all[Math.min(d, nodes.length)] ??= []).push(n);
  const rows = all.filter(Boolean);
  for (let i = 1; i < rows.length; i++) { // each node near the middle of those that call it
    const at = new Map(rows[i - 1].map((n, j) => [n, j]));
    const mean = (n) => { const from = rows[i - 1].filter((m) => m.next.has(n)).map((m) => at.get(m)); return from.length ? from.reduce((a, b) => a + b) / from.length : 0; };
    rows[i].sort((a, b) => mean(a) - mean(b));
  }
  return rows;
}

const heightOf = (n) => node.head + Math.max(1, n.versions.size) * node.chip + node.pad;

/** Places the nodes in a width. On a narrow screen the layers are below each other. */
function place(graph, width) {
  const rows = layers(graph.nodes);
  const upright = width < 700;
  const gap = upright ? 58 : Math.max(92, (width - 32 - rows.length * node.width) / Math.max(1, rows.length - 1));
  let across = 0, along = upright ? 16 : 16;
  for (const row of rows) {
    const size = upright ? row.length * (node.width + 20) : row.reduce((sum, n) => sum + heightOf(n) + 18, -18);
    across = Math.max(across, size);
  }
  for (const row of rows) {
    if (upright) {
      let x = (Math.max(width, across) - row.length * (node.width + 20) + 20) / 2;
      for (const n of row) { n.x = x; n.y = along; x += node.width + 20; }
      along += Math.max(...row.map(heightOf)) + gap;
    } else {
      let y = 44 + (across - row.reduce((sum, n) => sum + heightOf(n) + 18, -18)) / 2;
      for (const n of row) { n.x = along; n.y = y; y += heightOf(n) + 18; }
      along += node.width + gap;
    }
    for (const n of row) n.height = heightOf(n);
  }
  return { graph, upright, width: upright ? Math.max(width, across) : along - gap + 16, height: upright ? along - gap + 16 : across + 88 };
}

/** The line of a call to a version, as the four points of a curve. */
function curve(l, edge, version) {
  const { from, to } = edge;
  const at = [...to.versions].indexOf(version);
  if (l.upright) {
    const x0 = from.x + node.width / 2, y0 = from.y + from.height, x1 = to.x + node.width / 2, y1 = to.y;
    const bend = (y1 - y0) / 2;
    return [x0, y0, x0, y0 + bend, x1, y1 - bend, x1, y1];
  }
  const x0 = from.x + node.width, y0 = from.y + from.height / 2, x1 = to.x;
  const y1 = at < 0 || to.versions.size === 1 ? to.y + to.height / 2 : to.y + node.head + at * node.chip + (node.chip - 4) / 2;
  const bend = (x1 - x0) / 2;
  return [x0, y0, x0 + bend, y0, x1 - bend, y1, x1, y1];
}

const label = (name, entry) => (name === "edge" ? (entry?.includes("gateway") ? "gateway" : "requests") : name);

function drawNode(n, entry) {
  const text = label(n.name, entry);
  const short = text.length > 14 ? text.slice(0, 13) + "…" : text;
  const g = make(":g", { class: "node", transform: `translate(${n.x} ${n.y})` }, make(":title", {}, text),
    make(":rect", { class: "box", width: node.width, height: n.height, rx: 7 }),
    make(":text", { x: node.width / 2, y: n.versions.size ? 22 : n.height / 2 + 5 }, short));
  [...n.versions].forEach((v, i) => {
    const chip = make(":g", { class: "version", transform: `translate(10 ${node.head + i * node.chip})` },
      make(":rect", { width: node.width - 20, height: node.chip - 4, rx: 4 }), make(":text", { x: (node.width - 20) / 2, y: 15 }, v.length > 12 ? v.slice(0, 11) + "…" : v));
    g.append(chip);
    n.chips = (n.chips ?? new Map()).set(v, { element: chip, until: 0 });
  });
  n.element = { element: g, until: 0 };
  return g;
}

function drawEdge(l, edge) {
  const versions = edge.versions.size ? [...edge.versions] : [undefined];
  const g = make(":g", { class: "edge" }, ...versions.map((v) => {
    const c = curve(l, edge, v);
    return make(":path", { d: `M${c[0]} ${c[1]}C${c.slice(2).join(" ")}` });
  }));
  edge.element = g;
  if (l.graph.edges.length <= mostLabelled) {
    const [x0, y0, , , , , x1] = curve(l, edge, undefined);
    const x = l.upright ? x0 + 58 : (x0 + x1) / 2, y = l.upright ? y0 + 26 : y0 - 8;
    edge.measured = make(":text", { x, y });
    edge.predicted = make(":text", { x, y: l.upright ? y + 15 : y + 26, class: "p" });
    g.append(edge.measured, edge.predicted);
  }
  return g;
}

/** Shows a phase: draws the graph anew where it has another shape, and else changes its numbers. */
export function show(phase) {
  const svg = byId("edges");
  const graph = read(phase);
  const width = Math.max(300, byId("graph").clientWidth);
  const now = JSON.stringify([width, graph.entry, graph.nodes.map((n) => [n.name, [...n.versions]]), graph.edges.map((e) => [e.key, [...e.versions]])]);
  if (now !== shape) {
    shape = now;
    for (const n of graph.nodes) n.versions = new Set([...n.versions].sort().reverse()); // prod above canary
    layout = place(graph, width);
    svg.setAttribute("viewBox", `0 0 ${layout.width} ${layout.height}`);
    svg.replaceChildren(byId("graphtitle"), ...graph.edges.map((e) => drawEdge(layout, e)), ...graph.nodes.map((n) => drawNode(n, graph.entry)));
    layout.byKey = new Map(graph.edges.map((e) => [e.key, e]));
    layout.curves = new Map();
  }
  for (const e of graph.edges) {
    const drawn = layout.byKey.get(e.key);
    drawn.element.classList.toggle("fails", e.n > 0 && e.k / e.n > 0.005);
    if (!drawn.measured) continue;
    drawn.measured.textContent = e.n ? percent(e.k / e.n) + " fail" : "no calls yet";
    drawn.predicted.textContent = "pred. " + percent(e.expected / e.weight);
  }
}

/** The curve of a try, in the pixels of the canvas; null where the graph has no such call. */
export function way(t) {
  if (!layout) return null;
  const key = t.c + "\n" + t.s + "\n" + (t.v ?? "");
  let found = layout.curves.get(key);
  if (found === undefined) {
    const first = t.s.split(".")[0];
    const edge = layout.byKey.get(t.c + "\n" + t.s) ?? [...layout.byKey.values()].find((e) => e.from.name === t.c && e.to.name.split(".")[0] === first);
    found = edge ? { curve: curve(layout, edge, t.v), edge } : null;
    layout.curves.set(key, found);
  }
  return found;
}

/** How many pixels of the canvas a unit of the graph has. */
export const scale = () => (layout ? byId("edges").clientWidth / layout.width : 1);

const lit = new Set();

/** Lights up the version that answers a try, for a while of the view's clock. */
export function light(t, found, until) {
  const of = found.edge.to;
  for (const one of [of.element, of.chips?.get(t.v)]) {
    if (!one) continue;
    one.until = Math.max(one.until, until);
    if (!lit.has(one)) { lit.add(one); one.element.classList.add("lit"); }
  }
}

/** Puts out what was lit long enough. */
export function dim(clock) {
  for (const one of lit) if (one.until < clock) { lit.delete(one); one.element.classList.remove("lit"); one.until = 0; }
}
