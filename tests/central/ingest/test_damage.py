"""What a box names as lost: counted so at central, by the quick count and by the proof alike; and
which epochs a box may begin.
"""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.ingest.account import Accounts
from central.ingest.damage import merge
from shared.clock import to_microseconds
from shared.crypto import STD
from shared.errors import NotAuthentic
from shared.ledger import EPOCHS_A_MACHINE, Account, Lane, genesis_head
from shared.messages import DamageRecord, EndedEpoch, LostRows
from shared.reasons import Reason
from tests.central.ingest.boxes import BOX, PaperBox, origin
from tests.central.ingest.centre import AT, Centre
from tests.central.ingest.custody import take

RANGES = st.lists(
    st.tuples(st.integers(1, 60), st.integers(0, 20)).map(lambda pair: (pair[0], sum(pair)))
)


@given(ranges=RANGES)
def test_merged_ranges_name_the_same_sequences(ranges: list[tuple[int, int]]) -> None:
    """Each once; in order, neither overlapping nor touching."""
    merged = merge(ranges)
    named = [seq for first, last in merged for seq in range(first, last + 1)]
    assert named == sorted({seq for first, last in ranges for seq in range(first, last + 1)})
    assert all(last + 1 < first for (_, last), (first, _) in pairwise(merged))


def begin_epoch(box: PaperBox, epoch: int) -> None:
    """The box writes in another epoch from now on."""
    box.head = genesis_head(STD, box.id, epoch)
    box.rows.clear()


def tell_damage(box: PaperBox, ended: EndedEpoch, *lost: LostRows) -> None:
    """The first row of a box's new epoch."""
    record = DamageRecord(
        lane=Lane.IDENTITY,
        origin=origin(box.id),
        damage=bytes(16),
        found_at=to_microseconds(AT),
        saved=0,
        ended=(ended,),
        lost=lost,
    )
    box.append(record, Lane.IDENTITY)


def accounts(centre: Centre) -> Account:
    """The proved account; the quick count must say the same."""
    (report,) = centre.ingest.ledger.verify(BOX)
    assert report.holds
    with centre.database.unit():
        counted = Accounts().read(BOX)
    proved = report.account
    quick = Account(
        counted.created, counted.acknowledged, counted.pending, counted.tombstoned, counted.lost
    )
    assert quick == proved
    return proved


def test_what_is_named_is_lost_until_it_arrives(centre: Centre, box: PaperBox) -> None:
    """Of what the box names, what central holds is not lost; a row that arrives after all is
    received as any other; told twice it is lost once."""
    rows = [box.scan() for _ in range(10)]
    take(centre, box.encode(rows[:2]))  # signed under the head of all ten
    assert accounts(centre) == Account(10, 2, 8, 0, 0)
    former = box.batch(rows)
    begin_epoch(box, 2)
    tell_damage(box, EndedEpoch(1, 7), LostRows(1, 2, 4), LostRows(1, 6, 6))
    take(centre, box.encode())
    assert accounts(centre) == Account(11, 3, 2, 0, 6), "2 is held; 3, 4, 6 and 8 to 10 are lost"
    tell_damage(box, EndedEpoch(1, 6), LostRows(1, 4, 5))
    take(centre, box.encode())
    assert accounts(centre) == Account(12, 4, 0, 0, 8)
    box.head = former.head
    take(centre, box.encode(rows[3:6]))
    assert accounts(centre) == Account(12, 7, 0, 0, 5)


@pytest.mark.parametrize("epoch", [1 + EPOCHS_A_MACHINE, 1 << 31])
def test_an_epoch_that_central_would_give_another_machine(
    centre: Centre, box: PaperBox, epoch: int
) -> None:
    """Refused: the sequences of two machines must not meet in one epoch."""
    begin_epoch(box, epoch)
    box.scan()
    with pytest.raises(NotAuthentic, match=Reason.EPOCH_FOREIGN):
        take(centre, box.encode())


def test_epochs_of_a_machines_own(centre: Centre, box: PaperBox) -> None:
    """One after each quarantine, all under the key it has."""
    for epoch in (1, 2, EPOCHS_A_MACHINE):
        begin_epoch(box, epoch)
        box.scan()
        take(centre, box.encode())
    assert accounts(centre) == Account(3, 3, 0, 0)
