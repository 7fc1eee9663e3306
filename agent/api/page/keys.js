// The keyboard: one table of keys, shown at the foot of the page as buttons that do the same.

import { element, fill } from "./element.js";
import { language, otherLanguage, say } from "./words.js";
import { Wedge } from "./wedge.js";

const TYPED_IN = "input, select, textarea, button, summary, a[href]";

export class Keys {
  #place = document.getElementById("keys");
  #wedge = new Wedge();

  // ``acts`` are {key, label, act, shown()}; ``confirm`` is for Enter and Space outside any field.
  constructor(acts, { confirm, escape, scanned, touched }) {
    this.acts = acts;
    this.confirm = confirm;
    this.escape = escape;
    this.scanned = scanned;
    this.touched = touched;
    document.addEventListener("keydown", (event) => this.#down(event), true);
    document.addEventListener("pointerdown", () => this.touched());
  }

  show() {
    const shown = this.acts.filter(({ shown }) => shown());
    const facts = shown.map(({ key, label }) => [key, label]);
    fill(this.#place, { facts, language: language() }, () => shown.map(button));
    this.#place.setAttribute("aria-label", say("keys"));
  }

  #down(event) {
    this.touched();
    // While an input method composes, Enter and Space belong to it.
    if (event.isComposing || event.keyCode === 229 || event.ctrlKey || event.altKey || event.metaKey) return;
    if (this.#wedge.ends(event)) {
      this.#take(event, this.scanned);
      return;
    }
    const chosen = this.acts.find(({ key, shown }) => key === event.key && shown());
    if (chosen) this.#take(event, chosen.act);
    else if (event.key === "Escape") this.escape();
    else if (isConfirming(event) && this.confirm()) event.preventDefault();
  }

  #take(event, act) {
    event.preventDefault();
    event.stopPropagation();
    if (!event.repeat) act();
  }
}

const isConfirming = (event) =>
  (event.key === "Enter" || event.key === " ") && !event.repeat && !event.target.closest?.(TYPED_IN);

function button({ key, label, act }) {
  const words =
    label === "otherLanguage"
      ? element("span", { lang: otherLanguage() === "zh" ? "zh-CN" : "en" }, say(label))
      : element("span", {}, say(label));
  return element("button", { type: "button", click: act }, element("kbd", {}, key), words);
}
