// Refusals that nobody has acknowledged, once a newer scan has taken the main place: pinned on top.

import { timeOfDay } from "./age.js";
import { element, fill, shape } from "./element.js";
import { face } from "./scan_words.js";
import { cause, language, nextStep, say } from "./words.js";

// Those not in the main place; oldest first, since that patient has waited longest.
export function pinned(known, main) {
  return known.stands ? known.refusals.filter((each) => each.id !== main?.id) : [];
}

export class RefusalBand {
  #place = document.getElementById("refusal");

  show(known, main, acknowledge, key) {
    const waiting = pinned(known, main);
    this.#place.hidden = waiting.length === 0;
    fill(this.#place, { waiting, key, language: language() }, () => (waiting.length ? build(waiting, acknowledge, key) : []));
  }
}

function build(waiting, acknowledge, key) {
  const [first, ...others] = waiting;
  return [
    shape(face(first)),
    element(
      "div",
      {},
      element(
        "p",
        { class: "title" },
        element("b", {}, say(face(first))),
        first.identity && element("span", { "data-verbatim": true }, first.identity.name),
        element("span", {}, timeOfDay(Date.parse(first.at))),
        element("span", { class: "kept" }, say("refusalKept")),
        others.length > 0 && element("span", { class: "kept" }, say("refusalMore", { n: others.length })),
      ),
      first.advice && element("p", {}, `${cause(first.advice)} → ${nextStep(first.advice)}`),
    ),
    element("button", { click: () => acknowledge(first.id) }, say("acknowledge"), element("kbd", {}, key)),
  ];
}
