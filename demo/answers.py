"""The box's answers in words, and what they must be: verdicts, issues, advice."""

from typing import Any, NamedTuple

from demo.supervisor import StepError
from demo.table import Said

_VERDICTS = {
    "accepted": (Said("通过", "ACCEPTED"), "green"),
    "provisional": (Said("暂准", "PROVISIONAL"), "yellow"),
    "refused": (Said("拒绝", "REFUSED"), "red"),
}
_OUTCOMES = {
    "new": Said("新登记", "new"),
    "found": Said("已登记", "found"),
    "temporary": Said("临时码", "temporary code"),
}


class Happened(NamedTuple):
    """What came of a step; ``seconds`` where the box measured them itself, frame to verdict."""

    said: Said
    seconds: float | None = None
    tone: str = ""  # a style, so that verdicts also differ by colour


def require(held: bool, what: str) -> None:
    """Raises StepError unless ``held``."""
    if not held:
        raise StepError(what)


def read_verdict(view: Any, verdict: str, reason: str | None = None) -> Happened:
    """A scan's view, which must have this verdict and reason. Raises StepError."""
    advice = view["advice"]
    given = advice["reason"] if advice else None
    require(
        (view["verdict"], given) == (verdict, reason),
        f"expected {verdict} ({reason}), the box says {view['verdict']} ({given})",
    )
    require(view["state"] == "shown", f"the scan is {view['state']}")
    return Happened(say_scan(view), view["milliseconds"] / 1000, _VERDICTS[verdict][1])


def say_scan(view: Any) -> Said:
    """A finished scan in words, whatever came of it."""
    advice = view["advice"]
    word = _VERDICTS[view["verdict"]][0] if view["verdict"] else _say_handed_on(view)
    again = Said("重复读取", "again") if view["again"] else None
    zh = [word.zh, *_say_person(view["identity"]), *([advice["zh"]] if advice else [])]
    en = [word.en, *([advice["en"]] if advice else [])]
    if again:
        zh, en = [again.zh, *zh], [again.en, *en]
    return Said(" · ".join(zh), " · ".join(en))


def say_issue(view: Any) -> Said:
    """A registration in words, a refusal or a label that did not leave included."""
    if "reason" in view:
        return Said(view["title_zh"], view["title"])
    advices = [view.get("advice"), (view.get("label") or {}).get("advice")]
    word = _OUTCOMES.get(view["outcome"])
    zh = [word.zh] if word else []
    en = [word.en] if word else []
    zh += [*_say_person(view["identity"]), *(advice["zh"] for advice in advices if advice)]
    en += [f"label {view['label']['state']}"] if view["label"] else []
    en += [advice["en"] for advice in advices if advice]
    return Said(" · ".join(zh), " · ".join(en))


def read_issue(view: Any, outcome: str) -> Happened:
    """An issue's view, which must have this outcome and a label that left. Raises StepError."""
    require(view.get("outcome") == outcome, f"expected {outcome}, the box says {view}")
    label = view["label"]["state"]
    require(label in {"sent", "confirmed"}, f"the label is {label}")
    word = _OUTCOMES[outcome]
    zh = " · ".join([word.zh, *_say_person(view["identity"])])
    patient = f" · patient {number}" if (number := view["identity"]["patient_id"]) else ""
    en = f"{word.en}{patient} · label {label.upper()}"
    return Happened(Said(zh, en))


def _say_handed_on(view: Any) -> Said:
    count = view["handed_to"]
    zh = f"原样转交 {count} 台工作站" if count else "没有配对的工作站接收"
    en = f"handed on to {count} workstations" if count else "no paired workstation takes it"
    return Said(f"不是健康码：{zh}，不留记录", f"not ours: {en}, no record")


def _say_person(identity: Any) -> list[str]:
    if not identity:
        return []
    numbers = [number["number"] for number in identity["record_numbers"]]
    return [identity["name"], *(f"门诊号 {number}" for number in numbers)]
