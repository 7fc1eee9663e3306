// A label's state in words and a mark, live; and the question that only a person can answer.

import { element, fill } from "./element.js";
import { cause, language, nextStep, say } from "./words.js";

const MARK = { confirmed: "✓", sent: "✓", unknown: "?", failed: "!", queued: "…", sending: "…" };
const LEVEL = { confirmed: "good", sent: "good", unknown: "bad", failed: "bad", queued: "busy", sending: "busy" };

// A place that shows one label; ``answer(out)`` when the clerk has looked.
export function showLabel(place, label, answer) {
  place.hidden = !label;
  fill(place, { label, language: language() }, () => (label ? build(label, answer) : []));
}

function build(label, answer) {
  return [
    element(
      "p",
      { class: "label-state", "data-level": LEVEL[label.state] },
      element("i", { "aria-hidden": "true" }, MARK[label.state]),
      element("b", {}, say(`label-${label.state}`)),
      label.copy > 1 && element("span", {}, say("copy", { n: label.copy })),
    ),
    label.advice && element("p", { class: "label-why" }, element("span", {}, cause(label.advice)), element("b", {}, nextStep(label.advice))),
    label.needs_answer &&
      element(
        "div",
        { class: "question", role: "group", "aria-label": say("cameOut") },
        element("p", {}, say("cameOut")),
        element("button", { type: "button", click: () => answer(true) }, say("cameOutYes")),
        element("button", { type: "button", click: () => answer(false) }, say("cameOutNo")),
      ),
  ];
}
