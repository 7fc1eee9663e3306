"""One machine under QEMU without KVM: started, spoken to by ssh and QMP, switched off or cut off.

Knows the image's files and nothing of boxes. Everything listens on loopback or in ``directory``.
"""

import json
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from demo.supervisor import wait_until

BOOT_SECONDS = 240.0
COMMAND_SECONDS = 120.0
HOST = "10.0.2.2"
"""The machine outside, as QEMU's user network shows it to a guest (its loopback)."""

_KERNEL_ARGUMENTS = (
    "console=ttyS0 quiet loglevel=4 mitigations=off nokaslr audit=0"
    " systemd.show_status=0 random.trust_cpu=on"
)


class Image(NamedTuple):
    """What ``make hil`` built."""

    base: Path
    box: Path


class Disk(NamedTuple):
    """A raw disk of the guest; with ``log``, every write and flush is written there as well
    (QEMU's blklogwrites)."""

    image: Path
    log: Path | None = None


class Machine:
    """A running guest. Use as a context manager; leaving it ends QEMU."""

    def __init__(
        self, image: Image, directory: Path, port: int, forwards: dict[int, int], *disks: Disk
    ) -> None:
        """``port`` is ssh's outside; ``forwards`` maps loopback ports outside to those inside."""
        directory.mkdir(parents=True, exist_ok=True)
        self._image = image
        self._directory = directory
        self._port = port
        self._disks = disks
        self._ssh = [
            *("ssh", "-i", str(image.base / "key"), "-p", str(port), "-oLogLevel=ERROR"),
            *("-oStrictHostKeyChecking=no", "-oUserKnownHostsFile=/dev/null", "-oConnectTimeout=5"),
            *("-oControlMaster=auto", f"-oControlPath={directory}/ssh", "-oControlPersist=600"),
            *(f"-L127.0.0.1:{out}:127.0.0.1:{inner}" for out, inner in forwards.items()),
            "root@127.0.0.1",
        ]
        self._qmp: Any = None

    def __enter__(self) -> Self:
        with (self._directory / "qemu.log").open("wb") as log:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *self._command()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        wait_until(self._answers, BOOT_SECONDS, f"ssh (see {self._directory}/console.log)")
        # A guest's clock is as slow as its processor: certificates and codes want the right one.
        self.run(f"date -u -s @{time.time():.3f}")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.cut()

    def run(self, command: str, *, check: bool = True, stdin: bytes = b"") -> str:
        """Run a shell command as root; its output. Asserts exit code 0 unless told otherwise."""
        return self.read(command, check=check, stdin=stdin).decode(errors="replace")

    def read(self, command: str, *, check: bool = True, stdin: bytes = b"") -> bytes:
        """As ``run``; the output's bytes."""
        ended = subprocess.run(
            [*self._ssh, command],
            input=stdin,
            capture_output=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        said = (ended.stdout + ended.stderr).decode(errors="replace")
        assert ended.returncode == 0 or not check, f"{command!r}: {ended.returncode}\n{said}"
        return ended.stdout

    def start(self, command: str) -> subprocess.Popen[str]:
        """Start a shell command as root; its input and output are the caller's, line by line."""
        return subprocess.Popen(
            [*self._ssh, command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def ask_qemu(self, command: str, **arguments: Any) -> Any:
        """One QMP command; its answer."""
        if self._qmp is None:
            connection = socket.socket(socket.AF_UNIX)
            connection.connect(str(self._directory / "qmp"))
            self._qmp = connection.makefile("rw")
            self._qmp.readline()  # the greeting
            self.ask_qemu("qmp_capabilities")
        self._qmp.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self._qmp.flush()
        while True:
            answer = json.loads(self._qmp.readline())
            assert "error" not in answer, answer
            if "return" in answer:
                return answer["return"]

    def cut(self) -> None:
        """The power is gone: QEMU is killed."""
        self._process.kill()
        self._process.wait()
        if self._qmp is not None:
            self._qmp.close()
            self._qmp = None
        subprocess.run([*self._ssh[:-1], "-Oexit", self._ssh[-1]], capture_output=True, check=False)

    def _answers(self) -> bool | None:
        assert self._process.poll() is None, (self._directory / "qemu.log").read_text()
        try:
            # QEMU accepts before the guest's sshd is there: its banner tells.
            with socket.create_connection(("127.0.0.1", self._port), 2.0) as probe:
                probe.settimeout(5.0)
                if probe.recv(4) != b"SSH-":
                    return None
            self.run("true")
        except (OSError, AssertionError, subprocess.TimeoutExpired):
            time.sleep(0.2)
            return None
        return True

    def _command(self) -> list[str]:
        base = self._image.base
        return [
            "qemu-system-x86_64",
            *("-M", "q35,i8042=off", "-accel", "tcg,thread=multi,tb-size=512", "-cpu", "qemu64"),
            *("-smp", "2", "-m", "1024", "-nodefaults", "-no-user-config", "-no-reboot"),
            *("-display", "none", "-serial", f"file:{self._directory}/console.log"),
            *("-kernel", str(base / "vmlinuz"), "-initrd", str(base / "initrd")),
            *("-append", _KERNEL_ARGUMENTS),
            *("-qmp", f"unix:{self._directory}/qmp,server=on,wait=off"),
            # What is written to the system is forgotten: each start finds it as it was built.
            "-drive",
            f"file={self._image.box}/root.img,format=raw,if=none,id=root,snapshot=on,cache=unsafe",
            *("-device", "virtio-blk-pci,drive=root"),
            *_disk_arguments(self._disks),
            *("-netdev", f"user,id=net,hostfwd=tcp:127.0.0.1:{self._port}-:22"),
            *("-device", "virtio-net-pci,netdev=net,romfile=", "-device", "virtio-rng-pci"),
            *("-device", "virtio-serial-pci", "-device", "virtserialport,chardev=ack,name=ack"),
            *("-chardev", f"socket,id=ack,path={self._directory}/ack,server=on,wait=off"),
        ]


def _disk_arguments(disks: Sequence[Disk]) -> list[str]:
    arguments = []
    for number, disk in enumerate(disks):
        name = f"disk{number}"
        file = f"driver=file,filename={disk.image},node-name="
        if disk.log is None:
            arguments += ["-blockdev", file + name]
        else:
            arguments += ["-blockdev", f"{file}{name}-file"]
            arguments += ["-blockdev", f"driver=file,filename={disk.log},node-name={name}-log"]
            logged = f"driver=blklogwrites,node-name={name},file={name}-file,log={name}-log"
            arguments += ["-blockdev", logged]
        arguments += ["-device", f"virtio-blk-pci,drive={name}"]
    return arguments
