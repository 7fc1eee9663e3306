"""After a full run no identity number, name, phone or whole code lies in any log or file.

Everything on both sides is searched as bytes: databases, write-ahead logs, the broker's store,
every log at DEBUG. Only what the simulated printer put out is left aside: a label is paper.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.residents import MOTHER, SAMPLE
from shared.ehc import DynamicCode, mindex_id_of, parse_code
from tests.factories import other_static_text
from tests.faults.world import World

PHONE = "13912345678"
PAYMENT = "134567890123456789"


def forms(text: str) -> Iterator[bytes]:
    """How a text may lie in a file."""
    yield text.encode()
    yield text.lower().encode()
    yield text.encode("utf-16-le")
    yield text.encode("gb18030")
    yield ascii(text)[1:-1].encode()
    if len(text) % 2 == 0 and all(character in "0123456789ABCDEF" for character in text):
        yield bytes.fromhex(text)


def test_a_full_run_leaves_nothing_in_clear(world: World) -> None:
    """Register, print, scan online and offline, be refused, restart: then search."""
    registered = world.issue(SAMPLE.number, SAMPLE.name, PHONE)
    assert registered["outcome"] in {"new", "found"}
    world.issue(MOTHER.number, MOTHER.name, PHONE)
    static, dynamic = world.static_code(), world.issue_code()
    unsigned = world.issue_code(signed=False)
    world.scan(static)
    world.scan(dynamic)
    world.scan(PAYMENT)
    world.scan(static[1:])
    world.broker.kill()
    world.wait_offline()
    world.scan(unsigned)
    world.issue(MOTHER.number, MOTHER.name, PHONE)
    world.scan(other_static_text(77))
    world.restart_box(online=False)
    world.scan(static)
    world.broker.start()
    world.wait_link("up")
    world.restart_central()
    world.prove()
    world.broker.stop()  # it renames its store while it runs
    assert isinstance(parse_code(dynamic), DynamicCode)
    secrets = [
        *(SAMPLE.number, SAMPLE.name, MOTHER.number, MOTHER.name, PHONE, PAYMENT),
        *(static, dynamic, unsigned, other_static_text(77)),
        *(static.split(":")[0], static[1:40], dynamic.split(":", 2)[2], dynamic[-80:]),
        *(mindex_id_of("01", each.number, each.name) for each in (SAMPLE, MOTHER)),
    ]
    files = [file for file in world.files() if "labels" not in file.parts]
    names = {file.name for file in files}
    assert {"queue.db", "queue.db-wal", "central.db", "central.db-wal", "box.log"} <= names
    assert {"central.log", "broker.log", "cache.db", "lists.db"} <= names
    for file in files:
        assert_free(file, secrets)


def assert_free(file: Path, secrets: list[str]) -> None:
    """No secret in any form lies in the file; a failure names the place, not the secret."""
    data = file.read_bytes()
    for number, secret in enumerate(secrets):
        for form in forms(secret):
            if form in data:
                pytest.fail(f"secret {number} lies in {file.name} at {data.index(form)}")
