// The last ten scans, newest first.

import { duration } from "./age.js";
import { element, fill, shape } from "./element.js";
import { face, mainNumber } from "./scan_words.js";
import { cause, language, say } from "./words.js";

const SOON_SECONDS = 5;

export class RecentList {
  #place = element("ol", { class: "recent" });

  get panel() {
    return [element("h2", {}, say("recent")), this.#place];
  }

  show(known) {
    const scans = known.stands ? known.recent : [];
    const ages = scans.map((scan) => ago(known.clock.ageSteady(scan.scanned_ms)));
    fill(this.#place, { scans, ages, stands: known.stands, language: language() }, () =>
      scans.length
        ? scans.map((scan, place) => row(scan, ages[place]))
        : element("li", { class: "none" }, say(known.stands ? "recentNone" : "unknown")),
    );
  }
}

function ago(seconds) {
  return seconds < SOON_SECONDS ? say("justNow") : say("ago", { age: duration(seconds) });
}

function row(scan, age) {
  const kind = face(scan);
  return element(
    "li",
    { "data-face": kind },
    shape(kind),
    element("span", { class: "word" }, say(kind), scan.again && element("small", {}, say("again"))),
    scan.identity
      ? element("span", { class: "who", "data-verbatim": true }, scan.identity.name, element("small", {}, mainNumber(scan.identity).number))
      : element("span", { class: "who why" }, scan.advice && cause(scan.advice)),
    element("span", { class: "age" }, age),
  );
}
