"""How everything stands at this moment, as the demonstration's page shows it: plain data.

Asked for by the page again and again, in threads of its own; it changes nothing.
"""

import http.client
from typing import Any

from demo.controls import Controls
from demo.office import Office
from demo.stage import Stage
from demo.supervisor import StepError

_MISSING = (OSError, StepError, http.client.HTTPException)
_PARTS = ("created", "acknowledged", "pending", "tombstoned", "holds")


class Looks:
    """Reads the state of all parts."""

    def __init__(self, stage: Stage, office: Office, controls: Controls) -> None:
        self._stage = stage
        self._office = office
        self._controls = controls

    def read(self) -> dict[str, Any]:
        """Everything; None for what cannot be seen now."""
        box, central = self._read_box(), self._read_central()
        operator = box["state"]["operator"] if box else {}
        account = box["account"] if box else self._controls.account_on_disk
        return {
            "network": self._stage.supervisor.is_running("broker"),
            "paper": self._controls.paper_is_in(),
            "scanner": self._stage.scanner.is_plugged_in,
            "box": self._controls.box_runs(),
            "clock": self._stage.clock.ahead_seconds,
            "box_time": box["state"]["at"] if box else None,
            "link": box["state"]["link"]["state"] if box else None,
            "operator": operator.get("name") or None,
            "box_account": _only_parts(account),
            "on_disk": box is None,
            "central_account": _only_parts(central),
            "label": self._read_label(),
        }

    def _read_box(self) -> Any:
        if not self._controls.box_runs():
            return None
        try:
            state = self._stage.api.fetch("state")
        except _MISSING:
            return None  # between two states
        return {"state": state, "account": state["account"]}

    def _read_central(self) -> Any:
        try:
            return self._office.read_account()
        except _MISSING:
            return None

    def _read_label(self) -> dict[str, str] | None:
        number = self._stage.newest_label()
        if number is None:
            return None
        zpl = self._stage.print_file(number, "zpl").read_text(encoding="utf-8", errors="replace")
        return {"id": number, "zpl": zpl}


def _only_parts(account: Any) -> dict[str, Any] | None:
    return {part: account[part] for part in _PARTS} if account else None
