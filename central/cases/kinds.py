"""The kinds of cases: what happened, what a person must decide, and what each choice leads to.

One table, in both languages, for the console, the API, the command line and the boxes. No choice
changes a record: what was reported stays as it was reported.
"""

from datetime import timedelta
from enum import StrEnum
from typing import NamedTuple

from central.users.roles import Permission


class CaseKind(StrEnum):
    """Conflicts that a machine must not decide."""

    CODE_USED_TWICE = "code-used-twice"
    CARD_CANCELLED_MEANWHILE = "card-cancelled-meanwhile"
    REGISTERED_TWICE = "registered-twice"
    LEDGER_FORK = "ledger-fork"
    LATE_RECORD = "late-record"
    LEDGER_DAMAGED = "ledger-damaged"


class Outcome(StrEnum):
    """What a person can decide."""

    BOTH_STAND = "both-stand"
    FIRST_STANDS = "first-stands"
    SECOND_STANDS = "second-stands"
    MISUSE = "misuse"
    CARE_STANDS = "care-stands"
    CARE_VOID = "care-void"
    CARD_RESTORED = "card-restored"
    SAME_PERSON = "same-person"
    TWO_PERSONS = "two-persons"
    WRONG_ENTRY = "wrong-entry"
    REJOIN = "rejoin"
    SHUT_OUT = "shut-out"
    IN_TIME = "in-time"
    NOT_IN_TIME = "not-in-time"
    MADE_GOOD = "made-good"
    LOSS_STANDS = "loss-stands"


class Choice(NamedTuple):
    """One outcome, what it does, and what the counters are told. ``needs`` is what its act
    needs beside the permission to decide."""

    outcome: Outcome
    zh: str
    en: str
    consequence_zh: str
    consequence_en: str
    told_zh: str
    told_en: str
    needs: Permission | None = None


class KindFacts(NamedTuple):
    """One kind. ``sees`` is what whoever looks must be allowed to see beside cases."""

    zh: str
    en: str
    question_zh: str
    question_en: str
    within: timedelta
    sees: Permission
    choices: tuple[Choice, ...]

    def find(self, outcome: Outcome) -> Choice | None:
        """The choice of this outcome; None where the kind has none."""
        return next((each for each in self.choices if each.outcome is outcome), None)


def _hours(hours: int) -> timedelta:
    return timedelta(hours=hours)


