"""Which scanner a technician means: the one named, the box's own, or the one plugged in."""

import msgspec

from agent.config import BoxFiles, ScannerConfig, read_box_config
from agent.drivers.discovery import list_scanners
from agent.enrolment.found import parse_scanner
from shared.errors import Unavailable
from shared.reasons import Reason

HELD_BY_AGENT = (
    "  代理程序运行时占用设备：先运行 systemctl stop onecode-agent。\n"
    "  While the agent runs it holds the device: run systemctl stop onecode-agent first."
)
"""What a technician does about a device that may not be opened, beside the reason's own words."""


def choose_scanner(files: BoxFiles, named: str) -> ScannerConfig:
    """The scanner ``named`` (``kind:path``, ``auto``), else what ``box.toml`` says, else the one
    that is plugged in. Prefix, suffix and gap are the box's.

    Raises Malformed (CONFIG_MALFORMED), Unavailable (DEVICE_NOT_CONFIGURED) where there is none.
    """
    own = read_box_config(files).scanner if files.config.exists() else ScannerConfig(kind="auto")
    if named:
        meant = parse_scanner(named)
        own = msgspec.structs.replace(own, kind=meant.kind, path=meant.path)
    if own.kind == "auto":
        found = next(iter(list_scanners().scanners), None)
        kind, path = (found.mode.value, found.device.location) if found else ("none", "")
        own = msgspec.structs.replace(own, kind=kind, path=path)
    if own.kind == "none":
        raise Unavailable(Reason.DEVICE_NOT_CONFIGURED, "--scanner serial:/dev/ttyACM0")
    return own
