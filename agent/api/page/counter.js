// The counter page put together: what the box says goes in on one side, keys and panels on the other.

import { Announcer } from "./announcer.js";
import { AskedBand, NO_KEY, YES_KEY } from "./asked.js";
import { AWAY_KEY, AwayBand, AwayPanel } from "./away.js";
import { acknowledge, cancelPin, mayLook, signOut, takeDocument } from "./box.js";
import { Draft } from "./draft.js";
import { IssuePanel } from "./issue_panel.js";
import { Keys } from "./keys.js";
import { Known } from "./known.js";
import { Line } from "./line.js";
import { PairingPanel } from "./pairing_panel.js";
import { PersonPanel } from "./person.js";
import { PinPanel } from "./pin_panel.js";
import { RecentList } from "./recent.js";
import { RefusalBand } from "./refusal.js";
import { ReprintPanel } from "./reprint_panel.js";
import { Problem } from "./request.js";
import { face } from "./scan_words.js";
import { Side } from "./side.js";
import { Sound } from "./sound.js";
import { StatusLine } from "./status.js";
import { TroubleStrip } from "./troubles.js";
import { standing, VerdictPanel } from "./verdict.js";
import { language, onLanguage, say, suggestLanguage, switchLanguage, use } from "./words.js";

const TICK_MS = 500;
const REPEAT_MS = 5_000; // a refusal sounds until it is acknowledged
const SOUNDS = { unsaved: "refused" };

const known = new Known(() => show());
const sound = new Sound(() => show());
const announcer = new Announcer();
const panels = {
  pin: new PinPanel(),
  issue: new IssuePanel(new Draft(() => panels.issue.forget())),
  reprint: new ReprintPanel(),
  pairing: new PairingPanel(),
  away: new AwayPanel(),
};
const recent = new RecentList();
const side = new Side({ name: "recent", nodes: () => recent.panel });
const parts = [new StatusLine(), new TroubleStrip()];
const verdict = new VerdictPanel();
const refusal = new RefusalBand();
const person = new PersonPanel();
const away = new AwayBand();
const asked = new AskedBand(() => show());
let sounded = 0;

const line = new Line({
  heard(message) {
    const { operator: before, whole } = known;
    const news = known.hear(message);
    if (news) tellScan(news);
    if (known.whole && !whole) panels.issue.form.meet();
    followOperator(before ?? {}, known.operator ?? {});
    if (message.kind === "document" && !document.hidden) takeCard(message);
  },
  lost: () => known.lose(),
  failed: findOutWhy,
});

const keys = new Keys(
  [
    { key: AWAY_KEY, label: "keyAway", act: showAway, shown: () => known.stands && Boolean(known.state.away) },
    { key: "F2", label: "keyIssue", act: () => side.show(panels.issue), shown: () => true },
    { key: "F3", label: "keyAcknowledge", act: confirmRefusal, shown: () => known.stands && known.refusals.length > 0 },
    { key: "F4", label: "keyReprint", act: () => side.show(panels.reprint), shown: () => true },
    { key: YES_KEY, label: "cameOutYes", act: () => asked.answer(true), shown: () => asked.open },
    { key: NO_KEY, label: "cameOutNo", act: () => asked.answer(false), shown: () => asked.open },
    { key: "F7", label: "keySound", act: () => sound.toggle(), shown: () => true },
    { key: "F8", label: "otherLanguage", act: switchLanguage, shown: () => true },
    { key: "F9", label: "keyPairing", act: () => side.show(panels.pairing), shown: () => panels.pairing.available },
    { key: "F10", label: "keySignIn", act: () => side.show(panels.pin), shown: () => known.stands && !known.operator.id },
    { key: "F10", label: "keySignOut", act: leave, shown: () => known.stands && Boolean(known.operator.id) },
  ],
  { confirm: confirmRefusal, escape: close, scanned: () => panels.issue.scanned(), touched: () => sound.unlock() },
);

function show() {
  const main = standing(known);
  for (const part of parts) part.show(known, sound);
  const key = side.open ? "F3" : "Enter"; // in a panel Enter belongs to what is typed there
  verdict.show(known, answerRefusal, key);
  refusal.show(known, main, answerRefusal, key);
  person.show(known, main);
  away.show(known, showAway);
  asked.show(known);
  if (side.open === "away" && known.stands && !known.state.away) side.close();
  recent.show(known);
  for (const panel of Object.values(panels)) if (known.operator) panel.show(known);
  keys.show();
  announcer.standing(known);
}

function tellScan(scan) {
  announcer.scan(scan);
  const kind = scan.again && scan.verdict !== "refused" ? "again" : face(scan);
  sound.play(SOUNDS[kind] ?? kind);
  sounded = performance.now();
}

// A badge opens the question for its PIN, and whoever is in closes it.
function followOperator(before, now) {
  if (now.asked_for_pin && now.asked_for_pin !== before.asked_for_pin) side.show(panels.pin);
  const answered = before.asked_for_pin && !now.asked_for_pin;
  if (side.open === "pin" && (answered || (now.id && now.id !== before.id))) side.close();
  if (before.id && before.id !== now.id) panels.issue.forget();
  if (now.id !== before.id && (now.id || before.id)) announcer.say(say(now.id ? "signedIn" : "signedOut"));
  suggestLanguage(now.language || known.state?.language);
}

// An identity card was laid on the reader: the form is filled, and Enter registers.
function takeCard(card) {
  if (!panels.issue.take(card)) return;
  side.show(panels.issue);
  attempt(() => takeDocument(card.id));
}

// Enter and Space, F3 and the button: the oldest first. False when there is nothing to confirm.
function confirmRefusal() {
  if (!known.stands || known.refusals.length === 0) return false;
  answerRefusal(known.refusals[0].id);
  return true;
}

function showAway() {
  side.show(panels.away);
}

function answerRefusal(id) {
  attempt(() => acknowledge(id));
}

function close() {
  if (side.open === "pin") attempt(cancelPin);
  side.close();
}

function leave() {
  attempt(signOut);
}

// What fails here shows by itself: the box's own state does not change.
async function attempt(act) {
  try {
    await act();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
  }
}

// The line did not open; a browser does not say why, so an ordinary request asks.
async function findOutWhy() {
  known.lose();
  try {
    await mayLook();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    known.lose(error.status === 401 || error.status === 403, error.status === 503 ? error.words : null);
  }
}

function tick() {
  if (known.whole && !known.clock.fresh) {
    known.lose();
    line.reopen();
  }
  if (known.stands && known.refusals.length > 0 && performance.now() - sounded >= REPEAT_MS) {
    sound.play("refused");
    sounded = performance.now();
  }
  show();
}

onLanguage(() => {
  side.retell();
  show();
});
use(language());
sound.unlock();
line.open();
panels.pairing.look().then(show);
setInterval(tick, TICK_MS);
document.addEventListener("visibilitychange", tick);
