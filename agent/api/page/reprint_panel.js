// Printing a label once more, with a reason: the latest is chosen, arrows choose another.

import { reprint } from "./box.js";
import { element, fill } from "./element.js";
import { showLabel } from "./label_words.js";
import { Problem, silence } from "./request.js";
import { cause, language, nextStep, say, tell } from "./words.js";

const REASONS = ["torn", "curled", "lost", "printer-fault", "not-out", "other"];

export class ReprintPanel {
  name = "reprint";
  #title = element("h2", { id: "reprint-title", "data-say": "reprint" });
  #labels = element("select", { id: "reprint-label", change: () => this.#show() });
  #text = element("input", { id: "reprint-text", autocomplete: "off", maxlength: "40" });
  #say = element("div", { class: "field", hidden: true }, element("label", { for: "reprint-text", "data-say": "reprintText" }), this.#text);
  #reason = element("select", { id: "reprint-reason", change: () => this.#show() }, REASONS.map((key) => element("option", { value: key, "data-say": `reprint-${key}` })));
  #state = element("div", { class: "label", role: "status" });
  #problem = element("p", { class: "problem", role: "alert", hidden: true });
  #none = element("p", { class: "none", "data-say": "reprintNone" });
  #send = element("button", { class: "main", type: "submit" }, element("span", { "data-say": "reprintGo" }), element("kbd", {}, "Enter"));
  #known = null;
  #wrong = null;
  #busy = false;
  #waits = false; // opened before there was a label: the first one that comes takes the focus

  constructor() {
    this.form = element(
      "form",
      { novalidate: true, "aria-labelledby": "reprint-title" },
      element("div", { class: "field" }, element("label", { for: "reprint-label", "data-say": "label" }), this.#labels),
      this.#state,
      element("div", { class: "field" }, element("label", { for: "reprint-reason", "data-say": "reprintReason" }), this.#reason),
      this.#say,
      this.#problem,
      element("div", { class: "buttons" }, this.#send),
    );
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      const text = this.#other ? this.#text.value.trim() : "";
      if (this.#other && !text) this.#text.focus();
      else this.#do(() => reprint(this.#labels.value, this.#reason.value, text));
    });
    // A list takes no Enter of its own; a clerk expects it to send.
    this.form.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.target.matches("select")) {
        event.preventDefault();
        this.form.requestSubmit();
      }
    });
  }

  nodes() {
    tell(this.form);
    this.#title.textContent = say("reprint");
    this.#none.textContent = say("reprintNone");
    this.#show();
    return [this.#title, this.#none, this.form];
  }

  focus() {
    this.#labels.value = this.#labels.options[0]?.value ?? "";
    this.#wrong = null;
    this.#show();
    this.#waits = this.form.hidden;
    this.#reason.focus();
  }

  get #other() {
    return this.#reason.value === "other";
  }

  show(known) {
    this.#known = known;
    this.#show();
  }

  async #do(act) {
    if (this.#busy) return;
    this.#busy = true;
    this.#wrong = null;
    try {
      await act();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.#wrong = error.words ?? silence();
    } finally {
      this.#busy = false;
      this.#show();
    }
  }

  #show() {
    const labels = this.#known?.state?.labels ?? [];
    const chosen = this.#labels.value;
    fill(this.#labels, { labels, language: language() }, () =>
      labels.map((each) => element("option", { value: each.id, "data-verbatim": true }, describe(each))),
    );
    if (labels.some((each) => each.id === chosen)) this.#labels.value = chosen;
    const label = labels.find((each) => each.id === this.#labels.value) ?? null;
    this.#say.hidden = !this.#other;
    this.#none.hidden = labels.length > 0;
    this.form.hidden = labels.length === 0;
    if (this.#waits && !this.form.hidden) {
      this.#waits = false;
      this.#reason.focus();
    }
    showLabel(this.#state, label);
    this.#problem.hidden = !this.#wrong;
    fill(this.#problem, { wrong: this.#wrong, language: language() }, () =>
      this.#wrong ? [element("b", {}, cause(this.#wrong)), element("span", {}, nextStep(this.#wrong))] : [],
    );
  }
}

const describe = (label) =>
  [label.number, label.name, label.record_number, label.temporary && say("labelTemporary")].filter(Boolean).join(" ");
