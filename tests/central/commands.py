"""Runs ``onecode-central`` on a centre of its own, as a person at a terminal would."""

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from central.__main__ import main
from central.config import BrokerConfig
from central.foundation import Foundation, found_central
from shared.exits import Exit
from tests.central.people import AT, CLERK


class CommandLine:
    """A founded centre, and its commands with what they read and print."""

    def __init__(
        self,
        directory: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        self._directory = directory
        self._monkeypatch = monkeypatch
        self._capsys = capsys
        found_central(directory, Foundation(BrokerConfig()), AT, CLERK)

    def run(self, *arguments: str, stdin: object = None) -> tuple[int, str, str]:
        """Exit code, standard output, standard error; ``stdin`` goes in as JSON."""
        data = io.BytesIO(json.dumps(stdin).encode())
        self._monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(data))
        code = main(["--dir", str(self._directory), *arguments])
        printed = self._capsys.readouterr()
        return code, printed.out, printed.err

    def read(self, *arguments: str, stdin: object = None) -> dict[str, Any]:
        """What a command that holds prints of one thing, for machines."""
        code, out, _ = self.run(*arguments, "--json", stdin=stdin)
        assert code == Exit.HELD
        (row,) = json.loads(out)
        return dict(row)
