// The box's two clocks as last heard, carried on by this page's own steady clock.
//
// What was heard is good for some seconds only. Both of the browser's clocks are asked how long ago
// that was: the steady one may stand still while the computer sleeps, the other may be set.

export const GOOD_FOR_MS = 4_500; // the box speaks every 2 s: two beats may be late

export class ServerClock {
  #at = null; // time of day, in milliseconds since 1970
  #steadyAt = null; // the box's monotonic milliseconds
  #heard = 0;
  #heardWall = 0;

  // The box spoke; ``at`` (ISO 8601) and ``now_ms`` are its clocks, where the message has them.
  hear({ at, now_ms }) {
    const passed = performance.now() - this.#heard;
    this.#at = at ? Date.parse(at) : this.#at && this.#at + passed;
    this.#steadyAt = now_ms ?? (this.#steadyAt && this.#steadyAt + passed);
    this.#heard = performance.now();
    this.#heardWall = Date.now();
  }

  // What was heard stands no longer, whatever the clocks say.
  distrust() {
    this.#heardWall = -Infinity;
  }

  get fresh() {
    return Math.max(performance.now() - this.#heard, Date.now() - this.#heardWall) < GOOD_FOR_MS;
  }

  // The box's time of day when it last spoke; null before it ever did.
  get lastHeard() {
    return this.#at;
  }

  // The box's time of day; meaningful while fresh.
  get now() {
    return this.#at + performance.now() - this.#heard;
  }

  // Seconds since a time of day.
  age(at) {
    return (this.now - Date.parse(at)) / 1_000;
  }

  // Seconds since a moment of the box's monotonic clock.
  ageSteady(milliseconds) {
    return (this.#steadyAt + performance.now() - this.#heard - milliseconds) / 1_000;
  }
}
