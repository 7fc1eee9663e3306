"""One shape for every measured figure, its bar, the printed table and ``build/bench.json``.

Machines differ and are shared, so a figure is judged by its ratio to an anchor measured beside
it, in the same run, wherever it has one.
"""

import argparse
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec


class Figure(msgspec.Struct, frozen=True):
    """One measured figure. ``anchor`` has the same unit; without a ``bar`` nothing is judged."""

    name: str
    value: float
    unit: str
    anchor: float | None = None
    ratio: float | None = None
    bar: str = ""
    holds: bool = True


def ratio_at_least(name: str, value: float, unit: str, anchor: float, bar: float) -> Figure:
    """A rate: the more of its anchor the better."""
    ratio = value / anchor
    return Figure(name, value, unit, anchor, ratio, f"≥ {bar:g} ×", ratio >= bar)


def ratio_at_most(name: str, value: float, unit: str, anchor: float, bar: float) -> Figure:
    """A time or a size: the less of its anchor the better."""
    ratio = value / anchor
    return Figure(name, value, unit, anchor, ratio, f"≤ {bar:g} ×", ratio <= bar)


def value_at_most(
    name: str, value: float, unit: str, bar: float, anchor: float | None = None
) -> Figure:
    """A time or a size with a bar of its own; the anchor is printed beside it."""
    ratio = None if anchor is None else value / anchor
    return Figure(name, value, unit, anchor, ratio, f"≤ {bar:g} {unit}", value <= bar)


def shown(name: str, value: float, unit: str) -> Figure:
    """A figure that is only shown."""
    return Figure(name, value, unit)


def median(values: Sequence[float]) -> float:
    """The middle of repeated measurements: a neighbour's burst does not move it."""
    return statistics.median(values)


def print_table(figures: Sequence[Figure]) -> None:
    """Print the figures as a table, one a line, with ✓ or ✗ where there is a bar."""
    head = ("what", "value", "unit", "anchor", "ratio", "bar", "")
    lines = [head, *(_cells(figure) for figure in figures)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    for line in lines:
        name, *rest = (cell.rjust(width) for cell, width in zip(line, widths, strict=True))
        print(line[0].ljust(len(name)), *rest, sep="  ")


def write_json(figures: Sequence[Figure], path: Path) -> None:
    """Write the figures as a JSON list of objects with the struct's own field names."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(figures), indent=1))


def run(measure: Callable[[], list[Figure]], description: str | None) -> int:
    """A measurement's command line: print, ``--json FILE`` also writes; 0 when every bar holds."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", type=Path, help="write the figures there")
    report: Path | None = parser.parse_args().json
    figures = measure()
    print_table(figures)
    if report:
        write_json(figures, report)
    return 0 if all(figure.holds for figure in figures) else 1


def _cells(figure: Figure) -> tuple[str, ...]:
    mark = ("✓" if figure.holds else "✗") if figure.bar else ""
    anchor, ratio = (_number(number) for number in (figure.anchor, figure.ratio))
    return figure.name, _number(figure.value), figure.unit, anchor, ratio, figure.bar, mark


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
