"""Builds docs/messages.md from shared/messages.py and what it is made of: the code is the source.

Run as ``python docs/build_messages.py``; tests/test_docs.py fails when the page lags behind.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/messages.md"

# What travels in which topic, and how its bytes are protected on the way.
TRAVELS = {
    "ASK_SCAN": ("ScanAsk", "sealed and authenticated with the box's pair key"),
    "ASK_REGISTER": ("RegisterAsk", "sealed and authenticated with the box's pair key"),
    "ASK_LEASE": ("LeaseAsk", "sealed and authenticated with the box's pair key"),
    "ASK_NOTICED": ("Noticed; nothing answers it", "sealed with the box's pair key"),
    "ASK_LIST": ("ListAsk", "sealed and authenticated with the box's pair key"),
    "UP": ("Batch", "signed by the box; each row's body sealed to central"),
    "REPLY": (
        "ScanReply, RegisterReply, ListReply, LeaseReply or RefusalReply",
        "sealed with the box's pair key",
    ),
    "RECEIPT": ("Receipt", "sealed with the box's pair key"),
    "COMMAND": (
        "Command, repeated until the box acknowledges",
        "sealed with the box's pair key",
    ),
    "ANCHOR": (
        "Anchor",
        "signed by central's announcements key, sealed with the box's pair key",
    ),
    "STATUS": ("Status, retained; the will says offline", "plain: presence only"),
    "DESIRED": (
        "SignedDesired, retained",
        "signed by central's announcements key, sealed with the box's pair key",
    ),
    "REPORTED": ("Reported, retained", "sealed with the box's pair key"),
}

AT_REST = {"Mark", "RowState", "Consumed", "Left", "LeaseUse"}
"""Data of the ledger and of a lease that never travels."""

INTRODUCTION = """\
# Messages

Generated from `shared/messages.py`, `shared/message_bases.py`, `shared/desired.py`,
`shared/notices.py`, `shared/lease.py`, `shared/joining.py`, `shared/ledger.py`,
`shared/sealing.py` and `shared/topics.py` by
`docs/build_messages.py`; do not edit by hand.

Every message is MessagePack (`shared/codec.py`): a message is a map from field names to values,
first its `kind` where it has one, then the fields in the order below (those of its base before
its own), so that the same message always has the same bytes; what is marked *array* is an array
of its values instead. Unknown fields, missing fields and wrong types are refused; a kind or
version from the future is told apart from rubbish, so that central can park it. What goes over
central's listener for boxes (HTTPS) is the same as JSON, its bytes in base64.

A `Time` is microseconds since 1970 UTC, an `Id` 16 bytes (UUIDv7), a `Hash` 32 bytes. Hashes and
signatures cover the bytes that travelled, never a re-encoding.
"""


def build_page() -> str:
    """The whole page as text."""
    parts = [INTRODUCTION, "## Topics\n", _topics()]
    for title, file in (
        ("What asks and replies carry", "message_bases"),
        ("Messages", "messages"),
        ("Rows and heads", "ledger"),
        ("Wrapped keys", "sealing"),
        ("Device and print states", "devices"),
        ("Settings and reports", "desired"),
        ("Notices", "notices"),
        ("Lists", "lists"),
        ("Offline leases", "lease"),
        ("Joining and renewing, over HTTPS", "joining"),
    ):
        parts.append(f"## {title}\n")
        parts.extend(_classes(ROOT / f"shared/{file}.py"))
    return "\n".join(parts)


def _topics() -> str:
    where = (
        "Below `onecode/v1/<site>/<box>/`; every box hears the heads of lists, retained below\n"
        "`onecode/v1/lists/` (`keys`, `revoked`, `persons/<site>`), each a `ListHead` in a\n"
        "`SignedList`.\n"
    )
    lines = [
        where,
        "| topic | holds | protection |",
        "|---|---|---|",
    ]
    tree = ast.parse((ROOT / "shared/topics.py").read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name, value = node.targets[0].id, node.value
            if name in TRAVELS:
                lines.append(f"| `{_text(value)}` | {' | '.join(TRAVELS[name])} |")
    return "\n".join(lines) + "\n"


def _classes(path: Path) -> Iterator[str]:
    source = path.read_text(encoding="utf-8")
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef) and _is_data(node):
            yield _class(node, source.splitlines())


def _is_data(node: ast.ClassDef) -> bool:
    return (
        node.name not in AT_REST
        and not node.name.startswith("_")
        and _base(node)
        in {
            "Struct",
            "NamedTuple",
            "RecordBase",
            "AskBase",
            "ReplyBase",
            "PageBase",
            "StrEnum",
            "IntEnum",
        }
    )


def _base(node: ast.ClassDef) -> str:
    base = node.bases[0] if node.bases else None
    if isinstance(base, ast.Attribute):
        return base.attr
    return base.id if isinstance(base, ast.Name) else ""


def _class(node: ast.ClassDef, lines: list[str]) -> str:
    words = " ".join((ast.get_docstring(node) or "").split()).replace("``", "`")
    keywords = {word.arg: _text(word.value) for word in node.keywords}
    head = f"### {node.name}\n"
    facts = []
    if "tag" in keywords:
        facts.append(f"kind `{keywords['tag']}`")
    if _base(node).endswith("Base"):
        facts.append(f"with every field of {_base(node)}")
    if _base(node) == "NamedTuple" or "array_like" in keywords:
        facts.append("*array*")
    note = f"{words} ({', '.join(facts)})\n" if facts else f"{words}\n"
    if _base(node).endswith("Enum"):
        return "\n".join([head, note, *_values(node, lines), ""])
    return "\n".join([head, note, "| field | type | |", "|---|---|---|", *_fields(node, lines), ""])


def _fields(node: ast.ClassDef, lines: list[str]) -> Iterator[str]:
    for field in node.body:
        if isinstance(field, ast.AnnAssign):
            kind = ast.unparse(field.annotation).replace("|", "or")
            default = f"default `{ast.unparse(field.value)}`" if field.value else ""
            note = "; ".join(filter(None, [_remark(lines, field), default]))
            yield f"| `{ast.unparse(field.target)}` | {kind} | {note} |"


def _values(node: ast.ClassDef, lines: list[str]) -> Iterator[str]:
    for value in node.body:
        if isinstance(value, ast.Assign):
            remark = _remark(lines, value)
            said = f": {remark}" if remark else ""
            yield f"- `{_text(value.value)}` {ast.unparse(value.targets[0])}{said}"


def _text(value: ast.expr) -> str:
    return ast.unparse(value).strip("'")


def _remark(lines: list[str], node: ast.stmt) -> str:
    return lines[(node.end_lineno or node.lineno) - 1].partition("  # ")[2]


if __name__ == "__main__":
    PAGE.write_text(build_page(), encoding="utf-8")
