"""A wire between two network namespaces that loses, doubles, delays and overtakes whole IP packets.

Each end is a TUN device in a namespace of its own; a thread here carries what the kernels send
from one to the other, or does not. So the real TCP of both ends does the sending again. Nothing
has a name outside this process: namespaces and devices end with the last process that uses them.
Needs root. Kernels that have ``netem`` could do the same by themselves; those of many machines
that run tests have none.
"""

import ctypes
import fcntl
import heapq
import os
import random
import select
import shutil
import socket
import struct
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

NETMASK = "255.255.255.0"
_DEVICE = b"wire"
_MOST_PACKET_BYTES = 65_535
_TUN = Path("/dev/net/tun")
_HERE = Path("/proc/thread-self/ns/net")
_COUNTERS = Path("/proc/thread-self/net/snmp")
_RETRIES = Path("/proc/sys/net/ipv4/tcp_retries2")
_CLONE_NEWNET = 0x40000000  # linux/sched.h
_TUNSETIFF = 0x400454CA  # linux/if_tun.h
_IFF_TUN_WITHOUT_HEADER = 0x1001  # IFF_TUN | IFF_NO_PI: checksums are whole, nothing is offloaded
_SIOCSIFFLAGS, _SIOCSIFADDR, _SIOCSIFNETMASK = 0x8914, 0x8916, 0x891C  # linux/sockios.h
_UP_AND_RUNNING = 0x41  # IFF_UP | IFF_RUNNING
_LIBC = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Weather:
    """How the wire is: shares of packets, each way, and for how long a held one is held.
    ``pulled`` is a cable out of its socket: nothing passes, and nobody is told."""

    lost: float = 0.0
    doubled: float = 0.0
    held: float = 0.0
    hold_seconds: float = 0.02
    pulled: bool = False


@dataclass(slots=True)
class Fates:
    """What became of packets, in numbers; each is in one of the first three."""

    carried: int = 0
    lost: int = 0
    pulled: int = 0
    doubled: int = 0
    overtaken: int = 0


@dataclass(order=True)
class _Held:
    due: float
    number: int
    end: int = field(compare=False)
    packet: bytes = field(compare=False)


class End:
    """One end of the wire: a namespace, with loopback and an address on the wire."""

    def __init__(self, address: str, closing: ExitStack) -> None:
        self.address = address
        with _coming_back():
            _check(_LIBC.unshare(_CLONE_NEWNET))
            self._namespace = _open(_HERE, os.O_RDONLY, closing)
            self.packets = _open(_TUN, os.O_RDWR | os.O_NONBLOCK, closing)
            request = struct.pack("16sH22x", _DEVICE, _IFF_TUN_WITHOUT_HEADER)
            fcntl.ioctl(self.packets, _TUNSETIFF, request)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
                for act, value in ((_SIOCSIFADDR, address), (_SIOCSIFNETMASK, NETMASK)):
                    fcntl.ioctl(any_socket, act, _address_request(value))
                for device in (_DEVICE, b"lo"):
                    request = struct.pack("16sH22x", device, _UP_AND_RUNNING)
                    fcntl.ioctl(any_socket, _SIOCSIFFLAGS, request)

    @contextmanager
    def entered(self) -> Iterator[None]:
        """The calling thread, and what it starts, is in this end's network for the block."""
        with _coming_back():
            _check(_LIBC.setns(self._namespace, _CLONE_NEWNET))
            yield

    def command(self, command: Sequence[str | Path]) -> list[str | Path]:
        """The command line that runs ``command`` at this end; the process is the same one."""
        return ["nsenter", f"--net=/proc/{os.getpid()}/fd/{self._namespace}", *command]

    def give_up_after(self, retries: int) -> None:
        """TCP at this end ends a connection on which so many repetitions were not answered: five
        are some 13 seconds, the usual fifteen a quarter of an hour (``tcp_retries2`` of tcp(7)).
        Where that may not be set, as in some containers, all takes longer.
        """
        with self.entered(), suppress(OSError):
            _RETRIES.write_text(f"{retries}\n", encoding="ascii")

    def segments_sent_again(self) -> int:
        """How often TCP at this end has sent a segment again (``RetransSegs`` of RFC 4022)."""
        with self.entered():
            names, values = (
                line.split()
                for line in _COUNTERS.read_text(encoding="ascii").splitlines()
                if line.startswith("Tcp:")
            )
        return int(values[names.index("RetransSegs")])


