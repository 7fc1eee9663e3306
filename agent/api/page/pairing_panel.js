// Pairing the hospital's PCs: a one-time code while the network is open for it, and who is paired.

import { duration } from "./age.js";
import { listWorkstations, openPairing, removeWorkstation } from "./box.js";
import { element, fill } from "./element.js";
import { Problem, silence } from "./request.js";
import { cause, language, nextStep, say, tell } from "./words.js";

const NOT_FOUND = 404;

export class PairingPanel {
  name = "pairing";
  available = false;
  #title = element("h2", { id: "pairing-title" });
  #why = element("p", { class: "hint", "data-say": "pairingWhy" });
  #open = element("button", { class: "main", type: "button", "data-say": "pairingOpen", click: () => this.#do(() => this.#pair()) });
  #code = element("div", { class: "pairing-code", role: "status" });
  #problem = element("p", { class: "problem", role: "alert", hidden: true });
  #list = element("ul", { class: "workstations" });
  #offer = null;
  #offeredAt = 0;
  #paired = [];
  #wrong = null;
  #count = 0; // of paired PCs, as the box last told

  // Whether this box can pair at all.
  async look() {
    try {
      this.#paired = await listWorkstations();
      this.available = true;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (error.status === NOT_FOUND) this.available = false;
    }
  }

  nodes() {
    this.#title.textContent = say("pairing");
    this.root ??= element("section", { "aria-labelledby": "pairing-title" }, this.#why, this.#open, this.#code, this.#problem, element("h3", { "data-say": "paired" }), this.#list);
    tell(this.root);
    this.show();
    return [this.#title, this.root];
  }

  // The box tells how many are paired; who they are is asked for.
  #follow(count) {
    if (count === undefined || count === this.#count) return;
    if (count > this.#count) this.#offer = null; // the code is used up
    this.#count = count;
    this.#do(() => this.look());
  }

  focus() {
    this.#do(() => this.look());
    this.#open.focus();
  }

  show(known) {
    this.#follow(known?.state?.workstations);
    const left = this.#offer && this.#offer.expires_in_seconds - (performance.now() - this.#offeredAt) / 1_000;
    const over = left !== null && left <= 0;
    const shown = { offer: over ? null : this.#offer, over, left: left && Math.ceil(left), language: language() };
    fill(this.#code, shown, () => (this.#offer ? (over ? element("p", {}, say("pairingOver")) : offer(this.#offer, left)) : []));
    fill(this.#list, { paired: this.#paired, language: language() }, () =>
      this.#paired.length ? this.#paired.map((each) => this.#row(each)) : element("li", { class: "none" }, say("pairedNone")),
    );
    this.#problem.hidden = !this.#wrong;
    fill(this.#problem, { wrong: this.#wrong, language: language() }, () =>
      this.#wrong ? [element("b", {}, cause(this.#wrong)), element("span", {}, nextStep(this.#wrong))] : [],
    );
  }

  #row({ id, name }) {
    const act = () => this.#do(async () => {
      await removeWorkstation(id);
      await this.look();
    });
    return element(
      "li",
      {},
      element("span", { "data-verbatim": true }, name),
      element("button", { type: "button", "aria-label": say("removeOf", { name }), "data-verbatim": true, click: act }, say("remove")),
    );
  }

  async #pair() {
    this.#offer = await openPairing();
    this.#offeredAt = performance.now();
  }

  async #do(act) {
    this.#wrong = null;
    try {
      await act();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.#wrong = error.words ?? silence();
    }
    this.show();
  }
}

function offer({ code, address, fingerprint }, left) {
  return [
    element("p", { class: "label" }, say("pairingCode")),
    element("p", { class: "digits", "data-verbatim": true }, code),
    element("p", { class: "label" }, say("pairingLeft", { age: duration(Math.ceil(left)) })),
    element("p", { class: "label" }, say("pairingAddress")),
    element("p", { class: "address" }, element("code", {}, address)),
    element("p", { class: "label" }, say("pairingFingerprint")),
    element("p", { class: "fingerprint" }, element("code", {}, fingerprint)),
  ];
}
