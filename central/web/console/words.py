"""The words of states in both languages, each with the mood its sign has. Tables, no decisions.

Reasons have theirs in ``shared.words``; what a template says itself stands in the template.
"""

from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple

from central.cards.states import CardState
from central.fleet.states import BoxState
from central.users.roles import Role
from central.web.console.boxes import Trouble
from central.web.language import Language
from shared.devices import DeviceState, PrinterCondition
from shared.ehc.derivation import CHINA
from shared.lease import LeaseStep
from shared.messages import Verdict

_LAST = datetime.max.replace(tzinfo=UTC) - timedelta(days=1)

Mood = Literal["good", "maybe", "bad", "soft"]


class Word(NamedTuple):
    """A state in words; ``mood`` chooses shape and colour."""

    mood: Mood
    zh: str
    en: str


class Advice(NamedTuple):
    """What is wrong and what to do."""

    mood: Mood
    zh: str
    en: str
    next_zh: str
    next_en: str


VERDICTS: dict[Verdict, Word] = {
    Verdict.ACCEPTED: Word("good", "通过", "Accepted"),
    Verdict.PROVISIONAL: Word("maybe", "暂时通过", "Provisional"),
    Verdict.REFUSED: Word("bad", "不通过", "Refused"),
}

BOX_STATES: dict[BoxState, Word] = {
    BoxState.ACTIVE: Word("good", "在用", "In service"),
    BoxState.QUARANTINED: Word("bad", "已隔离", "Quarantined"),
    BoxState.REVOKED: Word("bad", "已吊销", "Revoked"),
    BoxState.RETIRED: Word("soft", "已停用", "Retired"),
}

LEASE_STEPS: dict[LeaseStep, Word] = {
    LeaseStep.FULL: Word("good", "照常办理", "all goes on"),
    LeaseStep.VERIFY_ONLY: Word("maybe", "只认能核实的", "verified codes only"),
    LeaseStep.IDENTITY_ONLY: Word("bad", "只看是谁", "identity only"),
    LeaseStep.STOP: Word("bad", "停止判定", "judges nothing"),
}

DEVICE_STATES: dict[DeviceState, Word] = {
    DeviceState.ABSENT: Word("bad", "未连接", "not connected"),
    DeviceState.DENIED: Word("bad", "没有权限", "no permission"),
    DeviceState.OPENING: Word("maybe", "正在打开", "opening"),
    DeviceState.READY: Word("good", "正常", "ready"),
    DeviceState.SILENT: Word("bad", "没有应答", "no answer"),
    DeviceState.FAULTY: Word("bad", "有故障", "fault"),
}

CONDITIONS: dict[str, tuple[str, str]] = {
    PrinterCondition.NO_PAPER: ("缺纸", "no paper"),
    PrinterCondition.HEAD_OPEN: ("盖子没合上", "head open"),
    PrinterCondition.NO_RIBBON: ("缺碳带", "no ribbon"),
    PrinterCondition.PAUSED: ("已暂停", "paused"),
    PrinterCondition.TOO_HOT: ("过热", "too hot"),
    PrinterCondition.TOO_COLD: ("温度过低", "too cold"),
    PrinterCondition.BUFFER_FULL: ("缓冲已满", "buffer full"),
    PrinterCondition.CUTTER_FAULT: ("切刀故障", "cutter fault"),
    PrinterCondition.HEAD_FAULT: ("打印头故障", "head fault"),
    PrinterCondition.PARTIAL_FORMAT: ("标签只收到一半", "half a label"),
    PrinterCondition.HOLDS_LABEL: ("还有一张标签没出来", "an earlier label is stuck"),
    PrinterCondition.WRONG_MEDIA: ("标签尺寸不对", "wrong media"),
    PrinterCondition.WRONG_RESOLUTION: ("分辨率不对", "wrong resolution"),
    PrinterCondition.OTHER_FAULT: ("其他故障", "other fault"),
}

CARD_STATES: dict[CardState, Word] = {
    CardState.ACTIVE: Word("good", "正常", "Active"),
    CardState.SUSPENDED: Word("maybe", "已挂失", "Suspended"),
    CardState.CANCELLED: Word("bad", "已注销", "Cancelled"),
}

ROLES: dict[Role, tuple[str, str]] = {
    Role.SYSTEM_ADMIN: ("系统管理员", "system administrator"),
    Role.SECURITY_ADMIN: ("安全管理员", "security administrator"),
    Role.AUDIT_ADMIN: ("审计管理员", "audit administrator"),
    Role.OPERATIONS: ("中心运维", "operations"),
    Role.SITE_OPERATOR: ("院区管理员", "site operator"),
    Role.CLERK: ("窗口人员", "clerk"),
    Role.TECHNICIAN: ("现场技术员", "technician"),
    Role.INTEGRATION: ("系统对接", "integration"),
}

