"""Records carried by hand: exactly once, whatever came by the line before or after; nothing else is
taken for a queue file, and nothing of a broken one.

The shipped command lines over a real box and a real central; the oracle has the last word.
"""

import re
from pathlib import Path

import pytest

from agent.__main__ import main as agent
from central.__main__ import main as central
from central.app import open_central
from shared.pairing import PairKey
from shared.queue_file import QUEUE_MAGIC, read_queue_header, write_receipt_file
from tests.factories import other_static_text
from tests.faults import oracle
from tests.faults.world import BOX, World

SCANS = 30


def at_box(world: World, *arguments: str | Path) -> int:
    """Run ``onecode-agent``."""
    return agent(["--dir", str(world.box_directory), *map(str, arguments)])


def at_central(world: World, *arguments: str | Path) -> int:
    """Run ``onecode-central``."""
    return central(["--dir", str(world.central_directory), *map(str, arguments)])


def cut_off(world: World, scans: int = SCANS) -> None:
    """The line is lost, and work goes on."""
    world.broker.kill()
    world.wait_offline()
    before = world.api.fetch("account")["created"]
    for number in range(scans):
        world.scanner.scan(other_static_text(number))
    world.wait_created(before + scans)


def come_back(world: World) -> None:
    """The line is there again, and all is settled."""
    world.broker.start()
    world.wait_link("up")
    world.prove()


def said(capsys: pytest.CaptureFixture[str]) -> tuple[int, int, int]:
    """Rows, new ones, and ones held already, as the import says."""
    found = re.search(r"(\d+) 条 rows, 新 new (\d+), 已有 held (\d+)", capsys.readouterr().out)
    assert found, "the import says what it took"
    rows, new, held = map(int, found.groups())
    return rows, new, held


def test_out_and_back_without_a_line(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Export beside the running agent, import, receipts back: all is settled, no line was there.
    Imported again it is held already; when the line comes nothing is doubled."""
    cut_off(world)
    file, receipt = tmp_path / "out.queue", tmp_path / "back.receipt"
    assert at_box(world, "queue", "export", file) == 0
    assert file.stat().st_mode & 0o777 == 0o600
    pending = world.api.fetch("account")["pending"]
    capsys.readouterr()
    assert at_central(world, "queue", "import", file, "--receipt", receipt) == 0
    assert said(capsys) == (pending, pending, 0)
    assert at_central(world, "queue", "import", file, "--receipt", receipt) == 0
    assert said(capsys) == (pending, 0, pending)
    assert at_box(world, "queue", "import-receipt", receipt) == 0
    assert world.api.fetch("account")["pending"] == 0
    assert at_box(world, "queue", "import-receipt", receipt) == 0
    come_back(world)
    assert not oracle.parked(world.database)


def test_the_line_is_quicker(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What had come by the line meanwhile is not taken twice; its receipts settle nothing more."""
    cut_off(world)
    file = tmp_path / "out.queue"
    assert at_box(world, "queue", "export", file) == 0
    come_back(world)
    capsys.readouterr()
    assert at_central(world, "queue", "import", file) == 0
    rows, new, held = said(capsys)
    assert (rows, new, held) == (rows, 0, rows)
    assert at_box(world, "queue", "import-receipt", f"{file}.receipt") == 0
    assert not world.api.fetch("account")["pending"]
    world.prove()


def test_a_box_that_does_not_run(world: World, tmp_path: Path) -> None:
    """The files of a stopped or dead box are enough, to export and to settle."""
    cut_off(world)
    world.supervisor.stop("box")
    file = tmp_path / "out.queue"
    assert at_box(world, "queue", "export", file) == 0
    assert at_central(world, "queue", "import", file) == 0
    assert at_box(world, "queue", "import-receipt", f"{file}.receipt") == 0
    assert not any(row.state == oracle.PENDING for row in oracle.read_box(world.queue))
    world.start_box(online=False)
    come_back(world)


def test_broken_and_foreign_files_do_no_harm(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Cut off anywhere, edited anywhere, another kind, another centre's: refused with a reason, and
    central holds what it held before."""
    cut_off(world)
    file = tmp_path / "out.queue"
    assert at_box(world, "queue", "export", file) == 0
    assert at_box(world, "queue", "export", file) == 1, "no file is written over"
    content, held = file.read_bytes(), oracle.read_central(world.database, str(BOX))
    header = len(QUEUE_MAGIC) + 4
    broken = {
        "cut in half": content[: len(content) // 2],
        "without its end": content[:-40],
        "with more behind": content + b"x",
        "edited": _flipped(content, len(content) // 2),
        "edited near its end": _flipped(content, len(content) - 20),
        "another's header": _flipped(content, header + 20),
        "empty": b"",
        "a photograph": b"\x89PNG" * 100,
    }
    for name, spoiled in broken.items():
        wrong = tmp_path / "wrong.queue"
        wrong.write_bytes(spoiled)
        capsys.readouterr()
        assert at_central(world, "queue", "import", wrong) == 1, name
        assert "queue-file-" in capsys.readouterr().err, name
        assert not wrong.with_name("wrong.queue.receipt").exists(), name
    assert oracle.read_central(world.database, str(BOX)) == held
    assert at_central(world, "queue", "import", tmp_path / "none") == 3
    come_back(world)


def test_a_receipt_that_is_not_this_boxs_settles_nothing(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Forged with another key, cut off, edited, no receipt file at all: the rows stay pending."""
    cut_off(world)
    file, receipt = tmp_path / "out.queue", tmp_path / "good.receipt"
    assert at_box(world, "queue", "export", file) == 0
    pending = world.api.fetch("account")["pending"]
    assert at_central(world, "queue", "import", file, "--receipt", receipt) == 0
    content = receipt.read_bytes()
    with (tmp_path / "forged").open("wb") as out:
        write_receipt_file(out, PairKey(bytes(32)), BOX, bytes(16), [b"anything"])
    (tmp_path / "cut").write_bytes(content[:-30])
    (tmp_path / "edited").write_bytes(_flipped(content, len(content) // 2))
    for name in ("forged", "cut", "edited", "out.queue"):
        capsys.readouterr()
        assert at_box(world, "queue", "import-receipt", tmp_path / name) == 1, name
        assert "receipt-file-" in capsys.readouterr().err, name
    assert world.api.fetch("account")["pending"] == pending
    assert at_box(world, "queue", "import-receipt", receipt) == 0
    assert world.api.fetch("account")["pending"] == 0
    come_back(world)


def test_nothing_in_the_file_is_readable(world: World, tmp_path: Path) -> None:
    """Whoever finds the stick learns which box it is from, and nothing of a patient."""
    cut_off(world, scans=1)
    file = tmp_path / "out.queue"
    assert at_box(world, "queue", "export", file) == 0
    content = file.read_bytes()
    assert str(BOX).encode() in content
    assert other_static_text(0).split(":")[0].encode() not in content
    with file.open("rb") as opened, open_central(world.central_directory) as centre:
        box, header = read_queue_header(opened)
        assert centre.keys.queue_file_key(box, header.wrapped)
    come_back(world)


def _flipped(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
