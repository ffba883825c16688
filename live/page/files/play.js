// Plays tries on the canvas over the graph: each is a dot that travels to the service and back. The view has a clock of its own, in the
// milliseconds of the program, which a user slows down or stops: what happened meanwhile is kept, and played later.
//
// A try takes a fraction of a millisecond, which nobody sees. So a dot takes a while for its way, and a request is stretched: a call leaves when the
// dot of its caller's try has arrived, a retry when the try before it is back and its back-off is over.
import { byId, milliseconds, say } from "./dom.js";
import { dim, edition, light, meet, scale, way } from "./graph.js";

const out = 260, back = 200; // how long a dot is on its way
const stretch = 4, leastWait = 140; // a back-off is drawn so many times as long
const delay = 120; // how far the live view is behind
const mostKept = 12000; // tries that can still be played
const longest = 40000; // after so long, a try of which no end was told has none: its request was given up
const mostActive = 1200; // requests that are drawn at once

const calm = matchMedia("(prefers-reduced-motion: reduce)");
let kept = []; // tries in the order of their coming
let next = 0; // the first that was not played
const open = new Map(); // tries of which the end is not known
const requests = new Map(); // that are being drawn
const callers = new Map(); // the dots of each service that are not back
const size = { width: 0, height: 0 }; // of the canvas: to ask the page for it in each frame would make it lay itself out
let clock = 0; // the view's
let ahead = 0; // the program's clock less this page's
let speed = 1;
let frame = 0, last = 0;
let lost = false;
let told = "";
let colours = {};

const program = () => performance.now() + ahead;
const failed = (t) => !t.st || t.st >= 500;

/** Takes a batch of tries. */
export function take(now, tries) {
  const measured = now - performance.now();
  ahead = !ahead || Math.abs(measured - ahead) > 1000 ? measured : ahead + (measured - ahead) * 0.1;
  for (const t of tries) {
    const key = t.q + " " + t.p;
    const begun = open.get(key);
    if (begun) {
      open.delete(key);
      Object.assign(begun, t);
      continue;
    }
    kept.push(t);
    meet(t.s, t.v);
    if (!t.e) open.set(key, t);
  }
  if (kept.length > mostKept * 1.1) {
    const gone = kept.length - mostKept;
    lost = lost || next < gone;
    kept.splice(0, gone);
    next = Math.max(0, next - gone);
    for (const [key, t] of open) if (t.b < kept[0].b) open.delete(key);
  }
  wake();
}

/** Forgets what is drawn: other numbers have begun. */
export function forget() {
  if (speed < 1) return; // what is replayed is of before
  clear();
}

function clear() {
  requests.clear();
  callers.clear();
}

/** Plays so much of a second each second; 0 pauses. */
export function setSpeed(to) {
  speed = to;
  lost = false;
  if (to === 1) {
    next = kept.length;
    clear();
    clock = program() - delay;
  }
  byId("step").hidden = to !== 0;
  wake();
}

/** Goes on a bit while it is paused. */
export function step() {
  if (speed === 0) advance(60), paint(), tell();
}

/** Follows the size of the canvas. */
export function begin() {
  new ResizeObserver(([entry]) => { size.width = entry.contentRect.width; size.height = entry.contentRect.height; if (!frame) paint(); }).observe(byId("dots"));
}

/** Looks up the colours of the theme. */
export function theme() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ["accent", "fail", "open", "pass", "paper"]) colours[name] = style.getPropertyValue("--" + name).trim();
}

function wake() {
  if (!frame && !document.hidden) { last = performance.now(); frame = requestAnimationFrame(run); }
}

function run(at) {
  frame = 0;
  const passed = Math.min(100, Math.max(0, at - last));
  last = at;
  if (speed === 1) {
    const aim = program() - delay;
    clock = Math.abs(aim - clock) > 400 ? aim : clock + passed + (aim - clock - passed) * 0.05;
    advance(0);
  } else {
    advance(passed * speed);
  }
  paint();
  tell();
  if (speed > 0 && (requests.size > 0 || next < kept.length)) frame = requestAnimationFrame(run);
  else if (speed > 0) dim(Infinity);
}

/** Moves the clock on, and lets go what is due. */
function advance(by) {
  clock += by;
  if (next < kept.length && kept[next].b - clock > 60000) clock = kept[next].b;
  for (; next < kept.length && kept[next].b <= clock; next++) {
    const t = kept[next];
    if (!calm.matches && way(t) && (requests.size < mostActive || requests.has(t.q))) spawn(t);
  }
  for (const r of requests.values()) update(r);
  dim(clock);
}

function spawn(t) {
  const parent = parentOf(t);
  const name = parent ? parent.request : t.q;
  const r = requests.get(name) ?? requests.set(name, { name, dots: new Map(), until: 0 }).get(name);
  const dot = { t, request: name, parent, pending: 0, state: "queued", start: 0, at: 0 };
  const cut = t.p.lastIndexOf(".");
  if (t.n > 1 && r.dots) dot.before = r.dots.get(t.q + t.p.slice(0, cut + 1) + (t.n - 1));
  if (parent) parent.pending++;
  r.dots.set(t.q + t.p, dot);
  (callers.get(t.s) ?? callers.set(t.s, new Set()).get(t.s)).add(dot);
}

/** The way of a dot. It is looked up anew where the graph was drawn anew, or the version that answers came to be known. */
function wayOf(d) {
  if (d.edition !== edition || d.version !== d.t.v) { d.edition = edition; d.version = d.t.v; d.way = way(d.t); }
  return d.way;
}

