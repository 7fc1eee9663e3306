"""The counter page of a box that is alone: how far it still goes, what changes then, and one thing
to do, in both languages and sizes.
"""

import pytest
from playwright.async_api import Browser, Page, expect

from agent.api.views import LeaseView, ListsView, UnsentView
from agent.counter.views import advise
from shared.lease import LeaseStep
from shared.messages import Verdict
from shared.reasons import Reason
from tests.browser.chromium import DESK, Size, open_context
from tests.browser.counter_steps import Arrange, check_screen, each_language, each_size
from tests.browser.shown_box import PERSON, ShownBox, open_page, scan, serving, since

DAY = 86_400
FULL = LeaseView(LeaseStep.FULL, LeaseStep.VERIFY_ONLY, 3 * DAY - 3_000, 9_988, 998, 12)
VERIFY = LeaseView(
    LeaseStep.VERIFY_ONLY,
    LeaseStep.IDENTITY_ONLY,
    20 * DAY + 5_000,
    24_010,
    1_990,
    12,
    advice=advise(Reason.LEASE_VERIFY_ONLY),
)
IDENTITY = LeaseView(
    LeaseStep.IDENTITY_ONLY,
    LeaseStep.STOP,
    5_000,
    49_010,
    2_990,
    12,
    advice=advise(Reason.LEASE_IDENTITY_ONLY),
)
STOP = LeaseView(LeaseStep.STOP, revision=12, advice=advise(Reason.LEASE_STOP))
CLOCK = LeaseView(
    LeaseStep.VERIFY_ONLY,
    LeaseStep.IDENTITY_ONLY,
    29 * DAY,
    29_999,
    1_999,
    12,
    advice=advise(Reason.LEASE_CLOCK),
)


NEVER = LeaseView(
    LeaseStep.VERIFY_ONLY,
    LeaseStep.IDENTITY_ONLY,
    30 * DAY - 600,
    30_000,
    2_000,
    1,
    advice=advise(Reason.LEASE_LISTS_MISSING),
)
NO_LISTS = ListsView(advice=advise(Reason.LIST_MISSING))


def _alone(box: ShownBox, lease: LeaseView, link: str = "backing-off") -> None:
    box.show(link=since(link, 252), unsent=UnsentView(17, 250), lease=lease)


async def _shown(page: Page, words: str) -> None:
    await expect(page.locator("#troubles")).to_contain_text(words)


async def full(box: ShownBox, page: Page) -> None:
    _alone(box, FULL)
    box.show_scan(scan(Verdict.PROVISIONAL, Reason.OFFLINE_UNKNOWN))
    await expect(page.locator("#verdict[data-face='provisional']")).to_be_visible()


async def verify_only(box: ShownBox, page: Page) -> None:
    _alone(box, VERIFY)
    box.show_scan(
        scan(Verdict.PROVISIONAL, Reason.OFFLINE_KNOWN, PERSON, lease=LeaseStep.VERIFY_ONLY)
    )
    await expect(page.locator("#verdict[data-face='provisional']")).to_be_visible()


async def verify_only_refuses(box: ShownBox, page: Page) -> None:
    _alone(box, VERIFY)
    box.show_scan(scan(Verdict.REFUSED, Reason.LEASE_VERIFY_ONLY))
    await expect(page.locator("#verdict[data-face='refused']")).to_be_visible()


async def identity_only(box: ShownBox, page: Page) -> None:
    _alone(box, IDENTITY)
    box.show_scan(
        scan(Verdict.PROVISIONAL, Reason.LEASE_IDENTITY_ONLY, PERSON, lease=LeaseStep.IDENTITY_ONLY)
    )
    await expect(page.locator("#verdict[data-face='provisional']")).to_be_visible()


async def stop(box: ShownBox, page: Page) -> None:
    _alone(box, STOP)
    box.show_scan(scan(Verdict.REFUSED, Reason.LEASE_STOP))
    await expect(page.locator("#verdict[data-face='refused']")).to_be_visible()


