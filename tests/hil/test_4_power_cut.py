"""The power goes while a counter scans and prints: at many points of what its disk was told.

The disk forgets everything after the last flush (``tests.hil.write_log``). What was heard or
printed is noted with how long the log then was; a cut after that point must keep it. The disks
are judged outside by the oracle of the fault tests, and some are started again in a new guest.
"""

import contextlib
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import pytest

from tests.broker import free_ports
from tests.faults import oracle
from tests.hil.conftest import API_PORT, IMAGE, Hil
from tests.hil.counter import BOX, Counter
from tests.hil.test_2_printer import IN_THE_MIDDLE, formats, issue
from tests.hil.vm import Disk, Machine
from tests.hil.write_log import Entry, Replay, read_entries

ROUNDS = 5
SCANS = 3
STARTED_AGAIN = 4
CONTROL_CUTS = 24
CONTROL_SCANS = 60
LESS = (
    "f=$(find /opt /usr -path '*/agent/offline_queue/database.py') && "
    """sed -i 's/"synchronous": "full"/"synchronous": "normal"/' $f && grep -q '"normal"' $f"""
)
"""The installed agent's queue no longer syncs each commit."""
LOOK_SECONDS = 0.05
FIRST_BYTE = 1

# What a box's own system disk keeps, and this guest forgets: the key its secrets are sealed with.
CREDENTIALS = "/etc/credstore.encrypted /var/lib/systemd/credential.secret"


class Known(NamedTuple):
    """Something a person or the printer has got: a record's id, and the log's length then."""

    id: bytes
    position: int


class Witness:
    """Notes what has been heard at the counter, from beside it."""

    def __init__(self, hil: Hil, log: Path) -> None:
        self._hil = hil
        self._log = log
        self._over = threading.Event()
        self._heard: dict[bytes, int] = {}

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Look at the page for as long as the block lasts."""
        thread = threading.Thread(target=self._look)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    @property
    def heard(self) -> list[Known]:
        """Every scan that was shown."""
        return [Known(*each) for each in self._heard.items()]

    def _look(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            for view in self._hil.counter.api.fetch("verdicts"):
                if view["state"] == "shown":
                    # The length is read after the view: never earlier than what it stands for.
                    self._heard.setdefault(UUID(view["id"]).bytes, self._log.stat().st_size)


class Cut(NamedTuple):
    """A disk after a power cut, and where in the log the cut was."""

    disk: Path
    position: int


def work_until_cut(hil: Hil, log: Path) -> tuple[int, list[Known], list[Known]]:
    """Scan and print, and cut the power in the middle of a label: where the log stood at the
    beginning, scans heard, labels begun."""
    begin = log.stat().st_size
    witness = Witness(hil, log)
    positions: list[int] = []
    labels: list[Known] = []
    with witness.watching():
        for number in range(ROUNDS):
            created = hil.counter.created()
            for scan in range(SCANS):
                hil.scanner.type(f"AE{number:02d}{scan:04d}:1\r")
            hil.counter.wait_created(created + SCANS)
            hil.printer.after(FIRST_BYTE, lambda: positions.append(log.stat().st_size))
            label = issue(hil)
            labels.append(Known(UUID(label["id"]).bytes, positions[-1]))
    stopped = threading.Event()

    def stop() -> None:
        positions.append(log.stat().st_size)
        hil.printer.hold()
        stopped.set()

    hil.printer.after(IN_THE_MIDDLE, stop)
    known = {view["id"] for view in hil.counter.api.fetch("labels")}
    clerk = threading.Thread(target=_issue_in_vain, args=(hil,))
    clerk.start()
    assert stopped.wait(60.0)
    (last,) = {view["id"] for view in hil.counter.api.fetch("labels")} - known
    labels.append(Known(UUID(last).bytes, positions[-1]))
    hil.counter.machine.cut()
    clerk.join()
    return begin, witness.heard, labels


def _issue_in_vain(hil: Hil) -> None:
    """The clerk of the last label: the box dies before it answers."""
    with contextlib.suppress(OSError, ValueError):
        issue(hil)


def read_rows(disk: Path, folder: Path) -> list[oracle.BoxRow]:
    """The box's rows on a disk that was cut: the file system repairs itself, then SQLite."""
    folder.mkdir()
    checked = subprocess.run(["e2fsck", "-fy", disk], capture_output=True, check=False)
    assert checked.returncode <= 2, checked.stdout
    for name in ("queue.db", "queue.db-wal"):
        command = ["debugfs", "-R", f"dump /{name} {folder / name}", str(disk)]
        subprocess.run(command, capture_output=True, check=True)
    return oracle.read_box(folder / "queue.db")


def judge(cut: Cut, rows: list[oracle.BoxRow], must: dict[str, list[Known]], central: Path) -> None:
    """Nothing that was heard or begun before the cut is missing; what is settled, central has."""
    here = {row.id for row in rows}
    for what, known in must.items():
        missing = [each for each in known if each.position <= cut.position and each.id not in here]
        assert not missing, f"{what}, lost by a cut at {cut.position}: {missing}"
    held = oracle.read_central(central, str(BOX))
    for row in rows:
        assert row.state in {oracle.PENDING, oracle.SETTLED, oracle.TOMBSTONED}
        if row.state == oracle.SETTLED:
            assert held[row.epoch, row.seq] == (row.id, row.hash)


