"""The self-test with the specification's own sample person: run before any key is used.

A wrong SM3 or SM4 (another library, a broken build) would issue codes that no other system
knows; it must never come to the first one.
"""

from datetime import UTC, datetime
from typing import NamedTuple

from shared.ehc import ProtectKey, RootKey
from shared.errors import Damaged
from shared.reasons import Reason


class GoldenVector(NamedTuple):
    """Inputs and expected quantities (ehc-standard §1)."""

    id_type: str
    id_number: str
    name: str
    root_key: str
    mindex_id: str
    factor: str
    ehc_id: str
    protect_key: str
    at: datetime
    validity: str


GOLDEN = GoldenVector(
    id_type="01",
    id_number="11010020171225006X",
    name="电子健康卡",
    root_key="0123456789ABCDEFFEDCBA9876543210",
    mindex_id="ABD17E7ED399EF68AB5660155D6E226D2C92EAC3254A4A66BED83AED0ADA1E9E",
    factor="92CDCE45A16799FD",
    ehc_id="98FF9F2C05145CB9305E9D8A57E072BB51180CA49E5BE5E9D41BCE3A9A571928",
    protect_key="11223344556677888877665544332211",
    at=datetime(2018, 1, 17, 3, 50, 3, tzinfo=UTC),  # 11:50:03 in China
    validity="92FD69141DFE1553A42251E2B0196148",
)


def self_test(golden: GoldenVector) -> None:
    """Compute every quantity of the vector. Raises Damaged (KEYS_SELF_TEST)."""
    root = RootKey(bytes.fromhex(golden.root_key))
    protect = ProtectKey(bytes.fromhex(golden.protect_key))
    found = root.derive(golden.id_type, golden.id_number, golden.name)
    wrong = [
        quantity
        for quantity, holds in (
            ("mindex_id", found.mindex_id == golden.mindex_id),
            ("factor", found.factor == golden.factor),
            ("ehc_id", found.ehc_id == golden.ehc_id),
            ("validity", protect.build_validity(golden.at) == golden.validity),
            ("validity opened", protect.open_validity(golden.validity) == golden.at),
        )
        if not holds
    ]
    if wrong:
        raise Damaged(Reason.KEYS_SELF_TEST, ", ".join(wrong))
