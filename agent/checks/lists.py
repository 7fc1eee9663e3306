"""How old central's lists are at this box: the running agent's own word."""

from datetime import timedelta

from agent.checks.finding import Box, Finding, held, warn


async def look_at_lists(box: Box) -> list[Finding]:
    """``lists``: old or missing ones are a warning, for the counter works on."""
    if box.state is None:
        return []
    lists = box.state.lists
    fact = ""
    if lists.age_seconds is not None:
        age = timedelta(seconds=lists.age_seconds)
        fact = f"{age} old, {lists.revoked} revoked, {lists.persons} persons"
    if lists.advice is not None:
        return [warn("lists", lists.advice.reason, fact)]
    return [held("lists", fact)]
