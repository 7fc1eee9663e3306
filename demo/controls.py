"""What the buttons of the demonstration's page do, really: to the broker, the printer's paper, the
scanner's plug, the box's process, its clock, and by people at the counter.

Every act is done in the main thread, which children of the demonstration must not outlive, and
ends with what happened in words. What cannot be done as things stand raises NotNowError.
"""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from demo.answers import say_issue, say_scan
from demo.office import Badge
from demo.phone import Phone
from demo.residents import Resident, invent_resident
from demo.stage import Stage
from demo.supervisor import StepError, wait_until
from demo.table import Said

PAYMENT_CODE = "https://pay.example/fictitious/20251122"
DAY_SECONDS = 86_400
_PAPER_OUT = "no-paper\n"
_DEVICE_SECONDS = 20
_TORN_OFF = 5  # characters


class NotNowError(Exception):
    """As things stand there is nothing to do; ``said`` says why and what comes first."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.said = Said(zh, en)


class Controls:
    """The acts by name, and the little that must be remembered between them."""

    def __init__(self, stage: Stage, phone: Phone, badge: Badge) -> None:
        self._stage = stage
        self._phone = phone
        self._badge = badge
        self._conditions = stage.directory / "conditions"
        self._last_text = ""
        self._label = stage.newest_label() or ""
        self.account_on_disk: Any = None  # the account as the box's own file proves it, box off
        self.acts: Mapping[str, Callable[[], Said]] = {
            "network-cut": self._cut_network,
            "network-restore": self._restore_network,
            "paper-out": self._take_paper_out,
            "paper-in": self._put_paper_in,
            "scanner-pull": self._pull_scanner,
            "scanner-plug": self._plug_scanner_in,
            "box-kill": self._kill_box,
            "box-start": self._start_box,
            "clock-ahead": partial(self._set_clock, DAY_SECONDS),
            "clock-behind": partial(self._set_clock, -DAY_SECONDS),
            "clock-right": partial(self._set_clock, 0),
            "scan-phone": lambda: self._scan(self._phone.show_code()),
            "scan-label": lambda: self._scan(self._stage.read_label(self._label)),
            "scan-again": self._scan_again,
            "scan-stranger": self._scan_stranger,
            "scan-torn": self._scan_torn,
            "scan-payment": lambda: self._scan(PAYMENT_CODE),
            "register": self._register,
            "operator-in": self._sign_in,
            "operator-out": self._sign_out,
        }

    # --- what goes wrong -------------------------------------------------------------------------

    def _cut_network(self) -> Said:
        if not self._stage.supervisor.is_running("broker"):
            raise NotNowError("网络已经断开", "the network is cut already")
        self._stage.supervisor.kill("broker")
        if self.box_runs():
            self._stage.wait_offline()
        return Said("消息代理已被强行终止：中心收不到任何消息", "the broker is killed")

    def _restore_network(self) -> Said:
        if self._stage.supervisor.is_running("broker"):
            raise NotNowError("网络是通的", "the network is there already")
        self._stage.start_broker()
        if self.box_runs():
            self._stage.wait_online()
        return Said("消息代理重新启动，积压的记录开始补传", "the broker is back; the queue drains")

    def _take_paper_out(self) -> Said:
        self._conditions.write_text(_PAPER_OUT, encoding="ascii")
        return Said("打印机没有纸了", "the printer is out of paper")

    def _put_paper_in(self) -> Said:
        self._conditions.unlink(missing_ok=True)
        return Said("打印机装好了纸", "the printer has paper")

    def _pull_scanner(self) -> Said:
        self._stage.scanner.pull()
        if self.box_runs():
            self._wait_scanner(ready=False)
        return Said("扫码器已拔下", "the scanner is pulled")

    def _plug_scanner_in(self) -> Said:
        self._stage.scanner.plug_in()
        if self.box_runs():
            self._wait_scanner(ready=True)
        return Said("扫码器已插上", "the scanner is plugged in")

    def _kill_box(self) -> Said:
        self._need_box()
        self._stage.stop_box()
        report = json.loads(self._stage.agent("ledger", "verify", "--json"))
        self.account_on_disk = {**report["account"], "holds": report["holds"]}
        return Said(
            "盒子被强行断电；账本从磁盘核对无缺", "killed; its ledger is proved from its disk"
        )

    def _start_box(self) -> Said:
        if self.box_runs():
            raise NotNowError("盒子正在运行", "the box runs already")
        self._stage.start_box()
        self.account_on_disk = None
        return Said("盒子重新启动，可以扫码", "the box is back and ready to scan")

    def _set_clock(self, seconds: int) -> Said:
        self._stage.clock.set_ahead(seconds)
        if self.box_runs():
            wait_until(self._clock_moved, _DEVICE_SECONDS, "the box's clock moves")
        if not seconds:
            return Said("盒子的时钟恢复正常", "the box's clock is right")
        zh, en = ("快", "ahead") if seconds > 0 else ("慢", "behind")
        return Said(f"盒子的时钟{zh}了一天", f"the box's clock is a day {en}")

    # --- what people do --------------------------------------------------------------------------

    def _scan(self, text: str) -> Said:
        self._need_box()
        self._need_scanner()
        self._last_text = text
        return say_scan(self._stage.scan(text))

    def _scan_again(self) -> Said:
        if not self._last_text:
            raise NotNowError("还没有扫过码", "nothing was scanned yet")
        self._stage.wait_again_window()  # sooner it would be a phone that rests on the pad
        return self._scan(self._last_text)

    def _scan_stranger(self) -> Said:
        """A sticker of somebody who registered elsewhere: this box never saw it."""
        self._need_box()
        return self._scan(self._stage.register_elsewhere(invent_resident()))

    def _scan_torn(self) -> Said:
        """A label's code without its end."""
        whole = self._stage.read_label(self._label)
        return self._scan(whole[:-_TORN_OFF])

    def _register(self) -> Said:
        self._need_box()
        person = invent_resident()
        view = self._stage.issue(person)
        label = view.get("label")
        if label and label["state"] in {"sent", "confirmed"}:
            self._label = label["id"]
        said = say_issue(view)
        return Said(f"{_describe(person)} → {said.zh}", f"{_describe(person)} → {said.en}")

    def _sign_in(self) -> Said:
        self._need_box()
        self._need_scanner()
        api, badge = self._stage.api, self._badge
        if self._operator()["id"]:
            raise NotNowError("已有人登录", "somebody is signed in already")
        self._stage.scanner.scan(badge.text)
        wait_until(
            lambda: self._operator()["asked_for_pin"] or None, _DEVICE_SECONDS, "the PIN is asked"
        )
        api.send("operator/pin", {"pin": badge.pin})
        if not self._operator()["id"]:
            raise StepError("the box does not let the clerk in")
        return Said(f"{badge.name} 刷工牌、输 PIN 登录", f"{badge.name} signed in by badge and PIN")

    def _sign_out(self) -> Said:
        self._need_box()
        self._stage.api.send("operator/sign-out", {})
        return Said("已退出登录", "signed out")

    # --- how things stand ------------------------------------------------------------------------

    def box_runs(self) -> bool:
        """Whether the box's process is there."""
        return self._stage.supervisor.is_running("box")

    def paper_is_in(self) -> bool:
        """Whether the printer has paper."""
        return not self._conditions.exists()

    def _operator(self) -> Any:
        return self._stage.api.fetch("state")["operator"]

    def _clock_moved(self) -> bool | None:
        shown = datetime.fromisoformat(self._stage.api.fetch("state")["at"])
        wanted = datetime.now(UTC) + timedelta(seconds=self._stage.clock.ahead_seconds)
        return True if abs(shown - wanted) < timedelta(minutes=1) else None

    def _wait_scanner(self, *, ready: bool) -> None:
        def look() -> bool | None:
            state = self._stage.api.fetch("state")["scanner"]["state"]
            return True if (state == "ready") is ready else None

        wait_until(look, _DEVICE_SECONDS, "the box sees what became of its scanner")

    def _need_box(self) -> None:
        if not self.box_runs():
            raise NotNowError("盒子没有运行：先启动盒子", "the box is off: start it first")

    def _need_scanner(self) -> None:
        if not self._stage.scanner.is_plugged_in:
            raise NotNowError("扫码器没有插：先插上", "the scanner is pulled: plug it in first")


def _describe(person: Resident) -> str:
    return f"{person.name} {person.number}"
