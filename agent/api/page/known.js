// What this page knows of the counter, and whether it still stands: the one place that is asked.
//
// Everything comes from the box. When the box falls silent nothing here is true any more; when it
// speaks again its whole state comes first, so that nothing old is ever mixed with new.

import { ServerClock } from "./server_clock.js";

const LISTED = 10;
const THROUGH = new Set(["shown", "unsaved", "handed-on"]);

export const isThrough = (scan) => THROUGH.has(scan.state);

export class Known {
  #boot = null;
  #stateAt = 0; // of the steady clock
  #operatorAt = 0;

  constructor(changed) {
    this.changed = changed;
    this.clock = new ServerClock();
    this.state = null; // the box's StateView; null: never heard
    this.recent = [];
    this.refusals = []; // not yet acknowledged, oldest first
    this.operator = null; // OperatorView
    this.whole = false; // whether the state came over the line that is open now
    this.denied = false; // the box answers, but not to this page
    this.cannot = null; // why the box can let no page in now, as it says
    this.restarted = false; // the box began anew while this page was open, and nothing was scanned since
  }

  // Whether what is here may be shown as true now.
  get stands() {
    return this.whole && this.clock.fresh;
  }

  // Seconds since the state came.
  get sinceState() {
    return (performance.now() - this.#stateAt) / 1_000;
  }

  // Seconds since the operator was last told.
  get sinceOperator() {
    return (performance.now() - this.#operatorAt) / 1_000;
  }

  // A message of the box; gives a scan whose outcome is news, else null.
  hear(message) {
    this.clock.hear(message);
    this.denied = false;
    this.cannot = null;
    if (this.#boot !== null && message.boot !== this.#boot) this.restarted = true;
    this.#boot = message.boot;
    const news = this.#take(message);
    this.changed();
    return news;
  }

  // The line is gone.
  lose(denied = this.denied, cannot = this.cannot) {
    this.whole = false;
    this.denied = denied;
    this.cannot = cannot;
    this.clock.distrust();
    this.changed();
  }

  #take({ kind, ...view }) {
    if (kind === "state") {
      this.state = view;
      this.#stateAt = performance.now();
      this.recent = view.recent;
      this.refusals = [...view.unacknowledged].reverse();
      this.operator = view.operator;
      this.#operatorAt = performance.now();
      this.whole = true;
    } else if (kind === "operator") {
      this.operator = view;
      this.#operatorAt = performance.now();
    } else if (kind === "scan" && this.state) {
      this.restarted = false;
      return this.#takeScan(view);
    }
    return null;
  }

  #takeScan(scan) {
    const place = this.recent.findIndex((each) => each.id === scan.id);
    const before = place < 0 ? null : this.recent[place];
    if (before) this.recent = this.recent.with(place, scan);
    else if (isThrough(scan)) this.recent = [scan, ...this.recent].slice(0, LISTED);
    const main = this.state.main;
    // Ids are UUIDv7: the later scan has the greater one, and only it may take the place.
    if (!main || scan.id >= main.id) this.state = { ...this.state, main: scan };
    if (!isThrough(scan) || before?.verdict === scan.verdict) return null;
    if (scan.verdict === "refused" || scan.state === "unsaved") this.#await(scan);
    return scan;
  }

  // A refusal waits for a person from the moment it is shown; read again it is the same refusal.
  #await(scan) {
    const same = [scan.id, scan.first].filter(Boolean);
    const others = this.refusals.filter((each) => !same.includes(each.id) && !same.includes(each.first));
    this.refusals = [...others, scan];
  }
}
