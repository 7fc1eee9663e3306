"""A box hears that central keeps rows it cannot read yet, and that it has read them at last."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from central.ingest.inbox import Told
from central.ingest.parked_notices import ParkedNotices
from shared.notices import NoticeKind
from shared.reasons import Reason
from tests.central.ingest.boxes import BOX, PaperBox, add_box, future_record
from tests.central.ingest.centre import AT, Centre, open_centre
from tests.central.ingest.custody import take


class Heard(NamedTuple):
    centre: Centre
    box: PaperBox


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Heard]:
    with open_centre(tmp_path) as centre:
        waiting = ParkedNotices(centre.notices)
        centre.ingest.inbox.told = Told(parked=waiting.parked, replayed=waiting.replayed)
        yield Heard(centre, add_box(centre))


def test_many_rows_of_one_cause_are_one_notice_a_day(told: Heard) -> None:
    """With the cause in words; another cause is another notice, and so is another day."""
    centre, box = told
    for _ in range(5):
        box.append_plaintext(future_record(BOX))
    take(centre, box.encode())
    centre.notebook.refuse = Reason.PERSON_MISMATCH
    box.scan()
    take(centre, box.encode(box.rows[-1:]))
    notices = centre.notices.list_waiting(BOX)
    assert [each.kind for each in notices] == [NoticeKind.ROW_PARKED] * 2
    assert {each.reason for each in notices} == {Reason.SCHEMA_UNKNOWN, Reason.PERSON_MISMATCH}
    waiting = ParkedNotices(centre.notices)
    with centre.database.unit():
        for days in (0, 1, 1):
            waiting.parked(BOX, bytes(16), Reason.SCHEMA_UNKNOWN, AT + timedelta(days=days))
    assert len(centre.notices.list_waiting(BOX)) == 3


def test_a_replay_is_told_when_it_went_through(told: Heard) -> None:
    """Not before: a row that stays parked is no news."""
    centre, box = told
    centre.notebook.refuse = Reason.PERSON_MISMATCH
    box.scan()
    take(centre, box.encode())
    assert centre.ingest.ledger.replay(AT).still_parked == 1
    assert len(centre.notices.list_waiting(BOX)) == 1
    centre.notebook.refuse = None
    assert centre.ingest.ledger.replay(AT).interpreted == 1
    kinds = {each.kind for each in centre.notices.list_waiting(BOX)}
    assert kinds == {NoticeKind.ROW_PARKED, NoticeKind.ROW_REPLAYED}
