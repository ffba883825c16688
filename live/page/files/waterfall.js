// One request with all its tries, one below the other, on an axis of time.
import { byId, make, milliseconds, post, say } from "./dom.js";

const failed = (t) => !t.st || t.st >= 500;

/** The tries from the outside in: each call with its tries, and below each try what it called. */
function ordered(tries) {
  const key = (t) => t.p.split(/[.:]/).map((n) => n.padStart(4, "0")).join(".");
  return [...tries].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

function outcome(t) {
  if (t.cut) return "cut: too long";
  if (!t.st) return "no answer";
  return String(t.st);
}

function line(t, before, sent) {
  const x = (ms) => (1000 * Math.max(0, ms - sent.began)) / Math.max(sent.took, 0.1);
  const depth = t.p.split(".").length - 1;
  const ended = t.e || sent.began + sent.took;
  const bars = make(":svg", { viewBox: "0 0 1000 18", preserveAspectRatio: "none", "aria-hidden": "true" });
  if (before) bars.append(make(":rect", { class: "rest", x: x(before.e), y: 7, width: Math.max(0, x(t.b) - x(before.e)), height: 4 }));
  bars.append(make(":rect", { class: failed(t) ? "took bad" : "took", x: x(t.b), y: 3, width: Math.max(4, x(ended) - x(t.b)), height: 12 }));
  const name = `${t.c} → ${t.s.split(".")[0]}${t.v ? " " + t.v : ""}`;
  return make("li", {}, make("span", { class: "name" }, "\u2003".repeat(depth) + name + (t.n > 1 ? `, try ${t.n}` : "")),
    make("span", { class: "mark " + (failed(t) ? "fail" : "pass") }, (failed(t) ? "✗ " : "✓ ") + outcome(t)),
    make("span", { class: "bars" }, bars), make("span", { class: "n" }, milliseconds(ended - t.b)));
}

const many = (n, one, more) => `${n} ${n === 1 ? one : more}`;

/** Says which services answered well although a call of theirs failed with all its tries; empty: none did. */
function absorbed(tries) {
  const call = (t) => t.p.slice(0, Math.max(0, t.p.lastIndexOf(".")));
  const caller = (t) => call(t).replace(/:\d+$/, "");
  const last = (t) => !tries.some((o) => o !== t && call(o) === call(t) && o.n > t.n);
  const name = (t) => t.s.split(".")[0];
  const all = new Set();
  for (const t of tries.filter((t) => !failed(t))) {
    for (const c of tries.filter((c) => caller(c) === t.p && failed(c) && last(c))) all.add(`${name(t)} answered ${t.st} although its call to ${name(c)} failed`);
  }
  return all.size ? [...all].join(", and ") + ": it says in its answer what failed, and does not fail itself. " : "";
}

/** Sends one request and shows what it led to. */
export async function send(header) {
  const button = byId("send");
  button.disabled = true;
  try {
    show(await post("send", { header }));
  } catch (e) {
    say(byId("answer"), e.problems.join(" "));
  } finally {
    button.disabled = false;
  }
}

function show(sent) {
  const tries = ordered(sent.tries ?? []);
  const before = (t) => t.n > 1 && tries.find((o) => o.n === t.n - 1 && o.p === t.p.replace(/\d+$/, String(t.n - 1)));
  const waited = tries.reduce((sum, t) => sum + (before(t) ? t.b - before(t).e : 0), 0);
  const answer = sent.error ? `There was no answer: ${sent.error}` : `It was answered ${sent.status} after ${milliseconds(sent.took)}`;
  say(byId("answer"), `${answer}, with ${many(tries.filter((t) => t.n <= 1).length, "call", "calls")} and ${many(tries.length, "try", "tries")}, ${tries.filter(failed).length} of which failed${waited > 0 ? `, and ${milliseconds(waited)} of back-off` : ""}.`);
  byId("waterfall").replaceChildren(make("ol", { "aria-label": "Tries of the request" }, ...tries.map((t) => line(t, before(t), sent))),
    make("p", { class: "small muted" }, absorbed(tries) + "The bars are on one axis of time, from sending to the answer; thin ones are back-off. Calls to hosts outside carry no name of the request and are not listed."));
}
