"""A box joins by an invite, or ends in one clear refusal with nothing kept."""

import errno
import os
import ssl
import stat
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from agent.config import BoxFiles, PrinterConfig, ScannerConfig, read_box_config
from agent.enrolment.drafts import Joined
from agent.enrolment.found import Machine
from agent.enrolment.joining import Joining
from agent.offline_queue.ledger_report import verify_queue
from agent.offline_queue.outbox import open_outbox
from shared.clock import ManualClock, SystemClock
from shared.config import read_secret
from shared.crypto import STD
from shared.errors import NotAuthentic, Refused, Unavailable
from shared.ids import BoxId
from shared.ledger import hash_of
from shared.messages import Settled
from shared.reasons import Reason
from tests.agent.enrolment.peer import BOX, HOST, Peer, serving
from tests.agent.offline_queue.box import scan_draft

MACHINE = Machine(ScannerConfig("serial", "/dev/ttyACM0"), PrinterConfig("usb", "0a5f:0081"))


def join(
    files: BoxFiles, peer: Peer, text: str = "", serial: str = "SN-1", again: bool = False
) -> Joined:
    """Use an invite, the peer's own unless another is given."""
    joining = Joining(files, serial, SystemClock(), MACHINE, again=again)
    return joining.join(text or peer.invite())


def assert_nothing_kept(files: BoxFiles) -> None:
    """No box, no secret, no draft."""
    assert [path for path in files.directory.rglob("*") if path.is_file()] == []


def test_a_box_joins(files: BoxFiles, peer: Peer) -> None:
    """Every file is where the agent looks, private, and holds what central answered."""
    joined = join(files, peer)
    config = read_box_config(files)
    assert (joined.box, config.box) == (BOX, BOX)
    assert (config.counter, config.site_name) == ("挂号 1", "虚构市人民医院")
    assert config.scanner == MACHINE.scanner
    assert config.printer == MACHINE.printer
    assert config.central is not None
    assert (config.central.host, config.central.port) == (HOST, peer.port)
    assert config.number == 7
    assert config.announcements == peer.announcements.public_bytes.hex()
    assert peer.pair_keys == [read_secret(files.pair_key)]
    assert files.ca.read_text() == peer.authority.pem
    context = ssl.create_default_context(cafile=files.ca)
    context.load_cert_chain(files.certificate)
    for path in files.directory.iterdir():
        private = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == private, path
    assert [path.name for path in files.enrolment.iterdir()] == ["joined"]


def test_the_same_invite_again_changes_nothing(files: BoxFiles, peer: Peer) -> None:
    """A technician who is not sure may repeat it, even when central is away."""
    first = join(files, peer)
    before = read_secret(files.certificate)
    peer.cut = {"before centre", "before time"}
    assert join(files, peer) == first
    assert read_secret(files.certificate) == before


