// One scan in a word, a shape and a few short facts, wherever it is listed or shown large.

import { say } from "./words.js";

const CLASSES = {
  static: "codeStatic",
  dynamic: "codeDynamic",
  extended: "codeExtended",
  temporary: "codeTemporary",
  malformed: "codeMalformed",
};

// Which of the page's pictures a scan is: a verdict, or what stands in a verdict's place.
export function face(scan) {
  if (!scan) return "waiting";
  if (scan.state === "unsaved" || scan.state === "handed-on") return scan.state;
  return scan.verdict ?? "judging";
}

// What is said of it, as a key of the table.
export function word(scan) {
  const kind = face(scan);
  return kind === "handed-on" && !scan.handed_to ? "handedToNobody" : kind;
}

export const codeKind = (scan) => (scan.code_class ? say(CLASSES[scan.code_class]) : "");
export const decider = (scan) =>
  scan.decided_by ? say(scan.decided_by === "central" ? "byCentral" : "byBox") : "";

// The number a clerk reads out: the outpatient number where there is one.
export function mainNumber(identity) {
  const numbers = identity.record_numbers;
  const chosen = numbers.find((each) => each.type === "outpatient") ?? numbers[0];
  if (chosen) return { label: say(chosen.type), number: chosen.number };
  // Of a temporary code: central does not know the person yet.
  if (!identity.patient_id) return { label: say("numberFollows"), number: "" };
  return { label: say("patientId"), number: identity.patient_id };
}
