// The page of hellochaos up: takes the stream of what happens, and sends what a user moves.
import { byId, make, post, say, percent, count } from "./dom.js";
import * as graph from "./graph.js";
import * as lesson from "./lesson.js";
import * as numbersView from "./numbers.js";
import * as play from "./play.js";
import * as waterfall from "./waterfall.js";
import * as yaml from "./yaml.js";

const rates = [1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 400, 500]; // a second
const settle = 150; // after the last move of a slider, in milliseconds

let state = null;
let numbers = null;
let wanted = null; // controls that were moved and not yet sent
let mine = null; // controls that were sent and of which the stream has not told yet
let posting = false;
let timer = 0;
let sending = Promise.resolve();

/** The controls as they will be when all that was moved is sent. */
const controls = () => ({ ...(mine ?? state.controls), ...wanted });

/** Puts controls in force, all that were moved at once. */
function change(part, wait = 0) {
  wanted = { ...wanted, ...part };
  moved();
  clearTimeout(timer);
  return new Promise((done) => { timer = setTimeout(() => { sending = sending.then(flush).then(done); }, wait); });
}

async function flush() {
  if (!wanted) return;
  mine = controls();
  wanted = null;
  posting = true;
  try {
    await post("set", mine);
    say(byId("problem"), "");
  } catch (e) {
    mine = null;
    say(byId("problem"), e.problems.join("\n"));
  } finally {
    posting = false;
  }
  moved();
}

/** Shows where the controls are. */
function moved() {
  const c = controls();
  byId("fail").value = c.fail;
  byId("hang").value = c.hang;
  byId("rate").value = nearest(c.rate);
  byId("canary").value = c.canary;
  say(byId("failshown"), percent(c.fail));
  say(byId("hangshown"), percent(c.hang));
  say(byId("rateshown"), count(c.rate) + " / s");
  say(byId("canaryshown"), c.canary + " %");
  byId("rate").setAttribute("aria-valuetext", c.rate + " requests a second");
  byId("canary").disabled = !state.splits;
  say(byId("canarywhy"), state.splits ? "percent of the calls to middleware" : "there is a split from stage prod on");
  if (document.activeElement !== byId("header")) byId("header").value = c.header;
  byId("load").textContent = c.stopped ? "Start the load" : "Stop the load";
  byId("load").setAttribute("aria-pressed", String(c.stopped));
}

const nearest = (rate) => rates.reduce((best, r, i) => (Math.abs(r - rate) < Math.abs(rates[best] - rate) ? i : best), 0);

/** What can be applied, one after another. */
const steps = () => [...(state.application ? [{ name: "", shown: "application", title: "the services without any policy", applied: true }] : []), ...state.stages];

function stages() {
  const row = byId("stages");
  const all = steps();
  if (state.readonly) return phases(row);
  if (!row.children.length) {
    row.append(...all.map((s, i) => make("li", {}, make("button", { type: "button", click: () => choose(i) }, make("b", {}, s.shown ?? s.name), make("span", {}, s.title)))));
  }
  all.forEach((s, i) => {
    const button = row.children[i].firstChild;
    button.setAttribute("aria-pressed", String(s.applied));
    if (s.name === state.controls.stage) button.setAttribute("aria-current", "step");
    else button.removeAttribute("aria-current");
  });
}

/** The phases of a run, which nobody chooses: each with its verdict when it has ended. */
function phases(row) {
  if (!row.children.length) row.append(...state.stages.map((s) => make("li", {}, make("div", { class: "step" }, make("b", {}, s.name), make("span", {}, s.title), make("span", {})))));
  state.stages.forEach((s, i) => {
    const step = row.children[i].firstChild;
    step.classList.toggle("applied", s.applied);
    if (s.applied && !s.verdict) step.setAttribute("aria-current", "step");
    else step.removeAttribute("aria-current");
    step.lastChild.className = "mark " + (s.verdict ?? "");
    say(step.lastChild, s.verdict ? numbersView.marks[s.verdict] : s.applied ? "now" : "");
  });
}

/** A run is watched alone: what moves a session is not there. */
function readOnly() {
  for (const id of ["load", "hand", "yamlpanel", "moved"]) byId(id).hidden = true;
  document.querySelector("main").classList.add("alone");
  document.title = "hellochaos run";
  byId("stagesnav").setAttribute("aria-label", "Phases");
}