async def clock(box: ShownBox, page: Page) -> None:
    _alone(box, CLOCK)
    await expect(page.locator("#troubles p[data-level='busy']").first).to_be_visible()


async def lists_never_came(box: ShownBox, page: Page) -> None:
    _alone(box, NEVER)
    box.show(lists=NO_LISTS)
    box.show_scan(scan(Verdict.REFUSED, Reason.LEASE_LISTS_MISSING))
    await expect(page.locator("#verdict[data-face='refused']")).to_be_visible()


async def lists_never_came_by_a_line(box: ShownBox, page: Page) -> None:
    box.show(link=since("up", 900), lists=NO_LISTS, lease=NEVER)
    await expect(page.locator("#troubles p[data-level='busy']").first).to_be_visible()


STATES: dict[str, Arrange] = {
    arrange.__name__.replace("_", "-"): arrange
    for arrange in (
        full,
        verify_only,
        verify_only_refuses,
        identity_only,
        stop,
        clock,
        lists_never_came,
        lists_never_came_by_a_line,
    )
}


@each_size
@each_language
@pytest.mark.parametrize("name", STATES)
async def test_each_step_is_shown_whole(
    browser: Browser, name: str, language: str, size: Size
) -> None:
    """Nothing is cut off or in the other language."""
    await check_screen(browser, f"lease-{name}", language, size, STATES[name])


async def test_the_countdown_says_what_is_left_and_what_comes(browser: Browser) -> None:
    """Time and counts, and the step after; with the line up nothing is counted down."""
    box = ShownBox()
    async with serving(box) as address, open_context(browser, DESK, "en") as context:
        page = await open_page(context, address, "en")
        _alone(box, FULL)
        await _shown(page, "2 d 23 h")
        await _shown(page, "9988 scans, 998 temporary codes")
        await _shown(page, "then only codes it can verify")
        box.show(lease=LeaseView(LeaseStep.FULL, LeaseStep.VERIFY_ONLY, 62, 5, 1, 12))
        await _shown(page, "1 min")
        await _shown(page, "All goes on for 59 s")  # it counts by itself
        box.show(link=since("up", 1))
        await expect(page.locator("#troubles")).not_to_be_visible()


async def test_there_is_one_thing_to_do(browser: Browser) -> None:
    """What is wrong with the line says it; the lease says nothing of its own beside it."""
    box = ShownBox()
    async with serving(box) as address, open_context(browser, DESK, "en") as context:
        page = await open_page(context, address, "en")
        link = since("backing-off", 252)
        box.show(
            link=type(link)(link.state, link.since, link.since_ms, advise(Reason.CLOCK_WRONG)),
            lease=CLOCK,
        )
        await _shown(page, Reason.CLOCK_WRONG.words.next_en)
        await expect(page.locator("#troubles")).not_to_contain_text(
            Reason.LEASE_CLOCK.words.next_en
        )


async def test_lists_that_never_came_are_said_once_and_not_at_a_first_start(
    browser: Browser,
) -> None:
    """Central answers everything itself, and they come within minutes. Alone it is said by what
    it lowers; later, or beside what is wrong with the line, by the lists themselves."""
    box = ShownBox()
    lowered, missing = Reason.LEASE_LISTS_MISSING.words.en, Reason.LIST_MISSING.words.en
    async with serving(box) as address, open_context(browser, DESK, "en") as context:
        page = await open_page(context, address, "en")
        troubles = page.locator("#troubles")
        box.show(lists=NO_LISTS, lease=NEVER)
        await _shown(page, missing)
        await expect(troubles).not_to_contain_text(lowered)
        box.show(link=since("up", 20))
        await expect(troubles).not_to_be_visible()
        link = since("backing-off", 20)
        box.show(link=link)
        await _shown(page, lowered)
        await _shown(page, "Verified codes only")
        await expect(troubles).not_to_contain_text(missing)
        wrong = advise(Reason.CLOCK_WRONG)
        box.show(link=type(link)(link.state, link.since, link.since_ms, wrong))
        await _shown(page, missing)
        await expect(troubles).not_to_contain_text(lowered)
