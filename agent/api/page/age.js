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
