"""Cases at the console: ranked on the first page, decided by a person, told to the boxes."""

from datetime import timedelta
from pathlib import Path

from playwright.async_api import Browser, Page, expect

from central.cases.case import Evidence
from central.cases.kinds import CaseKind
from central.users.roles import Role
from shared.clock import SystemClock
from shared.ids import BoxId, new_record_id
from shared.joining import parse_invite
from shared.notices import NoticeKind
from tests.browser.centre import Centre, sign_in
from tests.browser.chromium import Size
from tests.browser.screens import keep_screen
from tests.browser.test_console import LANGUAGES, SIZES, opened

HERE, THERE = BoxId("site1", "box1"), BoxId("site1", "box2")
DAY = timedelta(days=1)


async def add_cases(centre: Centre) -> None:
    """A code at two boxes, two days ago and so overdue; a late record; a fork."""
    await centre.add_box(HERE)
    await centre.add_box(THERE, "急诊窗口")
    card = await centre.enrol()
    at = SystemClock().now() - 2 * DAY
    counted = Evidence(
        at,
        "联网放行；先到中心，已计入",
        "Let through by central; reached central first and is counted",
        HERE,
        new_record_id(at),
        card.person,
        "1号窗口",
        "u7",
        "电***卡 110***********006X",
    )
    later = Evidence(
        at + timedelta(minutes=1),
        "离线放行；后到中心",
        "Let through alone; reached central later",
        THERE,
        new_record_id(at),
        card.person,
        "急诊窗口",
    )
    forked = Evidence(at, "第 1:7 行，现在收到另一个摘要", "Row 1:7 came again", HERE)

    def open_all() -> None:
        cases, now = centre.central.cases, SystemClock().now()
        cases.open(CaseKind.CODE_USED_TWICE, "code", [counted, later], at)
        cases.open(CaseKind.LATE_RECORD, "boot", [later], now)
        cases.open(CaseKind.LEDGER_FORK, "fork", [forked], now)

    await centre.writer.run(open_all)


@LANGUAGES
@SIZES
async def test_a_case_is_decided_by_a_person(
    browser: Browser, tmp_path: Path, size: Size, language: str
) -> None:
    """The overdue one is first, also on the boxes' page; evidence of both sides, choices with
    their consequences, a note; then the outcome is there and every box is told."""
    async with opened(browser, tmp_path, size, language) as (centre, page):
        await add_cases(centre)
        await sign_in(page, centre)
        due = page.locator(".due tbody tr")
        await expect(due).to_have_count(3)
        await expect(due.nth(0)).to_contain_text({"zh": "已过期", "en": "overdue"}[language])
        menu = page.locator("nav a[href='/console/cases']")
        await expect(menu).to_contain_text({"zh": "1 过期", "en": "1 overdue"}[language])
        await keep_screen(page, "console-boxes-with-cases", language)
        await due.nth(0).locator("a").click()
        await page.wait_for_url(f"{centre.url}/console/cases/1")
        await expect(page.locator("main")).to_contain_text("电***卡")
        await keep_screen(page, "console-case", language)
        await page.locator("form.line button").click()
        await expect(page.locator(".head")).to_contain_text("值班员")
        await decide(page, "first-stands")
        await expect(page.locator("dl")).to_contain_text("打过电话")
        await keep_screen(page, "console-case-decided", language)
        for box in (HERE, THERE):
            told = [each.kind for each in centre.central.notices.list_waiting(box)]
            assert NoticeKind.CASE_DECIDED in told
        await page.goto(f"{centre.url}/console/cases")
        await expect(menu).not_to_contain_text({"zh": "过期", "en": "overdue"}[language])
        await expect(page.locator("#case-1")).to_contain_text(
            {"zh": "先到的一次有效", "en": "The first stands"}[language]
        )
        await keep_screen(page, "console-cases", language)


@LANGUAGES
@SIZES
async def test_overdue_cases_are_said_with_whose_they_are(
    browser: Browser, tmp_path: Path, size: Size, language: str
) -> None:
    """Before all else on their page, what is nobody's first; and in the menu of every page."""
    async with opened(browser, tmp_path, size, language) as (centre, page):
        await add_cases(centre)
        said = [Evidence(SystemClock().now(), "离线放行", "Let through alone", THERE)]

        def assign() -> None:
            cases, long_ago = centre.central.cases, SystemClock().now() - 60 * DAY
            for subject in ("one", "two", "three"):
                cases.open(CaseKind.LATE_RECORD, subject, said, long_ago)
            cases.assign(4, "王敏", SystemClock().now(), "test")
            cases.assign(5, "王敏", SystemClock().now(), "test")

        await centre.writer.run(assign)
        await sign_in(page, centre)
        await page.goto(f"{centre.url}/console/cases")
        told = {"zh": "已过期：还没有人 2，王敏 2", "en": "Overdue: nobody's 2, 王敏 2"}[language]
        await expect(page.locator("#live .notice.bad strong")).to_have_text(told)
        await expect(page.locator("tbody tr").first).to_contain_text("王敏")
        menu = page.locator("nav a[href='/console/cases']")
        await expect(menu).to_contain_text({"zh": "4 过期", "en": "4 overdue"}[language])
        await keep_screen(page, "console-cases-overdue", language)


async def decide(page: Page, outcome: str) -> None:
    """Choose, say why, and send."""
    await page.locator(f"input[value={outcome}]").check()
    await page.locator("textarea").fill("两边都打过电话")
    await page.locator("form.stack button").click()


@LANGUAGES
async def test_a_fork_ends_with_an_invite(browser: Browser, tmp_path: Path, language: str) -> None:
    """Shown once, in the answer; whoever may not shut boxes out cannot choose that."""
    async with opened(browser, tmp_path, language=language) as (centre, page):
        await add_cases(centre)

        def quarantine() -> None:
            centre.central.fleet.mark_quarantined(HERE, "fork", SystemClock().now())

        await centre.writer.run(quarantine)
        await sign_in(page, centre)
        await page.goto(f"{centre.url}/console/cases/3")
        await expect(page.locator("input[value=shut-out]")).to_be_disabled()
        await decide(page, "rejoin")
        shown = await page.locator(".invited code").inner_text()
        assert parse_invite(shown.split()[-1]).box == str(HERE)
        await keep_screen(page, "console-case-invite", language)
        await page.reload()
        await expect(page.locator(".invited")).to_have_count(0)


async def test_cases_are_not_for_everybody(browser: Browser, tmp_path: Path) -> None:
    """A clerk has no such page; a technician sees boxes and no cases."""
    async with opened(browser, tmp_path) as (centre, page):
        await add_cases(centre)
        await centre.add_user(Role.TECHNICIAN, "technician", "site1")
        await sign_in(page, centre, "technician")
        await expect(page.locator("nav a[href='/console/cases']")).to_have_count(0)
        await expect(page.locator(".due")).to_have_count(0)
        answer = await page.goto(f"{centre.url}/console/cases")
        assert answer is not None
        assert answer.status == 403
