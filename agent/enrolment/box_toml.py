"""``box.toml`` as text, from what it says. Pure; ``agent.config`` reads it back."""

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from agent.config import BoxConfig


def build_box_toml(config: BoxConfig) -> str:
    """The file's text: what is as by default is left out."""
    plain = _without_defaults(config)
    lines = ["# Written by onecode-agent enrol."]
    lines += _entries(plain)
    for name, table in plain.items():
        if isinstance(table, Mapping):
            lines += ["", f"[{name}]", *_entries(table)]
    return "\n".join(lines) + "\n"


def _without_defaults(config: BoxConfig) -> dict[str, Any]:
    defaults = {
        field.name: msgspec.to_builtins(field.default)
        for field in msgspec.structs.fields(BoxConfig)
        if not field.required
    }
    plain = msgspec.to_builtins(config)
    return {
        name: value
        for name, value in plain.items()
        if value is not None and (name not in defaults or value != defaults[name])
    }


def _entries(table: Mapping[str, Any]) -> list[str]:
    return [
        f"{name} = {_value(value)}"
        for name, value in table.items()
        if not isinstance(value, Mapping)
    ]


def _value(value: str | int | bool) -> str:
    # Printable text was asked for, and there JSON's strings, numbers and truths are TOML's.
    return json.dumps(value, ensure_ascii=False)
