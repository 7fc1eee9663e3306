"""Temporary codes of this box: made from a record's id and the key that signs the box's rows.

The record comes first and is durable before anybody sees the code; central registers the person
by it, and the code leads to them from then on (ADR 0019). Knows no queue and no printer.
"""

from agent.counter.form import SEX_UNKNOWN
from agent.counter.policy import Policy
from shared.crypto import STD, SigningKey, VerifyKey
from shared.ehc import TemporaryCode, build_code, sign_temporary, temporary_kid, temporary_serial
from shared.ids import RecordId
from shared.messages import Identity
from shared.residents import Document, mask_document, mask_name


class TemporaryCodes:
    """Makes this box's codes, and knows them again."""

    def __init__(self, key: SigningKey, key_id: int, policy: Policy) -> None:
        """``policy`` tells the box's number: central may tell it while the box works."""
        self._key = key
        self._own = STD.verify_key(key.public_bytes)
        self._kid = temporary_kid(key_id)
        self._policy = policy

    @property
    def can_be_given(self) -> bool:
        """Whether central has told the box its number, without which nobody could resolve one."""
        return self._policy.number > 0

    def build(self, record: RecordId) -> str:
        """The code that ``record`` will report: the same each time."""
        serial = temporary_serial(record)
        return build_code(sign_temporary(self._key, self._policy.number, self._kid, serial))

    def find_key(self, code: TemporaryCode) -> VerifyKey | None:
        """What verifies a code here: this box's own key, or one of the site's boxes; None for what
        others have given."""
        named = code.box_number, code.kid
        if named == (self._policy.number, self._kid):
            return self._own
        known = (key for key in self._policy.box_keys() if (key.number, key.kid) == named)
        found = next(known, None)
        return STD.verify_key(found.public) if found else None


def describe_resident(document: Document, name: str, sex: str) -> Identity:
    """What a counter is shown of a resident whom central does not know yet: masked, no number."""
    born = document.birth_date
    return Identity(
        name=mask_name(name),
        document=mask_document(document.number),
        sex=document.sex if document.sex != SEX_UNKNOWN else sex,
        birth_date=born.isoformat() if born else "",
        patient_id="",
        record_numbers=(),
    )
