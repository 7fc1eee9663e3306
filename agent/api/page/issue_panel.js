// Registering and issuing: type, see what is wrong while typing, send, see found or new and the label.

import { issue } from "./box.js";
import { element, fill } from "./element.js";
import { Form } from "./form.js";
import { showLabel } from "./label_words.js";
import { Problem, silence } from "./request.js";
import { mainNumber } from "./scan_words.js";
import { cause, language, nextStep, say, tell } from "./words.js";

const SHOWN_MS = 120_000; // as long as a verdict: then nobody's name is left to the next person
const GIVEN = ["found", "new", "temporary"]; // a code was given, and the form has done its work

export class IssuePanel {
  name = "issue";
  #ending = null;
  #title = element("h2", { id: "issue-title", "data-say": "issue" });
  #problem = element("p", { class: "problem", role: "alert", hidden: true });
  #send = element("button", { class: "main", type: "submit" }, element("span", { "data-say": "issueGo" }), element("kbd", {}, "Enter"));
  #clear = element("button", { type: "button", "data-say": "issueClear", click: () => this.clear() });
  #answer = element("div", { class: "issued", hidden: true });
  #outcome = element("div", { role: "status" });
  #label = element("div", { class: "label", role: "status" });
  #next = element("button", { class: "main", type: "button", click: () => this.clear() }, element("span", { "data-say": "next" }), element("kbd", {}, "Enter"));
  #busy = false;
  #wrong = null;
  #issued = null;
  #known = null;

  constructor(draft) {
    this.form = new Form(draft);
    this.#answer.append(this.#outcome, this.#label, this.#next);
    this.root = element(
      "form",
      { novalidate: true, "aria-labelledby": "issue-title" },
      this.form.root,
      this.#problem,
      element("div", { class: "buttons" }, this.#send, this.#clear),
      element("p", { class: "hint", "data-say": "issueKept" }),
    );
    this.root.addEventListener("submit", (event) => this.#submit(event));
  }

  nodes() {
    this.#title.textContent = say("issue");
    this.form.tell();
    tell(this.root);
    tell(this.#answer);
    this.#show();
    return [this.#title, this.root, this.#answer];
  }

  focus() {
    if (this.#issued) this.#next.focus();
    else if (this.form.focusNext()) this.#send.focus();
  }

  // Nothing of a person stays here.
  forget() {
    clearTimeout(this.#ending);
    this.form.clear();
    this.#issued = null;
    this.#wrong = null;
    this.#show();
  }

  // The next person.
  clear() {
    this.forget();
    this.focus();
  }

  // A card was read, or could not be; false while another person is being registered.
  take(document) {
    if (this.#busy) return false;
    clearTimeout(this.#ending);
    this.#issued = null;
    this.#wrong = document.advice;
    if (!document.advice) this.form.take(document);
    this.#show();
    return true;
  }

  // Something was scanned into the form by a scanner that types.
  scanned() {
    const words = (tongue) => [say("wedge", {}, tongue), say("wedgeNext", {}, tongue)];
    const [[zh, next_zh], [en, next_en]] = [words("zh"), words("en")];
    this.#wrong = { zh, next_zh, en, next_en };
    this.#show();
  }

  show(known) {
    this.#known = known;
    this.#show();
  }

  async #submit(event) {
    event.preventDefault();
    if (this.#busy || !this.form.focusNext()) return;
    this.#busy = true;
    this.#wrong = null;
    this.#show();
    try {
      this.#issued = await issue({ ...this.form.value, draft: this.form.draft.name });
      if (GIVEN.includes(this.#issued.outcome)) {
        this.form.draft.wipe();
        this.#ending = setTimeout(() => this.forget(), SHOWN_MS);
      } else this.#refuse(this.#issued);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.#wrong = error.words ?? silence();
      this.#issued = null;
    } finally {
      this.#busy = false;
      this.#show();
      if (this.#issued) this.#next.focus();
    }
  }

  // Central refused or said nothing: the form stays as it is.
  #refuse({ advice }) {
    this.#wrong = advice;
    this.#issued = null;
  }

  // The label as it stands now, or the copy that was printed after it: the box tells its later
  // states with its own.
  #standing() {
    const label = this.#issued?.label;
    const labels = this.#known?.state?.labels ?? [];
    const later = label && labels.find((each) => each.registration === label.registration);
    return later ?? label;
  }

  #show() {
    this.root.hidden = Boolean(this.#issued);
    this.#answer.hidden = !this.#issued;
    this.#send.disabled = this.#busy;
    this.#send.firstChild.textContent = say(this.#busy ? "issueWorking" : "issueGo");
    const operator = this.#known?.operator;
    const wanted = operator?.required && !operator.id ? say("operatorNeeded") : "";
    this.#problem.hidden = !this.#wrong && !wanted;
    fill(this.#problem, { wrong: this.#wrong, wanted, language: language() }, () =>
      this.#wrong
        ? [element("b", {}, cause(this.#wrong)), element("span", {}, nextStep(this.#wrong))]
        : [element("b", {}, wanted)],
    );
    fill(this.#outcome, { issued: this.#issued, language: language() }, () => (this.#issued ? outcome(this.#issued) : []));
    showLabel(this.#label, this.#standing());
  }
}

function outcome({ outcome: word, identity, advice }) {
  const { label, number } = mainNumber(identity);
  return [
    element("p", { class: "outcome" }, element("b", {}, say(word)), why(word, advice)),
    element("p", { class: "name", "data-verbatim": true }, identity.name),
    element("p", { class: "label" }, label),
    number && element("p", { class: "digits", "data-verbatim": true }, number),
  ];
}

// Of a temporary code the box says what it is worth, and what happens next.
const why = (word, advice) =>
  advice
    ? [element("span", {}, cause(advice)), element("span", { class: "next" }, nextStep(advice))]
    : element("span", {}, say(`${word}Why`));
