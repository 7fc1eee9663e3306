"""The Newland client against a simulated scanner, over good, slow, chopped and lossy wires."""

import os
import random
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.drivers.newland import Interface, Terminator
from agent.drivers.newland_client import TRIES, NewlandClient, SetUp
from agent.drivers.serial_port import SerialPort
from shared.clock import ManualClock, SystemClock
from shared.errors import Malformed, Refused, Unavailable
from shared.reasons import Reason
from tests.agent.drivers.newland_peer import NewlandPeer, PeerWire, ScriptedWire
from tests.agent.drivers.pseudoterminal import Pseudoterminal

STATIC = b"98FF9F2C05145CB9305E9D8A57E072BB51180CA49E5BE5E9D41BCE3A9A571928:1"
FROM_FACTORY = SetUp(Interface.KEYBOARD, Terminator.CR, beep=True, volume=20, layout=0)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 11, 28, tzinfo=UTC))


@pytest.fixture
def peer() -> NewlandPeer:
    return NewlandPeer()


def set_all(client: NewlandClient) -> None:
    client.set_interface(Interface.CDC)
    client.set_terminator(Terminator.CRLF)
    client.set_beep(False)
    client.set_volume(7)
    client.set_layout(8)


ALL_SET = SetUp(Interface.CDC, Terminator.CRLF, beep=False, volume=7, layout=8)


@pytest.mark.parametrize(("portion", "seconds"), [(4096, 0.0), (1, 0.0), (1, 0.03), (7, 0.15)])
def test_whole_set_up_over_any_wire(
    peer: NewlandPeer, clock: ManualClock, portion: int, seconds: float
) -> None:
    """All at once, one byte at a time, slowly: the same set-up is read, written and read back."""
    client = NewlandClient(PeerWire(peer, clock, portion=portion, seconds=seconds), clock)
    assert client.read_set_up() == FROM_FACTORY
    set_all(client)
    assert client.read_set_up() == ALL_SET
    assert client.take_scans() == []


@pytest.mark.parametrize("terminator", Terminator)
def test_every_terminator(peer: NewlandPeer, clock: ManualClock, terminator: Terminator) -> None:
    """Each is set in one command and read back, none too."""
    client = NewlandClient(PeerWire(peer, clock), clock)
    client.set_terminator(terminator)
    assert client.read_terminator() is terminator
    assert peer.commands[0].count(b"TSU") == 1


def test_a_value_out_of_range_is_refused_once(peer: NewlandPeer, clock: ManualClock) -> None:
    """NAK is an answer: it names the setting and is not asked again."""
    client = NewlandClient(PeerWire(peer, clock), clock)
    with pytest.raises(Refused) as refusal:
        client.set_volume(99)
    assert (refusal.value.reason, refusal.value.detail) == (
        Reason.SCANNER_SET_UP_REFUSED,
        "GRBVLL",
    )
    assert len(peer.commands) == 1


def test_a_setting_that_a_scanner_lacks_is_left_out(peer: NewlandPeer, clock: ManualClock) -> None:
    """ENQ: an older scanner without a volume still shows the rest."""
    del peer.values["GRBVLL"]
    client = NewlandClient(PeerWire(peer, clock), clock)
    assert client.read_set_up().volume is None
    assert client.read_set_up().layout == 0
    with pytest.raises(Refused):
        client.set_volume(3)


def test_a_value_of_the_future_is_not_guessed(peer: NewlandPeer, clock: ManualClock) -> None:
    """An interface that no manual of ours names is no interface, and hides nothing else."""
    peer.values["INTERF"] = "11"
    client = NewlandClient(PeerWire(peer, clock), clock)
    with pytest.raises(Malformed):
        client.read_interface()
    assert client.read_set_up().interface is None


def test_silence_is_unavailable_after_three_tries(clock: ManualClock) -> None:
    """Nobody there: asked three times, each with its own deadline, then said."""
    wire = ScriptedWire(clock, [])
    with pytest.raises(Unavailable) as silence:
        NewlandClient(wire, clock).read_interface()
    assert silence.value.reason is Reason.DEVICE_SILENT
    assert len(wire.sent) == TRIES


@pytest.mark.parametrize(
    "garbage", [b"\x02\x010000@INTERF3;\x03", b"\x02" * 600, b"\x02" + b"A" * 5000, b"\x02\x03"]
)
def test_garbage_is_faulty_after_three_tries(clock: ManualClock, garbage: bytes) -> None:
    """Something answers, and not in this language: no value comes of it, memory stays bounded."""
    wire = ScriptedWire(clock, [garbage] * 10)
    with pytest.raises(Unavailable) as fault:
        NewlandClient(wire, clock).read_interface()
    assert fault.value.reason is Reason.DEVICE_FAULTY
    assert len(wire.sent) == TRIES


def test_a_late_answer_is_not_taken_for_the_next_one(clock: ManualClock) -> None:
    """Answers to an earlier question, and to another value, are passed over."""
    late = b"\x02\x010000@GRBENA1\x06;\x03"
    wire = ScriptedWire(
        clock, [late + b"\x02\x010000@INTERF3\x06;\x03" + b"\x02\x010000@INTERF8\x06;\x03"]
    )
    NewlandClient(wire, clock).set_interface(Interface.CDC)
    assert len(wire.sent) == 1


ANSWER = b"\x02\x010000@INTERF3\x06;\x03"


