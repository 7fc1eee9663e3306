// What a clerk has typed and not yet sent, so that a reload or a cover-up loses nothing.
//
// It is personal: the box holds it in its memory. This tab keeps a random name for it and no more,
// and it is wiped once it was sent, at signing out, and when nobody has typed for ten minutes.

import { readDraft, wipeDraft } from "./box.js";
import { Problem } from "./request.js";

const KEPT = "onecode.draft";
const IDLE_MS = 600_000;
const NOT_FOUND = 404;

export class Draft {
  #timer = null;

  // ``wiped()`` when nobody has typed for so long.
  constructor(wiped) {
    this.wiped = wiped;
  }

  // Under what the box keeps it; empty while there is nothing.
  get name() {
    return sessionStorage.getItem(KEPT) ?? "";
  }

  // Somebody types.
  touch() {
    if (!this.name) sessionStorage.setItem(KEPT, newName());
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.wipe();
      this.wiped();
    }, IDLE_MS);
  }

  // What the box has kept; null when nothing is, or when it does not answer.
  async read() {
    if (!this.name) return null;
    try {
      const { draft, ...form } = await readDraft(this.name);
      return form;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (error.status === NOT_FOUND) sessionStorage.removeItem(KEPT);
      return null;
    }
  }

  wipe() {
    clearTimeout(this.#timer);
    const { name } = this;
    sessionStorage.removeItem(KEPT);
    if (name) forgetAtBox(name);
  }
}

function newName() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// A box that does not answer forgets by itself, ten minutes later.
async function forgetAtBox(name) {
  try {
    await wipeDraft(name);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
  }
}
