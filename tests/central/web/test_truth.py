"""The OpenAPI document is true: schemathesis asks the served API everything, with every check.

``ONECODE_API_EXAMPLES=200`` makes it look longer; without it the same few examples each time.
"""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

from tests.central.web.seeding import BOX, World, make_world
from tests.central.web.serving import TOKEN, make_centre

EXAMPLES = int(os.environ.get("ONECODE_API_EXAMPLES", "3"))
OFTEN = 0.7


@pytest.fixture
def world(tmp_path: Path) -> World:
    make_centre(tmp_path / "centre")
    return make_world(tmp_path / "centre")


@pytest.fixture
def url(tmp_path: Path, world: World) -> Iterator[str]:
    """The API in a process of its own."""
    command = [sys.executable, "-m", "tests.central.web.serving", str(tmp_path / "centre")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        yield child.stdout.readline().strip()
        child.terminate()


def build_config(world: World) -> SchemathesisConfig:
    """Every check as it comes, and ids that exist often enough to get behind 404."""
    known = {
        "path.person": world.persons,
        "path.card": world.cards,
        "path.scan": world.scans,
        "path.case": world.cases,
        "path.site": [BOX.site],
        "path.institution": [BOX.site],
        "path.box": [BOX.box],
        "body.document_number": ["11010020171225006X", "E12345678"],
        "body.counter": ["挂号2"],
    }
    return SchemathesisConfig.from_dict(
        {
            "headers": {"Authorization": f"Bearer {TOKEN}"},
            "generation": {"max-examples": EXAMPLES, "deterministic": EXAMPLES < 10},
            "dictionaries": {name: {"values": values} for name, values in known.items()},
            "parameters": {name: {"dictionary": name, "probability": OFTEN} for name in known},
        }
    )


def test_schemathesis_finds_nothing(url: str, world: World) -> None:
    """Every operation, authenticated, in every phase: no answer that the document does not
    promise, nothing wrong accepted, nothing right refused, nothing open to strangers."""
    document = f"{url}/api/openapi.json"
    schema = schemathesis.openapi.from_url(document, config=build_config(world))
    checks = schema.config.checks
    for expecting in (checks.positive_data_acceptance, checks.negative_data_rejection):
        # A made-up If-Match is well-formed and never the current tag: 412 is what it is for.
        expecting.expected_statuses = [*expecting.expected_statuses, "412"]
    found: set[str] = set()
    statuses: Counter[tuple[str, int]] = Counter()
    for event in from_schema(schema).execute():
        if isinstance(event, events.NonFatalError):
            found.add(f"{event.label}: {event.value!r}")
        elif isinstance(event, events.FatalError):
            raise event.exception
        elif isinstance(event, events.ScenarioFinished):
            recorder = event.recorder
            for id, interaction in recorder.interactions.items():
                label = recorder.cases[id].value.operation.label
                if interaction.response is not None:
                    statuses[label, interaction.response.status_code] += 1
            for check in (each for checks in recorder.checks.values() for each in checks):
                if failure := check.failure_info:
                    what = f"{check.name} {failure.failure.operation}: {failure.failure.message}"
                    found.add(f"{what}\n{failure.code_sample}")
    assert not found, "\n\n".join(sorted(found))
    labels = {label for label, _ in statuses}
    served = {label for label, status in statuses if status < 300}
    # Chance does not get a good answer from everything: those have tests of their own.
    assert len(labels) > 40
    assert len(labels - served) <= 8, sorted(labels - served)
