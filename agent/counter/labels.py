"""A label as data: what a registration's answer puts on it. No ZPL, no pixels. Pure."""

from datetime import datetime

from agent.counter.policy import Policy
from agent.ports import Label
from shared.ids import RecordId
from shared.messages import Identity, RegisterReply

PRINTED_NUMBER = "outpatient"
"""The kind of record number a counter's label shows; without one, the patient id."""


def build_label(
    id: RecordId, reply: RegisterReply, policy: Policy, at: datetime, copy: int = 1
) -> Label:
    """The label of a resident's static code, on the counter's paper and in its language; the date
    is the counter's local day."""
    return Label(
        id=id,
        code=reply.code,
        name=reply.identity.name,
        record_number=_printed_number(reply.identity),
        site=policy.site_name,
        date=at.astimezone().date().isoformat(),
        copy=copy,
        template=policy.label,
        language=policy.language,
    )


def build_temporary_label(
    id: RecordId, code: str, name: str, policy: Policy, at: datetime
) -> Label:
    """The label of a temporary code: no record number yet, and it says what it is."""
    return Label(
        id=id,
        code=code,
        name=name,
        record_number="",
        site=policy.site_name,
        date=at.astimezone().date().isoformat(),
        template=policy.label,
        language=policy.language,
        temporary=True,
    )


def _printed_number(identity: Identity) -> str:
    for record_number in identity.record_numbers:
        if record_number.type == PRINTED_NUMBER:
            return record_number.number
    return identity.patient_id
