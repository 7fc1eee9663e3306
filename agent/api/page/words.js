// The page's language: every text comes from the table, or from the server in both languages.

import { TABLE } from "./table.js";

const KEPT = "onecode.language";
const PLACE = { zh: 0, en: 1 };
const listeners = new Set();
let chosen = localStorage.getItem(KEPT);
let current = chosen in PLACE ? chosen : "zh";

export const language = () => current;
export const otherLanguage = () => (current === "zh" ? "en" : "zh");

// A text of the table in the page's language (or another), its {holes} filled.
export function say(key, values = {}, tongue = current) {
  const text = TABLE[key][PLACE[tongue]];
  return text.replace(/\{(\w+)\}/g, (_, hole) => String(values[hole]));
}

export const has = (key) => key in TABLE;

// The server's words: an advice {zh, en, next_zh, next_en}, or a problem {title_zh, title, …}.
export const cause = (advice) => (current === "zh" ? advice.zh ?? advice.title_zh : advice.en ?? advice.title);
export const nextStep = (advice) => (current === "zh" ? advice.next_zh : advice.next_en ?? advice.next);

export function switchLanguage() {
  chosen = otherLanguage();
  localStorage.setItem(KEPT, chosen);
  use(chosen);
}

// The box's first language, for a page that nobody has switched yet.
export function suggestLanguage(tongue) {
  if (!(chosen in PLACE) && tongue in PLACE && tongue !== current) use(tongue);
}

export function onLanguage(listener) {
  listeners.add(listener);
}

export function use(tongue) {
  current = tongue;
  document.documentElement.lang = tongue === "zh" ? "zh-CN" : "en";
  document.title = say("title");
  for (const listener of listeners) listener();
}

// Fill what stands in a part of the page for good: data-say is its text, data-label its name.
export function tell(root) {
  for (const each of root.querySelectorAll("[data-say]")) each.textContent = say(each.dataset.say);
  for (const each of root.querySelectorAll("[data-label]")) each.setAttribute("aria-label", say(each.dataset.label));
}