@pytest.mark.parametrize("place", range(len(ANSWER) + 1))
@pytest.mark.parametrize("end", [b"\r", b"\r\n"])
def test_a_scan_beside_or_inside_an_answer_is_kept(
    clock: ManualClock, place: int, end: bytes
) -> None:
    """A code scanned before, after or in the middle of an answer is given to the caller, and is
    never the answer. Only in the middle of the value its beginning is lost in the answer."""
    torn = ANSWER[:place] + STATIC + end + ANSWER[place:]
    client = NewlandClient(ScriptedWire(clock, [torn, ANSWER, ANSWER, ANSWER]), clock)
    assert client.read_interface() is Interface.KEYBOARD
    scans = client.take_scans()
    assert len(scans) == 1
    if ANSWER[:place].endswith((b"F", b"3")):
        assert STATIC in scans[0]  # which no parser takes for a code
        assert b"\x02" in scans[0]
    else:
        assert scans == [STATIC]
    assert client.take_scans() == []


def test_a_scan_without_terminator_is_kept_too(clock: ManualClock) -> None:
    """Beside an answer even a scan that nothing ends is given over."""
    client = NewlandClient(ScriptedWire(clock, [STATIC + ANSWER, ANSWER]), clock)
    assert client.read_interface() is Interface.KEYBOARD
    assert client.take_scans() == [STATIC]


def test_a_scan_behind_a_broken_answer_is_kept(clock: ManualClock) -> None:
    """An answer whose end was lost does not swallow the code that comes after it."""
    broken = ANSWER[:-1] + STATIC + b"\r"
    client = NewlandClient(ScriptedWire(clock, [broken, ANSWER, ANSWER]), clock)
    assert client.read_interface() is Interface.KEYBOARD
    (scan,) = client.take_scans()
    assert STATIC in scan


class OneFault:
    """Damages one byte of all that passes, counted over both directions."""

    def __init__(self, place: int, kind: str) -> None:
        self._left = place
        self._kind = kind

    def __call__(self, data: bytes) -> bytes:
        place, self._left = self._left, self._left - len(data)
        if not 0 <= place < len(data):
            return data
        byte = data[place : place + 1]
        instead = {"drop": b"", "double": byte * 2, "flip": bytes([byte[0] ^ 0x20])}[self._kind]
        return data[:place] + instead + data[place + 1 :]


@pytest.mark.parametrize("kind", ["drop", "double", "flip"])
def test_one_damaged_byte_anywhere_changes_no_value(kind: str) -> None:
    """Wherever a byte is lost, doubled or changed, in the command or in the answer: what is read
    is right and what was set is set."""
    for place in range(120):
        clock = ManualClock(datetime(2026, 11, 28, tzinfo=UTC))
        peer = NewlandPeer()
        wire = PeerWire(peer, clock, damage=OneFault(place, kind))
        client = NewlandClient(wire, clock)
        try:
            assert client.read_volume() == 20
            client.set_terminator(Terminator.CRLF)
        except Refused:
            continue  # the damaged byte was the status
        assert (peer.values["TSUENA"], peer.values["TSUSET"]) == ("1", "0D0A")


@pytest.mark.parametrize("seed", range(60))
def test_a_lossy_wire_gives_the_value_or_an_error(seed: int) -> None:
    """One byte in twenty lost, doubled or changed: the right value or none, never another."""
    chance = random.Random(seed)

    def damage(data: bytes) -> bytes:
        kept = bytearray()
        for byte in data:
            fault = chance.random()
            if fault < 0.02:
                continue
            kept.append(byte ^ 0x20 if fault < 0.035 else byte)
            if fault > 0.985:
                kept.append(byte)
        return bytes(kept)

    clock = ManualClock(datetime(2026, 11, 28, tzinfo=UTC))
    client = NewlandClient(PeerWire(NewlandPeer(), clock, damage=damage), clock)
    try:
        assert client.read_terminator() is Terminator.CR
        assert client.read_interface() is Interface.KEYBOARD
    except (Unavailable, Refused):
        return


def test_a_scanner_that_leaves_is_absent(tmp_path: Path) -> None:
    """The port hangs up in the middle: said as such, not as silence."""
    terminal = Pseudoterminal(tmp_path / "scanner")
    terminal.plug_in()
    port = SerialPort(str(terminal.path), 9600)
    terminal.pull()
    with pytest.raises(Unavailable) as gone:
        NewlandClient.on_port(port, SystemClock()).read_interface()
    assert gone.value.reason is Reason.DEVICE_ABSENT
    port.close()


def test_over_a_real_terminal(tmp_path: Path, peer: NewlandPeer) -> None:
    """Through the kernel's own line discipline, control characters and all."""
    terminal = Pseudoterminal(tmp_path / "scanner")
    terminal.plug_in()
    port = SerialPort(str(terminal.path), 9600)
    master = terminal.master

    def answer() -> None:
        while heard := os.read(master, 64):
            if b"?" in heard:
                return
            for byte in peer.hear(heard):
                os.write(master, bytes([byte]))

    scanner = threading.Thread(target=answer)
    scanner.start()
    try:
        client = NewlandClient.on_port(port, SystemClock())
        set_all(client)
        assert client.read_set_up() == ALL_SET
    finally:
        port.write(b"?")
        scanner.join()
        port.close()
        terminal.close()
