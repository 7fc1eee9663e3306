"""The demonstration's table: a row when a step has held, in Chinese and English, with its time."""

from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

_NARROWEST = 80
_WIDEST = 112
_MARK_WIDTH = 1
_TIME_WIDTH = 9


@dataclass(frozen=True, slots=True)
class Said:
    """One thing said twice: in Chinese and in English."""

    zh: str
    en: str


def open_console() -> Console:
    """A console wide enough for both languages, also where the output is no terminal."""
    console = Console(highlight=False)
    if console.is_terminal:
        console.width = max(_NARROWEST, min(console.width, _WIDEST))
    else:
        console.width = _WIDEST
    return console


class StepTable:
    """Prints block headings, steps and the last word; nothing here decides anything."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def open(self) -> None:
        """Say what this is and that nobody in it is real."""
        notice = Text.assemble(
            ("一码通 One Code", "bold"),
            "\n",
            ("以下人物均为虚构，与真实人员无关。", "bold yellow"),
            "\n",
            ("All people below are fictitious.", "bold yellow"),
            justify="center",
        )
        self._console.print(Panel(notice, box=box.ROUNDED, border_style="yellow"))

    def block(self, title: Said) -> None:
        """Open a block of steps."""
        self._console.print()
        self._console.rule(
            Text.assemble((title.zh, "bold cyan"), ("  " + title.en, "cyan")),
            align="left",
            style="dim cyan",
        )

    def row(self, step: Said, happened: Said, seconds: float, tone: str) -> None:
        """One step that held; ``tone`` is the style of what happened."""
        mark, time = Text("✓", style="bold green"), Text(f"{seconds * 1000:,.0f} ms")
        self._print_row(mark, _both(step), _both(happened, tone), time)

    def failed(self, step: Said, why: str) -> None:
        """The step at which the demonstration ends."""
        self._print_row(Text("✗", style="bold red"), _both(step), Text(""), Text(""))
        self._console.print(Text(why, style="red"))

    def account(self, text: str) -> None:
        """The last line: the ledger's account; nothing when there is none."""
        if not text:
            return
        self._console.print()
        self._console.print(Text(text, style="bold green"))

    def running(self, lines: list[tuple[Said, str]]) -> None:
        """What runs on, where, and what to try."""
        grid = Table.grid(padding=(0, 2))
        for said, value in lines:
            label = Text.assemble((said.zh, "cyan"), (" " + said.en, "dim"))
            grid.add_row(label, Text(value, overflow="fold"))
        self._console.print()
        self._console.print(Panel(grid, box=box.ROUNDED, border_style="cyan"))

    def say(self, said: Said) -> None:
        """A plain remark."""
        self._console.print(Text.assemble(said.zh, (f"  {said.en}", "dim")))

    def _print_row(self, mark: Text, step: Text, happened: Text, time: Text) -> None:
        free = self._console.width - _MARK_WIDTH - _TIME_WIDTH - 3
        row = Table.grid(padding=(0, 1))
        row.add_column(width=_MARK_WIDTH)
        row.add_column(width=free // 3, overflow="fold")
        row.add_column(width=free - free // 3, overflow="fold")
        row.add_column(width=_TIME_WIDTH, justify="right", no_wrap=True)
        row.add_row(mark, step, happened, time)
        self._console.print(row)


def _both(said: Said, tone: str = "") -> Text:
    return Text.assemble((said.zh, tone), "\n", (said.en, "dim"))
