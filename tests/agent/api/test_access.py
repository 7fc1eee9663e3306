"""The API's token, where the disk cannot take it at the first start."""

import asyncio
import errno
import os
from pathlib import Path

import pytest

from agent.api import access
from agent.api.access import open_token
from shared import config
from shared.reasons import Reason

PATIENCE_SECONDS = 20.0


async def test_no_trouble_with_the_file_ends_a_box_at_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk, then files that cannot be opened: it is tried again, and then it is there."""
    numbers, write = [errno.ENOSPC, errno.EMFILE], config._write_private

    def write_later(path: Path, content: bytes) -> None:
        if numbers:
            raise OSError(number := numbers.pop(0), os.strerror(number))
        write(path, content)

    monkeypatch.setattr(config, "_write_private", write_later)
    monkeypatch.setattr(access, "_FIRST_RETRY_SECONDS", 0.001)
    token = open_token(tmp_path / "api.token")
    assert token.trouble is Reason.STORE_FULL
    async with asyncio.timeout(PATIENCE_SECONDS):
        await token.keep()
    assert not numbers
    assert token.path.read_text() == token.text
