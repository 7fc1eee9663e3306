"""What commands print: a table for a person, JSON for a program. The only importer of rich."""

import json
from collections.abc import Mapping, Sequence

Row = Mapping[str, str | int | bool | None]


def print_table(columns: Mapping[str, str], rows: Sequence[Row], *, as_json: bool) -> None:
    """Print ``rows``; ``columns`` maps each key to its heading. JSON holds the same keys."""
    if as_json:
        print(json.dumps([{key: row[key] for key in columns} for row in rows], ensure_ascii=False))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(*columns.values())
    for row in rows:
        table.add_row(*(_text(row[key]) for key in columns))
    # A site may be called "[red]" or ":hospital:": what is stored is text, never markup.
    Console(markup=False, emoji=False, highlight=False).print(table)


def print_record(row: Row, *, as_json: bool) -> None:
    """Print one thing, a line a field so that nothing is cut; JSON is a list of one."""
    if as_json:
        print_table({key: key for key in row}, [row], as_json=True)
        return
    width = max(map(len, row))
    for key, value in row.items():
        print(f"{key:>{width}}  {_text(value)}")


def _text(value: str | int | bool | None) -> str:
    if isinstance(value, bool):
        return "✓" if value else ""
    return "" if value is None else str(value)