/** The dot of the try that made a call. A host outside is told no name, so that its call is of the try that was under way at the caller. */
function parentOf(t) {
  const cut = t.p.lastIndexOf(".");
  const r = requests.get(t.q);
  if (cut > 0 && r) return r.dots.get(t.q + t.p.slice(0, cut).replace(/:\d+$/, "")) ?? null;
  if (cut > 0 || t.c === "edge") return null;
  for (const d of callers.get(t.c) ?? []) if (d.t.b <= t.b && (!d.t.e || d.t.e >= t.b)) return d;
  return null;
}

function update(r) {
  let done = true;
  for (const d of r.dots.values()) {
    follow(d, r);
    done = done && d.state === "done";
  }
  if (done && r.until === 0) r.until = clock + 500;
  if (!done) r.until = 0;
  if (done && clock > r.until) requests.delete(r.name);
}

/** Moves a dot to its next state when that is due. */
function follow(d, r) {
  const { t } = d;
  if (d.state === "queued") {
    if (d.before && d.before.state !== "done" || d.parent && (d.parent.state === "queued" || d.parent.state === "waiting" || d.parent.state === "out")) return;
    const pause = d.before ? Math.max(leastWait, (t.b - (d.before.t.e || t.b)) * stretch) : 0;
    d.state = "waiting"; d.since = clock; d.start = clock + pause;
  }
  if (d.state === "waiting" && clock >= d.start) { d.state = "out"; d.since = clock; }
  if (d.state === "out" && clock >= d.since + out) {
    d.state = "there"; d.since = clock;
  }
  if (d.state === "there") {
    const found = wayOf(d);
    if (found && !failed(t)) light(t, found, clock + 300);
    if ((t.e && t.e <= clock || clock - t.b > longest) && d.pending <= 0) { d.state = "back"; d.since = clock; }
  }
  if (d.state === "back" && clock >= d.since + back) {
    d.state = "done"; d.since = clock;
    callers.get(t.s)?.delete(d);
    if (d.parent) d.parent.pending--;
  }
}

/** A point of a curve. */
function point(c, u) {
  const v = 1 - u, a = v * v * v, b = 3 * v * v * u, e = 3 * v * u * u, f = u * u * u;
  return [a * c[0] + b * c[2] + e * c[4] + f * c[6], a * c[1] + b * c[3] + e * c[5] + f * c[7]];
}

const ease = (u) => u * u * (3 - 2 * u);

function paint() {
  const canvas = byId("dots");
  const ratio = Math.min(2, devicePixelRatio || 1);
  const width = Math.round(size.width * ratio), height = Math.round(size.height * ratio);
  if (canvas.width !== width || canvas.height !== height) { canvas.width = width; canvas.height = height; }
  const c = canvas.getContext("2d");
  c.setTransform(1, 0, 0, 1, 0, 0);
  c.clearRect(0, 0, width, height);
  const unit = scale(size.width) * ratio;
  c.setTransform(unit, 0, 0, unit, 0, 0);
  for (const r of requests.values()) for (const d of r.dots.values()) dot(c, d);
}

/** Draws a try: a disc on its way, a ring while its back-off lasts, a cross that comes back failed, a square that comes back good. */
function dot(c, d) {
  if (d.state === "queued" || d.state === "done") return;
  const found = wayOf(d);
  if (!found) return;
  const big = d.t.q.startsWith("hand/") ? 1.7 : 1;
  if (d.state === "waiting") {
    if (!d.before) return;
    const [x, y] = point(found.curve, 0);
    c.strokeStyle = colours.open; c.lineWidth = 2 * big;
    c.beginPath(); c.arc(x, y, 4.5 * big, -Math.PI / 2, -Math.PI / 2 + 2 * Math.PI * Math.max(0.02, (d.start - clock) / (d.start - d.since))); c.stroke();
    return;
  }
  const passed = clock - d.since;
  if (d.state !== "back") {
    const [x, y] = point(found.curve, d.state === "out" ? ease(Math.min(1, passed / out)) : 1);
    c.fillStyle = colours.accent;
    c.beginPath(); c.arc(x, y, (d.state === "there" && passed > 300 ? 3.6 + Math.sin(passed / 90) : 3.6) * big, 0, 2 * Math.PI); c.fill();
    return;
  }
  const [x, y] = point(found.curve, 1 - ease(Math.min(1, passed / back)));
  const half = 4 * big;
  if (failed(d.t)) {
    c.strokeStyle = colours.fail; c.lineWidth = 2.4 * big;
    c.beginPath(); c.moveTo(x - half, y - half); c.lineTo(x + half, y + half); c.moveTo(x + half, y - half); c.lineTo(x - half, y + half); c.stroke();
    return;
  }
  c.fillStyle = colours.pass;
  c.fillRect(x - 3.2 * big, y - 3.2 * big, 6.4 * big, 6.4 * big);
}

/** Says how far the view is behind. */
function tell() {
  const behind = program() - clock;
  let text = "";
  if (calm.matches) text = "Motion is off, as this system asks for: the numbers go on.";
  else if (speed < 1) text = (speed ? "Replay, " : "Paused, ") + milliseconds(Math.max(0, behind)) + " behind; the mesh runs on." + (lost ? " What is older is gone." : "");
  if (text !== told) say(byId("behind"), told = text);
}

/** What is drawn now, for tests: how many requests, and how many tries were played. */
export const drawn = () => ({ requests: requests.size, played: next, kept: kept.length, clock });
