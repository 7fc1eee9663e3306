// What this page asks of the box: one function an act.

import { get, post, postLast, remove } from "./request.js";

export const acknowledge = (scanId) => post(`verdicts/${scanId}/acknowledge`);
// A clerk has seen these notices, and how long the box was away.
export const seeNotices = (ids) => post("notices/seen", { ids });
// Looked at field by field; what has a name in ``draft`` is kept by the box under it.
export const checkForm = (form) => postLast("issue/check", form);
export const readDraft = (name) => get(`issue/drafts/${name}`);
export const wipeDraft = (name) => remove(`issue/drafts/${name}`);
// A form has the card: the box forgets it.
export const takeDocument = (documentId) => post(`documents/${documentId}/taken`);
export const issue = (form) => post("issue", form);
export const reprint = (labelId, reason, text = "") => post(`labels/${labelId}/reprint`, { reason, text });
export const answerLabel = (labelId, out) => post(`labels/${labelId}/answer`, { out });
// Whose badge was read, or who was named.
export const signIn = (pin, who = "") => post("operator/pin", { pin, who });
export const cancelPin = () => post("operator/cancel");
export const signOut = () => post("operator/sign-out");
export const openPairing = () => post("pairing");
export const listWorkstations = () => get("workstations");
export const removeWorkstation = (id) => remove(`workstations/${encodeURIComponent(id)}`);
export const mayLook = () => get("state");