KINDS: dict[CaseKind, KindFacts] = {
    CaseKind.CODE_USED_TWICE: KindFacts(
        "一个动态码用了两次", "One dynamic code was used twice",
        "两个窗口都放行了同一个只能用一次的码。先到中心的一次已计入；另一次没有被改写，等您决定。",
        "Two counters let the same single-use code through. The use that reached central first is"
        " counted; the other is kept as reported and waits for you.",
        _hours(24), Permission.SCANS_READ,
        (
            Choice(
                Outcome.BOTH_STAND, "两次都有效", "Both stand",
                "同一个人确实就诊两次；两边都不用更正", "One person was really there twice;"
                " neither counter corrects anything",
                "两次均有效，无需更正", "both visits stand, nothing to correct",
            ),
            Choice(
                Outcome.FIRST_STANDS, "先到的一次有效", "The first stands",
                "另一个窗口须撤销它的登记", "The other counter withdraws what it entered",
                "先到中心的一次有效，另一窗口请撤销登记",
                "the first use stands; the other counter withdraws its entry",
            ),
            Choice(
                Outcome.SECOND_STANDS, "后到的一次有效", "The second stands",
                "先计入的窗口须撤销它的登记", "The counter counted first withdraws its entry",
                "后到中心的一次有效，先计入的窗口请撤销登记",
                "the second use stands; the counter counted first withdraws its entry",
            ),
            Choice(
                Outcome.MISUSE, "有人盗用", "Somebody misused the code",
                "卡立即挂失，持卡人带证件到窗口恢复",
                "The card is suspended now; its holder comes with a document",
                "码被盗用，卡已挂失；请持卡人带证件来",
                "the code was misused, the card is suspended; its holder brings a document",
                Permission.CARDS_WRITE,
            ),
        ),
    ),
    CaseKind.CARD_CANCELLED_MEANWHILE: KindFacts(
        "卡已停用，窗口仍放行", "A card was used after it was stopped",
        "窗口离线时放行了一张当时已在中心注销或挂失的卡。",
        "A counter without a line let a card through that was already cancelled or suspended at"
        " central.",
        _hours(24), Permission.SCANS_READ,
        (
            Choice(
                Outcome.CARE_STANDS, "就诊有效", "The visit stands",
                "本人就诊，登记保留；卡保持停用", "It was the holder: the entry stays, the card"
                " stays stopped",
                "就诊有效，登记保留；卡仍停用", "the visit stands; the card stays stopped",
            ),
            Choice(
                Outcome.CARE_VOID, "就诊无效", "The visit is void",
                "不是持卡人，窗口须撤销登记", "It was not the holder: the counter withdraws its"
                " entry",
                "就诊无效，请撤销登记", "the visit is void: withdraw the entry",
            ),
            Choice(
                Outcome.CARD_RESTORED, "停用有误，恢复卡", "Stopped by mistake: restore the card",
                "挂失的卡立即恢复；已注销的卡须持证重新登记，不能在此恢复",
                "A suspended card is resumed now; a cancelled one needs a registration with a"
                " document and cannot be restored here",
                "卡停用有误，已恢复；登记保留", "the card was stopped by mistake and is restored",
                Permission.CARDS_WRITE,
            ),
        ),
    ),
    CaseKind.REGISTERED_TWICE: KindFacts(
        "一个人可能登记了两次", "One person may be registered twice",
        "两份登记可能是同一个人，也可能有一份填错。中心没有合并，也没有改写。",
        "Two registrations may be of one person, or one of them is wrong. Central has merged and"
        " overwritten nothing.",
        _hours(72), Permission.SCANS_READ,
        (
            Choice(
                Outcome.SAME_PERSON, "同一个人", "The same person",
                "病案室核对证件后把证件加到先登记的人；两个号都保留，不自动合并",
                "The record office adds the document to the earlier registration; both numbers"
                " stay, nothing is merged by itself",
                "两份登记是同一个人，请用先登记的病案号",
                "both are one person: use the earlier record number",
            ),
            Choice(
                Outcome.TWO_PERSONS, "两个人", "Two persons",
                "两份登记都保留", "Both registrations stay",
                "两份登记是两个人，均保留", "they are two persons; both registrations stay",
            ),
            Choice(
                Outcome.WRONG_ENTRY, "有一份填错", "One entry is wrong",
                "窗口请本人带证件重新登记", "The counter registers anew with the document",
                "登记有误，请本人带证件重新登记",
                "an entry is wrong: register anew with the person's document",
            ),
        ),
    ),
    CaseKind.LEDGER_FORK: KindFacts(
        "终端账本自相矛盾", "A box's ledger contradicts itself",
        "同一台终端签了两份不同的账：可能被复制，或硬盘恢复了旧数据。终端已隔离，两份都留作证据。",
        "A box has signed two different accounts: it was copied, or its disk was put back. It is"
        " quarantined; both lines are kept as evidence.",
        _hours(4), Permission.BOXES_READ,
        (
            Choice(
                Outcome.REJOIN, "查清后重新加入", "Let it join again",
                "发一张新邀请；终端以新账期加入，旧账保留；原证书吊销",
                "A new invite is made: the box joins under a new epoch, its old rows stay, former"
                " certificates end",
                "请用新邀请重新加入", "join again with the new invite",
                Permission.BOXES_INVITE,
            ),
            Choice(
                Outcome.SHUT_OUT, "停用终端", "Shut the box out",
                "证书全部吊销，终端离开；已收到的记录保留",
                "All its certificates are revoked; what was received stays",
                "终端已停用", "the box is shut out",
                Permission.BOXES_REVOKE,
            ),
        ),
    ),
    CaseKind.LATE_RECORD: KindFacts(
        "离线记录的时间不可信", "The time of offline records cannot be trusted",
        "终端离线期间时钟没有对过，码是否在有效期内取决于这个时间。中心只给了暂时结论。",
        "The box's clock was not compared with central's while it was away, and whether the code"
        " was in time depends on it. Central has judged provisionally only.",
        _hours(72), Permission.SCANS_READ,
        (
            Choice(
                Outcome.IN_TIME, "时间可信，有效", "The time is right: they stand",
                "核对过终端时钟；这些扫码有效", "The box's clock was checked: these scans stand",
                "离线扫码有效", "the scans made while away stand",
            ),
            Choice(
                Outcome.NOT_IN_TIME, "时间不对，无效", "The time is wrong: they are void",
                "窗口须撤销登记，并校正终端时钟", "The counter withdraws its entries and has the"
                " box's clock set",
                "离线扫码无效，请撤销登记并校正时钟",
                "the scans made while away are void: withdraw them, have the clock set",
            ),
        ),
    ),
    CaseKind.LEDGER_DAMAGED: KindFacts(
        "终端记录文件损坏", "A box's queue file was damaged",
        "终端的记录文件损坏，已另存；能读出的记录已找回，其余按序号列出。终端继续工作。",
        "A box's queue file was damaged and set aside. What could be read is back, the rest is"
        " named by sequence. The box goes on.",
        _hours(24), Permission.BOXES_READ,
        (
            Choice(
                Outcome.MADE_GOOD, "已补记", "Made good",
                "窗口按纸质记录补登了丢失的业务；磁盘已检查",
                "The counter entered again what was lost, from paper; the disk was looked at",
                "丢失的记录已补登", "what was lost has been entered again",
            ),
            Choice(
                Outcome.LOSS_STANDS, "无可补记", "Nothing can be made good",
                "没有丢失，或查不到丢失的内容；序号留在账上",
                "Nothing is lost, or it cannot be found out what was; the sequences stay in the"
                " account",
                "损坏已查清，无需补登", "the damage was looked into, nothing is to be entered",
            ),
            Choice(
                Outcome.SHUT_OUT, "停用终端", "Shut the box out",
                "证书全部吊销，终端离开；已收到的记录保留",
                "All its certificates are revoked; what was received stays",
                "终端已停用", "the box is shut out",
                Permission.BOXES_REVOKE,
            ),
        ),
    ),
}  # fmt: skip
