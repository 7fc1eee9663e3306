// The column beside the verdict: the last ten scans, or whatever the clerk has opened there.
//
// Never in front of the verdict: a refusal must be seen while somebody types.

import { element } from "./element.js";
import { say } from "./words.js";

export class Side {
  #place = document.getElementById("side");
  #open = null;
  #before = null;

  // ``resting`` is shown while nothing is open; a panel has ``name``, ``nodes()`` and ``focus()``.
  constructor(resting) {
    this.resting = resting;
    this.#fill(resting);
  }

  get open() {
    return this.#open?.name ?? null;
  }

  show(panel) {
    if (this.#open === panel) return panel.focus();
    this.#before = this.#open;
    this.#open = panel;
    this.#fill(panel);
    return panel.focus();
  }

  // Close what is open; a panel that it had covered comes back.
  close() {
    if (!this.#open) return;
    const back = this.#before;
    this.#open = back;
    this.#before = null;
    this.#fill(back ?? this.resting);
    if (back) back.focus();
    else document.getElementById("verdict-word")?.focus({ preventScroll: true });
  }

  // Fill what is there anew, as after a change of language.
  retell() {
    const at = document.activeElement;
    this.#fill(this.#open ?? this.resting);
    if (at?.isConnected) at.focus();
  }

  #fill(panel) {
    const open = panel !== this.resting;
    document.body.dataset.panel = open ? panel.name : "";
    const closer = element("button", { class: "close", click: () => this.close() }, say("keyClose"), element("kbd", {}, "Esc"));
    this.#place.replaceChildren(...panel.nodes(), ...(open ? [closer] : []));
  }
}
