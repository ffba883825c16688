// The service graph: laid out by layers, with the measured and the predicted share of failures at each call.
import { byId, make, percent, say } from "./dom.js";

const usual = { width: 132, head: 34, chip: 26, pad: 8, gap: 18, name: 22, letters: 13 };
const compact = { width: 112, head: 28, chip: 22, pad: 4, gap: 8, name: 19, letters: 13 };
const mostUsual = 24; // services; more of them are drawn compact, without the name of an only version
const mostBelow = 13; // services of a layer that are drawn below each other; more fill several columns
const mostLabelled = 40; // calls; of more, the table has the numbers
const known = new Map(); // versions that were ever seen, by service

let node = usual;
let layout = null;
let shape = "";
let room = 0; // the width in which the graph is drawn, in pixels: to ask the page for it would make it lay itself out
/** How often the graph was drawn anew: what way returns is good for one edition. */
export let edition = 0;

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

const chips = (n) => (node === compact && n.versions.size < 2 ? 0 : n.versions.size);
const heightOf = (n) => node.head + (node === compact ? chips(n) : Math.max(1, n.versions.size)) * node.chip + (chips(n) ? node.pad : 0);

/** Splits a layer into columns, or on a narrow screen into lines, that have room. */
function folded(row, most) {
  const lines = Math.ceil(row.length / most), each = Math.ceil(row.length / lines);
  return Array.from({ length: lines }, (_, i) => row.slice(i * each, (i + 1) * each));
}

/** Places the nodes in a width. On a narrow screen the layers are below each other. */
function place(graph, width) {
  node = graph.nodes.length > mostUsual ? compact : usual;
  const upright = width < 700;
  const most = upright ? Math.max(1, Math.floor((width - 16) / (node.width + node.gap))) : mostBelow;
  const groups = layers(graph.nodes).map((row) => folded(row, most));
  const columns = groups.flat().length;
  const free = width - 32 - columns * node.width - (columns - groups.length) * node.gap;
  const gap = upright ? 58 : Math.max(92, free / Math.max(1, groups.length - 1));
  const size = (line) => (upright ? line.length * (node.width + node.gap) : line.reduce((sum, n) => sum + heightOf(n) + node.gap, 0)) - node.gap;
  const across = Math.max(upright ? width - 32 : 0, ...groups.flat().map(size));
  const margin = upright ? 16 : graph.edges.length > mostLabelled ? 16 : 44;
  let along = 16;
  for (const group of groups) {
    for (const line of group) {
      let at = margin + (across - size(line)) / 2;
      for (const n of line) {
        n.height = heightOf(n);
        [n.x, n.y] = upright ? [at, along] : [along, at];
        at += (upright ? node.width : n.height) + node.gap;
      }
      along += (upright ? Math.max(...line.map(heightOf)) : node.width) + node.gap;
    }
    along += gap - node.gap;
  }
  const length = along - gap + 16;
  return { graph, upright, width: upright ? across + 32 : length, height: upright ? length : across + 2 * margin };
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
  const y1 = at < 0 || chips(to) < 2 ? to.y + to.height / 2 : to.y + node.head + at * node.chip + (node.chip - 4) / 2;
  const bend = (x1 - x0) / 2;
  return [x0, y0, x0 + bend, y0, x1 - bend, y1, x1, y1];
}

const label = (name, entry) => (name === "edge" ? (entry?.includes("gateway") ? "gateway" : "requests") : name);

function drawNode(n, entry) {
  const text = label(n.name, entry);
  const short = text.length > node.letters ? text.slice(0, node.letters - 1) + "…" : text;
  const g = make(":g", { class: node === compact ? "node compact" : "node", transform: `translate(${n.x} ${n.y})` }, make(":title", {}, text),
    make(":rect", { class: "box", width: node.width, height: n.height, rx: 7 }),
    make(":text", { x: node.width / 2, y: chips(n) ? node.name : n.height / 2 + 5 }, short));
  if (chips(n)) [...n.versions].forEach((v, i) => {
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
    const x = l.upright ? x0 + 58 : (x0 + x1) / 2, y = l.upright ? y0 + 26 : y0 - 32;
    edge.measured = make(":text", { x, y });
    edge.predicted = make(":text", { x, y: y + 16, class: "p" });
    g.append(edge.measured, edge.predicted);
  }
  return g;
}

/** Notes how wide the graph may be. */
export function fit(width) { room = width; }

/** Shows a phase: draws the graph anew where it has another shape, and else changes its numbers. */
export function show(phase) {
  if (!room) return; // the page has not been laid out yet: show is called again when it was
  const svg = byId("edges");
  const graph = read(phase);
  const width = Math.max(300, room);
  const now = JSON.stringify([width, graph.entry, graph.nodes.map((n) => [n.name, [...n.versions]]), graph.edges.map((e) => [e.key, [...e.versions]])]);
  if (now !== shape) {
    shape = now;
    for (const n of graph.nodes) n.versions = new Set([...n.versions].sort().reverse()); // prod above canary
    layout = place(graph, width);
    svg.setAttribute("viewBox", `0 0 ${layout.width} ${layout.height}`);
    svg.replaceChildren(byId("graphtitle"), ...graph.edges.map((e) => drawEdge(layout, e)), ...graph.nodes.map((n) => drawNode(n, graph.entry)));
    layout.byKey = new Map(graph.edges.map((e) => [e.key, e]));
    layout.curves = new Map();
    edition++;
  }
  for (const e of graph.edges) {
    const drawn = layout.byKey.get(e.key);
    drawn.element.classList.toggle("fails", e.n > 0 && e.k / e.n > 0.005);
    if (!drawn.measured) continue;
    say(drawn.measured, e.n ? percent(e.k / e.n) + " fail" : "no calls yet");
    say(drawn.predicted, "pred. " + percent(e.expected / e.weight));
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

/** How many pixels a unit of the graph has, where the graph is so many pixels wide. */
export const scale = (width) => (layout ? width / layout.width : 1);

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
