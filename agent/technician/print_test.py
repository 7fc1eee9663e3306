"""``onecode-agent print-test``: who the printer is, how it is, a calibration and a sample label,
and what came out. Nothing is recorded; the sample's code is no health code.
"""

import argparse
import asyncio
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import msgspec

from agent.config import BoxFiles, PrinterConfig, read_box_config
from agent.drivers.catalog import open_printer
from agent.drivers.printer import WiredPrinter
from agent.enrolment.found import parse_printer
from agent.ports import Calibration, Label, LabelPrinter, PrintOutcome
from agent.technician.devices import HELD_BY_AGENT
from shared.clock import SystemClock
from shared.devices import DeviceState, PrintState
from shared.errors import OneCodeError, Refused, Unavailable
from shared.exits import Exit, describe
from shared.ids import new_record_id
from shared.reasons import Reason

SAMPLE_TEXT = "ONE CODE SAMPLE - NOT A HEALTH CODE - 0123456789 ABCDEFGHIJKLMNOPQ"
"""As long as a static code, so that its symbol is as large."""
UNANSWERED = ""

Fact = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person may have seen, and what to do then."""

    zh: str
    en: str
    cure_zh: str = ""
    cure_en: str = ""


ANSWERS = {
    "whole": Answer("两张都完整、清晰", "both whole and clear"),
    "shifted": Answer(
        "有，但位置偏了",
        "out, but shifted",
        "按住 FEED 键到指示灯闪两下再松开，让打印机测量标签，然后再试",
        "Hold FEED until the light flashes twice: the printer measures its labels; then try again",
    ),
    "cut": Answer(
        "有，但被切掉或跨到下一张",
        "out, but cut off or across two labels",
        "标签尺寸和设置不符：换标签，或在中心改设置 label（50x30、51x25、25x279）",
        "The labels are not those of the setting `label`: change either (50x30, 51x25, 25x279)",
    ),
    "faint": Answer(
        "有，但太淡或有白线",
        "out, but faint or with white lines",
        "用酒精棉擦打印头；仍淡就调高浓度；有白线请换打印头",
        "Clean the head with alcohol; if still faint raise the darkness; white lines: a new head",
    ),
    "nothing": Answer(
        "没有出来",
        "nothing came out",
        "看上面的状态：纸、色带、打印头盖；都好就关掉再打开打印机",
        "See the states above: paper, ribbon, head; if all is well switch the printer off and on",
    ),
}


def run_print_test(files: BoxFiles, arguments: argparse.Namespace) -> Exit:
    """Print two labels and ask. CHECK_FAILED when something is wrong with the printer or with what
    came out, or nobody answered; UNAVAILABLE when it is not there, silent or another program's."""
    printer = _choose_printer(files, arguments)
    tell = _tell_machine if arguments.json else _tell_person
    template = _choose_template(files, arguments)
    try:
        good = asyncio.run(_print_both(printer, template, tell))
    except Unavailable as error:
        if error.reason is Reason.DEVICE_IN_USE:
            print(HELD_BY_AGENT, file=sys.stderr)
        raise
    name = arguments.answer or (UNANSWERED if arguments.json else _ask())
    if name == UNANSWERED:
        tell({"kind": "answer", "answer": None})
        return Exit.CHECK_FAILED
    tell({"kind": "answer", "answer": name})
    return Exit.HELD if good and name == "whole" else Exit.CHECK_FAILED


async def _print_both(printer: LabelPrinter, template: str, tell: Callable[[Fact], None]) -> bool:
    """Whether both labels left without a fault. Raises Unavailable where nothing can be printed."""
    try:
        await _introduce(printer, tell)
        await _check_state(printer, tell)
        now = SystemClock().now()
        calibration = Calibration(new_record_id(now), template)
        day = now.astimezone().date().isoformat()
        sample = Label(
            new_record_id(now), SAMPLE_TEXT, "电子健康卡", "SAMPLE", "样张 SAMPLE", day, 1, template
        )
        outcomes = [
            _tell_outcome("calibration", await printer.print_slip(calibration), tell),
            _tell_outcome("sample", await printer.print(sample), tell),
        ]
        with suppress(Unavailable):  # pulled meanwhile, which the outcomes have said
            await _introduce(printer, tell)
    finally:
        await printer.aclose()
    return all(outcome.state in {PrintState.CONFIRMED, PrintState.SENT} for outcome in outcomes)


