// Signing in: a badge was scanned, so this asks for the PIN at once. Digits and Enter are enough.
//
// Without a badge, as with a broken scanner, a clerk says who wants in.

import { duration } from "./age.js";
import { signIn } from "./box.js";
import { element, fill } from "./element.js";
import { Problem, silence } from "./request.js";
import { cause, language, nextStep, say, tell } from "./words.js";

export class PinPanel {
  name = "pin";
  #field = element("input", {
    id: "pin",
    type: "password",
    inputmode: "numeric",
    autocomplete: "off",
    maxlength: "12",
    "aria-describedby": "pin-said",
    input: () => this.#problem && this.#say(null),
  });
  #hello = element("p", { class: "hello" });
  #who = element("input", { id: "who", autocomplete: "off", maxlength: "60" });
  #naming = element("div", {}, element("label", { for: "who", "data-say": "pinWho" }), this.#who);
  #said = element("p", { id: "pin-said", class: "said-error", role: "alert" });
  #form = element(
    "form",
    { novalidate: true },
    element("h2", { "data-say": "pinTitle" }),
    this.#hello,
    this.#naming,
    element("label", { for: "pin", "data-say": "pin" }),
    this.#field,
    this.#said,
    element("button", { class: "main", type: "submit" }, element("span", { "data-say": "pinEnter" }), element("kbd", {}, "Enter")),
  );
  #problem = null;
  #turn = Promise.resolve();

  constructor() {
    this.#form.addEventListener("submit", (event) => this.#submit(event));
  }

  nodes() {
    tell(this.#form);
    return [this.#form];
  }

  focus() {
    this.#field.value = "";
    this.#problem = null;
    this.#who.value = "";
    (this.#naming.hidden ? this.#field : this.#who).focus();
  }

  show(known) {
    const { asked_for_pin: name, advice, locked_seconds: locked } = known.operator;
    this.#hello.hidden = !name;
    this.#naming.hidden = Boolean(name);
    fill(this.#hello, { name, language: language() }, () => [
      say("pinHello"),
      element("b", { "data-verbatim": true }, name),
    ]);
    const left = Math.max(0, locked - known.sinceOperator);
    this.#field.disabled = left > 0;
    const words = [];
    if (left > 0) words.push(say("pinLocked", { age: duration(Math.ceil(left)) }));
    const why = this.#problem ?? advice;
    if (why) words.push(cause(why), nextStep(why));
    fill(this.#said, words, () => words.map((each) => element("span", {}, each)));
  }

  #submit(event) {
    event.preventDefault();
    const who = this.#naming.hidden ? "" : this.#who.value.trim();
    const empty = this.#naming.hidden || who ? this.#field : this.#who;
    if (!empty.value) {
      empty.focus();
      return;
    }
    const pin = this.#field.value;
    this.#field.value = ""; // at once: what is typed before the answer is the next try
    this.#turn = this.#signIn(pin, who, this.#turn);
  }

  async #signIn(pin, who, before) {
    await before.catch(() => {});
    try {
      await signIn(pin, who);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.#say(error.words ?? silence());
    }
  }

  #say(words) {
    this.#problem = words;
  }
}
