// The numbers measured beside those predicted, and the verdict as it forms.
import { byId, count, make, milliseconds, percent, say } from "./dom.js";

export const marks = { pass: "✓ PASS", fail: "✗ FAIL", inconclusive: "… open", "not judged": "not judged" };
/** A call passes for good when the phase was counted; before, it passes so far. */
const mark = (verdict, counted) => (verdict === "pass" && !counted ? "✓ so far" : marks[verdict] ?? verdict);
const many = (n, thing) => `${count(n)} ${thing}${n === 1 ? "" : "s"}`;
const place = (v) => (v === "not judged" ? "not" : v);

/** Sets an attribute only where it has another value, so that nothing is drawn anew for it. */
function put(element, name, value) {
  if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

/** The picture of a share, whose parts picture moves. */
function emptyPicture() {
  const range = make(":rect", { class: "range", y: 5, height: 10, rx: 2 });
  const line = make(":line", { class: "line", y1: 2, y2: 18 });
  const point = make(":circle", { class: "point", cy: 10, r: 3.2 });
  const svg = make(":svg", { viewBox: "0 0 140 20", "aria-hidden": "true" }, make(":line", { class: "base", x1: 4, x2: 136, y1: 10, y2: 10 }), range, line, point);
  return { svg, range, line, point };
}

/** Draws a share up to a largest one: its interval, the measured value and the predicted one. */
function picture({ range, line, point }, share, most) {
  const x = (v) => Math.round(40 + (1320 * Math.min(v, most)) / most) / 10;
  range.toggleAttribute("hidden", !share.interval);
  if (share.interval) {
    put(range, "x", x(share.interval.lo));
    put(range, "width", Math.max(1, x(share.interval.hi) - x(share.interval.lo)));
  }
  put(line, "x1", x(share.predicted));
  put(line, "x2", x(share.predicted));
  point.toggleAttribute("hidden", share.measured === undefined);
  if (share.measured !== undefined) put(point, "cx", x(share.measured));
}

/** A row of the table, which fill fills. */
function emptyRow() {
  const cell = (attributes) => make("td", attributes);
  const r = { name: document.createTextNode(""), cohorts: make("span", { class: "small muted" }), rule: cell({ class: "rule" }), calls: cell({ class: "n", "data-label": "calls" }),
    fails: document.createTextNode(""), of: make("span", { class: "of small muted" }), predicted: cell({ class: "n", "data-label": "predicted" }), drawn: emptyPicture(), mark: make("span") };
  r.element = make("tr", {}, make("th", { scope: "row" }, r.name, r.cohorts), r.rule, r.calls, make("td", { class: "n", "data-label": "fails" }, r.fails, r.of), r.predicted,
    make("td", { class: "drawn" }, r.drawn.svg), make("td", { class: "verdictcell" }, r.mark));
  return r;
}

const rows = [];

/** Fills the rows of the table: a few times a second, so that they are changed and not made anew. */
function fill(all, most, counted) {
  while (rows.length < all.length) rows.push(emptyRow());
  rows.length = all.length;
  const body = byId("numbers");
  if (body.children.length !== rows.length) body.replaceChildren(...rows.map((r) => r.element));
  all.forEach(({ name, cohorts, rule, calls, share, verdict, note }, i) => {
    const r = rows[i];
    say(r.name, name);
    say(r.cohorts, cohorts ? " " + cohorts : "");
    say(r.rule, rule);
    say(r.calls, count(calls));
    say(r.fails, share.measured === undefined ? "–" : percent(share.measured));
    say(r.of, share.measured === undefined ? "" : `${count(share.k)} of ${count(share.n)}`);
    say(r.predicted, (share.predicted_error ? "≈ " : "") + percent(share.predicted));
    picture(r.drawn, share, most);
    say(r.mark, verdict ? mark(verdict, counted) : "");
    put(r.mark, "class", verdict ? "mark " + place(verdict) : "");
    put(r.mark, "title", note ?? "");
  });
}

/** What is still open of a call, in words. */
function openOf(call) {
  const lacking = (call.branches ?? []).filter((b) => b.verdict === "inconclusive").map((b) => `${b.name}: ${b.met} of ${b.wanted}`);
  return lacking.join(", ") || call.note || "";
}

function rule(call) {
  if (!call.rule) return "none: entered directly";
  return (call.rule.match ? call.rule.match + ": " : "") + call.rule.policy + (call.rule.file ? ` (${call.rule.file}:${call.rule.line})` : "");
}

/** Shows the numbers; null where there are none yet. */
export function show(numbers, state) {
  const phase = numbers?.phase;
  verdict(numbers, state);
  for (const place of [byId("numberstitle").parentElement, byId("graph")]) place.classList.toggle("before", Boolean(state?.controls?.stopped));
  if (!phase) return;
  const [edge, any] = phase.shares;
  const all = [edge, any, ...(phase.calls ?? []).map((c) => c.fails)];
  const most = Math.min(1, Math.max(0.02, ...all.map((s) => Math.max(s.predicted, s.interval?.hi ?? 0) * 1.05)));
  fill([...(phase.calls ?? []).map((c) => ({ name: `${c.from} → ${c.to.split(".")[0]}`, cohorts: (c.cohorts ?? []).join(", "), rule: rule(c), calls: c.judged, share: c.fails, verdict: c.verdict, note: openOf(c) })),
    { name: "any of our services", rule: "in a request", calls: phase.natural_requests, share: any }], most, numbers.counted || phase.verdict === "fail");
  const good = (phase.latency ?? []).filter((l) => l.outcome === "ok");
  const at = (q) => good.find((l) => l.quantile === q);
  const call = (phase.calls ?? []).find((c) => c.from === "edge");
  const probes = phase.probe_requests ? ` and ${many(phase.probe_requests, "probe")}, whose failures are pinned,` : "";
  const parts = [`${many(phase.natural_requests, "request")}${probes} in ${milliseconds(phase.elapsed_seconds * 1000)}`];
  if (at(0.5)) parts.push(`good answers take ${milliseconds(at(0.5).value_seconds * 1000)} in the median and ${milliseconds(at(0.99).value_seconds * 1000)} at the 99th percentile`);
  if (call?.mean_tries) parts.push(`a call of the edge is predicted to have ${call.mean_tries.toFixed(2)} tries on average, and at most ${call.most_tries}`);
  say(byId("counts"), parts.join("; ") + ".");
  found(phase, numbers.notes ?? [], state);
}

function verdict(numbers, state) {
  const box = byId("verdict");
  if (state?.result) {
    box.className = "verdict " + state.result.verdict;
    say(box.querySelector(".word"), state.result.verdict.toUpperCase());
    say(box.querySelector(".why"), state.result.text);
    return;
  }
  const forming = numbers && !numbers.counted && numbers.phase.verdict === "inconclusive";
  const word = state?.controls.stopped ? "STOPPED" : forming ? "FORMING" : numbers ? numbers.phase.verdict.toUpperCase() : "…";
  box.className = "verdict " + (numbers && !state?.controls.stopped ? numbers.phase.verdict : "");
  say(box.querySelector(".word"), word);
  let why = state?.readonly ? "No answer is in yet." : "The numbers begin.";
  if (state?.error) why = state.error;
  else if (state?.controls.stopped) why = "No requests are sent but those by hand. The grey numbers are of before.";
  else if (numbers) why = reason(numbers);
  say(box.querySelector(".why"), why);
}

/** Why the verdict is what it is. It is announced, so the counts are round while it forms. */
function reason({ phase, settled, done, counted }) {
  const wrong = (phase.mismatches ?? []).reduce((sum, m) => sum + m.count, 0);
  if (phase.verdict === "fail" && wrong) return `${many(wrong, "call")} met something else than the manifests say.`;
  if (phase.verdict === "fail") return "What was counted contradicts the manifests: see the calls.";
  if (phase.verdict === "pass") return phase.base ? "Each call met what it must. Nothing is applied yet that could be proved." : "Each call met what the manifests say.";
  if (!counted && done < settled) return `${count(Math.floor(done / settled * 20) * 5)} % of the ${count(settled)} requests that a verdict needs; nothing is wrong so far.`;
  if (!counted) return "The last requests are being decided.";
  return "Something stays undecided: see the calls.";
}

function found(phase, notes, state) {
  const items = [];
  for (const m of (phase.mismatches ?? []).slice(0, 4)) {
    items.push(make("li", {}, make("b", {}, `${m.from} → ${m.to}: ${m.kind}, ${many(m.count, "call")}`), `Expected: ${m.expected}. Met: ${m.met}.`,
      m.file ? make("span", { class: "muted" }, ` ${m.rule} (${m.file}:${m.line})`) : null));
  }
  for (const c of phase.calls ?? []) {
    for (const w of (c.waits ?? []).filter((w) => w.verdict === "fail")) items.push(make("li", {}, make("b", {}, `${c.from} → ${c.to}: waits before try ${w.try}`),
      `Predicted ${milliseconds(w.predicted_seconds * 1000)} in the median, measured ${milliseconds((w.measured_seconds ?? 0) * 1000)}.`));
    if (c.ledger?.verdict === "fail") items.push(make("li", {}, make("b", {}, `${c.to}: its own counters`), c.ledger.note ?? ""));
    if (c.split?.verdict === "fail") items.push(make("li", {}, make("b", {}, `${c.from} → ${c.to}: split`), c.split.note ?? c.split.parts.map((p) => `${p.name} ${percent(p.measured ?? 0)}, want ${percent(p.predicted)}`).join("; ")));
  }
  for (const f of (state?.findings ?? []).slice(0, 6)) items.push(make("li", { class: f.severity === "error" ? "" : "remark" }, make("b", {}, `${f.object}${f.line ? ` (${f.file}:${f.line})` : ""}`), f.text));
  for (const n of notes) items.push(make("li", { class: "remark" }, n));
  const list = byId("found");
  const text = items.map((i) => i.textContent).join("\n");
  if (list.dataset.text !== text) { list.dataset.text = text; list.replaceChildren(...items); }
}
