"""``make bench``: every measurement in the environment it belongs to, one table, one file.

Box code is measured with only the box's packages installed. A measurement is a module here that
takes ``--json FILE`` and writes its figures there; it is named in ``MEASUREMENTS``.
"""

import argparse
import subprocess
import sys
from pathlib import Path

import msgspec

from tests.bench.table import Figure, print_table, write_json

BUILD = Path("build")
PYTHON = {
    "box": Path(".venv-box/bin/python"),
    "peers": Path(".venv-peers/bin/python"),
    "developer": Path(sys.executable),
}
MEASUREMENTS = (
    ("box", "enqueue"),
    ("peers", "peers"),
    ("developer", "ledger"),
    ("box", "backlog"),
    ("box", "scan"),
    ("box", "asking"),
    ("box", "printing"),
    ("box", "start"),
    ("box", "labels"),
    ("box", "lists"),
    ("box", "joining"),
    ("developer", "face"),
    ("developer", "api"),
    ("developer", "console"),
)
"""Environment and module, in the order of the table."""


def measure(environment: str, module: str) -> list[Figure]:
    """Run one measurement by itself; its figures. Raises CalledProcessError if it breaks."""
    report = BUILD / f"bench/{module}.json"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.unlink(missing_ok=True)
    print(f"→ {module} ({environment} environment)", flush=True)
    command = [str(PYTHON[environment]), "-m", f"tests.bench.{module}", "--json", str(report)]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
    if not report.exists():
        raise subprocess.CalledProcessError(done.returncode, command)
    return msgspec.json.decode(report.read_bytes(), type=list[Figure])


def main() -> int:
    """Measure what is asked for, or everything; 0 when every bar holds."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("only", nargs="*", help="modules to run; all when none is named")
    only = parser.parse_args().only
    figures = [
        figure
        for environment, module in MEASUREMENTS
        if not only or module in only
        for figure in measure(environment, module)
    ]
    print_table(figures)
    write_json(figures, BUILD / "bench.json")
    return 0 if all(figure.holds for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
