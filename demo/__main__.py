"""``python -m demo``: play the story, print the table, open a page, run on until Ctrl-C.

Exits 0 only if every step held. Nothing is left running, however it ends.
"""

import argparse
import os
import signal
import sys
import time
import webbrowser
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

from demo.opening import Opening
from demo.page_server import PageServer
from demo.stage import Stage
from demo.story import Story, Told
from demo.supervisor import StepError
from demo.table import Said, StepTable, open_console

DIRECTORY = Path("build/demo")
_WATCH_SECONDS = 0.5
_DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY")


def play(story: Told, table: StepTable, describe_ended: Callable[[], str]) -> bool:
    """Run every step in order; whether all of them held. A failure also names what has ended."""
    for block in story.blocks():
        table.block(block.title)
        for step in block.steps:
            begun = time.perf_counter()
            try:
                happened = step.run()
            except (StepError, OSError) as failure:
                table.failed(step.said, f"{failure}\n{describe_ended()}")
                return False
            seconds = happened.seconds or time.perf_counter() - begun
            table.row(step.said, happened.said, seconds, happened.tone)
    table.account(story.account)
    return True


def run_on(stage: Stage, server: PageServer, table: StepTable) -> None:
    """Do what the page asks for, until Ctrl-C. Raises StepError when a part ends by itself."""
    address = f"{stage.page_origin}/"
    here = Path.cwd()
    box, central = (
        path.relative_to(here) for path in (stage.box_directory, stage.central_directory)
    )
    programs = Path(sys.executable).parent
    if programs.is_relative_to(here):
        programs = programs.relative_to(here)
    table.running(
        [
            (Said("演示页面", "the page"), address),
            (Said("盒子接口", "box API"), f"http://127.0.0.1:{stage.ports.api}/api/v1/state"),
            (Said("令牌", "its token"), f"{box}/api.token"),
            (Said("消息代理", "broker"), f"127.0.0.1:{stage.ports.boxes} (TLS)"),
            (Said("标签与日志", "labels, logs"), str(DIRECTORY)),
            (Said("试试", "try"), f"{programs}/onecode-agent --dir {box} queue"),
            (Said("", ""), f"{programs}/onecode-central --dir {central} ledger verify"),
            (Said("结束", "stop"), "Ctrl-C"),
        ]
    )
    if any(os.environ.get(name) for name in _DISPLAYS):
        webbrowser.open(address)
    while True:
        server.work(_WATCH_SECONDS)
        stage.supervisor.check()


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main() -> int:
    """Play; the exit code says whether every step held."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="stop at the end of the story")
    arguments = parser.parse_args()
    # SIGINT too: who is started in the background by a shell inherits it ignored.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    table = StepTable(open_console())
    table.open()
    try:
        with Stage(DIRECTORY.resolve()) as stage, ExitStack() as stack:
            story = Story(stage)
            if not play(story, table, stage.supervisor.describe_ended):
                return 1
            if not arguments.once:
                opening = Opening(stage, story.slip, stack)
                if not play(opening, table, stage.supervisor.describe_ended):
                    return 1
                run_on(stage, opening.server, table)
    except KeyboardInterrupt:
        table.say(Said("已停止", "everything is stopped"))
        return 0 if not arguments.once else 130
    except StepError as failure:
        table.failed(Said("运行中断", "A part ended by itself"), str(failure))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
