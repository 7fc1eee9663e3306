// What happened while this box was away: a line above the verdict, and all of it beside, until a
// clerk has seen it.

import { seeNotices } from "./box.js";
import { element, fill } from "./element.js";
import { Problem, silence } from "./request.js";
import { cause, language, nextStep, say } from "./words.js";

export const AWAY_KEY = "F1";

export class AwayBand {
  #place = document.getElementById("away");

  show(known, open) {
    const away = known.stands ? known.state.away : null;
    this.#place.hidden = !away;
    fill(this.#place, { away, language: language() }, () =>
      away
        ? [
            element("p", {}, element("b", {}, say("away")), element("span", {}, summary(away))),
            element("button", { type: "button", click: open }, say("keyAway"), element("kbd", {}, AWAY_KEY)),
          ]
        : [],
    );
  }
}

export class AwayPanel {
  name = "away";
  #title = element("h2", { tabindex: "-1" });
  #body = element("section", {});
  #problem = element("p", { class: "problem", role: "alert", hidden: true });
  #seen = element("button", { class: "main", type: "button", click: () => this.#see() });
  #away = null;
  #wrong = null;

  nodes() {
    this.#title.textContent = say("away");
    this.#seen.textContent = say("awaySeen");
    this.#show();
    return [this.#title, this.#body, this.#problem, element("div", { class: "buttons" }, this.#seen)];
  }

  focus() {
    (this.#away ? this.#seen : this.#title).focus();
  }

  show(known) {
    this.#away = known.stands ? known.state.away : null;
    this.#show();
  }

  async #see() {
    if (!this.#away) return;
    this.#wrong = null;
    try {
      await seeNotices(this.#away.notices.map((notice) => notice.id));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.#wrong = error.words ?? silence();
    }
    this.#show();
  }

  #show() {
    const away = this.#away;
    this.#seen.hidden = !away;
    fill(this.#body, { away, language: language() }, () => (away ? build(away) : element("p", { class: "none" }, say("awayNone"))));
    this.#problem.hidden = !this.#wrong;
    fill(this.#problem, { wrong: this.#wrong, language: language() }, () =>
      this.#wrong ? [element("b", {}, cause(this.#wrong)), element("span", {}, nextStep(this.#wrong))] : [],
    );
  }
}

const all = (away) => away.notices.length + away.more;

// "14:02–17:15 · 127 records went out · 2 notices"
function summary(away) {
  const parts = [];
  if (away.since) parts.push(say("awayFrom", { since: moment(away.since), until: moment(away.until) }), say("awayDelivered", { n: away.delivered }));
  if (all(away)) parts.push(say("awayNotices", { n: all(away) }));
  return parts.join(" · ");
}

function build(away) {
  return [
    element("p", { class: "away-sum" }, summary(away)),
    away.notices.length > 0 && element("ol", { class: "notices" }, away.notices.map(row)),
    away.more > 0 && element("p", { class: "none" }, say("awayMore", { n: away.more })),
  ];
}

function row(notice) {
  return element("li", { "data-kind": notice.kind }, element("time", { datetime: notice.at }, moment(notice.at)), element("span", {}, notice[language()]));
}

// The day besides, where it was not today: a box may have been away for weeks.
function moment(text) {
  const at = new Date(text);
  const locale = language() === "zh" ? "zh-CN" : "en-GB";
  const time = { hour: "2-digit", minute: "2-digit", hour12: false };
  const today = at.toDateString() === new Date().toDateString();
  return at.toLocaleString(locale, today ? time : { ...time, month: "2-digit", day: "2-digit" });
}