def test_nothing_heard_is_lost_and_nothing_prints_by_itself(
    hil: Hil, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    """At every cut what was heard is there, and each label that had begun is known as begun; a box
    started on such a disk sends the printer nothing, and asks about the label that was cut."""
    log = hil.disk.log
    assert log is not None
    secrets = hil.counter.machine.read(f"tar -c {CREDENTIALS} 2>/dev/null")
    begin, heard, labels = work_until_cut(hil, log)
    hil.centre.stop()
    entries = read_entries(log)
    counts = choose_cuts(entries, begin, pytestconfig.getoption("cuts"))
    assert len(counts) >= 24
    replay = Replay(IMAGE.box / "state.img", log, entries, tmp_path / "replayed.img")
    cuts = []
    for count in counts:
        cut = Cut(tmp_path / f"cut-{count}.img", entries[count - 1].end)
        replay.cut_after(count, cut.disk)
        rows = read_rows(cut.disk, tmp_path / f"cut-{count}")
        judge(cut, rows, {"heard": heard, "begun": labels}, hil.centre.database)
        cuts.append(cut)
    assert any(known.position <= cuts[-1].position for known in heard)
    assert labels[-1].position <= cuts[-1].position
    chosen = cuts[:: -len(cuts) // STARTED_AGAIN]
    lossy_log = tmp_path / "lossy.log"
    lossy = Disk(tmp_path / "lossy.img", lossy_log)
    shutil.copyfile(chosen[0].disk, lossy.image)
    lossy_log.touch()
    begin, taken = start_again(hil, chosen, labels, secrets, tmp_path, lossy)
    entries = read_entries(lossy_log)
    replay = Replay(chosen[0].disk, lossy_log, entries, tmp_path / "replayed-lossy.img")
    lost = []
    for count in choose_cuts(entries, begin, CONTROL_CUTS):
        cut = Cut(tmp_path / "cut-lossy.img", entries[count - 1].end)
        replay.cut_after(count, cut.disk)
        here = {row.id for row in read_rows(cut.disk, tmp_path / f"cut-lossy-{count}")}
        lost.append(sum(k.position <= cut.position and k.id not in here for k in taken))
    assert any(lost), "a queue that syncs less loses nothing: these cuts see nothing"


def choose_cuts(entries: list[Entry], begin: int, cuts: int) -> list[int]:
    """After how many entries the power goes: so many points behind ``begin``, evenly. Where
    nothing was written behind it, which is what syncing less comes to, the one at the end."""
    behind = (number for number, entry in enumerate(entries) if entry.begin >= begin)
    first = next(behind, len(entries))
    return sorted({first + (len(entries) - first) * cut // cuts for cut in range(1, cuts + 1)})


def start_again(  # noqa: PLR0917 - the disks, what is known of them, one more disk
    hil: Hil,
    cuts: list[Cut],
    labels: list[Known],
    secrets: bytes,
    directory: Path,
    lossy: Disk,
) -> tuple[int, list[Known]]:
    """Start a box on each of the disks: the printer gets nothing, no label is still under way.

    Then, for a control, one whose queue syncs less, on ``lossy``, until the power goes: where that
    disk's log stood at the beginning, and the scans that the box said it had taken.
    """
    ssh_port, api_port = free_ports(2)
    hil.printer.release()
    with hil.printer.lock:
        hil.printer.zebra.switch_off()
    received = formats(hil.printer.received)
    disks = [*(Disk(cut.disk) for cut in cuts), lossy]
    forwards = {api_port: API_PORT}
    with Machine(IMAGE, directory / "again", ssh_port, forwards, *disks) as machine:
        counter = Counter(machine, hil.bus, directory, api_port)
        machine.run("tar -x -C /", stdin=secrets)
        machine.run("modprobe vhci_hcd")
        counter.plug_in(hil.printer)
        for number, cut in enumerate(cuts):
            counter.mount(f"/dev/vd{chr(ord('b') + number)}")
            counter.start_agent()
            counter.wait_state("printer", lambda state: state["printer"]["state"] == "ready")
            states = {UUID(each["id"]).bytes: each for each in counter.api.fetch("labels")}
            assert not {"queued", "sending"} & {each["state"] for each in states.values()}
            begun = [label.id for label in labels if label.position <= cut.position]
            if cut is cuts[0]:  # the last one: in the middle of a label
                assert states[begun[-1]]["state"] == "unknown"
                assert states[begun[-1]]["needs_answer"]
            assert formats(hil.printer.received) == received
            machine.run("systemctl stop onecode-agent && umount /var/lib/onecode-box")
        counter.mount(f"/dev/vd{chr(ord('b') + len(cuts))}")
        machine.run(LESS)
        counter.start_agent()
        assert lossy.log is not None
        begin, taken = lossy.log.stat().st_size, []
        for number in range(CONTROL_SCANS):
            view = counter.api.send("scan", {"text": f"AE9{number:05d}:1"})
            taken.append(Known(UUID(view["id"]).bytes, lossy.log.stat().st_size))
        machine.cut()
    return begin, taken
