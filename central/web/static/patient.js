// One dynamic code on a phone: fetched, counted down, replaced before it ends. A code whose time
// is over, or may be over because the phone slept, is never shown as good.
"use strict";

const MARGIN_SECONDS = 10; // the next code is fetched this long before the end of this one
const RETRY_MS = 2000;
const PATIENCE_MS = 5000;

const part = (id) => document.getElementById(id);
const box = part("code");

let code = null; // {seconds, wall, steady}: how long it was good for when it came
let asking = false;
let askedAt = -Infinity;
let closed = false;

// A wall clock may be set back and a steady one may stand still while the phone sleeps: the later
// of the two is believed.
const age = () =>
  Math.max(Date.now() - code.wall, performance.now() - code.steady) / 1000;

const secondsGood = () => (code ? code.seconds - age() : 0);

const draw = () => {
  const good = secondsGood();
  const untilNext = Math.max(0, Math.ceil(good - MARGIN_SECONDS));
  const certain = good > 0 && !closed;
  box.classList.toggle("waiting", !certain);
  part("uncertain").hidden = certain || closed || (asking && !code);
  part("closed").hidden = !closed;
  part("countdown").hidden = !certain;
  part("left").hidden = !certain;
  part("hint").hidden = !certain;
  part("seconds").textContent = String(untilNext);
  part("left").value = code ? Math.max(0, good - MARGIN_SECONDS) / (code.seconds - MARGIN_SECONDS) : 0;
};

const ask = async () => {
  if (asking || closed) return;
  asking = true;
  askedAt = performance.now();
  const wall = Date.now();
  const steady = performance.now();
  try {
    const answer = await fetch(box.dataset.address, {
      method: "POST",
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    if (answer.ok) {
      const { picture, seconds } = await answer.json();
      part("picture").innerHTML = picture;
      code = { seconds, wall, steady };
    } else if (answer.status === 409) {
      location.reload(); // the page itself says why: another phone, the time is over, the card
    } else if (answer.status < 500 && answer.status !== 429) {
      closed = true;
    }
  } catch {
    // Not connected: the code on the screen ends when its time does.
  } finally {
    asking = false;
    draw();
  }
};

const tick = () => {
  if (secondsGood() <= MARGIN_SECONDS && performance.now() - askedAt >= RETRY_MS) ask();
  draw();
};

const wake = () => {
  if (document.visibilityState === "visible") {
    askedAt = -Infinity;
    code = null;
    ask();
    draw();
  }
};

document.addEventListener("visibilitychange", wake);
window.addEventListener("pageshow", (event) => event.persisted && wake());
window.addEventListener("online", wake);
setInterval(tick, 250);
ask();
