"""What central's lists cost a box: memory resident for 100,000 persons and 100,000 revoked cards,
and a look at them when central is away.

Two processes do the same with the real file and the real service: one with an empty file, one with
a full one, looked through once as at a start and asked ten thousand times. Beside: the same persons
in a dict.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from agent.cache.sealed_file import open_sealed_file
from agent.config import BoxConfig, BrokerAddress
from agent.lists.file import LAYOUT, KeySet, ListFile
from agent.lists.service import open_lists
from shared.clock import to_microseconds
from shared.crypto import STD
from shared.lists import (
    NO_DIGEST,
    START,
    CodeKey,
    ListedPerson,
    ListHead,
    RevokedCard,
    RevokedPage,
    card_token,
    element,
    end_of,
    set_digest,
)
from shared.messages import Identity, ListName, RecordNumber
from shared.reasons import Reason
from tests.bench.table import Figure, median, run, value_at_most

ENTRIES = 100_000
LOOKS = 10_000
KEY = bytes(32)
AT = datetime(2026, 11, 28, tzinfo=UTC)
CONFIG = BoxConfig(
    box="site1/box1",
    counter="window 1",
    site_name="示范医院",
    broker=BrokerAddress("localhost", 1),
    central_public="00" * 32,
    code_keys={},
    announcements=STD.signing_key(KEY).public_bytes.hex(),
)


def measure() -> list[Figure]:
    """All figures of one run."""
    with tempfile.TemporaryDirectory() as directory:
        empty, full = Path(directory) / "empty", Path(directory) / "full"
        for path, count in ((empty, 0), (full, ENTRIES)):
            path.mkdir()
            _fill(path, count)
        without, _, _ = _look(empty)
        with_all, look, proved = _look(full)
    in_a_dict = _dict_mib()
    return [
        value_at_most(
            f"lists: memory for {ENTRIES:,} persons and revoked cards",
            with_all - without,
            "MiB",
            1.0,
            in_a_dict,
        ),
        value_at_most("lists: a look at them, median", look, "ms", 2.0),
        value_at_most("lists: processor time of proving the set at a start", proved, "s", 1.0),
    ]


def _ehc_id(number: int) -> str:
    return f"{number:064X}"


def _identity(number: int) -> Identity:
    numbers = (RecordNumber("outpatient", f"{number:08d}"),)
    return Identity("张*三", "110***********006X", "1", "1971-12-25", f"P{number:08d}", numbers)


def _fill(directory: Path, count: int) -> None:
    sealed = open_sealed_file(directory / "lists.db", directory / "cache.key", LAYOUT)
    assert sealed is not None
    file = ListFile(sealed)
    file.belong(f"{CONFIG.box} {CONFIG.announcements}".encode())
    at = to_microseconds(AT)
    keys = ListHead(ListName.KEYS, "", 1, 1, NO_DIGEST, at)
    file.take_keys(keys, KeySet((CodeKey(1, STD.signing_key(KEY).public_bytes, 0, None),), KEY))
    tokens = [card_token(KEY, _ehc_id(number)) for number in range(count)]
    persons = ListHead(ListName.PERSONS, "site1", 1, count, NO_DIGEST, at)
    for begin in range(0, count or 1, 5_000):
        page = [
            ListedPerson((token,), _identity(begin + place))
            for place, token in enumerate(tokens[begin : begin + 5_000])
        ]
        file.take_persons(persons, end_of(1), page, count)
    why = Reason.CARD_CANCELLED
    digest = set_digest(NO_DIGEST, (element(token, why) for token in tokens))
    revoked = ListHead(ListName.REVOKED, "", 1, count, digest, at)
    added = tuple(RevokedCard(token, why) for token in tokens)
    file.begin_revoked()
    file.gather_revoked(RevokedPage(head=revoked, since=START, added=added, removed=()))
    file.take_revoked(revoked, whole=True)
    file.close()


def _look(directory: Path) -> tuple[float, float, float]:
    """Resident MiB, a look's median in ms, seconds of the proof: of a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.lists", "--look", str(directory)],
        capture_output=True,
        text=True,
        check=True,
    )
    memory, look, proved = map(float, done.stdout.split())
    return memory, look, proved


async def _work(directory: Path) -> None:
    paths = directory / "lists.db", directory / "cache.key"
    async with open_lists(*paths, CONFIG, lambda: AT) as lists:
        begun = time.process_time()
        await lists.prove()
        proved = time.process_time() - begun
        took = []
        for number in range(LOOKS):
            ehc_id = _ehc_id(number * 7919 % ENTRIES)
            begun = time.perf_counter()
            await lists.find(ehc_id)
            took.append(time.perf_counter() - begun)
        assert lists.trouble is None, lists.trouble
        print(_resident_mib(), median(took) * 1000, proved)


def _resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def _dict_mib() -> float:
    program = (
        "from tests.bench.lists import _ehc_id, _identity, _resident_mib, ENTRIES\n"
        "before = _resident_mib()\n"
        "held = {_ehc_id(n): _identity(n) for n in range(ENTRIES)}\n"
        "print(_resident_mib() - before)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return float(done.stdout)


if __name__ == "__main__":
    if "--look" in sys.argv:
        asyncio.run(_work(Path(sys.argv[-1])))
    else:
        sys.exit(run(measure, __doc__))
