"""Values of the vocabulary for property tests: codes, and the refusals nothing may go beyond."""

import string
from collections.abc import Callable

from hypothesis import strategies as st

from shared.ehc import (
    MAX_EXTENSION_KID,
    Code,
    DynamicCode,
    Extension,
    ForeignExtension,
    StaticCode,
    TemporaryCode,
)
from shared.errors import OneCodeError, Refused

ehc_ids = st.text("0123456789ABCDEF", min_size=64, max_size=64)
validities = st.text("0123456789ABCDEF", min_size=32, max_size=32)
payments = st.text(
    (string.ascii_letters + string.digits + string.punctuation).replace(":", ""),
    min_size=1,
    max_size=64,
)
signatures = st.binary(min_size=64, max_size=64)
extensions = st.builds(
    Extension,
    kid=st.integers(0, MAX_EXTENSION_KID),
    nonce=st.binary(min_size=4, max_size=4),
    issued_at=st.integers(0, 2**32 - 1),
    ttl_seconds=st.integers(0, 255),
    signature=signatures,
)
foreign_extensions = st.builds(ForeignExtension, st.text(string.digits, min_size=11, max_size=11))
static_codes = st.builds(StaticCode, ehc_ids)
dynamic_codes = st.builds(
    DynamicCode,
    ehc_ids,
    validities,
    st.none() | payments,
    st.none() | extensions | foreign_extensions,
)
temporary_codes = st.builds(
    TemporaryCode,
    box_number=st.integers(0, 2**32 - 1),
    kid=st.integers(0, 255),
    serial=st.integers(0, 2**48 - 1),
    signature=signatures,
)
codes: st.SearchStrategy[Code] = static_codes | dynamic_codes | temporary_codes


def refusal_of(act: Callable[[], object]) -> OneCodeError | None:
    """The typed refusal of an act, or None if it gave a value; anything else propagates."""
    try:
        act()
    except Refused as error:
        return error
    return None
