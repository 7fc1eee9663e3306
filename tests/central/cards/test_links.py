"""A patient's one-time link: first come, one phone, for a while; nothing of it is stored."""

from datetime import timedelta
from pathlib import Path

import pytest

from central.audit.service import Audit
from central.cards.links import LASTS, OPENS_FOR, Links
from shared.errors import Malformed, Refused
from shared.reasons import Reason
from tests.central.people import AT, CLERK, People

MICROSECOND = timedelta(microseconds=1)


@pytest.fixture
def links(people: People) -> Links:
    return Links(people.keys, Audit(people.database, people.keys.audit_mac))


def refusal(links: Links, secret: str, phone: str | None, at_: timedelta) -> Reason:
    with pytest.raises(Refused) as refused:
        links.visit(secret, phone, AT + at_)
    return refused.value.reason


def test_the_first_phone_has_it_and_no_other(people: People, links: Links) -> None:
    """Opening binds; a second phone, with or without a secret of its own, is told so."""
    _, card = people.enrol()
    link = links.make(card.id, AT, CLERK)
    assert not links.visit(link.secret, None, AT).opened
    opened = links.open(link.secret, AT)
    visit = links.visit(link.secret, opened.secret, AT)
    assert (visit.opened, visit.card, visit.until) == (True, card.id, AT + LASTS)
    assert refusal(links, link.secret, None, timedelta()) is Reason.LINK_USED
    assert refusal(links, link.secret, "another", timedelta()) is Reason.LINK_USED
    with pytest.raises(Refused) as refused:
        links.open(link.secret, AT)
    assert refused.value.reason is Reason.LINK_USED


def test_its_times_end(people: People, links: Links) -> None:
    """Not opened in time it is over, and so is the phone's time; to the microsecond."""
    _, card = people.enrol()
    link = links.make(card.id, AT, CLERK)
    assert refusal(links, link.secret, None, OPENS_FOR) is Reason.LINK_EXPIRED
    phone = links.open(link.secret, AT + OPENS_FOR - MICROSECOND).secret
    ends = OPENS_FOR - MICROSECOND + LASTS
    assert links.visit(link.secret, phone, AT + ends - MICROSECOND).opened
    assert refusal(links, link.secret, phone, ends) is Reason.LINK_ENDED


def test_a_link_that_never_was(links: Links) -> None:
    """A guess is unknown, whatever it looks like."""
    for guess in ("", "x", "../..", "健康码"):
        assert refusal(links, guess, "phone", timedelta()) is Reason.LINK_UNKNOWN


@pytest.mark.parametrize("minutes", [0, -1, 7 * 24 * 60 + 1])
def test_a_link_opens_for_a_minute_to_a_week(people: People, links: Links, minutes: int) -> None:
    """Neither at once over nor for ever."""
    _, card = people.enrol()
    with pytest.raises(Malformed):
        links.make(card.id, AT, CLERK, timedelta(minutes=minutes))


def test_no_secret_is_stored(people: People, links: Links, tmp_path: Path) -> None:
    """The database and its log hold neither the link nor the phone's secret."""
    _, card = people.enrol()
    with people.database.unit():
        link = links.make(card.id, AT, CLERK)
        phone = links.open(link.secret, AT).secret
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("central.db*"))
    assert link.secret.encode() not in stored
    assert phone.encode() not in stored
