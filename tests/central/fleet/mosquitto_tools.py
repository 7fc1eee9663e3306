"""``mosquitto_sub`` and ``mosquitto_pub`` with a certificate: a client that is not ours."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from central.fleet.certificates import Identity
from tests.central.fleet.conftest import Line

PATIENCE_SECONDS = 10.0


class Listener:
    """A running ``mosquitto_sub``; each message is a line of topic and payload."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def line(self) -> str:
        """The next line it prints; empty when it has ended."""
        assert self._process.stdout is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            return (await self._process.stdout.readline()).decode().strip()

    async def heard_until(self, last: str) -> list[str]:
        """The messages before the one that is ``last``."""
        heard: list[str] = []
        while (line := await self.line()) != last:
            assert line, f"mosquitto_sub ended; heard {heard}"
            if line.startswith("onecode/"):
                heard.append(line)
        return heard


@asynccontextmanager
async def listening(
    line: Line, identity: Identity, client_id: str, filters: Sequence[str]
) -> AsyncIterator[Listener]:
    """Listen with this certificate, from the broker's answer to the subscription on."""
    topics = [word for filter in filters for word in ("-t", filter)]
    words = [*_access(line, identity, client_id), "-q", "1", "-v", "-d", *topics]
    process = await asyncio.create_subprocess_exec(
        "stdbuf", "-oL", "mosquitto_sub", *words, stdout=asyncio.subprocess.PIPE
    )
    listener = Listener(process)
    try:
        while not (answer := await listener.line()).startswith("Subscribed"):
            assert answer, "mosquitto_sub was not answered"
        yield listener
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def publish(line: Line, identity: Identity, client_id: str, topic: str, payload: str) -> None:
    """Publish with this certificate; what the broker thinks of it shows in what is delivered."""
    words = [*_access(line, identity, client_id), "-q", "1", "-t", topic, "-m", payload]
    process = await asyncio.create_subprocess_exec(
        "mosquitto_pub", *words, stderr=asyncio.subprocess.DEVNULL
    )
    async with asyncio.timeout(PATIENCE_SECONDS):
        await process.wait()


def _access(line: Line, identity: Identity, client_id: str) -> list[str]:
    folder: Path = line.files.directory
    certificate, key = folder / "stolen.pem", folder / "stolen.key"
    certificate.write_bytes(identity.certificate)
    key.write_bytes(identity.key)
    return [
        *("-h", "localhost", "-p", str(line.config.box_port), "-V", "5", "-i", client_id),
        *("--cafile", str(line.files.box_ca), "--cert", str(certificate), "--key", str(key)),
    ]
