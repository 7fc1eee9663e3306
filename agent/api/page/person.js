// Who it is, masked: name, record number, sex, age and document, and whether somebody shares the name.

import { years } from "./age.js";
import { element, fill, shape } from "./element.js";
import { mainNumber } from "./scan_words.js";
import { language, say } from "./words.js";

export class PersonPanel {
  #place = document.getElementById("person");

  show(known, scan) {
    const identity = known.stands ? scan?.identity : null;
    this.#place.hidden = !identity;
    const sameName = Boolean(identity && scan.same_name);
    fill(this.#place, { identity, sameName, language: language() }, () =>
      identity ? build(identity, sameName, known.clock.now) : [],
    );
  }
}

function build(identity, sameName, now) {
  const { label, number } = mainNumber(identity);
  const age = years(identity.birth_date, now);
  const others = identity.record_numbers.filter((each) => each.number !== number);
  const facts = [
    say(`sex${identity.sex}`),
    age !== null && say("years", { n: age }),
    identity.birth_date,
  ].filter(Boolean);
  return [
    sameName && element("p", { class: "same-name", role: "alert" }, shape("provisional"), say("sameName")),
    element("p", { class: "name", "data-verbatim": true }, identity.name),
    element("p", { class: "digits", "data-verbatim": true }, number),
    element(
      "div",
      { class: "details" },
      element(
        "p",
        { class: "facts" },
        facts.map((fact) => element("span", {}, fact)),
        identity.document && element("span", { "data-verbatim": true }, identity.document),
      ),
      element("p", { class: "label" }, element("span", {}, label), others.map(also)),
    ),
  ];
}

const also = ({ type, number }) => element("span", {}, `${say(type)} `, element("span", { "data-verbatim": true }, number));
