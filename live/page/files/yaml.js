// The YAML of a stage, editable: applied when it is valid, else its problems are shown at their lines.
import { byId, make, post, say } from "./dom.js";

const pause = 700; // after the last key
const mostBytes = 250 << 10; // that the program takes

let state = null;
let stage = "";
let timer = 0;
let turn = 0;
let wrong = new Set();

const area = () => byId("yaml");
const of = (name) => state?.stages.find((s) => s.name === name);

/** Shows what is in force. The text of a user who is typing stays. */
export function show(now) {
  const before = state;
  state = now;
  const select = byId("yamlstage");
  if (!select.options.length) {
    select.append(...now.stages.map((s) => make("option", { value: s.name }, s.name)));
    choose(now.controls.stage || now.stages[0].name);
    return;
  }
  if (now.controls.stage && before?.controls.stage !== now.controls.stage) return choose(now.controls.stage);
  if (of(stage).yaml !== before?.stages.find((s) => s.name === stage)?.yaml && !timer && of(stage).yaml !== area().value) fill();
  words();
}

/** Shows the YAML of a stage. */
export function choose(name) {
  clearTimeout(timer);
  timer = 0;
  stage = name;
  byId("yamlstage").value = name;
  fill();
}

function fill() {
  area().value = of(stage).yaml;
  area().scrollTop = 0;
  problems([]);
  words();
}

function words(text) {
  const s = of(stage);
  byId("yamlreset").hidden = !s.edited && area().value === s.yaml;
  say(byId("yamlstate"), text ?? (s.edited ? "Your text is in force. A rule that no call of the stage meets changes no number." : s.applied ? "In force as the stage has it. Edit it: it is applied when it is valid." : "This stage is not applied."));
}

function gutter() {
  const lines = area().value.split("\n").length;
  const parts = [];
  for (let i = 1; i <= Math.min(lines, 20000); i++) parts.push(wrong.has(i) ? make("b", {}, "✗ " + i) : String(i), "\n");
  byId("gutter").replaceChildren(...join(parts));
  scroll();
}

/** Joins texts that follow each other, so that there are few nodes. */
function join(parts) {
  const all = [];
  for (const p of parts) {
    if (typeof p === "string" && typeof all.at(-1) === "string") all[all.length - 1] += p;
    else all.push(p);
  }
  return all;
}

function scroll() { byId("gutter").scrollTop = area().scrollTop; }

function problems(list) {
  const read = list.map((text) => {
    const at = text.match(/^(?:phase \S+: )?[\w-]+\.yaml:(\d+): (.*)$/s);
    return at ? { line: Number(at[1]), text: at[2] } : { text };
  });
  wrong = new Set(read.filter((p) => p.line).map((p) => p.line));
  byId("yamlproblems").replaceChildren(...read.map((p) => make("li", {}, p.line ? make("button", { type: "button", click: () => jump(p.line) }, "line " + p.line) : null, p.text)));
  area().setAttribute("aria-invalid", String(read.length > 0));
  if (read.length) byId("yamlproblems").scrollIntoView({ block: "nearest" });
  gutter();
}

/** Puts the cursor on a line. */
function jump(line) {
  const text = area();
  const lines = text.value.split("\n");
  const start = lines.slice(0, line - 1).reduce((sum, l) => sum + l.length + 1, 0);
  text.focus();
  text.setSelectionRange(start, start + lines[line - 1].length);
  text.scrollTop = Math.max(0, (line - 6) * 18);
}

async function apply(yaml) {
  timer = 0;
  const mine = ++turn, at = stage;
  if (yaml === of(at).yaml) return problems([]), words();
  if (!yaml.trim()) return problems(["the text is empty: to do without the stage, apply the one before it"]), words("Not applied: what was in force before still is.");
  if (yaml.length > mostBytes) return problems([`the text is longer than ${mostBytes >> 10} KB, which the page does not take: use hellochaos verify -f FILE`]), words("Not applied: the text before it is in force.");
  try {
    await post("edit", { stage: at, yaml });
    if (mine === turn && at === stage) problems([]);
  } catch (e) {
    if (mine !== turn || at !== stage) return;
    problems(e.problems);
    words("Not applied: what was in force before still is.");
  }
}

/** Puts a text in the place of a stage's, as if a user had typed it. */
export async function edit(name, change) {
  if (stage !== name) choose(name);
  area().value = change(area().value);
  await apply(area().value);
}

/** Brings the stage's own text back. */
export async function reset(name) {
  if (of(name)?.edited) await post("edit", { stage: name, yaml: "" });
}

export function begin() {
  area().addEventListener("input", () => {
    clearTimeout(timer);
    wrong = new Set();
    gutter();
    timer = setTimeout(() => apply(area().value), pause);
  });
  area().addEventListener("scroll", scroll);
  byId("yamlstage").addEventListener("change", (e) => choose(e.target.value));
  byId("yamlreset").addEventListener("click", async () => {
    const at = stage;
    clearTimeout(timer);
    timer = 0;
    await reset(at);
    if (at === stage) fill();
  });
}
