"""``onecode-wedge``: types what a counter's box hands over into this PC's focused window.

onecode-wedge pair https://192.0.2.7:8701 --fingerprint AB:CD:…   asks for the code
onecode-wedge run --type record-number:outpatient --enter
"""

import argparse
import asyncio
import platform
import sys
from contextlib import suppress
from pathlib import Path

from agent.wedge.choice import PATIENT_ID, RECORD_NUMBER, Choice, Wanted
from agent.wedge.keyboard import Keyboard, open_keyboard
from agent.wedge.line import fetch_fingerprint, listen, pair, parse_address, parse_fingerprint
from agent.wedge.profile import Profile, find_profile, read_profile, write_profile
from shared.backoff import Backoff
from shared.errors import NotAuthentic, OneCodeError, Unavailable
from shared.exits import Exit, describe, exit_of
from shared.reasons import Reason

_FIRST_WAIT_SECONDS, _MOST_WAIT_SECONDS = 0.2, 10.0


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="onecode-wedge",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--profile", type=Path, default=find_profile(), help="where pairing is kept"
    )
    leaves = parser.add_subparsers(dest="command", required=True)
    pairing = leaves.add_parser("pair", help="pair this PC; the code is read from standard input")
    pairing.add_argument("address", help="as the counter page shows it (F9)")
    pairing.add_argument("--fingerprint", default="", help="as the counter page shows it")
    pairing.add_argument("--name", default=platform.node(), help="what this PC is called there")
    pairing.set_defaults(run=_pair)
    run = leaves.add_parser("run", help="type until stopped")
    run.add_argument(
        "--type",
        default=PATIENT_ID,
        dest="number",
        help=f"{PATIENT_ID}, {RECORD_NUMBER} or {RECORD_NUMBER}:TYPE, such as outpatient",
    )
    run.add_argument("--prefix", default="", help="typed before each text")
    run.add_argument("--suffix", default="", help="typed behind each text")
    run.add_argument("--enter", action="store_true", help="press Enter behind each text")
    run.add_argument("--accepted-only", action="store_true", help="nothing that is provisional")
    run.add_argument("--no-foreign", action="store_true", help="no codes that are not health codes")
    run.add_argument("--to", choices=("keys", "stdout"), default="keys", help="keys, or lines")
    run.set_defaults(run=_run)
    return parser


def _pair(arguments: argparse.Namespace) -> None:
    address = parse_address(arguments.address)
    shown = arguments.fingerprint or _compare(fetch_fingerprint(address))
    fingerprint = parse_fingerprint(shown)
    _say("配对码 / pairing code:")
    code = sys.stdin.readline().strip()
    paired = asyncio.run(pair(address, fingerprint, code, arguments.name))
    write_profile(arguments.profile, paired)
    _say("✓ 已配对 / paired")


def _compare(fingerprint: str) -> str:
    """A person compares. Raises NotAuthentic."""
    pairs = ":".join(fingerprint[at : at + 2] for at in range(0, len(fingerprint), 2)).upper()
    _say(f"{pairs}\n与窗口页面上的指纹相同吗？ / The same as on the counter page? (y/n)")
    if sys.stdin.readline().strip().lower() != "y":
        raise NotAuthentic(Reason.BOX_CHANGED)
    return fingerprint


def _run(arguments: argparse.Namespace) -> None:
    wanted = Wanted(
        arguments.number,
        not arguments.no_foreign,
        not arguments.accepted_only,
        arguments.prefix,
        arguments.suffix,
    )
    profile = read_profile(arguments.profile)
    keyboard = open_keyboard(arguments.to)
    asyncio.run(_type_for_ever(profile, Choice(wanted), keyboard, arguments.enter))


async def _type_for_ever(profile: Profile, choice: Choice, keyboard: Keyboard, enter: bool) -> None:
    """Raises Refused when the box has ended the pairing, NotAuthentic when it is another."""
    backoff = Backoff(_FIRST_WAIT_SECONDS, _MOST_WAIT_SECONDS)
    told: bool | None = None  # whether the last word was that it is connected
    while True:
        try:
            async for message in listen(profile):
                if told is not True:
                    told = True
                    backoff.reset()
                    _say(f"✓ 已连接 / connected: {profile.address}")
                text = choice.choose(message)
                if text is not None:
                    _type(keyboard, text, enter)
        except Unavailable as error:
            if told is not False:
                told = False
                _say(describe(error))
        await asyncio.sleep(backoff.next_seconds())


def _type(keyboard: Keyboard, text: str, enter: bool) -> None:
    """One text that cannot be typed ends nothing."""
    try:
        keyboard.type(text, enter=enter)
    except OneCodeError as error:
        _say(describe(error))


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def main(argv: list[str] | None = None) -> int:
    """Run one command; the exit code is one of ``shared.exits.Exit``."""
    arguments = build_parser().parse_args(argv)
    with suppress(KeyboardInterrupt):
        try:
            arguments.run(arguments)
        except OneCodeError as error:
            _say(describe(error))
            return exit_of(error)
    return Exit.HELD


if __name__ == "__main__":
    sys.exit(main())
