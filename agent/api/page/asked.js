// "Did label 1234 come out?": asked above everything until a person has looked, the oldest first.
//
// It takes no focus and no key that is typed: whoever registers the next person goes on.

import { answerLabel, reprint } from "./box.js";
import { element, fill } from "./element.js";
import { labelMark } from "./label_words.js";
import { Problem, silence } from "./request.js";
import { cause, language, nextStep, say } from "./words.js";

export const YES_KEY = "F6"; // far from each other: neither is pressed for the other
export const NO_KEY = "F12";
const REST_MS = 700; // a second press is meant for the label just answered, not for the next one

export class AskedBand {
  #place = document.getElementById("asked");
  #label = null;
  #wrong = null;
  #busy = false;
  #rests = false;

  // ``changed()`` when it is to be shown anew.
  constructor(changed) {
    this.changed = changed;
  }

  get open() {
    return Boolean(this.#label);
  }

  show(known) {
    const questions = known.stands ? known.state.questions : [];
    if (questions[0]?.id !== this.#label?.id) this.#wrong = null;
    this.#label = questions[0] ?? null;
    this.#place.hidden = !this.#label;
    const facts = { label: this.#label, more: questions.length - 1, wrong: this.#wrong, rests: this.#rests, language: language() };
    fill(this.#place, facts, () => (this.#label ? this.#build(questions.length - 1) : []));
  }

  // A label that did not come out is printed again: the one act of a clerk who sees none.
  async answer(out) {
    if (!this.#label || this.#busy || this.#rests) return;
    const { id } = this.#label;
    this.#busy = true;
    this.#wrong = null;
    try {
      await (out ? answerLabel(id, true) : reprint(id, "not-out"));
      this.#rest();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.#wrong = error.words ?? silence();
    } finally {
      this.#busy = false;
      this.changed();
    }
  }

  #rest() {
    this.#rests = true;
    setTimeout(() => {
      this.#rests = false;
      this.changed();
    }, REST_MS);
  }

  #build(more) {
    const { number, name, record_number: recordNumber } = this.#label;
    return [
      labelMark("unknown"),
      element(
        "p",
        { class: "which" },
        element("b", {}, say("askedLabel", { number })),
        element("span", { "data-verbatim": true }, [name, recordNumber].filter(Boolean).join(" ")),
      ),
      element("p", { class: "ask" }, this.#wrong ? `${cause(this.#wrong)} → ${nextStep(this.#wrong)}` : say("cameOut")),
      more > 0 && element("span", { class: "more" }, say("refusalMore", { n: more })),
      this.#button(true, "cameOutYes", YES_KEY),
      this.#button(false, "cameOutNo", NO_KEY),
    ];
  }

  #button(out, words, key) {
    const attributes = { type: "button", disabled: this.#rests, click: () => this.answer(out) };
    return element("button", attributes, say(words), element("kbd", {}, key));
  }
}
