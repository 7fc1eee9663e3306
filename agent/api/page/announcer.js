// What a screen reader hears: changes politely, refusals and silence at once.

import { face, word } from "./scan_words.js";
import { cause, nextStep, say } from "./words.js";

const URGENT = new Set(["refused", "unsaved"]);

export class Announcer {
  #polite = document.getElementById("polite");
  #assertive = document.getElementById("assertive");
  #stood = null;

  scan(scan) {
    const kind = face(scan);
    const words = [say(word(scan)), scan.again && say("again"), scan.identity?.name];
    if (scan.advice) words.push(cause(scan.advice), nextStep(scan.advice));
    const place = URGENT.has(kind) ? this.#assertive : this.#polite;
    place.textContent = words.filter(Boolean).join(". ");
  }

  standing(known) {
    if (this.#stood === known.stands) return;
    if (this.#stood !== null) {
      this.#polite.textContent = ""; // it may hold a name
      this.#assertive.textContent = known.stands ? "" : `${say("unknown")}. ${say("unknownNext")}`;
    }
    this.#stood = known.stands;
  }

  // Who comes or goes: what was said before may hold a name.
  say(text) {
    this.#assertive.textContent = "";
    this.#polite.textContent = text;
  }
}
