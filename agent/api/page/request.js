// Requests to the box's program. An answer is a value; whatever else came is a Problem in words.

import { say } from "./words.js";

export class Problem extends Error {
  // ``words`` is a problem document of the server's, or null when nobody answered.
  constructor(status, words) {
    super(words?.reason ?? "no answer");
    this.status = status;
    this.words = words;
  }
}

// What to say when nobody answered, as the server would.
export const silence = () => ({
  zh: say("boxSilent", {}, "zh"),
  en: say("boxSilent", {}, "en"),
  next_zh: say("tryAgain", {}, "zh"),
  next_en: say("tryAgain", {}, "en"),
});

// A registration may take a minute where central's settings say so, and its label follows: who asked
// again before its end would get two. Whether the box lives at all, the line tells.
const LONGEST_MS = 90_000;

async function call(method, path, body, outlives = false) {
  let answer;
  try {
    answer = await fetch(`/api/v1/${path}`, {
      method,
      headers: { "X-OneCode-Page": "counter", ...(body !== undefined && { "Content-Type": "application/json" }) },
      body: body === undefined ? undefined : JSON.stringify(body),
      keepalive: outlives, // it arrives, even if the page goes
      signal: AbortSignal.timeout(LONGEST_MS),
      cache: "no-store",
    });
  } catch (error) {
    if (error instanceof TypeError || error instanceof DOMException) throw new Problem(0, null);
    throw error;
  }
  const text = await answer.text();
  const value = text.startsWith("{") || text.startsWith("[") ? JSON.parse(text) : null;
  if (!answer.ok) throw new Problem(answer.status, value);
  return value;
}

export const get = (path) => call("GET", path);
export const post = (path, body = {}) => call("POST", path, body);
export const postLast = (path, body) => call("POST", path, body, true);
export const remove = (path) => call("DELETE", path);
