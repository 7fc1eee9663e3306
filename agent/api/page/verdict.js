// The verdict, large: by shape, word and colour; why, and what may be done now.

import { timeOfDay } from "./age.js";
import { element, fill, shape } from "./element.js";
import { codeKind, decider, face, word } from "./scan_words.js";
import { cause, language, nextStep, otherLanguage, say } from "./words.js";

const OLD_SECONDS = 120; // after this the counter is ready for the next person
const COMMAND = "onecode-agent page";

// The scan that holds the main place now; none when the last answer is nobody's any more.
export function standing(known) {
  const main = known.state?.main;
  if (!main) return null;
  const waits = known.refusals.some((each) => each.id === main.id);
  return waits || known.clock.ageSteady(main.scanned_ms) < OLD_SECONDS ? main : null;
}

export class VerdictPanel {
  #place = document.getElementById("verdict");

  show(known, acknowledge, key) {
    const facts = known.stands ? this.#known(known, acknowledge) : this.#unknown(known);
    fill(this.#place, { ...facts, acknowledge: Boolean(facts.acknowledge), key, language: language() }, () => {
      this.#place.dataset.face = facts.face;
      return build(facts, key);
    });
  }

  #known(known, acknowledge) {
    const scan = standing(known);
    const kind = face(scan);
    const waits = scan && known.refusals.some((each) => each.id === scan.id);
    return {
      face: kind,
      word: word(scan),
      id: scan?.id ?? "",
      ...TEXTS[kind](scan),
      ...(kind === "waiting" && known.restarted && { why: say("restarted") }),
      again: Boolean(scan?.again),
      notes: scan ? notes(scan, waits) : [],
      acknowledge: waits ? () => acknowledge(scan.id) : null,
    };
  }

  #unknown(known) {
    const last = known.clock.lastHeard;
    const main = known.state?.main;
    if (known.cannot) {
      return { face: "unknown", word: "unknown", why: cause(known.cannot), nextLabel: say("doNow"), next: nextStep(known.cannot), notes: [] };
    }
    return {
      face: "unknown",
      word: "unknown",
      why: last === null ? say("unknownNever") : say("unknownSince", { time: timeOfDay(last) }),
      nextLabel: say("doNow"),
      next: known.denied ? say("unknownSessionNext", { command: "\u0000" }) : say("unknownNext"),
      session: known.denied ? say("unknownSession") : "",
      notes: main ? [say("lastShown", { what: remembered(main) })] : [],
    };
  }
}

// What was shown before the silence, without anybody's name: it is no longer to be relied on.
const remembered = (scan) => `${say(face(scan))} ${timeOfDay(Date.parse(scan.at))}`;

function notes(scan, waits) {
  const acknowledged = face(scan) === "refused" && !waits ? say("acknowledged") : "";
  return [codeKind(scan), decider(scan), acknowledged].filter(Boolean);
}

const advised = (scan) => ({
  why: scan.advice ? cause(scan.advice) : "",
  next: scan.advice ? nextStep(scan.advice) : "",
});
const allowed = (scan) => scan.allowed?.[language()];

const TEXTS = {
  waiting: () => ({ why: "", next: say("waitingNext") }),
  judging: () => ({ why: "", next: say("judgingNext") }),
  "handed-on": (scan) =>
    scan.handed_to
      ? { why: say("handedOnWhy"), next: say("handedOnNext") }
      : { why: say("handedToNobodyWhy"), next: say("handedToNobodyNext") },
  accepted: () => ({ why: "", next: say("acceptedNext") }),
  provisional: (scan) => ({
    why: advised(scan).why,
    nextLabel: say("allowedNow"),
    next: allowed(scan) ?? advised(scan).next,
  }),
  refused: (scan) => ({ ...advised(scan), nextLabel: say("doNow") }),
  unsaved: (scan) => ({
    why: [say("unsavedWhy"), advised(scan).why].filter(Boolean).join(language() === "zh" ? "：" : ": "),
    nextLabel: say("doNow"),
    next: advised(scan).next,
  }),
};

function build(facts, key) {
  const other = otherLanguage();
  return [
    shape(facts.face),
    element(
      "div",
      { class: "said" },
      element(
        "h1",
        { id: "verdict-word", tabindex: "-1" },
        element("span", { class: "word" }, say(facts.word)),
        element("span", { class: "other", lang: other === "zh" ? "zh-CN" : "en" }, say(facts.word, {}, other)),
      ),
      facts.again && element("p", { class: "again" }, element("b", {}, say("again")), say("againWhy")),
      facts.session && element("p", { class: "why" }, facts.session),
      facts.why && element("p", { class: "why" }, facts.why),
      facts.next &&
        element("p", { class: "next" }, facts.nextLabel && element("b", {}, facts.nextLabel), withCommand(facts.next)),
      facts.notes.length > 0 && element("p", { class: "notes" }, facts.notes.join(" · ")),
      facts.acknowledge &&
        element("button", { class: "acknowledge", click: facts.acknowledge }, say("acknowledge"), element("kbd", {}, key)),
    ),
  ];
}

function withCommand(text) {
  const [before, after] = text.split("\u0000");
  return after === undefined ? text : element("span", {}, before, element("code", {}, COMMAND), after);
}

