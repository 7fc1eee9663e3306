"""What holds at a box: ``box.toml``, and what central wants otherwise. Pure."""

from dataclasses import dataclass, field
from datetime import timedelta

from agent.config import BoxConfig, PrinterConfig, ScannerConfig
from shared.desired import BoxKeyEntry, BoxSettings, Desired, OperatorEntry
from shared.messages import MedicalStep

IDLE_SECONDS = 900
"""How long a sign-in lasts without an act, where nothing else is set."""


@dataclass(frozen=True, slots=True)
class Effective:
    """Every setting that may change while the box works, as it is now."""

    revision: int  # of central's configuration; 0: only box.toml
    number: int  # of the box in its temporary codes; 0: not told
    site_name: str
    counter: str
    language: str
    ask_deadline: timedelta
    register_deadline: timedelta
    again: timedelta
    idle_seconds: int
    medical_step: MedicalStep
    label: str
    scanner: ScannerConfig
    printer: PrinterConfig
    operators_required: bool
    operators: tuple[OperatorEntry, ...] = field(repr=False)
    boxes: tuple[BoxKeyEntry, ...] = field(repr=False)  # whose temporary codes are good here


def build_effective(config: BoxConfig, desired: Desired | None) -> Effective:
    """``desired`` where it says anything, else ``box.toml``."""
    wanted = desired.settings if desired else BoxSettings()
    return Effective(
        revision=desired.revision if desired else 0,
        number=(desired.number if desired else 0) or config.number,
        site_name=wanted.site_name or config.site_name,
        counter=wanted.counter or config.counter,
        language=wanted.language or "zh",
        ask_deadline=_milliseconds(wanted.ask_deadline_ms, config.ask_deadline_ms),
        register_deadline=_milliseconds(wanted.register_deadline_ms, config.register_deadline_ms),
        again=timedelta(
            seconds=config.again_seconds if wanted.again_seconds is None else wanted.again_seconds
        ),
        idle_seconds=wanted.idle_seconds or IDLE_SECONDS,
        medical_step=wanted.medical_step or config.medical_step,
        label=wanted.label or config.label,
        scanner=_scanner(wanted.scanner, config.scanner),
        printer=_printer(wanted.printer, config.printer),
        operators_required=bool(wanted.operators_required),
        operators=desired.operators if desired else (),
        boxes=desired.boxes if desired else (),
    )


def _milliseconds(wanted: int | None, configured: int) -> timedelta:
    return timedelta(milliseconds=wanted or configured)


def _scanner(wanted: str | None, configured: ScannerConfig) -> ScannerConfig:
    if wanted is None:
        return configured
    kind, _, path = wanted.partition(":")
    return ScannerConfig(kind, path, configured.gap_ms)


def _printer(wanted: str | None, configured: PrinterConfig) -> PrinterConfig:
    if wanted is None:
        return configured
    kind, _, path = wanted.partition(":")
    return PrinterConfig(kind, path)
