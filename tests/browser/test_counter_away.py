"""What a clerk sees when the box is back: how long it was away, what went out, what is told."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import Browser, expect

from agent.notices.views import AwayView, NoticeView
from shared.ids import new_record_id
from shared.messages import Verdict
from shared.notices import NoticeKind
from tests.browser.chromium import DESK, SMALL_DESK, Size, open_context
from tests.browser.counter_steps import list_spilt
from tests.browser.screens import keep_screen
from tests.browser.shown_box import PERSON, ShownBox, open_page, scan, serving

TOLD = (
    (
        NoticeKind.CASE_OPENED,
        "个案 12：一个动态码用了两次。中心会有人处理，结果会告诉这里",
        "Case 12: One dynamic code was used twice. Somebody at central decides; it is told here",
    ),
    (
        NoticeKind.CASE_DECIDED,
        "个案 12 结案（一个动态码用了两次）：先到中心的一次有效，另一窗口请撤销登记",
        "Case 12 is decided (One code was used twice): the other counter withdraws its entry",
    ),
    (
        NoticeKind.ROW_PARKED,
        "一条记录已妥善保存，中心暂时读不懂",
        "One record is kept safely and cannot be read yet",
    ),
)


def told(count: int, more: int = 0) -> AwayView:
    """An absence of three hours and some notices."""
    now = datetime.now(UTC)
    notices = tuple(
        NoticeView(new_record_id(now).hex, now, kind, zh, en)
        for kind, zh, en in (TOLD * (count // len(TOLD) + 1))[:count]
    )
    return AwayView(now - timedelta(hours=3), now, 127, notices, more)


@pytest.mark.parametrize("size", [DESK, SMALL_DESK], ids=lambda size: str(size.width))
@pytest.mark.parametrize("language", ["zh", "en"])
async def test_what_happened_is_seen_and_acknowledged(
    browser: Browser, language: str, size: Size
) -> None:
    """A line above the verdict, all of it beside on F1, gone once a clerk has seen it; the verdict
    stays in sight all the while."""
    box = ShownBox()
    async with serving(box) as address, open_context(browser, size, language) as context:
        page = await open_page(context, address, language)
        box.show_scan(scan(Verdict.ACCEPTED, None, PERSON))
        await expect(page.locator("#away")).to_be_hidden()
        box.show(away=told(3, more=4))
        await expect(page.locator("#away")).to_contain_text("127")
        await keep_screen(page, "counter-away-line", language)
        assert await list_spilt(page) == []
        await page.keyboard.press("F1")
        await expect(page.locator(".notices li")).to_have_count(3)
        await expect(page.locator(".notices")).to_contain_text(
            {"zh": "请撤销登记", "en": "withdraws its entry"}[language]
        )
        await expect(page.locator("#verdict h1")).to_be_visible()
        await keep_screen(page, "counter-away", language)
        assert await list_spilt(page) == []
        shown = [notice.id for notice in box.shown.away.notices] if box.shown.away else []
        await page.keyboard.press("Enter")
        await expect(page.locator("#away")).to_be_hidden()
        await expect(page.locator(".notices")).to_have_count(0)
        assert box.seen_notices == shown


async def test_an_absence_without_notices_is_told_too(browser: Browser) -> None:
    """Nothing went wrong: how much was delivered, and that is all."""
    box = ShownBox()
    async with serving(box) as address, open_context(browser, DESK, "zh") as context:
        page = await open_page(context, address, "zh")
        box.show(away=told(0))
        await expect(page.locator("#away")).to_contain_text("恢复后上传 127 条记录")
        await page.locator("#away button").click()
        await page.locator("#side button.main").click()
        await expect(page.locator("#away")).to_be_hidden()
