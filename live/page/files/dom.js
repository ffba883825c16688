// Small helpers for elements and numbers.
const svgNames = "http://www.w3.org/2000/svg";

/** The element with an id. */
export const byId = (id) => document.getElementById(id);

/** An element with attributes and children; a name with a colon before it, as in ":rect", is one of SVG. */
export function make(name, attributes = {}, ...children) {
  const element = name[0] === ":" ? document.createElementNS(svgNames, name.slice(1)) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(key, value);
    else if (value !== undefined && value !== false) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.filter((c) => c !== null && c !== undefined));
  return element;
}

/** Sets a text only where it is another, so that nothing is announced twice. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** A share as percent with three digits at most: "28.1 %". */
export function percent(share) {
  const value = share * 100;
  const digits = value === 0 || value >= 99.95 ? 0 : value < 0.1 ? 3 : value < 1 ? 2 : 1;
  return value.toFixed(digits) + " %";
}

/** A number with a comma between thousands. */
export const count = (n) => n.toLocaleString("en-US");

/** Milliseconds with a sensible number of digits. */
export function milliseconds(ms) {
  return (ms < 1 ? ms.toFixed(2) : ms < 10 ? ms.toFixed(1) : ms < 10000 ? ms.toFixed(0) : (ms / 1000).toFixed(1)) + (ms < 10000 ? " ms" : " s");
}

/** Posts JSON, and returns the answer; what is refused is an error with problems. */
export async function post(path, body) {
  let response;
  try {
    response = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  } catch {
    throw Object.assign(new Error("the program does not answer"), { problems: ["The program does not answer: it may have ended."] });
  }
  const answer = await response.json().catch(() => null);
  if (!response.ok || answer?.problems) {
    const problems = answer?.problems ?? ["The program answered " + response.status + "."];
    throw Object.assign(new Error(problems[0]), { problems });
  }
  return answer;
}