/** Applies the stages up to one, or takes the last one back. */
function choose(i) {
  const names = steps().map((s) => s.name);
  change({ stage: names[i] === controls().stage ? names[Math.max(0, i - 1)] : names[i] });
}

function breaks() {
  const box = byId("breaks");
  if (!box.children.length) {
    box.append(...state.breaks.map((b) => make("button", { type: "button", click: () => change({ break: controls().break === b.name ? "" : b.name }) }, make("code", {}, b.name), " " + b.text, make("span"))));
  }
  state.breaks.forEach((b, i) => {
    const button = box.children[i];
    button.disabled = !b.shows && state.controls.break !== b.name;
    say(button.lastChild, b.shows ? "" : ` (shows from stage ${b.stage} on)`);
    button.setAttribute("aria-pressed", String(state.controls.break === b.name));
  });
}

function words() {
  byId("lesson").hidden = !state.application;
  say(byId("command"), state.command);
  say(byId("about"), state.about);
  say(byId("curl"), state.curl);
  say(byId("place"), state.place);
  document.querySelector(".play").hidden = Boolean(state.untold);
  if (state.untold) say(byId("drawn"), "Single tries are not drawn, since a cluster does not tell of them: the calls have their numbers.");
  else say(byId("drawn"), state.every > 1 ? `One request in ${state.every} is drawn; the numbers are of all.` : "");
  say(byId("seed"), `The draws have seed ${state.seed}.`);
  if (state.notice && byId("notice").textContent !== state.notice) {
    say(byId("notice"), state.notice);
    byId("notice").classList.add("fresh");
    setTimeout(() => byId("notice").classList.remove("fresh"), 2500);
  }
}

let drawing = 0;

/** Shows the numbers, once for all that came since the last frame. */
function draw() {
  drawing = 0;
  if (numbers) graph.show(numbers.phase);
  numbersView.show(numbers, state);
  lesson.look({ state, numbers });
}

function soon() { drawing ||= requestAnimationFrame(draw); }

function take(batch) {
  if (batch.anew) { play.forget(); numbers = null; }
  if (batch.state) {
    state = batch.state;
    if (!posting) mine = null;
    stages(); words();
    if (state.readonly) readOnly();
    else { breaks(); moved(); yaml.show(state); }
  }
  if (batch.numbers) numbers = batch.numbers;
  if (batch.anew || batch.state || batch.numbers) soon();
  if (batch.tries) play.take(batch.now, batch.tries);
  if (state?.result) stream?.close(); // nothing comes any more
}

let stream = null;

function listen() {
  if (stream || document.hidden || state?.result) return;
  stream = new EventSource("events");
  stream.onmessage = (e) => take(JSON.parse(e.data));
  stream.onerror = () => say(byId("notice"), "The program does not answer: it may have ended. The page tries again.");
}

/** Nobody watches a hidden page, so the load rests. */
function visible() {
  if (!document.hidden) return listen();
  stream?.close();
  stream = null;
}

function begin() {
  play.theme();
  play.begin();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", play.theme);
  const slide = (id, read) => byId(id).addEventListener("input", (e) => change(read(Number(e.target.value)), settle));
  slide("fail", (v) => ({ fail: Math.round(v * 100) / 100 }));
  slide("hang", (v) => ({ hang: Math.round(v * 100) / 100 }));
  slide("rate", (v) => ({ rate: rates[v] }));
  slide("canary", (v) => ({ canary: v }));
  byId("headerform").addEventListener("submit", (e) => { e.preventDefault(); change({ header: byId("header").value }); });
  byId("load").addEventListener("click", () => change({ stopped: !controls().stopped }));
  byId("send").addEventListener("click", () => waterfall.send(byId("header").value));
  byId("step").addEventListener("click", play.step);
  for (const button of document.querySelectorAll("[data-speed]")) {
    button.addEventListener("click", () => {
      for (const other of document.querySelectorAll("[data-speed]")) other.setAttribute("aria-pressed", String(other === button));
      play.setSpeed(Number(button.dataset.speed));
    });
  }
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(byId(button.dataset.copy).textContent);
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    });
  }
  new ResizeObserver(([graphBox]) => { graph.fit(graphBox.contentRect.width); soon(); }).observe(byId("graph"));
  document.addEventListener("visibilitychange", visible);
  yaml.begin();
  lesson.begin((c) => change(c));
  listen();
}

begin();
