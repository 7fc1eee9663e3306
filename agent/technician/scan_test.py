"""``onecode-agent scan-test``: what a scanner sends, live and byte by byte, and the cure for what
is wrong with it. Nothing is judged by central, recorded or logged.
"""

import argparse
import asyncio
import sys
from contextlib import suppress
from functools import partial

import msgspec

from agent.config import BoxFiles
from agent.drivers.catalog import open_scanner
from agent.drivers.line import Line, LineScanner
from agent.technician.devices import HELD_BY_AGENT, choose_scanner
from agent.technician.listening import Fact, Listener
from shared.clock import SystemClock
from shared.errors import Malformed, Unavailable
from shared.exits import Exit, describe
from shared.reasons import Reason

_DONE = {
    "StaticCode": "✓ 静态电子健康码，完整。\n  A static health code, whole.",
    "DynamicCode": "✓ 动态电子健康码，完整。\n  A dynamic health code, whole.",
    "TemporaryCode": "✓ 临时码，完整。\n  A temporary code, whole.",
    "foreign text": "✓ 不是电子健康码（支付、医保、药品等），按原样转交。\n"
    "  Not a health code (payment, insurance, drug …): handed on as it is.",
}
_UNTERMINATED = (
    "  扫码器不发结束符：建议设置结束符为 CR（onecode-agent scanner set terminator cr）。\n"
    "  The scanner sends no terminator: set it to CR (onecode-agent scanner set terminator cr)."
)
_HIDDEN = (
    "  第四个字符以后只显示类别：A 大写，a 小写，0 数字；--show 显示全部。\n"
    "  After the fourth character only kinds are shown: A capital, a small, 0 digit; --show: all."
)


def run_scan_test(files: BoxFiles, arguments: argparse.Namespace) -> Exit:
    """Listen for ``seconds`` or ``count`` scans, or until Ctrl-C. CHECK_FAILED when something was
    wrong with one; UNAVAILABLE when the scanner is not there, not ours to open, or silent."""
    config = choose_scanner(files, arguments.scanner)
    clock = SystemClock()
    scanner = open_scanner(config, files.directory, clock)
    if not isinstance(scanner, LineScanner):
        raise Malformed(Reason.CONFIG_MALFORMED, f"{config.kind} cannot be listened to")
    tell = _tell_machine if arguments.json else _tell_person
    listener = Listener(clock, tell, show=arguments.show)
    if not (arguments.json or arguments.show):
        print(_HIDDEN, flush=True)
    scanner.on_open = partial(_tap, listener, config.kind)
    with suppress(KeyboardInterrupt, TimeoutError):
        asyncio.run(_listen(scanner, listener, arguments))
    if listener.lost is not None:
        if listener.lost is Reason.DEVICE_IN_USE:
            print(HELD_BY_AGENT, file=sys.stderr)
        return Exit.UNAVAILABLE
    if not listener.frames:
        raise Unavailable(Reason.DEVICE_SILENT, "nothing was scanned")
    return Exit.CHECK_FAILED if listener.faults else Exit.HELD


async def _listen(scanner: LineScanner, listener: Listener, arguments: argparse.Namespace) -> None:
    async with asyncio.timeout(arguments.seconds):
        async for event in scanner.events():
            listener.judge(event)
            if listener.lost is not None or 0 < arguments.count <= listener.frames:
                return


def _tap(listener: Listener, kind: str, line: Line) -> None:
    line.framer.ear = listener.hear
    if kind == "hid":
        from agent.drivers.scanner_hid import HidLine

        if isinstance(line, HidLine):
            line.ear = listener.hear_key


def _tell_machine(fact: Fact) -> None:
    print(msgspec.json.encode(fact).decode(), flush=True)


def _tell_person(fact: Fact) -> None:
    print(_in_words(fact), flush=True)


def _in_words(fact: Fact) -> str:
    match fact:
        case {"kind": "byte", "at_ms": at_ms, "hex": code, "character": character}:
            return f"{at_ms:10.1f} ms  {code or '··'}  {character}"
        case {"kind": "key", "at_ms": at_ms, "code": code, "state": state}:
            return f"{at_ms:10.1f} ms  key {'···' if code is None else code} {state}"
        case {"kind": "device", "state": state, "reason": None}:
            return f"  scanner {state}"
        case {"kind": "device", "state": state, "reason": reason}:
            return f"  scanner {state}\n{describe(Malformed(reason))}"
        case _:
            return _frame_in_words(fact)


def _frame_in_words(fact: Fact) -> str:
    lines = [f"  {fact['bytes']} bytes, ended by {fact['ended_by']}: {fact['text']}"]
    if fact["reason"] is None:
        lines.append(_DONE[fact["what"]])
    else:
        lines.append(describe(Malformed(fact["reason"], ", ".join(fact["layouts"]))))
    if fact["ended_by"] == "silence":
        lines.append(_UNTERMINATED)
    return "\n".join(lines)
