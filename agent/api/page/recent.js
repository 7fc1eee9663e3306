// The last ten scans, newest first.

import { duration } from "./age.js";
import { element, fill, shape } from "./element.js";
import { face, mainNumber, word } from "./scan_words.js";
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
    element("span", { class: "word" }, say(word(scan)), scan.again && element("small", {}, say("again"))),
    scan.identity ? holder(scan.identity) : why(scan),
    element("span", { class: "age" }, age),
  );
}

function holder(identity) {
  const { number } = mainNumber(identity);
  const attributes = { class: "who", title: `${identity.name} ${number}`, "data-verbatim": true };
  return element("span", attributes, identity.name, element("small", {}, number));
}

function why({ advice, state }) {
  const text = advice ? cause(advice) : state === "handed-on" ? say("notOurs") : "";
  return element("span", { class: "who", title: text }, text);
}
