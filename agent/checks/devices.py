"""Scanner and printer: a running agent's own word, else what the system shows of them.

A scanner is never opened here: its one reader is the agent.
"""

import asyncio
import os
from pathlib import Path

from agent.api.views import DeviceView
from agent.checks.finding import Box, Finding, failed, held, warn
from agent.drivers.catalog import open_printer
from agent.drivers.discovery import list_scanners
from shared.devices import DeviceState
from shared.errors import OneCodeError, Unavailable
from shared.reasons import Reason

_REASONS = {
    DeviceState.ABSENT: Reason.DEVICE_ABSENT,
    DeviceState.DENIED: Reason.DEVICE_RULE_MISSING,
    DeviceState.SILENT: Reason.DEVICE_SILENT,
    DeviceState.FAULTY: Reason.DEVICE_FAULTY,
}


async def look_at_scanner(box: Box) -> list[Finding]:
    """``scanner``."""
    if box.config is None:
        return []
    if box.state is not None:  # by box.toml, or by central's settings
        scanners = box.state.scanners or (box.state.scanner,)
        reports = [warn("scanner", _reason_of(each), each.name) for each in box.state.reports]
        return [*(_of_state("scanner", each) for each in scanners), *reports]
    scanner = box.config.scanner
    if scanner.kind == "none":
        return [warn("scanner", Reason.DEVICE_NOT_CONFIGURED)]
    if scanner.kind != "auto":
        path = box.files.directory / scanner.path
        return [_of_state("scanner", DeviceView(str(path), _look_at_path(path)))]
    seen = await asyncio.to_thread(list_scanners)
    found = [
        _of_state(
            "scanner", DeviceView(each.device.name, _look_at_path(Path(each.device.location)))
        )
        for each in seen.scanners
    ]
    suspects = [warn("scanner", each.reason, each.device.name) for each in seen.suspects]
    absent = failed("scanner", Unavailable(Reason.DEVICE_ABSENT, "no scanner is plugged in"))
    return [*(found or [absent]), *suspects]


async def look_at_printer(box: Box) -> list[Finding]:
    """``printer``: its own status where no agent has it open."""
    if box.config is None:
        return []
    if box.state is not None:
        return [_of_state("printer", box.state.printer)]
    if box.config.printer.kind == "none":
        return [warn("printer", Reason.DEVICE_NOT_CONFIGURED)]
    try:
        printer = open_printer(box.config.printer, box.files.directory, box.config.font)
        assert printer is not None
        status = await printer.read_status()
        await printer.aclose()
    except OneCodeError as error:
        return [failed("printer", error)]
    conditions = tuple(sorted(status.conditions))
    return [_of_state("printer", DeviceView(printer.descriptor.name, status.state, conditions))]


def _reason_of(device: DeviceView) -> Reason:
    return device.advice.reason if device.advice else Reason.DEVICE_FAULTY


def _look_at_path(path: Path) -> DeviceState:
    if not path.exists():
        return DeviceState.ABSENT
    return DeviceState.READY if os.access(path, os.R_OK) else DeviceState.DENIED


def _of_state(name: str, device: DeviceView) -> Finding:
    if not device.name:
        return warn(name, Reason.DEVICE_NOT_CONFIGURED)
    fact = " ".join((device.name, *device.conditions))
    reason = _REASONS.get(device.state)
    if reason is None and device.advice:
        return warn(name, device.advice.reason, fact)
    if reason is None:
        return held(name, f"{fact} {device.state}")
    return failed(name, Unavailable(device.advice.reason if device.advice else reason, fact))
