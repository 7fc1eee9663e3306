"""The main job as a list of steps: register, print, scan, an outage, the return, the proof.

Each step does one thing by the shipped commands or interfaces, checks that it holds, and says what
happened. A step that does not hold raises StepError and ends the demonstration.
"""

import json
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol

from demo.answers import Happened, read_issue, read_verdict, require, say_scan
from demo.residents import ELDER, LATECOMER, MOTHER, SAMPLE, STRANGER, Resident
from demo.stage import Stage
from demo.table import Said

PAYMENT_CODE = "https://pay.example/fictitious/20251122"


class Step(NamedTuple):
    """One row of the table: what is done, and the doing, which says what happened."""

    said: Said
    run: Callable[[], Happened]


class Block(NamedTuple):
    """Steps under one heading."""

    title: Said
    steps: Sequence[Step]


def step(zh: str, en: str, run: Callable[[], Happened]) -> Step:
    """A step by its two titles."""
    return Step(Said(zh, en), run)


class Told(Protocol):
    """Something with steps, and an account at its end."""

    account: str

    def blocks(self) -> Sequence[Block]:
        """The steps, in order."""
        ...


class Story:
    """The steps, and what they hand on to each other."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._labels: dict[Resident, str] = {}  # the text of each printed label
        self._phones: dict[Resident, str] = {}  # the dynamic code on each phone
        self._temporary = ""  # the text of the label that the box gave while it was alone
        self._invite = ""
        self._created = 0
        self.account = ""
        self.slip = Path()  # the picture of the installation slip

    def blocks(self) -> Sequence[Block]:
        """The whole story, in order."""
        return (
            Block(Said("一 准备", "Setting up"), self._setting_up()),
            Block(Said("二 登记、发码、打印", "Register, issue, print"), self._registering()),
            Block(Said("三 扫码识别", "Scan and resolve"), self._scanning()),
            Block(Said("四 断网", "The network goes"), self._outage()),
            Block(Said("五 恢复", "The network returns"), self._returning()),
            Block(Said("六 证明", "The proof"), self._proof()),
        )

    # --- setting up ------------------------------------------------------------------------------

    def _setting_up(self) -> Sequence[Step]:
        return (
            step("中心：密钥与证书", "Central: keys, certificates", self._found_central),
            step("消息代理启动", "The broker starts", self._start_broker),
            step("中心开始服务", "Central serves", self._start_central),
            step("邀请一台盒子", "A box is invited", self._invite_box),
            step("新盒子通电", "A new box is switched on", self._start_unjoined_box),
            step("扫邀请码入网", "It scans the invite and joins", self._join_box),
            step("盒子启动", "The box starts", self._start_box),
        )

    def _found_central(self) -> Happened:
        self._stage.found_central()
        return Happened(Said("国标样例自检通过", "self-test with the national sample holds"))

    def _start_broker(self) -> Happened:
        self._stage.start_broker()
        ports = self._stage.ports
        return Happened(
            Said("双向 TLS，默认拒绝", f"mutual TLS on {ports.boxes} and {ports.central}")
        )

    def _start_central(self) -> Happened:
        self._stage.start_central()
        return Happened(Said("SQLite 就绪", "SQLite, commands answered"))

    def _invite_box(self) -> Happened:
        self._invite = self._stage.invite_box()
        return Happened(
            Said("一次性邀请码，只认这台机器", "a one-time code, for this machine only")
        )

    def _start_unjoined_box(self) -> Happened:
        self._stage.start_unjoined_box()
        return Happened(Said("等待邀请码，无需键盘和屏幕", "waits; no keyboard, no screen needed"))

    def _join_box(self) -> Happened:
        self.slip = self._stage.join_box(self._invite)
        where = self.slip.relative_to(self._stage.directory)
        return Happened(
            Said(f"已入网，打印安装单 {where}", "joined; a slip came out of its printer")
        )

    def _start_box(self) -> Happened:
        self._stage.start_box()
        self._stage.wait_online()
        self._stage.wait_lists()
        return Happened(Said("扫码器、打印机、线路就绪", "scanner, printer and line are ready"))

    # --- registering -----------------------------------------------------------------------------

    def _registering(self) -> Sequence[Step]:
        people = (SAMPLE, MOTHER, ELDER)
        again = partial(self._issue, SAMPLE, "found")
        return (
            *(
                step(f"登记 {person.name}", "Register, print", partial(self._issue, person, "new"))
                for person in people
            ),
            step(f"再次登记 {SAMPLE.name}", "The same resident again", again),
        )

    def _issue(self, person: Resident, outcome: str) -> Happened:
        view = self._stage.issue(person)
        happened = read_issue(view, outcome)
        text = self._stage.read_label(view["label"]["id"])
        require(self._labels.setdefault(person, text) == text, "the same resident, another code")
        return happened

    # --- scanning --------------------------------------------------------------------------------

    def _scanning(self) -> Sequence[Step]:
        return (
            *(
                step(
                    f"扫 {person.name} 的标签",
                    "Scan the label as printed",
                    partial(self._scan_label, person),
                )
                for person in (SAMPLE, ELDER)
            ),
            step(f"{MOTHER.name} 出示动态码", "A code on a phone", self._scan_phone),
            step("手机还放在扫码台上", "The phone rests on the pad", self._scan_again),
            step("同一动态码再用一次", "The same code once more", self._scan_used),
            step("伪造的动态码", "A forged code", self._scan_forged),
            step("外域的动态码", "A code of another domain", self._scan_foreign),
            step("支付码", "A payment code", self._scan_payment),
        )

    def _scan_label(self, person: Resident) -> Happened:
        return read_verdict(self._stage.scan(self._labels[person]), "accepted")

    def _scan_phone(self) -> Happened:
        self._phones[MOTHER] = self._stage.issue_dynamic_code(MOTHER)
        return read_verdict(self._stage.scan(self._phones[MOTHER]), "accepted")

    def _scan_again(self) -> Happened:
        view = self._stage.scan(self._phones[MOTHER])
        require(view["again"], "a second read within the window is not shown as again")
        seconds = read_verdict(view, "accepted").seconds
        said = Said("重复读取，维持原判，不再消耗", "again: the first verdict stands")
        return Happened(said, seconds)

    def _scan_used(self) -> Happened:
        self._stage.wait_again_window()
        return read_verdict(self._stage.scan(self._phones[MOTHER]), "refused", "code-used")

    def _scan_forged(self) -> Happened:
        genuine = self._stage.issue_dynamic_code(ELDER)
        last = "A" if genuine[-8] != "A" else "B"
        forged = genuine[:-8] + last + genuine[-7:]
        return read_verdict(self._stage.scan(forged), "refused", "code-forged")

    def _scan_foreign(self) -> Happened:
        fields = self._stage.issue_dynamic_code(ELDER).split(":")
        foreign = ":".join([*fields[:-1], "12345678901"])
        return read_verdict(self._stage.scan(foreign), "refused", "code-other-domain")

    def _scan_payment(self) -> Happened:
        before = self._stage.api.fetch("account")["created"]
        view = self._stage.scan(PAYMENT_CODE)
        require(view["state"] == "handed-on", f"the scan is {view['state']}")
        require(
            self._stage.api.fetch("account")["created"] == before, "a payment code left a record"
        )
        return Happened(say_scan(view), view["milliseconds"] / 1000)

    # --- outage ----------------------------------------------------------------------------------

    def _outage(self) -> Sequence[Step]:
        return (
            step("消息代理被强行终止", "The broker is killed", self._cut),
            step(f"扫 {SAMPLE.name} 的标签", "A label this box knows", self._scan_known),
            step(f"{STRANGER.name} 出示动态码", "Signed before the cut", self._scan_signed),
            step("同一动态码再用一次", "The same code once more", self._scan_used_offline),
            step(f"扫 {STRANGER.name} 的标签", "A label this box never saw", self._scan_unknown),
            step(f"登记 {LATECOMER.name}", "Someone new: a temporary code", self._issue_offline),
            step("扫临时码的标签", "Scan that label as printed", self._scan_temporary),
            step("待送记录", "Records wait", self._count_pending),
        )

    def _cut(self) -> Happened:
        stage = self._stage
        self._labels[STRANGER] = stage.register_elsewhere(STRANGER)
        self._phones[STRANGER] = stage.issue_dynamic_code(STRANGER)
        stage.wait_settled()
        begun = time.perf_counter()
        stage.supervisor.kill("broker")
        stage.wait_offline()
        said = Said("盒子已察觉断线，继续工作", "the box notices and works on")
        return Happened(said, time.perf_counter() - begun)

    def _scan_known(self) -> Happened:
        view = self._stage.scan(self._labels[SAMPLE])
        require(bool(view["identity"]), "the box does not know whom it saw before")
        return read_verdict(view, "provisional", "offline-known")

    def _scan_signed(self) -> Happened:
        view = self._stage.scan(self._phones[STRANGER])
        return read_verdict(view, "provisional", "offline-signed")

    def _scan_used_offline(self) -> Happened:
        self._stage.wait_again_window()
        return read_verdict(self._stage.scan(self._phones[STRANGER]), "refused", "code-used")

    def _scan_unknown(self) -> Happened:
        view = self._stage.scan(self._labels[STRANGER])
        return read_verdict(view, "provisional", "offline-unknown")

    def _issue_offline(self) -> Happened:
        view = self._stage.issue(LATECOMER)
        happened = read_issue(view, "temporary")
        self._temporary = self._stage.read_label(view["label"]["id"])
        return happened

    def _scan_temporary(self) -> Happened:
        view = self._stage.scan(self._temporary)
        require(bool(view["identity"]), "the box does not know whom it gave the code to")
        return read_verdict(view, "provisional", "offline-temporary")

    def _count_pending(self) -> Happened:
        account = self._stage.api.fetch("account")
        pending = account["pending"]
        expected = 4 + 3 + 1  # scans, the temporary code with its label, the scan of that
        require(pending == expected and account["holds"], f"pending {pending}, not {expected}")
        return Happened(
            Said(f"{pending} 条已落盘，等待中心签收", f"{pending} durable, waiting for central")
        )

    # --- return ----------------------------------------------------------------------------------

    def _returning(self) -> Sequence[Step]:
        return (
            step("消息代理重新启动", "The broker is back", self._reconnect),
            step("补传", "The queue drains", self._drain),
            step("扫临时码的标签", "The temporary label resolves", self._resolve_temporary),
            step(
                f"登记 {LATECOMER.name}", "The real label", partial(self._issue, LATECOMER, "found")
            ),
            step(f"扫 {STRANGER.name} 的标签", "Now resolved", self._resolve),
        )

    def _reconnect(self) -> Happened:
        self._stage.start_broker()
        self._stage.wait_online()
        return Happened(Said("线路恢复", "the line is online"))

    def _drain(self) -> Happened:
        self._stage.wait_settled()
        return Happened(Said("待送 0 条，全部签收", "central has signed for every record"))

    def _resolve_temporary(self) -> Happened:
        self._stage.wait_again_window()
        return read_verdict(self._stage.scan(self._temporary), "accepted")

    def _resolve(self) -> Happened:
        self._stage.wait_again_window()
        return self._scan_label(STRANGER)

    # --- proof -----------------------------------------------------------------------------------

    def _proof(self) -> Sequence[Step]:
        return (
            step("盒子的账本", "The box's ledger", self._verify_box),
            step("中心的账本", "Central's ledger", self._verify_central),
            step("个人信息", "Personal data", self._search_for_people),
        )

    def _verify_box(self) -> Happened:
        self._stage.wait_settled()
        report = json.loads(self._stage.agent("ledger", "verify", "--json"))
        require(report["holds"], f"the box's ledger: {report}")
        self._created = report["account"]["created"]
        self.account = self._stage.agent("ledger", "verify").strip()
        return Happened(Said("每行、每个链接、账本头均相符", "every row, link and head holds"))

    def _verify_central(self) -> Happened:
        (report,) = json.loads(self._stage.central("ledger", "verify", "--json"))
        require(report["holds"] and not report["parked"], f"central's ledger: {report}")
        require(report["account"]["created"] == self._created, "the two ledgers differ")
        return Happened(Said("每条记录恰好一次", "every record exactly once"))

    def _search_for_people(self) -> Happened:
        people = (SAMPLE, MOTHER, ELDER, LATECOMER, STRANGER)
        codes = [*self._labels.values(), *self._phones.values(), self._temporary]
        words = [word for person in people for word in (person.name, person.number)]
        files = self._stage.search([*words, *(code.split(":")[0] for code in codes)])
        return Happened(
            Said(
                f"{files} 个文件中无一明文",
                f"nothing in clear in {files} files: databases, logs, broker",
            )
        )
