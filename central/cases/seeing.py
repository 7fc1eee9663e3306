"""Which cases exist for whoever asks, and which choices are theirs. Pure."""

from central.cases.case import Case
from central.cases.kinds import Choice
from central.users.principal import Principal
from shared.errors import Refused
from shared.reasons import Reason


def is_seen(case: Case, principal: Principal) -> bool:
    """Whether a case exists for somebody: of what they may see, at a site they see."""
    return principal.may(case.facts.sees) and (
        principal.site is None or principal.site in case.sites
    )


def check_seen(case: Case, principal: Principal) -> None:
    """Raises Refused (NOT_FOUND)."""
    if not is_seen(case, principal):
        raise Refused(Reason.NOT_FOUND, f"case {case.number}")


def may_choose(case: Case, choice: Choice, principal: Principal) -> bool:
    """Whether an outcome is somebody's to decide: what concerns two sites is not one site's."""
    needed = choice.needs is None or principal.may(choice.needs)
    return needed and all(principal.sees(site) for site in case.sites)


def check_choice(case: Case, choice: Choice | None, principal: Principal) -> None:
    """Raises Refused (PERMISSION_MISSING)."""
    if choice is not None and not may_choose(case, choice, principal):
        raise Refused(Reason.PERMISSION_MISSING, f"outcome {choice.outcome}")
