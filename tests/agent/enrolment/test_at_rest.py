"""A box's secrets on its disk: sealed as soon as a key is given, and named where they lie open."""

import logging
import os
from pathlib import Path

import pytest

from agent.config import BoxFiles, read_box_config
from agent.enrolment.at_rest import seal_secrets, secrets_at_rest
from agent.enrolment.renewal import renew
from shared.at_rest import CREDENTIAL
from shared.config import read_secret
from tests.agent.enrolment.peer import Peer
from tests.agent.enrolment.test_joining import join

SECRETS = ("box.pem", "signing.key", "pair.key")


@pytest.fixture
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service manager gives a key."""
    (tmp_path / CREDENTIAL).write_bytes(os.urandom(32))
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))


def test_without_a_key_it_is_said(
    files: BoxFiles, peer: Peer, caplog: pytest.LogCaptureFixture
) -> None:
    """Once a start, and the files stay what they are: readable by this user alone."""
    join(files, peer)
    seal_secrets(files)
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert secrets_at_rest(files) == ((), SECRETS, False)


@pytest.mark.usefixtures("key")
def test_a_box_joins_and_renews_sealed(files: BoxFiles, peer: Peer) -> None:
    """No file of the box, drafts included, ever holds a key in clear."""
    join(files, peer)
    assert secrets_at_rest(files) == (SECRETS, (), True)
    assert renew(files, read_box_config(files), even_if_not_due=True) is not None
    assert secrets_at_rest(files).sealed == SECRETS
    for path in files.directory.rglob("*"):
        assert not path.is_file() or b"PRIVATE KEY" not in path.read_bytes()


def test_a_box_that_comes_to_systemd_is_sealed(
    files: BoxFiles, peer: Peer, request: pytest.FixtureRequest
) -> None:
    """Joined by hand as root, started as a service: sealed at that start, with the same keys."""
    join(files, peer)
    before = [read_secret(path) for path in (files.certificate, files.pair_key)]
    request.getfixturevalue("key")
    seal_secrets(files)
    assert secrets_at_rest(files) == (SECRETS, (), True)
    assert [read_secret(path) for path in (files.certificate, files.pair_key)] == before
