// Tones that differ by rhythm and pitch, so that a verdict is heard without looking.
//
// A browser lets a page sound only after somebody has touched it: until then ``locked`` is true.

const KEPT = "onecode.muted";
const NOTES = {
  // [start s, length s, hertz, wave]
  accepted: [[0, 0.09, 880, "sine"], [0.1, 0.16, 1320, "sine"]],
  provisional: [[0, 0.12, 620, "triangle"], [0.2, 0.12, 620, "triangle"]],
  refused: [[0, 0.16, 233, "square"], [0.22, 0.16, 233, "square"], [0.44, 0.3, 175, "square"]],
  again: [[0, 0.05, 990, "sine"]],
  "handed-on": [[0, 0.07, 440, "sine"]],
};
const LOUDNESS = { sine: 0.5, triangle: 0.55, square: 0.25 };
const EDGE_SECONDS = 0.01;

export class Sound {
  #context = null;

  constructor(changed) {
    this.changed = changed;
    this.muted = localStorage.getItem(KEPT) === "yes";
  }

  get locked() {
    return this.#context?.state !== "running";
  }

  // Try to be allowed; call it at the start, and at each touch and key until it is.
  unlock() {
    if (!this.#context) {
      this.#context = new AudioContext();
      this.#context.onstatechange = () => this.changed();
    }
    if (this.locked) this.#context.resume();
  }

  toggle() {
    this.muted = !this.muted;
    localStorage.setItem(KEPT, this.muted ? "yes" : "no");
    this.changed();
  }

  play(name) {
    if (this.muted || this.locked) return;
    for (const [start, length, hertz, wave] of NOTES[name]) this.#note(start, length, hertz, wave);
  }

  #note(start, length, hertz, wave) {
    const begin = this.#context.currentTime + start;
    const tone = this.#context.createOscillator();
    const gain = this.#context.createGain();
    tone.type = wave;
    tone.frequency.value = hertz;
    gain.gain.setValueAtTime(0, begin);
    gain.gain.linearRampToValueAtTime(LOUDNESS[wave], begin + EDGE_SECONDS);
    gain.gain.setValueAtTime(LOUDNESS[wave], begin + length - EDGE_SECONDS);
    gain.gain.linearRampToValueAtTime(0, begin + length);
    tone.connect(gain).connect(this.#context.destination);
    tone.start(begin);
    tone.stop(begin + length);
  }
}
