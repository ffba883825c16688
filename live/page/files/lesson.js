// The tutorial's steps, each with one question that is answered by moving something.
import { byId, milliseconds, percent, say } from "./dom.js";
import * as yaml from "./yaml.js";

const retryLine = "        retryOn: 5xx,connect-failure,refused-stream\n";

/** Takes retryOn from the rule for a service. */
function without(text, service) {
  const at = text.indexOf(`hosts: [${service}]`);
  const line = text.indexOf(retryLine, at);
  return at < 0 || line < 0 ? text : text.slice(0, line) + text.slice(line + retryLine.length);
}

/** The median time of a good answer in seconds; nothing while there are too few. */
function goodMedian(numbers) {
  const good = numbers?.phase.latency?.find((l) => l.outcome === "ok" && l.quantile === 0.5);
  return good?.n > 20 ? good.value_seconds : undefined;
}

const call = (numbers, from, to) => numbers?.phase.calls?.find((c) => c.from === from && c.to === to);
const fresh = { fail: 0.3, hang: 0, rate: 20, canary: 0, header: "", break: "", stopped: false };

const steps = [
  {
    question: "Why does the frontend still fail at stage retry?",
    hint: "Its rule has 3 retries, as those of middleware and backend have. Look where its calls come from, and apply the stage that changes that.",
    set: { ...fresh, stage: "retry" },
    edits: {},
    solved: ({ state, numbers }) => {
      const edge = call(numbers, "edge", "frontend");
      return state.controls.stage === "ingress" && edge?.fails.n > 20 &&
        `At stage retry, requests come straight to its pod: no proxy is on their way that could send a failed one again. At the gateway one is. Predicted are now ${percent(edge.fails.predicted)} in place of ${percent(state.controls.fail)}, measured ${percent(edge.fails.measured)}.`;
    },
  },
  {
    question: "What do four tries cost?",
    hint: "Requests come from the edge, which is all that is outside. Move Fail until a call of the edge is predicted to have two tries on average, as the line above the table says, and watch how long good answers take.",
    set: { ...fresh, stage: "ingress", fail: 0.1 },
    edits: {},
    begins: ({ state, numbers }) => (state.controls.fail === 0.1 ? goodMedian(numbers) : undefined),
    solved: ({ state, numbers }, begun) => {
      const edge = call(numbers, "edge", "frontend"), now = goodMedian(numbers);
      return edge?.mean_tries >= 2 && now !== undefined &&
        `Where a service fails ${percent(state.controls.fail)} of its tries, calls of the edge are predicted to fail with ${percent(edge.fails.predicted)}. For that, the frontend gets ${edge.mean_tries.toFixed(1)} tries for each request, and a good answer takes ${milliseconds(now * 1000)} in the median${begun === undefined ? "" : `, where it took ${milliseconds(begun * 1000)} at ${percent(0.1)}`}.`;
    },
  },
  {
    question: "What does the canary header do?",
    hint: "Set x-dev-user to super-secret and watch which version of middleware answers. Then try Super-Secret.",
    set: { ...fresh, stage: "canary", fail: 0.1 },
    edits: {},
    solved: ({ state, numbers }) => {
      const calls = numbers?.phase.calls?.filter((c) => c.to === "middleware" && c.fails.n > 5) ?? [];
      const to = (version) => calls.length > 0 && calls.every((c) => c.rule?.destinations?.every((d) => d.versions?.includes(version)));
      const { header } = state.controls;
      if (header === "super-secret" && to("canary")) return "All calls to middleware go to the canary: the services pass the header on, and the proxy of the frontend compares its value.";
      return header !== "" && header !== "super-secret" && to("prod") && `With the value ${header}, all calls to middleware go to prod: the rule compares the whole value, and the case of its letters.`;
    },
  },
  {
    question: "Which line does a rule lack that has retries and sends nothing again?",
    hint: "One of the rules of the YAML has 3 retries, and no answer of 500 is sent again by it. Find the call between two services that fails too often, and give its rule the line that the others have.",
    set: { ...fresh, stage: "retry" },
    edits: { retry: (text) => without(text, "middleware") },
    solved: ({ state, numbers }) => {
      const middle = call(numbers, "frontend", "middleware");
      return state.stages.find((s) => s.name === "retry")?.edited && middle?.fails.predicted < state.controls.fail ** 2 && middle.fails.n > 20 &&
        `Without retryOn, Istio retries no answer of 500, whatever attempts says. With it, calls to middleware are predicted to fail with ${percent(middle.fails.predicted)}.`;
    },
  },
  {
    question: "Does the verifier say no?",
    hint: "Break the mesh: choose no-retries, and look at what was expected and what was met.",
    set: { ...fresh, stage: "retry" },
    edits: {},
    solved: ({ state, numbers }) => state.controls.break !== "" && numbers?.phase.verdict === "fail" && "The mesh did something else than the manifests say, and the verifier found it in single requests. Click the break again, and the mesh is whole. This was the last question.",
  },
];

let at = 0;
let prepared = false;
let answer = ""; // as it stood last
let begun; // what was measured before anything was moved
let set = null;

/** Shows the step that is on. */
function show() {
  const step = steps[at];
  say(byId("lessonat"), `${at + 1} of ${steps.length}`);
  say(byId("question"), step.question);
  say(byId("hint"), prepared ? step.hint : "“Set it up” applies the stage that the question is about, and takes back what you have edited.");
  say(byId("solved"), "");
  byId("solved").setAttribute("aria-live", "polite");
  byId("lessonback").disabled = at === 0;
  byId("lessonnext").disabled = at === steps.length - 1;
  byId("lessonset").textContent = prepared ? "Set it up again" : "Set it up";
}

function go(to) { at = to; prepared = false; answer = ""; show(); }

async function prepare() {
  const step = steps[at];
  answer = "";
  begun = undefined;
  for (const name of ["prod", "retry", "ingress", "canary"]) await yaml.reset(name);
  await set(step.set);
  for (const [name, change] of Object.entries(step.edits)) await yaml.edit(name, change);
  prepared = true;
  show();
}

/** Looks whether the question is answered. An answer goes on with the numbers, and is announced once. */
export function look(seen) {
  if (!prepared || !seen.numbers) return;
  begun = steps[at].begins?.(seen) ?? begun;
  const text = steps[at].solved(seen, begun);
  if (!text && !answer) return;
  say(byId("solved"), text ? "✓ " + text : "✓ Answered, with what was set before: " + answer);
  if (text) answer = text;
  setTimeout(() => byId("solved").setAttribute("aria-live", "off"), 1000);
}

/** Begins the lesson; change puts controls in force. */
export function begin(change) {
  set = change;
  byId("lessonback").addEventListener("click", () => go(Math.max(0, at - 1)));
  byId("lessonnext").addEventListener("click", () => go(Math.min(steps.length - 1, at + 1)));
  byId("lessonset").addEventListener("click", prepare);
  show();
}
