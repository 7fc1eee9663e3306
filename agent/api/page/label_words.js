// A label's state in words, a shape and a mark, live. Whether it came out is asked in asked.js.

import { element, fill } from "./element.js";
import { cause, language, nextStep, say } from "./words.js";

const MARK = { confirmed: "✓", sent: "→", unknown: "?", failed: "!", queued: "…", sending: "↑" };

// The mark alone; its shape is panel.css's, by the state.
export const labelMark = (state) => element("i", { class: "label-mark", "data-state": state, "aria-hidden": "true" }, element("span", {}, MARK[state]));

// A place that shows one label.
export function showLabel(place, label) {
  place.hidden = !label;
  fill(place, { label, language: language() }, () => (label ? build(label) : []));
}

function build(label) {
  return [
    element(
      "p",
      { class: "label-state", "data-state": label.state },
      labelMark(label.state),
      element(
        "span",
        {},
        element("b", {}, say(`label-${label.state}`)),
        label.number && element("span", { class: "number" }, say("labelNumber", { number: label.number })),
        label.temporary && element("span", {}, say("labelTemporary")),
        label.copy > 1 && element("span", {}, say("copy", { n: label.copy })),
      ),
    ),
    label.advice && element("p", { class: "label-why" }, element("span", {}, cause(label.advice)), element("b", {}, next(label))),
  ];
}

// A scan proves a first copy only: a later one has the same text as those before it.
const next = ({ advice, copy }) => (advice.reason === "print-no-proof" && copy > 1 ? say("lookOnly") : nextStep(advice));
