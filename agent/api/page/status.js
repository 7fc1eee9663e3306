// The top line: whose counter this is, network, unsent records, devices, operator and sound.

import { countdown, duration, timeOfDay } from "./age.js";
import { element, fill } from "./element.js";
import { listScanners, low, WELL } from "./troubles.js";
import { has, language, say } from "./words.js";

const LINK = {
  up: ["networkUp", "good"],
  down: ["networkDown", "bad"],
  connecting: ["networkTrying", "busy"],
  "backing-off": ["networkDown", "bad"],
};
const MARK = { good: "✓", busy: "…", care: "!", bad: "!", unknown: "?" };

export class StatusLine {
  #place = document.getElementById("status");

  show(known, sound) {
    const cells = known.stands ? facts(known) : unknown();
    const all = [...cells, soundCell(sound)];
    fill(this.#place, { all, where: where(known), language: language() }, () => [
      element("p", { class: "where", "data-verbatim": true }, where(known).map((text) => element("span", {}, text))),
      element("dl", {}, all.map(cell)),
    ]);
  }
}

const where = ({ state }) => (state ? [state.counter, state.site || state.box] : []);

function cell({ key, level, value, note, verbatim, verbatimValue }) {
  return element(
    "div",
    { "data-level": level, "data-cell": key },
    element("dt", {}, say(key)),
    element(
      "dd",
      {},
      element("b", {}, element("i", { "aria-hidden": "true" }, MARK[level]), element("span", { "data-verbatim": verbatimValue }, value)),
      note && element("small", { "data-verbatim": verbatim }, note),
    ),
  );
}

function facts(known) {
  const { link, account } = known.state;
  const [word, level] = LINK[link.state];
  return [
    {
      key: "network",
      level,
      value: say(word),
      note: linkNote(known),
    },
    unsent(known, account),
    lists(known),
    device("scanner", gravest(listScanners(known.state))),
    device("printer", known.state.printer),
    operatorCell(known),
  ];
}

// Where there is room for one trouble only, the countdown of the lease stands here.
function linkNote({ state: { link, lease }, clock, sinceState }) {
  if (low.matches && link.state !== "up" && lease.next_step) {
    return say("leaseShort", { age: countdown(lease.seconds - sinceState) });
  }
  return say("since", { time: timeOfDay(Date.parse(link.since)), age: duration(clock.ageSteady(link.since_ms)) });
}

function unsent(known, { holds }) {
  const { count, oldest_seconds: oldest, percent } = known.state.unsent;
  if (!holds) return { key: "unsent", level: "bad", value: say("notBalanced") };
  if (count === 0) return { key: "unsent", level: "good", value: say("unsentNone"), note: say("allSent") };
  const level = percent >= 80 ? "bad" : "busy";
  const note = percent >= 50 ? say("unsentFill", { n: percent }) : oldest === null ? "" : say("unsentAge", { age: duration(oldest + known.sinceState) });
  return { key: "unsent", level, value: say("unsentSome", { n: count }), note };
}

// Central's lists for when the box is alone: old ones miss cards that were cancelled since.
function lists(known) {
  const { age_seconds: age, revoked, persons, advice } = known.state.lists;
  if (age === null) return { key: "lists", level: "care", value: say("listsNone") };
  const note = say("listsNote", { revoked, persons });
  return { key: "lists", level: advice ? "care" : "good", value: say("listsAge", { age: duration(age + known.sinceState) }), note };
}

function device(key, { name, state, conditions, advice }) {
  if (!name) return { key, level: "unknown", value: say("noDevice") };
  if (state === "ready" && advice) return { key, level: "care", value: say("readyBut"), note: name, verbatim: true };
  const level = { ready: "good", opening: "busy" }[state] ?? "bad";
  return { key, level, value: say(conditions[0] ?? state), note: name, verbatim: true };
}

// The scanner that most needs somebody.
const gravest = (scanners) => scanners.find((each) => !WELL.has(each.state)) ?? scanners.find((each) => each.advice) ?? scanners[0];

function operatorCell({ operator }) {
  if (!operator.id) return { key: "operator", level: "unknown", value: say("operatorNone"), note: say("operatorBadge") };
  const role = `role-${operator.role}`;
  return { key: "operator", level: "good", value: operator.name, verbatimValue: true, note: has(role) ? say(role) : "" };
}

function unknown() {
  return ["network", "unsent", "lists", "scanner", "printer", "operator"].map((key) => ({
    key,
    level: "unknown",
    value: say("unknown"),
  }));
}

function soundCell(sound) {
  if (sound.muted) return { key: "sound", level: "bad", value: say("soundOff") };
  if (sound.locked) return { key: "sound", level: "busy", value: say("soundLocked") };
  return { key: "sound", level: "good", value: say("soundOn") };
}
