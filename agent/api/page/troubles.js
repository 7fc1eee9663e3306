// What is wrong now, each with what to do; the gravest are shown, the rest are counted.

import { countdown } from "./age.js";
import { element, fill } from "./element.js";
import { cause, has, language, nextStep, say } from "./words.js";

const ALMOST_NOTHING = new Set(["identity-only", "stop"]);
const COMING_SECONDS = 300; // what a first start takes, and more
export const WELL = new Set(["ready", "opening"]);
export const low = matchMedia("(max-height: 660px)"); // room for one line only

export class TroubleStrip {
  #place = document.getElementById("troubles");

  show(known) {
    const troubles = known.stands ? list(known) : [];
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

// A box may have several scanners; each is a device of its own.
export const listScanners = ({ scanner, scanners }) => (scanners?.length ? scanners : [scanner]);

function list(known) {
  const { state, operator } = known;
  const { account, printer, document_reader: documentReader, link, lease, drill } = state;
  const troubles = [];
  if (drill) troubles.push({ level: "busy", what: say("drill"), why: say("drillWhy") });
  if (!account.holds) {
    troubles.push({ level: "bad", what: say("unsent"), why: say("notBalanced"), next: say("notBalancedNext") });
  }
  const { advice: unsent, percent, lost } = state.unsent;
  const what = [say("unsent"), ...(lost ?? []).slice(0, 3)].join(" ");
  if (unsent) troubles.push({ level: percent >= 80 || percent < 50 ? "bad" : "busy", what, ...told(unsent) });
  const scanners = listScanners(state).map((each) => ["scanner", each]);
  const devices = [...scanners, ["printer", printer], ["documentReader", documentReader]].filter(([, each]) => each?.name);
  for (const [key, device] of devices) {
    if (!WELL.has(device.state)) troubles.push({ level: "bad", what: say(key), ...deviceTrouble(device) });
  }
  // It works, and something about it needs a cure.
  for (const [key, { state: standing, advice }] of devices) {
    if (standing === "ready" && advice) troubles.push({ level: "busy", what: say(key), ...told(advice) });
  }
  for (const { advice } of state.reports ?? []) troubles.push({ level: "busy", what: say("device"), ...told(advice) });
  const { advice: lists, age_seconds: age } = state.lists;
  const never = lists?.reason === "list-missing";
  const lowers = lease.advice?.reason === "lease-lists-missing";
  const up = link.state === "up";
  // Soon after a start they are on their way, and central itself answers everything.
  const soon = up && known.clock.ageSteady(link.since_ms) < COMING_SECONDS;
  // What never came is said once: alone by what it lowers.
  const said = never && lowers && !up && !link.advice;
  if (lists && !said && !(soon && (never || age === null))) troubles.push({ level: "busy", what: say("lists"), ...told(lists) });
  if (state.labels_advice) troubles.push({ level: "busy", what: say("label"), ...told(state.labels_advice) });
  if (operator.advice && !operator.asked_for_pin) {
    troubles.push({ level: "bad", what: say("operator"), ...told(operator.advice) });
  }
  if (link.advice) troubles.push({ level: "bad", what: say("network"), ...told(link.advice) });
  // One thing to do: what brings the line back brings the lease back too.
  else if (lease.advice && !(up && lowers)) troubles.push({ level: ALMOST_NOTHING.has(lease.step) ? "bad" : "busy", what: say("lease"), ...told(lease.advice) });
  else if (link.state !== "up") {
    troubles.push({ level: "busy", what: say("network"), why: say("networkTrouble"), next: say("networkTroubleNext") });
  }
  if (link.state !== "up" && lease.next_step) troubles.push({ level: "busy", what: say("lease"), ...leaseLeft(lease, known.sinceState) });
  return troubles;
}

// How far the box still goes alone, and what changes then.
function leaseLeft({ step, next_step: then, seconds, scans, issues }, passed) {
  const values = { now: say(`lease-${step}`), age: countdown(seconds - passed), scans, issues };
  return { why: [say(step === "full" ? "leaseLeftFull" : "leaseLeft", values), say(`leaseThen-${then}`)].join(language() === "zh" ? "；" : "; ") };
}

const told = (advice) => ({ why: cause(advice), next: nextStep(advice) });

function deviceTrouble({ state, conditions, advice }) {
  const known = conditions.filter(has);
  const why = known.length ? known.map((each) => say(each)).join(language() === "zh" ? "、" : ", ") : say(state);
  const cures = known.map((each) => `${each}-next`).filter(has).map((each) => say(each));
  if (cures.length) return { why, next: cures.join(language() === "zh" ? "；" : "; ") };
  if (advice) return told(advice);
  return { why, next: say("deviceNext") };
}