async def _introduce(printer: LabelPrinter, tell: Callable[[Fact], None]) -> None:
    """Who it is, and how far it has moved."""
    fact: Fact = {"kind": "printer", "name": printer.descriptor.name}
    if isinstance(printer, WiredPrinter):
        identity, odometer = await printer.read_identity(), await printer.read_odometer()
        fact |= {"name": identity.model, "serial": identity.serial}
        fact |= {"language": identity.language, "moved_mm": odometer and round(odometer.mm)}
    tell(fact)


async def _check_state(printer: LabelPrinter, tell: Callable[[Fact], None]) -> None:
    """Raises Unavailable (absent, denied, silent), Refused (PRINT_CONDITION) for what stops it."""
    status = await printer.read_status()
    tell({"kind": "status", "state": status.state, "conditions": sorted(status.conditions)})
    if status.state is DeviceState.READY:
        return
    reason = status.reason or Reason.PRINT_CONDITION
    if status.conditions:
        raise Refused(reason, ", ".join(sorted(status.conditions)))
    raise Unavailable(reason, "printer")


def _tell_outcome(what: str, outcome: PrintOutcome, tell: Callable[[Fact], None]) -> PrintOutcome:
    tell({"kind": "label", "what": what, "state": outcome.state, "reason": outcome.reason})
    if outcome.conditions:
        tell({"kind": "status", "state": outcome.state, "conditions": sorted(outcome.conditions)})
    return outcome


def _choose_printer(files: BoxFiles, arguments: argparse.Namespace) -> LabelPrinter:
    """The one named, else the box's own, else the one plugged in."""
    config, font = PrinterConfig("auto"), ""
    if files.config.exists():
        box = read_box_config(files)
        config, font = box.printer, box.font
    if arguments.printer:
        config = parse_printer(arguments.printer)
    printer = open_printer(config, files.directory, font, _choose_template(files, arguments))
    if printer is None:
        raise Unavailable(Reason.DEVICE_NOT_CONFIGURED, "--printer auto")
    return printer


def _choose_template(files: BoxFiles, arguments: argparse.Namespace) -> str:
    own = read_box_config(files).label if files.config.exists() else "50x30"
    return str(arguments.label or own)


def _ask() -> str:
    """What came out, by a person; UNANSWERED where none is at the keyboard."""
    if not sys.stdin.isatty():
        return UNANSWERED
    print("\n出来的标签怎么样？ What came out?")
    for number, (name, answer) in enumerate(ANSWERS.items(), start=1):
        print(f"  {number}  {answer.zh}  {answer.en} ({name})")
    names = list(ANSWERS)
    while True:
        try:
            typed = input("1–5: ").strip()
        except (EOFError, KeyboardInterrupt):
            return UNANSWERED
        if typed in names:
            return typed
        if typed.isdecimal() and 0 < int(typed) <= len(names):
            return names[int(typed) - 1]


def _tell_machine(fact: Fact) -> None:
    print(msgspec.json.encode(fact).decode(), flush=True)


def _tell_person(fact: Fact) -> None:
    print(_in_words(fact), flush=True)


def _in_words(fact: Fact) -> str:
    match fact:
        case {"kind": "printer", "name": name, **rest}:
            facts = "  ".join(f"{key} {value}" for key, value in rest.items() if key != "kind")
            return f"  {name}  {facts}".rstrip()
        case {"kind": "status", "state": state, "conditions": conditions}:
            return f"  {state} {' '.join(map(str, conditions))}".rstrip()
        case {"kind": "label", "what": what, "state": state, "reason": None}:
            return f"✓ {what}: {state}"
        case {"kind": "label", "what": what, "state": state, "reason": reason}:
            return f"! {what}: {state}\n{describe(OneCodeError(reason))}"
        case _:
            return _answer_in_words(fact["answer"])


def _answer_in_words(name: object) -> str:
    if name is None:
        return _NOBODY
    answer = ANSWERS[str(name)]
    if not answer.cure_en:
        return f"✓ {answer.zh} {answer.en}\n{_SCAN_IT}"
    return f"✗ {answer.zh} {answer.en}\n  {answer.cure_zh}。\n  {answer.cure_en}."


_NOBODY = (
    "✗ 没有人回答出来的标签怎么样。请看打印机，用 --answer 回答。\n"
    "  Nobody answered what came out. Look at the printer, answer by --answer."
)
_SCAN_IT = (
    "  再扫一下样张：页面应显示“不是电子健康码”。\n"
    "  Now scan the sample: the page should say that it is not a health code."
)