class LossyWire:
    """Use as a context manager. ``weather`` may be changed at any moment; the same seed gives the
    n-th packet of a direction the same fate."""

    def __init__(self, here: str = "10.77.0.1", there: str = "10.77.0.2", seed: int = 20) -> None:
        self._addresses = (here, there)
        self._chances = (random.Random(seed), random.Random(seed + 1))
        self._stop = threading.Event()
        self._held: list[_Held] = []
        self._number = 0
        self._newest = [0, 0]
        self.weather = Weather()
        self.fates = Fates()

    def __enter__(self) -> Self:
        with ExitStack() as closing:
            self.here, self.there = (End(address, closing) for address in self._addresses)
            self._ends = (self.here.packets, self.there.packets)
            self._wake, self._waker = os.pipe()
            for each in (self._wake, self._waker):
                closing.callback(os.close, each)
            self._thread = threading.Thread(target=self._carry, name="wire", daemon=True)
            self._thread.start()
            self._closing = closing.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop.set()
        os.write(self._waker, b"x")
        self._thread.join()
        self._closing.close()

    def _carry(self) -> None:
        """Until told to stop: what comes out of one end goes into the other, or does not."""
        while not self._stop.is_set():
            wait = self._held[0].due - time.monotonic() if self._held else None
            ready, _, _ = select.select(
                (*self._ends, self._wake), (), (), None if wait is None else max(0.0, wait)
            )
            for number, end in enumerate(self._ends):
                if end in ready:
                    with suppress(BlockingIOError):
                        self._take(number, os.read(end, _MOST_PACKET_BYTES))
            now = time.monotonic()
            while self._held and self._held[0].due <= now:
                self._deliver(heapq.heappop(self._held))

    def _take(self, end: int, packet: bytes) -> None:
        """A packet that the kernel sends from this end; what is not IPv4 is none of ours."""
        if packet[0] >> 4 != 4:
            return
        weather, chance = self.weather, self._chances[end]
        lost, doubled, held = (chance.random() for _ in range(3))
        if weather.pulled:
            self.fates.pulled += 1
        elif lost < weather.lost:
            self.fates.lost += 1
        else:
            late = chance.random() * weather.hold_seconds if held < weather.held else 0.0
            self._hold(late, end, packet)
            if doubled < weather.doubled:
                self.fates.doubled += 1
                self._hold(chance.random() * weather.hold_seconds, end, packet)
            self.fates.carried += 1

    def _hold(self, seconds: float, end: int, packet: bytes) -> None:
        self._number += 1
        due = time.monotonic() + seconds
        heapq.heappush(self._held, _Held(due, self._number, 1 - end, packet))

    def _deliver(self, held: _Held) -> None:
        self.fates.overtaken += held.number < self._newest[held.end]
        self._newest[held.end] = max(held.number, self._newest[held.end])
        with suppress(BlockingIOError):  # the receiving kernel's queue is full: lost as well
            os.write(self._ends[held.end], held.packet)


def why_not() -> str:
    """What this machine lacks for a wire, in words; empty when it lacks nothing."""
    if os.geteuid() != 0:
        return "only root may make network namespaces"
    if shutil.which("nsenter") is None:
        return "nsenter (util-linux) is missing"
    try:
        with ExitStack() as closing:
            End("10.77.0.1", closing)
    except OSError as error:
        return f"no network namespace with a TUN device can be made here: {error}"
    return ""


@contextmanager
def _coming_back() -> Iterator[None]:
    """The calling thread is back in its own network afterwards."""
    own = os.open(_HERE, os.O_RDONLY)
    try:
        yield
    finally:
        try:
            _check(_LIBC.setns(own, _CLONE_NEWNET))
        finally:
            os.close(own)


def _open(path: Path, flags: int, closing: ExitStack) -> int:
    opened = os.open(path, flags | os.O_CLOEXEC)
    closing.callback(os.close, opened)
    return opened


def _address_request(address: str) -> bytes:
    """``struct ifreq`` with a ``sockaddr_in`` (netdevice(7))."""
    return struct.pack("16sHH4s16x", _DEVICE, socket.AF_INET, 0, socket.inet_aton(address))


def _check(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
