"""The one tree of errors, for box and centre.

    OneCodeError                 carries a Reason: words and a next step for whoever sees it
    ├── Refused                  the input or the act is refused; trying again changes nothing
    │   ├── Malformed            bytes or text that are not what they claim to be
    │   └── NotAuthentic         a signature, seal or fingerprint that does not hold
    ├── Unavailable              something needed is not there now; trying again may help
    └── Damaged                  stored data is not what was written; a person must look

Retrying code asks only ``isinstance(error, Unavailable)``. A foreign exception becomes one of
these in one named place per library, chained with ``raise … from``. Anything outside the tree
is a bug: it ends the task tree.
"""

from shared.reasons import Reason


class OneCodeError(Exception):
    """Base of the tree.

    ``reason`` is the code a person can quote; ``detail`` is for engineers and never holds an
    identity number, a name or a whole code.
    """

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.reason = reason
        self.detail = detail


class Refused(OneCodeError):  # noqa: N818 - the house's word for it
    """The input or the act is refused; the same input will be refused again."""


class Malformed(Refused):
    """Bytes or text that are not what they claim to be."""


class NotAuthentic(Refused):
    """A signature, seal or fingerprint that does not hold."""


class Unavailable(OneCodeError):  # noqa: N818 - as above
    """Something needed is not there now (network, device, central, disk space)."""


class Damaged(OneCodeError):  # noqa: N818 - as above
    """Stored data is not what was written. Never deleted: set aside and shown."""
