"""What a verdict allows at a counter now, in words: one table, pure.

PROVISIONAL is good as far as this box can know: the patient's path goes on, money and medicine
that cannot be taken back wait for central, unless the person is known here.
"""

import msgspec

from shared.lease import ORDER, LeaseStep
from shared.messages import MedicalStep, Verdict
from shared.reasons import Reason


class Allowed(msgspec.Struct, frozen=True):
    """What may be done, in both languages; ``go_on`` is False where nothing may."""

    go_on: bool
    zh: str
    en: str


_ACCEPTED = Allowed(True, "可以办理", "Go on")
_REFUSED = Allowed(False, "不能办理", "Do not go on")

_KNOWN = Allowed(
    True,
    "可以挂号、排队、就诊；先不要医保结算",
    "May register, queue and be seen; do not settle insurance yet",
)
_CHECKED = Allowed(
    True,
    "核对证件后可以挂号、排队；先不要医保结算",
    "Check the document, then may register and queue; do not settle insurance yet",
)
_BY_HAND = Allowed(
    True,
    "核对证件后手工登记、排队；先不要结算、不要发药",
    "Check the document, then register by hand and queue; do not settle or dispense yet",
)

_PROVISIONAL: dict[tuple[Reason, MedicalStep], Allowed] = {
    (Reason.OFFLINE_KNOWN, MedicalStep.PAY): Allowed(
        True,
        "可以收自费；先不要医保结算",
        "May take self-payment; do not settle insurance yet",
    ),
    (Reason.OFFLINE_SIGNED, MedicalStep.PAY): Allowed(
        True,
        "核对证件后可以收自费；先不要医保结算",
        "Check the document, then may take self-payment; do not settle insurance yet",
    ),
    (Reason.OFFLINE_UNKNOWN, MedicalStep.PAY): Allowed(
        False,
        "先不要收费、不要医保结算；请患者稍候或到人工窗口",
        "Do not take payment yet; ask the patient to wait or to go to a staffed window",
    ),
    (Reason.OFFLINE_KNOWN, MedicalStep.DISPENSE): Allowed(
        True,
        "核对姓名和处方后可以发药",
        "Check name and prescription, then may dispense",
    ),
    (Reason.OFFLINE_SIGNED, MedicalStep.DISPENSE): Allowed(
        True,
        "核对证件和处方后可以发药",
        "Check document and prescription, then may dispense",
    ),
    (Reason.OFFLINE_UNKNOWN, MedicalStep.DISPENSE): Allowed(
        False,
        "先不要发药；核对证件，等联网确认",
        "Do not dispense yet; check the document and wait for central",
    ),
    (Reason.OFFLINE_KNOWN, MedicalStep.SURGERY): _CHECKED,
}
"""What differs at one kind of counter; elsewhere ``_ANYWHERE`` holds."""

_ANYWHERE: dict[Reason, Allowed] = {
    Reason.OFFLINE_KNOWN: _KNOWN,
    Reason.OFFLINE_SIGNED: _CHECKED,
    Reason.OFFLINE_UNKNOWN: _BY_HAND,
}


_LIKE = {
    Reason.OFFLINE_TEMPORARY: Reason.OFFLINE_SIGNED,  # this box's own signature
    Reason.CODE_TEMPORARY_UNKNOWN: Reason.OFFLINE_SIGNED,  # central has verified another box's
}
"""Reasons that allow what another one does."""

_WHO_ONLY = Allowed(
    False,
    "只看是谁；挂号、收费、发药都请到联网的窗口",
    "Only who it is; register, pay and dispense at a connected counter",
)
_VERIFIED_ONLY = Allowed(
    True,
    "核对证件后可以挂号、排队；不要收费、不要发药",
    "Check the document, then may register and queue; no payment, no dispensing",
)
_VERIFIED_ONLY_AT: dict[MedicalStep, Allowed] = {
    MedicalStep.PAY: Allowed(
        False,
        "先不要收费；记下欠费，或到联网的窗口",
        "Take no payment yet: note what is owed, or use a connected counter",
    ),
    MedicalStep.DISPENSE: Allowed(
        True,
        "核对证件和处方后只发急用药",
        "Check document and prescription, then dispense only what cannot wait",
    ),
    MedicalStep.SURGERY: Allowed(
        False,
        "先不要手术安排；核对证件，等联网确认",
        "No surgery yet: check the document and wait for central",
    ),
}
"""What is left at the second step of the lease, whoever it is."""
_ORDER_WHO_ONLY = ORDER.index(LeaseStep.IDENTITY_ONLY)


def allow(
    verdict: Verdict | None,
    reason: Reason | None,
    step: MedicalStep,
    lease: LeaseStep = LeaseStep.FULL,
) -> Allowed | None:
    """What may be done now; None while there is no verdict. ``lease`` is how far the box may go
    alone, and lowers what PROVISIONAL allows.

    A PROVISIONAL whose reason the table does not know gets the most careful answer.
    """
    if verdict is None:
        return None
    if verdict is not Verdict.PROVISIONAL:
        return _ACCEPTED if verdict is Verdict.ACCEPTED else _REFUSED
    if reason is Reason.LEASE_IDENTITY_ONLY or ORDER.index(lease) >= _ORDER_WHO_ONLY:
        return _WHO_ONLY
    if lease is LeaseStep.VERIFY_ONLY:
        return _VERIFIED_ONLY_AT.get(step, _VERIFIED_ONLY)
    reason = _LIKE.get(reason, reason) if reason else None
    if reason not in _ANYWHERE:
        reason = Reason.OFFLINE_UNKNOWN
    return _PROVISIONAL.get((reason, step), _ANYWHERE[reason])
