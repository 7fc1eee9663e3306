"""Kept answers: sealed, a sender's own, and forgotten after a day."""

from datetime import timedelta
from pathlib import Path

import pytest

from central.app import open_central
from central.web.idempotency import KEPT_FOR, Answers, Given
from shared.clock import SystemClock
from shared.errors import Refused
from shared.reasons import Reason
from tests.central.web.seeding import World

GIVEN = Given("key-00000001", "token one", "POST /api/v1/cards/1/codes")
REQUEST, ANSWER = b'{"kind":"dynamic"}', b'{"code":"secret text"}'


def test_an_answer_is_kept_for_a_day(tmp_path: Path, world: World) -> None:
    """The same again within 24 hours, nothing after; another body or path under it is refused."""
    at = SystemClock().now()
    with open_central(tmp_path / "centre") as central, central.unit():
        answers = Answers(central.keys)
        answers.keep(GIVEN, REQUEST, ANSWER, at)
        assert answers.find(GIVEN, REQUEST, at + KEPT_FOR) == ANSWER
        assert answers.find(GIVEN._replace(actor="user two"), REQUEST, at) is None
        for given, request in ((GIVEN, b"{}"), (GIVEN._replace(target="POST /other"), REQUEST)):
            with pytest.raises(Refused) as caught:
                answers.find(given, request, at)
            assert caught.value.reason is Reason.IDEMPOTENCY_KEY_USED
        later = at + KEPT_FOR + timedelta(seconds=1)
        assert answers.find(GIVEN, REQUEST, later) is None
        answers.keep(GIVEN, b"{}", b"{}", later)
        assert answers.find(GIVEN, b"{}", later) == b"{}"
        rows = central.database.execute("SELECT request, answer FROM kept_answer").fetchall()
        assert len(rows) == 1
        assert not any(b"secret" in column for row in rows for column in row)
