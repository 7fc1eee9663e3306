// What is wrong now, each with what to do; the gravest are shown, the rest are counted.

import { element, fill } from "./element.js";
import { cause, has, language, nextStep, say } from "./words.js";

const low = matchMedia("(max-height: 660px)"); // room for one line only

export class TroubleStrip {
  #place = document.getElementById("troubles");

  show(known) {
    const troubles = known.stands ? list(known.state, known.operator) : [];
    this.#place.hidden = troubles.length === 0;
    const shown = low.matches ? 1 : 2;
    fill(this.#place, { troubles, shown, language: language() }, () =>
      troubles.slice(0, shown).map((each, place) => row(each, place === shown - 1 ? troubles.length - shown : 0)),
    );
  }
}

function row({ level, what, why, next }, more) {
  return element(
    "p",
    { "data-level": level },
    element("b", {}, what),
    element("span", {}, why),
    next && element("span", { class: "next" }, next),
    more > 0 && element("span", { class: "more" }, say("moreTroubles", { n: more })),
  );
}

function list({ account, scanner, printer, document_reader: documentReader, link, drill }, operator) {
  const troubles = [];
  if (drill) troubles.push({ level: "busy", what: say("drill"), why: say("drillWhy") });
  if (!account.holds) {
    troubles.push({ level: "bad", what: say("unsent"), why: say("notBalanced"), next: say("notBalancedNext") });
  }
  for (const [key, device] of [["scanner", scanner], ["printer", printer], ["documentReader", documentReader]]) {
    if (!device?.name) continue;
    if (!["ready", "opening"].includes(device.state)) {
      troubles.push({ level: "bad", what: say(key), ...deviceTrouble(device) });
    } else if (device.advice) {
      troubles.push({ level: "busy", what: say(key), why: cause(device.advice), next: nextStep(device.advice) });
    }
  }
  if (operator.advice && !operator.asked_for_pin) {
    troubles.push({ level: "bad", what: say("operator"), why: cause(operator.advice), next: nextStep(operator.advice) });
  }
  if (link.advice) troubles.push({ level: "bad", what: say("network"), why: cause(link.advice), next: nextStep(link.advice) });
  if (link.state !== "up") {
    troubles.push({ level: "busy", what: say("network"), why: say("networkTrouble"), next: say("networkTroubleNext") });
  }
  return troubles;
}

function deviceTrouble({ state, conditions, advice }) {
  const known = conditions.filter(has);
  const why = known.length ? known.map((each) => say(each)).join(language() === "zh" ? "、" : ", ") : say(state);
  const cures = known.map((each) => `${each}-next`).filter(has).map((each) => say(each));
  if (cures.length) return { why, next: cures.join(language() === "zh" ? "；" : "; ") };
  if (advice) return { why: cause(advice), next: nextStep(advice) };
  return { why, next: say("deviceNext") };
}
