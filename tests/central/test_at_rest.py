"""Central's own secrets: sealed where the service manager gives a key, open and named where not."""

from pathlib import Path

import pytest

from central.app import open_central
from central.config import BrokerConfig, CentralFiles, seal_secrets
from central.fleet.certificates import read_authority
from central.foundation import Foundation, found_central
from shared.at_rest import CENTRAL_CREDENTIAL, is_sealed
from shared.clock import SystemClock
from shared.errors import Refused
from shared.reasons import Reason

KEY = bytes(range(32))


@pytest.fixture
def files(tmp_path: Path) -> CentralFiles:
    """A new centre, made at a command line, where no credential is."""
    directory = tmp_path / "central"
    found_central(directory, Foundation(BrokerConfig()), SystemClock().now(), "test")
    return CentralFiles(directory)


def test_without_a_key_they_are_named(files: CentralFiles) -> None:
    """Nothing is changed, and whoever starts central hears which lie open."""
    assert [path.name for path in seal_secrets(files)] == [
        "passphrase",
        "box-ca.key",
        "central-ca.key",
    ]


def test_with_a_key_they_are_sealed_and_still_read(
    files: CentralFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service works as before; without its key the same files open nothing."""
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / CENTRAL_CREDENTIAL).write_bytes(KEY)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credentials))
    assert seal_secrets(files) == []
    for path in (files.passphrase, files.box_ca_key, files.central_ca_key):
        assert is_sealed(path.read_bytes())
    read_authority(files.box_ca, files.box_ca_key)
    with open_central(files.directory) as central:
        assert central.fleet.list_boxes() == []
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    with pytest.raises(Refused) as refused, open_central(files.directory):
        pytest.fail("opened without its key")
    assert refused.value.reason is Reason.KEY_SEALED
