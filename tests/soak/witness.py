"""The independent witness: a process that is told what boxes said, looks at what central holds, and
gives the verdict. Nothing of the product is imported.

``python -m tests.soak.witness CENTRAL_DATABASE BOX=QUEUE_FILE…``; on standard input
a line for each scan that a box said it had taken: box and id. The verdict is given when the input
ends, and everything has stopped. Exit code 0: nothing is lost, doubled or changed.
"""

import contextlib
import sqlite3
import sys
import threading
from pathlib import Path

from tests.faults import oracle

LOOK_SECONDS = 5.0


class Witness:
    """What was heard, and what was seen at central, while it went on."""

    def __init__(self, database: Path, queues: dict[str, Path]) -> None:
        self._database = database
        self._queues = queues
        self._heard: dict[str, set[bytes]] = {box: set() for box in queues}
        self._seen: dict[str, dict[tuple[int, int], tuple[bytes, bytes]]] = {
            box: {} for box in queues
        }
        self.complaints: list[str] = []
        self._over = threading.Event()

    def listen(self) -> None:
        """Until the input ends."""
        looker = threading.Thread(target=self._look_again_and_again)
        looker.start()
        for line in sys.stdin:
            box, id = line.split()
            record = bytes.fromhex(id.replace("-", ""))
            if record in self._heard[box]:
                self.complaints.append(f"{box}: said twice of one record: {id}")
            self._heard[box].add(record)
        self._over.set()
        looker.join()

    def judge(self) -> None:
        """Print the account of every box, and what is wrong."""
        self._look()
        print(
            f"{'box':<12}{'said ok':>9}{'created':>9}{'settled':>9}{'given up':>9}{'pending':>9}"
            f"{'central':>9}"
        )
        for box, queue in self._queues.items():
            rows = oracle.read_box(queue)
            positions = oracle.read_central(self._database, box)
            states = [sum(row.state == state for row in rows) for state in range(3)]
            print(
                f"{box:<12}{len(self._heard[box]):>9}{len(rows):>9}{states[1]:>9}{states[2]:>9}"
                f"{states[0]:>9}{len(positions):>9}"
            )
            try:
                oracle.prove(queue, self._database, box)
            except AssertionError as error:
                self.complaints.append(f"{box}: {error}")
            here = {row.id for row in rows}
            pruned = oracle.read_pruned(queue)
            there = {id for id, _ in positions.values()}
            lost = (
                self._heard[box] - here - (there if any(s for s, _ in pruned.values()) else set())
            )
            if lost:
                self.complaints.append(
                    f"{box}: {len(lost)} that it said it had taken are not there"
                )
            given_up = {row.id for row in rows if row.state == oracle.TOMBSTONED}
            if missing := self._heard[box] - there - given_up:
                self.complaints.append(f"{box}: {len(missing)} never came to central")

    def _look_again_and_again(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            with contextlib.suppress(sqlite3.OperationalError):
                self._look()

    def _look(self) -> None:
        for box, seen in self._seen.items():
            now = oracle.read_central(self._database, box)
            for at, what in seen.items():
                if now.get(at) != what:
                    self.complaints.append(f"{box}: central had row {at} and has another or none")
            seen.update(now)


def main() -> None:
    database, *queues = sys.argv[1:]
    named = dict(each.split("=", 1) for each in queues)
    witness = Witness(Path(database), {box: Path(queue) for box, queue in named.items()})
    witness.listen()
    witness.judge()
    for complaint in witness.complaints[:50]:
        print(f"WRONG  {complaint}")
    print("verdict: " + ("does not hold" if witness.complaints else "holds"))
    sys.exit(1 if witness.complaints else 0)


if __name__ == "__main__":
    main()
