// A scanner that types as a keyboard, told from a person: faster than any hand, ended by Enter.
//
// What it typed is taken out of the field again, and nothing is sent: half a patient's code in a
// form would be worse than a second scan at the counter's own scanner.

const FASTEST_HAND_MS = 20;
const SHORTEST_CODE = 8;

export class Wedge {
  #count = 0;
  #last = 0;
  #field = null;
  #before = "";

  // A key went down; true when it ends a scanner's burst, which is then taken back.
  ends(event) {
    const quick = event.timeStamp - this.#last <= FASTEST_HAND_MS && event.target === this.#field;
    this.#last = event.timeStamp;
    if (event.key === "Enter") {
      const burst = quick && this.#count >= SHORTEST_CODE;
      if (burst && "value" in this.#field) {
        this.#field.value = this.#before;
        this.#field.dispatchEvent(new Event("input", { bubbles: true }));
      }
      this.#count = 0;
      return burst;
    }
    if (event.key.length !== 1) return false;
    if (!quick) {
      this.#count = 0;
      this.#field = event.target;
      this.#before = event.target.value ?? "";
    }
    this.#count += 1;
    return false;
  }
}
