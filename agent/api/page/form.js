// The fields of a registration, checked by the box while they are typed.

import { checkForm } from "./box.js";
import { element, fill } from "./element.js";
import { Problem } from "./request.js";
import { cause, language, nextStep, tell } from "./words.js";

const TYPES = ["01", "02", "03", "04", "05", "06", "07", "08", "99", "RO", "MC", "SC"];
const SEXES = ["1", "2", "9", "0"];
const EMPTY = { document_type: "01", number: "", name: "", sex: "0", phone: "" };
const PAUSE_MS = 200;

export class Form {
  #inputs = {};
  #said = {};
  #timer = null;
  #asked = 0;
  #pending = false; // something was typed that the box has not seen
  #findings = {};
  #touched = new Set(); // fields that were left once: only of these is something missing
  #sexChosen = false;

  // ``changed(form)`` after each stroke.
  constructor(draft) {
    this.draft = draft;
    const choice = (name, keys, prefix) =>
      element("select", { id: name, name }, keys.map((key) => element("option", { value: key, "data-say": `${prefix}${key}` })));
    const text = (name, attributes) =>
      element("input", { id: name, name, autocomplete: "off", spellcheck: "false", maxlength: "60", ...attributes });
    this.root = element(
      "div",
      { class: "fields" },
      this.#field("document_type", "documentType", choice("document_type", TYPES, "document-")),
      this.#field("number", "number", text("number", { autocapitalize: "characters", class: "digits" })),
      this.#field("name", "name", text("name", {})),
      this.#field("sex", "sex", choice("sex", SEXES, "sex")),
      this.#field("phone", "phone", text("phone", { inputmode: "tel", class: "digits" })),
    );
    this.#put(EMPTY);
    // What was typed in the last moment is kept, too.
    window.addEventListener("pagehide", () => this.#pending && this.#check());
  }

  // The line to the box stands again: it is given what stands here, or gives what it has kept.
  async meet() {
    if (!this.empty) {
      this.#check();
      return;
    }
    const kept = await this.draft.read();
    if (kept && this.empty) {
      this.#put(kept);
      this.draft.touch();
    }
  }

  get value() {
    return Object.fromEntries(Object.entries(this.#inputs).map(([name, input]) => [name, input.value.trim()]));
  }

  get empty() {
    return !this.value.number && !this.value.name && !this.value.phone;
  }

  // A card's text in place of whatever was there.
  take({ document_type, number, name, sex }) {
    clearTimeout(this.#timer);
    this.#asked += 1;
    this.draft.touch();
    this.#put({ ...EMPTY, document_type, number, name, sex });
  }

  clear() {
    clearTimeout(this.#timer);
    this.#pending = false;
    this.#asked += 1;
    this.draft.wipe();
    this.#put(EMPTY);
  }

  tell() {
    tell(this.root);
    this.#show();
  }

  // The first field that still wants something; true when there is none.
  focusNext() {
    const wanting = ["number", "name"].find((name) => !this.#inputs[name].value.trim() || this.#findings[name]);
    if (wanting) this.#inputs[wanting].focus();
    return !wanting;
  }

  // What the box says of fields: {field: advice}.
  find(findings) {
    this.#findings = findings;
    for (const name of Object.keys(findings)) this.#touched.add(name);
    this.#show();
  }

  #put(form) {
    for (const [name, input] of Object.entries(this.#inputs)) input.value = form[name];
    this.#findings = {};
    this.#touched.clear();
    this.#sexChosen = form.sex !== "0";
    this.#show();
    if (!this.empty) this.#check();
  }

  #field(name, label, input) {
    const said = element("span", { id: `${name}-said`, class: "said-error", role: "status" });
    input.setAttribute("aria-describedby", said.id);
    input.addEventListener("input", () => this.#typed(name));
    input.addEventListener("blur", () => this.#left(name));
    this.#inputs[name] = input;
    this.#said[name] = said;
    return element("div", { class: "field" }, element("label", { for: name, "data-say": label }), input, said);
  }

  #typed(name) {
    if (name === "sex") this.#sexChosen = true;
    this.#findings = {}; // of what stood there before; whoever sends at once is told by the answer
    this.draft.touch();
    this.#pending = true;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#check(), PAUSE_MS);
  }

  #left(name) {
    if (!this.#inputs[name].value) return;
    this.#touched.add(name);
    this.#show();
  }

  async #check() {
    const asked = ++this.#asked;
    this.#pending = false;
    let answer;
    try {
      answer = await checkForm({ ...this.value, draft: this.draft.name });
    } catch (error) {
      if (error instanceof Problem) return; // the box is silent: the form says so when it is sent
      throw error;
    }
    if (asked !== this.#asked) return;
    this.#findings = answer.findings;
    if (answer.sex !== "0" && !this.#sexChosen) this.#inputs.sex.value = answer.sex;
    this.#show();
  }

  #show() {
    for (const [name, input] of Object.entries(this.#inputs)) {
      const finding = this.#findings[name];
      const shown = finding && (this.#touched.has(name) || input.value.length >= longEnough(name, this.value)) ? finding : null;
      input.setAttribute("aria-invalid", String(Boolean(shown)));
      fill(this.#said[name], { shown, language: language() }, () =>
        shown ? [element("b", {}, cause(shown)), element("span", {}, nextStep(shown))] : [],
      );
    }
  }
}

// Until somebody could be done typing, half a number is not a wrong one.
const longEnough = (name, form) => (name === "number" && form.document_type === "01" ? 18 : Infinity);