TROUBLES: dict[Trouble, Advice] = {
    Trouble.QUARANTINED: Advice(
        "bad", "账本自相矛盾，已隔离", "Quarantined: its ledger contradicts itself",
        "停用这台终端，查看账目", "Take it out of use and look at its account",
    ),
    Trouble.OFFLINE_UNSENT: Advice(
        "bad", "离线，还有记录没上传", "Offline with unsent records",
        "检查终端的电源和网络", "Check the box's power and network",
    ),
    Trouble.CERTIFICATE_ENDED: Advice(
        "bad", "证书已过期", "Its certificate has ended",
        "在终端上运行 renew，或重新邀请", "Run renew at the box, or invite it again",
    ),
    Trouble.CONFIGURATION_REFUSED: Advice(
        "bad", "没有接受新配置", "It refused its configuration",
        "打开终端页查看原因并改正", "Open the box to see why, and correct it",
    ),
    Trouble.SCANNER: Advice(
        "bad", "扫码器不能用", "The scanner does not work",
        "请窗口检查扫码器插头", "Ask the counter to check the scanner's plug",
    ),
    Trouble.PRINTER: Advice(
        "maybe", "打印机不能用", "The printer does not work",
        "请窗口检查打印机和标签纸", "Ask the counter to check printer and labels",
    ),
    Trouble.OFFLINE: Advice(
        "maybe", "离线", "Offline",
        "检查终端的电源和网络", "Check the box's power and network",
    ),
    Trouble.SILENT: Advice(
        "maybe", "在线，但几分钟没有报告", "Online, but has not reported for minutes",
        "检查终端是否卡住，必要时重启", "Check whether the box hangs; restart it if so",
    ),
    Trouble.BACKLOG: Advice(
        "maybe", "在线，但记录一直没上传", "Online, but its records do not move",
        "打开终端页查看账目", "Open the box and look at its account",
    ),
    Trouble.CERTIFICATE_ENDING: Advice(
        "maybe", "证书快到期，没有自动更新", "Its certificate ends soon and was not renewed",
        "检查终端能否连到中心", "Check that the box can reach central",
    ),
    Trouble.NEVER_SEEN: Advice(
        "soft", "还没有上线过", "Has never been online",
        "等待安装，或联系现场技术员", "Wait for its installation, or call the technician",
    ),
}  # fmt: skip

SEXES: dict[str, tuple[str, str]] = {
    "0": ("未知", "unknown"),
    "1": ("男", "male"),
    "2": ("女", "female"),
    "9": ("未说明", "not stated"),
}
"""GB/T 2261.1."""

UNMASK_REASONS: tuple[tuple[str, str, str], ...] = (
    ("patient-present", "本人在场核对", "the patient is here and asks"),
    ("correct-data", "更正登记资料", "to correct what was registered"),
    ("care", "诊疗需要", "needed for treatment"),
    ("complaint", "处理投诉或差错", "a complaint or an error"),
)
"""What somebody may say why; the first word goes into the audit."""


REVOKE_REASONS: tuple[tuple[str, str, str], ...] = (
    ("stolen", "被盗", "stolen"),
    ("lost", "丢失", "lost"),
    ("cloned", "怀疑被复制", "perhaps copied"),
    ("replaced", "已换新设备", "replaced"),
    ("broken", "损坏", "broken"),
    ("other", "其他", "something else"),
)
"""As the API has them: free words in the audit might name somebody."""


def tell_span(span: timedelta, language: Language) -> str:
    """A length of time as a person says it, in its largest unit."""
    seconds = max(0, int(span.total_seconds()))
    for size, zh, en in ((86_400, "天", "d"), (3600, "小时", "h"), (60, "分钟", "min")):
        if seconds >= size:
            return f"{seconds // size} {language.choose(zh, en)}"
    return f"{seconds} {language.choose('秒', 's')}"


def tell_time(at: datetime, now: datetime) -> str:
    """A moment on China's clocks: the time today, with the date on another day.

    What a box claims may be later than any clock of China's shows.
    """
    here, today = min(at, _LAST).astimezone(CHINA), now.astimezone(CHINA).date()
    return f"{here:%H:%M:%S}" if here.date() == today else f"{here:%Y-%m-%d %H:%M}"
