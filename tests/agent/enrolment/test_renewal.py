"""A certificate is renewed in time, after its end, and never by guesswork; refusals are quiet."""

import asyncio
import logging
from datetime import timedelta

import pytest

from agent.config import BoxFiles, read_box_config
from agent.enrolment.alone import alone
from agent.enrolment.renewal import LOOK_SECONDS, Renewing, renew
from agent.enrolment.validity import Validity, read_validity
from shared.clock import ManualClock
from shared.config import read_secret
from shared.errors import Refused, Unavailable
from shared.reasons import Reason
from tests.agent.enrolment.peer import LIFE, Peer
from tests.agent.enrolment.test_joining import join

PATIENCE_SECONDS = 20.0


def at_work(files: BoxFiles) -> Validity:
    """Of the certificate that lies there."""
    return read_validity(read_secret(files.certificate))


@pytest.fixture
def joined(files: BoxFiles, peer: Peer) -> BoxFiles:
    """A box that has joined."""
    join(files, peer)
    return files


class Watch:
    """The task's one look, under a clock of our own."""

    def __init__(self, files: BoxFiles, peer: Peer) -> None:
        self.clock = ManualClock(peer.at)
        self.renewed = 0
        self.told = asyncio.Event()
        self._peer = peer
        config = read_box_config(files)
        self._renewing = Renewing(files, config, self.clock, self._count)

    async def look(self, later: timedelta, *, clock_alone: bool = False) -> float:
        """Look after so much time; central's own goes along unless the box's clock is wrong."""
        self.clock.advance(later)
        if not clock_alone:
            self._peer.at += later
        return await self._renewing.look()

    async def renew_when_called(self, later: timedelta) -> None:
        """The task at work: its hourly look is over, much later somebody calls for another."""
        task = asyncio.create_task(self._renewing.run())
        await self._renewing.look()  # and the task's own, beside it, finds nothing to do either
        self.clock.advance(later)
        self._peer.at += later
        self._renewing.look_now()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self.told.wait()
        task.cancel()
        await asyncio.wait((task,))

    def _count(self) -> None:
        self.renewed += 1
        self.told.set()


async def test_a_look_can_be_called_for(joined: BoxFiles, peer: Peer) -> None:
    """Central has said the time, or the broker finds the certificate too old: no hour passes
    first."""
    watch = Watch(joined, peer)
    await watch.renew_when_called(LIFE * 1.5)
    assert watch.renewed == 1


async def test_a_certificate_is_renewed_when_a_third_remains(joined: BoxFiles, peer: Peer) -> None:
    """Not before; then by a new key, and the line is told."""
    watch, first = Watch(joined, peer), at_work(joined)
    peer.calls.clear()
    assert await watch.look(LIFE * 0.6) == LOOK_SECONDS
    assert (watch.renewed, peer.calls) == (0, [])
    await watch.look(LIFE * 0.1)
    second = at_work(joined)
    assert watch.renewed == 1
    assert second.serial != first.serial
    assert second.not_after > first.not_after
    assert list(joined.enrolment.iterdir()) == [joined.enrolment / "joined"]


async def test_one_process_renews_at_a_time(joined: BoxFiles, peer: Peer) -> None:
    """A technician's hand while the agent is at it: two keys would be asked for, one installed."""
    peer.calls.clear()
    with alone(joined), pytest.raises(Unavailable):
        renew(joined, read_box_config(joined), even_if_not_due=True)
    assert peer.calls == []
    assert renew(joined, read_box_config(joined), even_if_not_due=True) is not None


async def test_an_ended_certificate_is_renewed(joined: BoxFiles, peer: Peer) -> None:
    """A box that lay in a cupboard comes back by the proof of its old key."""
    watch = Watch(joined, peer)
    await watch.look(LIFE * 2)
    assert watch.renewed == 1
    assert at_work(joined).covers(peer.at)


@pytest.mark.parametrize("wrong", [timedelta(days=5 * 365), timedelta(days=-20_000)])
async def test_a_wrong_clock_renews_nothing(
    joined: BoxFiles, peer: Peer, wrong: timedelta, caplog: pytest.LogCaptureFixture
) -> None:
    """Central's time says that it is not due: nothing is asked for, and the clock is named."""
    watch, first = Watch(joined, peer), at_work(joined)
    peer.calls.clear()
    assert await watch.look(wrong, clock_alone=True) == LOOK_SECONDS
    assert peer.calls == ["time"]
    assert at_work(joined) == first
    assert Reason.CLOCK_WRONG in caplog.text


@pytest.mark.parametrize("reason", [Reason.CERTIFICATE_REVOKED, Reason.PROOF_WRONG])
async def test_a_refusal_is_said_once(
    joined: BoxFiles, peer: Peer, reason: Reason, caplog: pytest.LogCaptureFixture
) -> None:
    """In words, and then no oftener than the next look; what is there stays."""
    caplog.set_level(logging.DEBUG, logger="agent.enrolment.renewal")
    watch, first = Watch(joined, peer), at_work(joined)
    peer.refuse["renew"] = reason
    for _ in range(3):
        assert await watch.look(LIFE) == LOOK_SECONDS
    assert [record.levelno for record in caplog.records] == [
        logging.WARNING,
        logging.DEBUG,
        logging.DEBUG,
    ]
    assert reason.words.next_zh in caplog.text
    assert at_work(joined) == first


@pytest.mark.parametrize("cut", ["before time", "after time", "before renew", "after renew"])
async def test_a_cut_is_tried_again(joined: BoxFiles, peer: Peer, cut: str) -> None:
    """Soon, then less often; the next key is the same, and the old one serves meanwhile."""
    watch, first = Watch(joined, peer), at_work(joined)
    peer.cut.add(cut)
    assert await watch.look(LIFE) < LOOK_SECONDS
    assert at_work(joined) == first
    draft = joined.enrolment / "renewal.key"
    kept = read_secret(draft) if draft.exists() else None
    peer.cut.clear()
    await watch.look(timedelta(0))
    assert watch.renewed == 1
    assert kept is None or read_secret(joined.certificate).endswith(kept)


def test_by_hand_it_is_renewed_at_once(joined: BoxFiles, peer: Peer) -> None:
    """Also when nothing is due; twice gives two keys."""
    config = read_box_config(joined)
    keys = {read_secret(joined.certificate)}
    for _ in range(2):
        assert renew(joined, config, even_if_not_due=True) is not None
        keys.add(read_secret(joined.certificate))
    assert len(keys) == 3


def test_another_centre_is_not_asked(joined: BoxFiles, peer: Peer) -> None:
    """Time that the known announcements key did not sign stops it before anything is proved."""
    peer.time_key = Peer().announcements
    peer.calls.clear()
    with pytest.raises(Refused) as refusal:
        renew(joined, read_box_config(joined), even_if_not_due=True)
    assert refusal.value.reason is Reason.SIGNATURE_WRONG
    assert "renew" not in peer.calls


def test_a_box_of_old_knows_no_listener(joined: BoxFiles) -> None:
    """One that was made by files alone says what is missing."""
    text = joined.config.read_text()
    joined.config.write_text(text[: text.index("\n[central]")])
    with pytest.raises(Unavailable) as refusal:
        renew(joined, read_box_config(joined), even_if_not_due=True)
    assert refusal.value.reason is Reason.CONFIG_MISSING
