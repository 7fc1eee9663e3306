"""How much of a person a screen shows when nobody who may know them is signed in. Pure.

Central has masked the identity already; here only a surname, the sex and the hospital's own
numbers are left, which a patient's path needs.
"""

from msgspec.structs import replace

from agent.counter.views import IssueView, LabelView, ScanView
from shared.messages import Identity


def hide_identity(identity: Identity) -> Identity:
    """张*三 → 张**, whatever the name's length; no document, no day of birth."""
    return replace(identity, name=hide_name(identity.name), document="", birth_date="")


def hide_name(name: str) -> str:
    """The first character and two stars."""
    return f"{name[:1]}**" if name else ""


def hide_scan(view: ScanView) -> ScanView:
    """A scan as it is shown to nobody in particular."""
    if view.identity is None:
        return view
    return replace(view, identity=hide_identity(view.identity))


def hide_issue(view: IssueView) -> IssueView:
    """An issue likewise."""
    identity = None if view.identity is None else hide_identity(view.identity)
    label = None if view.label is None else hide_label(view.label)
    return replace(view, identity=identity, label=label)


def hide_label(view: LabelView) -> LabelView:
    """A label likewise."""
    return replace(view, name=hide_name(view.name))