@pytest.mark.parametrize("name", ["centre", "time", "join"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_cut_is_finished_by_the_same_invite(
    files: BoxFiles, peer: Peer, name: str, when: str
) -> None:
    """Central sees one key, however often it is asked; the second try finishes."""
    peer.cut.add(f"{when} {name}")
    with pytest.raises(Unavailable) as cut:
        join(files, peer)
    assert cut.value.reason is Reason.CENTRE_UNREACHABLE
    assert not files.config.exists()
    peer.cut.clear()
    join(files, peer)
    assert len(peer.answers) == len(peer.certificates) == 1


def test_nobody_answers(files: BoxFiles, peer: Peer) -> None:
    """A wrong port or a pulled cable is a network's trouble, not an invite's."""
    with pytest.raises(Unavailable) as cut:
        join(files, peer, peer.invite(port=1))
    assert cut.value.reason is Reason.CENTRE_UNREACHABLE


def test_another_authority_gets_nothing(files: BoxFiles, peer: Peer) -> None:
    """Whoever answers with another authority than the invite's learns no secret."""
    with pytest.raises(NotAuthentic) as refusal:
        join(files, peer, peer.invite(ca_fingerprint=b"?" * 32))
    assert refusal.value.reason is Reason.CENTRE_NOT_EXPECTED
    assert peer.calls == ["centre"]
    assert_nothing_kept(files)


def test_a_stranger_who_shows_the_right_authority_gets_nothing(
    files: BoxFiles, peer: Peer, tmp_path: Path
) -> None:
    """The authority's certificate is public: who shows it must have its signature too."""
    with serving(Peer(), tmp_path) as stranger:
        stranger.authority = peer.authority  # what it says; its own certificate is another's
        with pytest.raises(NotAuthentic) as refusal:
            join(files, peer, peer.invite(port=stranger.port))
    assert refusal.value.reason is Reason.CENTRE_NOT_EXPECTED
    assert stranger.calls == ["centre"]
    assert_nothing_kept(files)


def test_another_host_of_the_same_authority_gets_nothing(files: BoxFiles, peer: Peer) -> None:
    """The name in the certificate is the invite's."""
    with pytest.raises(NotAuthentic):
        join(files, peer, peer.invite(host="localhost"))
    assert_nothing_kept(files)


def test_another_machine_is_told_its_own_serial_number(files: BoxFiles, peer: Peer) -> None:
    """So that the technician sees which of the two is wrong."""
    with pytest.raises(Refused) as refusal:
        join(files, peer, serial="SN-2")
    assert refusal.value.reason is Reason.INVITE_OTHER_MACHINE
    assert "SN-2" in refusal.value.detail
    assert_nothing_kept(files)


@pytest.mark.parametrize("reason", [Reason.INVITE_EXPIRED, Reason.INVITE_USED])
def test_a_refused_invite_is_forgotten(files: BoxFiles, peer: Peer, reason: Reason) -> None:
    """The next invite begins anew, with keys that nobody has seen."""
    peer.refuse["join"] = reason
    with pytest.raises(Refused) as refusal:
        join(files, peer)
    assert refusal.value.reason is reason
    assert_nothing_kept(files)
    peer.refuse.clear()
    assert join(files, peer, peer.invite(secret=b"t" * 16)).box == BOX


def test_a_typing_error_asks_nobody(files: BoxFiles, peer: Peer) -> None:
    """The check value tells it before anything is sent; case and spaces do not matter."""
    text = peer.invite()
    for wrong in (text[:-1], text.replace("A", "B", 1), "ONECODE1", "", text + "A"):
        with pytest.raises(Refused) as refusal:
            join(files, peer, wrong or " ")
        assert refusal.value.reason is Reason.INVITE_MALFORMED
    assert peer.calls == []
    assert join(files, peer, f"  {text.lower().replace('-', ' - ')}\n").box == BOX


@pytest.mark.parametrize("years", [-56, -3, 5])
def test_a_wrong_clock_joins_by_signed_time(files: BoxFiles, tmp_path: Path, years: int) -> None:
    """TLS that fails by the dates alone goes on by central's own time, and the clock is named."""
    ours = SystemClock().now().replace(microsecond=0)
    apart = timedelta(days=365 * years)
    with serving(Peer(at=ours - apart), tmp_path) as peer:
        joined = Joining(files, "SN-1", ManualClock(ours), MACHINE).join(peer.invite())
    assert joined.clock_ahead == apart
    assert files.config.exists()


def test_a_certificate_that_is_really_over_is_refused(files: BoxFiles, tmp_path: Path) -> None:
    """By central's own signed time too: no clock of ours is to blame, and no invite is used."""
    peer = Peer(at=SystemClock().now() - timedelta(days=800))
    peer.at += timedelta(days=800)
    with serving(peer, tmp_path), pytest.raises(NotAuthentic) as refusal:
        join(files, peer)
    assert refusal.value.reason is Reason.CENTRE_NOT_EXPECTED
    assert "join" not in peer.calls
    assert_nothing_kept(files)


def test_signed_time_is_for_this_question(files: BoxFiles, peer: Peer) -> None:
    """An answer that was recorded before, or signed by another key, is not believed."""
    known = peer.announcements
    peer.time_key = Peer().announcements
    with pytest.raises(NotAuthentic):
        join(files, peer)
    peer.time_key = known
    assert join(files, peer).box == BOX


def test_a_joined_box_refuses_another_invite(files: BoxFiles, peer: Peer) -> None:
    """In one sentence, without asking anybody."""
    join(files, peer)
    peer.calls.clear()
    with pytest.raises(Refused) as refusal:
        join(files, peer, peer.invite(secret=b"t" * 16))
    assert refusal.value.reason is Reason.BOX_JOINED
    assert peer.calls == []


async def keep_a_row(files: BoxFiles, box: BoxId, *, settled: bool) -> None:
    """Let this box's queue hold one row."""
    public = bytes.fromhex(read_box_config(files).central_public)
    async with open_outbox(files.queue, box, 1, STD, public) as outbox:
        row = await outbox.commit(scan_draft())
        if settled:
            await outbox.settle(1, [Settled(row.seq, hash_of(STD, row))])


async def test_unsent_rows_forbid_joining_anew(files: BoxFiles, peer: Peer) -> None:
    """They would be left behind under a name that speaks no more; once they are sent, it may."""
    join(files, peer)
    box = BoxId("site1", "box7")
    again = peer.invite(secret=b"t" * 16)
    await keep_a_row(files, box, settled=False)
    with pytest.raises(Refused) as refusal:
        join(files, peer, again, again=True)
    assert refusal.value.reason is Reason.QUEUE_UNSENT
    assert "1 rows" in refusal.value.detail
    public = bytes.fromhex(read_box_config(files).central_public)
    async with open_outbox(files.queue, box, 1, STD, public) as outbox:
        pending = await outbox.read_pending(10)
        assert pending is not None
        await outbox.settle(1, [Settled(row.seq, hash_of(STD, row)) for row in pending.rows])
        with pytest.raises(Unavailable):  # the agent runs
            join(files, peer, again, again=True)
    before = read_secret(files.certificate)
    join(files, peer, again, again=True)
    assert read_secret(files.certificate) != before
    assert files.queue.exists()


async def test_another_boxs_queue_stays_readable(files: BoxFiles, peer: Peer) -> None:
    """A machine that gets another name keeps the old one's ledger beside its own."""
    join(files, peer)
    await keep_a_row(files, BoxId("site9", "old"), settled=True)
    join(files, peer, peer.invite(secret=b"t" * 16), again=True)
    assert not files.queue.exists()
    report = verify_queue(files.directory / "queue-site9-old.db")
    assert (report.holds, report.account.created) == (True, 1)


@pytest.mark.parametrize("moved", [False, True])
def test_another_name_forgets_whom_the_last_hospital_paired(
    files: BoxFiles, peer: Peer, moved: bool
) -> None:
    """A workstation there must not read this hospital's patients; a box that only joins anew keeps
    its own."""
    join(files, peer)
    for path in (files.workstations, files.wrong_pins):
        path.write_bytes(b"[]")
    if moved:
        text = files.config.read_text()
        files.config.write_text(text.replace(BOX, "site9/old"))
    join(files, peer, peer.invite(secret=b"t" * 16), again=True)
    assert files.workstations.exists() is not moved
    assert files.wrong_pins.exists() is not moved


def test_settings_of_the_machine_survive_another_name(files: BoxFiles, peer: Peer) -> None:
    """What a technician wrote into ``box.toml`` is the machine's, not the name's."""
    join(files, peer)
    files.config.write_text("again_seconds = 3\n" + files.config.read_text())
    join(files, peer, peer.invite(secret=b"t" * 16), again=True)
    assert read_box_config(files).again_seconds == 3


def test_a_full_disk_leaves_no_half_box(
    files: BoxFiles, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever it is full, it is said, and the same invite finishes with the same keys."""
    said: list[Reason] = []
    write = os.fsync
    for full_at in range(1, 16):
        count = iter(range(1, 100))

        def fsync(descriptor: int, count: Iterator[int] = count, full_at: int = full_at) -> None:
            if next(count) == full_at:
                raise OSError(errno.ENOSPC, "No space left on device")
            write(descriptor)

        monkeypatch.setattr(os, "fsync", fsync)
        try:
            join(files, peer)
        except Unavailable as full:
            said.append(full.reason)
        else:
            break
    monkeypatch.setattr(os, "fsync", write)
    assert set(said) == {Reason.STORE_UNAVAILABLE}
    assert join(files, peer).box == BOX
    assert len(peer.certificates) == 1
