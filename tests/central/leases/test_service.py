"""Leases as central grants them, and the terms of a site."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from central.audit.service import AuditEntry, AuditFilter
from central.leases.model import MODELS
from central.leases.service import Leases
from shared.clock import to_microseconds
from shared.crypto import STD
from shared.errors import Malformed, Refused
from shared.ids import new_record_id
from shared.lease import DEFAULT_POLICY, Bound, Lease, LeaseAsk, LeasePolicy, open_lease
from shared.reasons import Reason
from tests.central.ingest.boxes import PaperBox, add_box
from tests.central.ingest.centre import AT, Centre, open_centre

TERMS = LeasePolicy(verify_only=Bound(3600, 10, 5))


class Office:
    """A centre that grants leases to one box."""

    def __init__(self, centre: Centre, box: PaperBox) -> None:
        self.centre = centre
        self.box = box
        self.leases = Leases(centre.keys, centre.audit, centre.fleet)

    def grant(self, revision: int = 0, after: timedelta = timedelta()) -> Lease:
        """What the box believes of the answer to its question, so long after the beginning."""
        at = AT + after
        id = new_record_id(at).bytes
        ask = LeaseAsk(
            id=id,
            box=str(self.box.id),
            born=to_microseconds(at),
            expires_at=to_microseconds(at + timedelta(seconds=10)),
            counter="c1",
            revision=revision,
        )
        reply = self.leases.answer(self.box.id, ask, at)
        assert reply.id == id
        key = STD.verify_key(self.centre.keys.announcements_public)
        lease = open_lease(reply.lease, key, str(self.box.id))
        assert lease.nonce == id
        assert lease.issued_at == reply.central_at == to_microseconds(at)
        return lease

    def entries(self) -> list[AuditEntry]:
        """The rows of grants, the first first."""
        wanted = AuditFilter(act="lease.grant")
        return sorted(self.centre.audit.list(wanted), key=lambda entry: entry.seq)

    def whys(self) -> list[object]:
        """What the rows of grants say."""
        return [entry.facts["why"] for entry in self.entries()]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with open_centre(tmp_path) as centre:
        centre.database.bind(MODELS)
        yield Office(centre, add_box(centre))


def test_each_grant_is_newer(office: Office) -> None:
    """Also than what a box says it has: a centre put back from a backup is believed."""
    assert [office.grant().revision for _ in range(3)] == [1, 2, 3]
    assert office.grant(revision=40).revision == 41
    assert office.grant(revision=3).revision == 42


def test_terms_of_a_site_go_with_its_next_leases(office: Office) -> None:
    """Set once, audited once with what changed."""
    assert office.grant().policy == DEFAULT_POLICY
    site = office.box.id.site
    for _ in range(2):
        office.leases.set_policy(site, TERMS, AT, "t")
    assert office.leases.read_policy(site) == TERMS
    assert office.grant().policy == TERMS
    assert office.centre.noted("lease.policy") == {site: 1}


def test_a_grant_that_changes_something_is_audited(office: Office) -> None:
    """The first, one on other terms, one after a lapse or to a box that has lost its own: a row
    each, with why; of ten renewals none, nor of a box that never gets to keep one."""
    had = office.grant()
    assert office.whys() == ["first"]
    for _ in range(10):
        had = office.grant(had.revision)
    assert office.whys() == ["first"]

    office.leases.set_policy(office.box.id.site, TERMS, AT, "t")
    for _ in range(2):
        had = office.grant(had.revision)
    assert office.whys() == ["first", "terms"]

    hour = timedelta(seconds=TERMS.verify_only.seconds)
    had = office.grant(had.revision, hour - timedelta(seconds=1))
    assert office.whys() == ["first", "terms"]
    had = office.grant(had.revision, 2 * hour)
    assert office.whys() == ["first", "terms", "lapsed"]

    for _ in range(5):
        office.grant(0, 2 * hour)
    assert office.whys() == ["first", "terms", "lapsed", "none-left"]
    (entry, *_) = office.entries()
    assert (entry.subject, entry.actor, entry.facts["revision"]) == (
        str(office.box.id),
        str(office.box.id),
        1,
    )


def test_grants_from_before_their_terms_were_kept_tell_nothing(office: Office) -> None:
    """A fleet that meets an upgraded centre makes no flood of rows; what is damaged is told once
    as other terms."""
    had = office.grant()
    office.centre.database.execute("UPDATE lease_granted SET policy = NULL, known = NULL")
    had = office.grant(had.revision)
    assert office.whys() == ["first"]
    office.centre.database.execute("UPDATE lease_granted SET policy = x'00'")
    for _ in range(2):
        had = office.grant(had.revision)
    assert office.whys() == ["first", "terms"]


def test_terms_that_cannot_be(office: Office) -> None:
    """A later step that begins earlier, a site that is not there."""
    wrong = msgspec.structs.replace(TERMS, stop=Bound(60, 100_000, 100_000))
    with pytest.raises(Malformed) as malformed:
        office.leases.set_policy(office.box.id.site, wrong, AT, "t")
    assert malformed.value.reason is Reason.SETTING_IMPOSSIBLE
    assert malformed.value.detail == "stop.seconds"
    with pytest.raises(Refused) as refused:
        office.leases.read_policy("nowhere")
    assert refused.value.reason is Reason.NOT_FOUND
