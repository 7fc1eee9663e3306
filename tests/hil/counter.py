"""A counter in a guest: the installed agent under its unit, its devices, its local API.

Scans are told by their texts' records: a text that no code is ends as a refusal, which is a
record too, and the API shows it. Nothing here looks into the agent.
"""

import shutil
import tarfile
from io import BytesIO
from pathlib import Path
from typing import Any

from demo.box_api import BoxApi
from demo.supervisor import wait_until
from shared.ids import BoxId
from tests.hil.centre import Centre
from tests.hil.usb import Bus, Device
from tests.hil.vm import HOST, Machine

BOX = BoxId("site1", "box1")
STATE = "/var/lib/onecode-box"
UNIT = "onecode-agent"
SECONDS = 60.0
GAP_MILLISECONDS = 1000
"""A machine without KVM stands still for longer than the 80 ms that end a half frame."""


class Counter:
    """Puts a box into a booted machine and works at it."""

    def __init__(self, machine: Machine, bus: Bus, directory: Path, api_port: int) -> None:
        self.machine = machine
        self._bus = bus
        self._token = directory / "api.token"
        self.api = BoxApi(api_port, self._token)

    # --- the box -----------------------------------------------------------------------------

    def furnish(self, centre: Centre, directory: Path, scanner: str, printer: str) -> None:
        """Make the box's files at the centre and lay them on the guest's own disk."""
        box = directory / "box"
        centre.add_box(BOX, scanner, printer, box)
        config = box / "box.toml"
        gap = f"[scanner]\ngap_ms = {GAP_MILLISECONDS}"
        config.write_text(config.read_text().replace("[scanner]", gap))
        packed = BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            archive.add(box, ".")
        shutil.rmtree(box)
        self.mount("/dev/vdb")
        self.machine.run(f"tar -x -C {STATE} --no-same-owner", stdin=packed.getvalue())
        self.machine.run(f"chown -R onecode-box:onecode-box {STATE}")

    def mount(self, disk: str) -> None:
        """Have a disk where the box keeps its state."""
        self.machine.run(f"mount -o noatime {disk} {STATE} && mountpoint -q {STATE}")
        self.machine.run(f"chown onecode-box:onecode-box {STATE} && chmod 0700 {STATE}")

    def start_agent(self) -> None:
        """Start the unit; return when its API answers."""
        self.machine.run(f"systemctl start {UNIT}")
        self.take_token()
        wait_until(self.api.is_ready, SECONDS, "the box answers")

    def take_token(self) -> None:
        """Read the API's token, as a program on the box would."""
        self._token.write_text(self.machine.run(f"cat {STATE}/api.token"))

    def state(self) -> Any:
        """What the page shows."""
        return self.api.fetch("state")

    def wait_state(self, what: str, look: Any, seconds: float = SECONDS) -> Any:
        """Wait until the page shows it; the state then."""

        def looked() -> Any:
            state = self.state()
            return state if look(state) else None

        return wait_until(looked, seconds, what)

    def created(self) -> int:
        """How many records the box has made."""
        created: int = self.api.fetch("account")["created"]
        return created

    def wait_created(self, count: int, seconds: float = SECONDS) -> None:
        """Wait until the box has made so many records."""
        wait_until(lambda: self.created() >= count or None, seconds, f"{count} records")

    def journal(self) -> str:
        """What the agent has logged."""
        return self.machine.run(f"journalctl -u {UNIT} -o cat --no-pager")

    # --- devices -----------------------------------------------------------------------------

    def plug_in(self, device: Device) -> None:
        """Plug a device in; return when the guest's kernel and udev are done with it."""
        self.machine.run(
            f"usbip --tcp-port {self._bus.port} attach -r {HOST} -b {device.busid}"
            " && sleep 0.5 && udevadm settle -t 30"
        )
        wait_until(lambda: device.plugged or None, SECONDS, "the guest has the device")

    def pull(self, device: Device) -> None:
        """Pull a device; return when the guest knows."""
        before = self._ports()
        device.pull()
        wait_until(lambda: self._ports() < before or None, SECONDS, "the guest lost the device")
        self.machine.run("udevadm settle -t 30")

    def _ports(self) -> int:
        """How many of the wire's ports hold a device ("sta" 006, VDEV_ST_USED)."""
        status = self.machine.run("cat /sys/devices/platform/vhci_hcd.0/status")
        return sum(line.split()[2] == "006" for line in status.splitlines()[1:])
