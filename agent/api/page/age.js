// Ages and times of day. All from the server's clock: this browser's own may be wrong by years.

import { language, say } from "./words.js";

const STEPS = [
  ["days", 86_400],
  ["hours", 3_600],
  ["minutes", 60],
];

// "3 分钟" / "3 min", from seconds; never negative.
export function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  for (const [unit, size] of STEPS) {
    if (whole >= size) return say(unit, { n: Math.floor(whole / size) });
  }
  return say("seconds", { n: whole });
}

// The same in its two greatest units: "2 天 23 小时" / "2 d 23 h".
export function countdown(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const at = STEPS.findIndex(([, size]) => whole >= size);
  const rest = at < 0 ? 0 : whole % STEPS[at][1];
  const finer = STEPS[at + 1];
  if (!finer || at < 0 || rest < finer[1]) return duration(whole);
  return `${duration(whole)} ${say(finer[0], { n: Math.floor(rest / finer[1]) })}`;
}

export function timeOfDay(milliseconds) {
  const locale = language() === "zh" ? "zh-CN" : "en-GB";
  return new Date(milliseconds).toLocaleTimeString(locale, { hour12: false });
}

// Years of age on the server's day, from YYYY-MM-DD; null when unknown.
export function years(birthDate, nowMilliseconds) {
  const found = /^(\d{4})-(\d\d)-(\d\d)$/.exec(birthDate);
  if (!found) return null;
  const [year, month, day] = found.slice(1).map(Number);
  const now = new Date(nowMilliseconds);
  const before = now.getMonth() + 1 < month || (now.getMonth() + 1 === month && now.getDate() < day);
  return Math.max(0, now.getFullYear() - year - (before ? 1 : 0));
}
