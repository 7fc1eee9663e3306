"""Which scanner is meant: named, the box's own, or none."""

from pathlib import Path

import pytest

from agent.config import BoxFiles, ScannerConfig
from agent.technician.devices import choose_scanner
from shared.crypto import STD
from shared.errors import Malformed, Unavailable
from shared.reasons import Reason


@pytest.fixture
def files(tmp_path: Path) -> BoxFiles:
    """A box whose scanner has a prefix."""
    (tmp_path / "box.toml").write_text(
        f"""
        box = "site1/box1"
        counter = "1"
        site_name = "示范医院"
        central_public = "{STD.new_recipient_key().public_bytes.hex()}"
        code_keys = {{}}
        [broker]
        host = "127.0.0.1"
        port = 1
        [scanner]
        kind = "serial"
        path = "/dev/ttyACM7"
        prefix = "]Q1"
        """
    )
    return BoxFiles(tmp_path)


def test_the_boxs_own_scanner_is_meant_unless_another_is_named(files: BoxFiles) -> None:
    """A named device is looked at as the box would: with its prefix."""
    assert choose_scanner(files, "") == ScannerConfig("serial", "/dev/ttyACM7", prefix="]Q1")
    named = choose_scanner(files, "hid:/dev/input/event3")
    assert named == ScannerConfig("hid", "/dev/input/event3", prefix="]Q1")


def test_no_scanner_is_said(files: BoxFiles, tmp_path: Path) -> None:
    """A box without one, a text that is none."""
    config = files.config.read_text(encoding="utf-8")
    files.config.write_text(config.replace('"serial"', '"none"'), encoding="utf-8")
    with pytest.raises(Unavailable) as nothing:
        choose_scanner(files, "")
    assert nothing.value.reason is Reason.DEVICE_NOT_CONFIGURED
    with pytest.raises(Malformed):
        choose_scanner(BoxFiles(tmp_path / "nowhere"), "serial")
