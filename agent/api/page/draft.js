// What a clerk has typed and not yet sent, so that a reload or a cover-up loses nothing.
//
// It is personal: it lives in this tab's session storage only, and is wiped once it was sent, at
// signing out, and when nobody has typed for ten minutes.

const KEPT = "onecode.draft";
const IDLE_MS = 600_000;

export class Draft {
  #timer = null;

  constructor(wiped) {
    this.wiped = wiped;
  }

  read() {
    const kept = sessionStorage.getItem(KEPT);
    if (!kept) return null;
    const { at, form } = JSON.parse(kept);
    const left = IDLE_MS - Math.abs(Date.now() - at);
    if (left <= 0) {
      sessionStorage.removeItem(KEPT);
      return null;
    }
    this.#wipeIn(left);
    return form;
  }

  write(form) {
    sessionStorage.setItem(KEPT, JSON.stringify({ at: Date.now(), form }));
    this.#wipeIn(IDLE_MS);
  }

  wipe() {
    clearTimeout(this.#timer);
    sessionStorage.removeItem(KEPT);
  }

  #wipeIn(milliseconds) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.wipe();
      this.wiped();
    }, milliseconds);
  }
}
