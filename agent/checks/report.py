"""All looks together, side by side, and their findings as a technician reads them."""

import asyncio
from collections.abc import Sequence

from agent.api.client import LocalApi
from agent.api.views import StateView
from agent.checks.broker import look_at_broker
from agent.checks.certificate import look_at_certificate
from agent.checks.configuration import look_at_configuration, look_at_secrets
from agent.checks.devices import look_at_printer, look_at_scanner
from agent.checks.disk import look_at_disk
from agent.checks.finding import MARKS, Box, Finding, Level, Look
from agent.checks.fonts import look_at_fonts
from agent.checks.lease import look_at_lease
from agent.checks.lists import look_at_lists
from agent.checks.machine_clock import look_at_clock
from agent.checks.queue import look_at_queue
from agent.config import BoxConfig, BoxFiles, read_box_config
from shared.clock import Clock
from shared.errors import OneCodeError
from shared.exits import Exit

LOOKS: tuple[Look, ...] = (
    look_at_configuration,
    look_at_secrets,
    look_at_clock,
    look_at_lease,
    look_at_broker,
    look_at_certificate,
    look_at_disk,
    look_at_scanner,
    look_at_printer,
    look_at_queue,
    look_at_lists,
    look_at_fonts,
)


async def check_box(files: BoxFiles, clock: Clock) -> list[Finding]:
    """Every finding, in the order of the looks; none waits for another."""
    state, silence = await asyncio.to_thread(_read_state, files)
    box = Box(files, clock, _read_config(files), state, silence)
    found = await asyncio.gather(*(look(box) for look in LOOKS))
    return [finding for findings in found for finding in findings]


def exit_of_findings(findings: Sequence[Finding]) -> Exit:
    """CHECK_FAILED for a single ✗; a warning is not one."""
    broken = any(finding.level is Level.FAILED for finding in findings)
    return Exit.CHECK_FAILED if broken else Exit.HELD


def describe_findings(findings: Sequence[Finding]) -> str:
    """A line each; below it, in both languages, why and what to do."""
    lines = []
    for finding in findings:
        lines.append(f"{MARKS[finding.level]} {finding.name:<17} {finding.fact}".rstrip())
        if finding.reason is not None:
            words = finding.reason.words
            lines.append(f"    {words.zh}。{words.next_zh}。")
            lines.append(f"    {words.en}. {words.next_en}. ({finding.reason})")
    return "\n".join(lines)


def _read_config(files: BoxFiles) -> BoxConfig | None:
    try:
        return read_box_config(files)
    except OneCodeError:
        return None


def _read_state(files: BoxFiles) -> tuple[StateView | None, OneCodeError | None]:
    try:
        return LocalApi(files).fetch("state", StateView), None
    except OneCodeError as error:
        return None, error
