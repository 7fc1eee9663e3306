"""The console in a browser: what people who look after boxes and patients see and do."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from central.fleet.states import BoxState
from central.users.roles import Role
from shared.desired import DeviceReport, LeaseReport, RefusedDesired
from shared.devices import DeviceState, PrinterCondition
from shared.ids import BoxId
from shared.joining import parse_invite
from shared.lease import LeaseStep
from shared.reasons import Reason
from tests.browser.centre import (
    LOGIN,
    PASSWORD,
    Centre,
    found_centre,
    open_centre,
    sign_in,
    totp,
)
from tests.browser.chromium import DESK, SMALL_DESK, Size, open_context
from tests.browser.screens import keep_screen

QUIET = BoxId("site1", "box1")
OUT_OF_PAPER = BoxId("site1", "box2")
AWAY = BoxId("site2", "box1")
NO_PAPER = DeviceReport("Zebra ZD421", DeviceState.FAULTY, (PrinterCondition.NO_PAPER,))

SIZES = pytest.mark.parametrize("size", [DESK, SMALL_DESK], ids=["1366", "1024"])
LANGUAGES = pytest.mark.parametrize("language", ["zh", "en"])


@asynccontextmanager
async def opened(
    browser: Browser, directory: Path, size: Size = DESK, language: str = "zh"
) -> AsyncIterator[tuple[Centre, Page]]:
    """A centre with one user of operations, and a page that has not gone there yet."""
    found_centre(directory)
    async with open_centre(directory) as centre, open_context(browser, size, language) as context:
        await centre.add_user()
        yield centre, await context.new_page()


async def add_fleet(centre: Centre) -> None:
    """Three boxes: one well, one without paper, one away with records."""
    await centre.add_box(QUIET)
    await centre.add_box(OUT_OF_PAPER, "2号窗口")
    await centre.add_box(AWAY, "急诊窗口")
    for box in (QUIET, OUT_OF_PAPER):
        await centre.send_status(box, online=True)
    await centre.send_report(QUIET)
    await centre.send_report(OUT_OF_PAPER, printer=NO_PAPER)
    await centre.send_report(AWAY, pending=7, waiting=timedelta(hours=3))
    await centre.send_status(AWAY, online=False)


@LANGUAGES
@SIZES
async def test_boxes_rank_by_what_needs_a_person(
    browser: Browser, tmp_path: Path, size: Size, language: str
) -> None:
    """Signed in by keyboard alone; the box that is away with records comes first, the well one
    last; a filter narrows to what needs somebody."""
    async with opened(browser, tmp_path, size, language) as (centre, page):
        await add_fleet(centre)
        await page.goto(f"{centre.url}/console")
        await keep_screen(page, "console-sign-in", language)
        await sign_in(page, centre)
        rows = page.locator("table.boxes tbody tr")
        await expect(rows).to_have_count(3)
        await expect(rows.nth(0)).to_contain_text("急诊窗口")
        await expect(rows.nth(1)).to_contain_text("2号窗口")
        await expect(rows.nth(2)).to_contain_text("1号窗口")
        await keep_screen(page, "console-boxes", language)
        await page.locator("select[name=state]").select_option("need")
        await page.locator("main form button").click()
        await expect(rows).to_have_count(2)
        await page.locator("input[name=text]").fill("没有这台")
        await page.locator("main form button").click()
        await expect(rows).to_have_count(0)
        await keep_screen(page, "console-boxes-none", language)


async def test_a_row_changes_while_one_looks(browser: Browser, tmp_path: Path) -> None:
    """A box that comes, and one that runs out of paper, show without a click; a link that has
    the focus keeps it."""
    async with opened(browser, tmp_path) as (centre, page):
        await centre.add_box(QUIET)
        await sign_in(page, centre)
        row = page.locator("#b-site1--box1")
        await expect(row).to_contain_text("从未上线")
        await row.locator("a").focus()
        await centre.send_status(QUIET, online=True)
        await centre.send_report(QUIET)
        await expect(row).to_contain_text("打印机正常")
        await centre.send_report(QUIET, printer=NO_PAPER)
        await expect(row).to_contain_text("打印机缺纸")
        await expect(row.locator("a")).to_be_focused()


@LANGUAGES
@SIZES
async def test_scans_stream_masked(
    browser: Browser, tmp_path: Path, size: Size, language: str
) -> None:
    """New scans come on top by themselves: shape and word, and no name in clear."""
    async with opened(browser, tmp_path, size, language) as (centre, page):
        await centre.add_box(QUIET)
        card = await centre.enrol()
        await sign_in(page, centre)
        await page.goto(f"{centre.url}/console/scans")
        await keep_screen(page, "console-scans-none", language)
        rows = page.locator("table.scans tbody tr")
        await centre.scan(QUIET, centre.central.cards.static_code(card))
        await expect(rows).to_have_count(1)
        await expect(rows.nth(0)).to_contain_text({"zh": "通过", "en": "Accepted"}[language])
        await centre.scan(QUIET, "F" * 64 + ":1")
        await expect(rows).to_have_count(2)
        await expect(rows.nth(0)).to_contain_text({"zh": "不通过", "en": "Refused"}[language])
        await expect(rows.nth(1)).to_contain_text("电***卡")
        await keep_screen(page, "console-scans", language)


@LANGUAGES
@SIZES
async def test_one_box_shows_its_account(
    browser: Browser, tmp_path: Path, size: Size, language: str
) -> None:
    """Account, devices, configuration refused with its reason, certificate."""
    async with opened(browser, tmp_path, size, language) as (centre, page):
        await centre.add_box(QUIET)
        await centre.send_status(QUIET, online=True)
        refused = RefusedDesired(3, Reason.SETTING_IMPOSSIBLE, "printer")
        lowered = LeaseReport(LeaseStep.VERIFY_ONLY, Reason.LEASE_LISTS_MISSING, 86_400, 1, None)
        await centre.send_report(QUIET, printer=NO_PAPER, refused=refused, lease=lowered, lost=3)
        await sign_in(page, centre)
        await page.get_by_role("link", name="1号窗口").click()
        await expect(page.locator(".equation")).to_contain_text("0 = ")
        await expect(page.locator("main")).to_contain_text("Zebra ZD421")
        for words in (Reason.SETTING_IMPOSSIBLE.words, Reason.LEASE_LISTS_MISSING.words):
            await expect(page.locator("main")).to_contain_text(
                {"zh": words.zh, "en": words.en}[language]
            )
        lost = {"zh": "3 条随损坏的文件丢失", "en": "3 rows, with a damaged file"}[language]
        await expect(page.locator("main")).to_contain_text(lost)
        await keep_screen(page, "console-box", language)


@LANGUAGES
async def test_central_says_that_it_hears_no_box(
    browser: Browser, tmp_path: Path, language: str
) -> None:
    """Without its line to the broker what is shown is from before, and says so until it is back."""
    async with opened(browser, tmp_path, SMALL_DESK, language) as (centre, page):
        await add_fleet(centre)
        await sign_in(page, centre)
        notice = page.locator("#live .notice.bad")
        await expect(notice).to_have_count(0)
        centre.connected.clear()
        await expect(notice).to_contain_text("onecode-broker")
        await keep_screen(page, "console-no-broker", language)
        centre.connected.append(True)
        await expect(notice).to_have_count(0)


@LANGUAGES
async def test_a_wrong_password_and_a_lock_are_said_in_words(
    browser: Browser, tmp_path: Path, language: str
) -> None:
    """The form says what was wrong, keeps the name, and in the end for how long to wait."""
    async with opened(browser, tmp_path, SMALL_DESK, language) as (centre, page):
        await page.goto(f"{centre.url}/console")
        wrong, locked = Reason.SIGN_IN_WRONG.words, Reason.SIGN_IN_LOCKED.words
        notice = page.locator(".notice.bad[role=alert]:visible")
        await page.locator("input[name=name]").fill(LOGIN)
        await page.locator("input[name=password]").fill("not this one")
        await page.keyboard.press("Enter")
        await expect(notice).to_contain_text({"zh": wrong.zh, "en": wrong.en}[language])
        await expect(page.locator("input[name=name]")).to_have_value(LOGIN)
        await keep_screen(page, "console-sign-in-wrong", language)
        text = {"zh": locked.zh, "en": locked.en}[language]
        for _ in range(12):
            await page.locator("input[name=password]").fill("nor this")
            async with page.expect_navigation():
                await page.keyboard.press("Enter")
            if text in await page.locator("main").inner_text():
                break
        await expect(notice).to_contain_text(text)
        await keep_screen(page, "console-sign-in-locked", language)


@LANGUAGES
async def test_an_administrator_needs_a_second_factor(
    browser: Browser, tmp_path: Path, language: str
) -> None:
    """First it is set up, and nothing else is to be had; then it is asked for at each sign-in."""
    async with opened(browser, tmp_path, SMALL_DESK, language) as (centre, page):
        await centre.add_user(Role.SYSTEM_ADMIN, "root")
        await sign_in(page, centre, "root", "/console/account")
        await keep_screen(page, "console-account-owed", language)
        await page.locator("#factor button").click()
        secret = await page.locator("#factor code").inner_text()
        await keep_screen(page, "console-factor", language)
        await page.locator("#factor input[name=code]").fill("000000")
        await page.locator("#factor button").click()
        await expect(page.locator("#factor-said")).not_to_be_empty()
        await page.locator("#factor input[name=code]").fill(totp(secret))
        await page.locator("#factor button").click()
        await expect(page.locator("#factor li").nth(1)).to_be_visible()
        await page.goto(f"{centre.url}/console")
        await page.wait_for_url("**/console/boxes")
        await page.locator("header button").click()
        await page.wait_for_url("**/console/sign-in")
        await page.locator("input[name=name]").fill("root")
        await page.locator("input[name=password]").fill(PASSWORD)
        await page.keyboard.press("Enter")
        await expect(page.locator("input[name=code]")).to_be_visible()
        await keep_screen(page, "console-sign-in-code", language)
        await page.locator("input[name=password]").fill(PASSWORD)
        await page.locator("input[name=code]").fill(totp(secret, 1))
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/console/boxes")


@LANGUAGES
async def test_a_restart_is_said_and_got_over(
    browser: Browser, tmp_path: Path, language: str
) -> None:
    """While central is away the page says since when it does not know; afterwards it is live
    again, signed in still."""
    found_centre(tmp_path)
    async with open_context(browser, SMALL_DESK, language) as context:
        page = await context.new_page()
        await page.clock.install()
        async with open_centre(tmp_path) as centre:
            port = int(centre.url.rpartition(":")[2])
            await centre.add_user()
            await centre.add_box(QUIET)
            await sign_in(page, centre)
            await expect(page.locator("#stale")).to_be_hidden()
        await page.clock.fast_forward(10_000)
        await expect(page.locator("#stale")).to_be_visible()
        await keep_screen(page, "console-stale", language)
        async with open_centre(tmp_path, port) as centre:
            await centre.send_status(QUIET, online=True)
            await page.clock.fast_forward(3_000)
            await expect(page.locator("#stale")).to_be_hidden()
            await expect(page.locator("table.boxes")).to_contain_text(
                {"zh": "在线", "en": "Online"}[language]
            )


async def test_languages_are_switched_and_kept(browser: Browser, tmp_path: Path) -> None:
    """One click, on any page, and the next page speaks it too."""
    async with opened(browser, tmp_path) as (centre, page):
        await sign_in(page, centre)
        await page.get_by_role("link", name="English").click()
        await expect(page.locator("h1")).to_have_text("Boxes")
        await page.get_by_role("link", name="Scans").click()
        await expect(page.locator("h1")).to_have_text("Scans, newest first")
        await page.get_by_role("link", name="中文").click()
        await expect(page.locator("h1")).to_have_text("扫码，最新在前")


@LANGUAGES
async def test_what_is_not_there_and_what_is_not_allowed(
    browser: Browser, tmp_path: Path, language: str
) -> None:
    """A page says what is wrong and what to do; a role sees no link to what it may not."""
    async with opened(browser, tmp_path, SMALL_DESK, language) as (centre, page):
        await centre.add_user(Role.CLERK, "clerk", "site1")
        await sign_in(page, centre, "clerk", "/console/scans")
        await expect(page.locator("header nav a")).to_have_count(3)
        answer = await page.goto(f"{centre.url}/console/boxes")
        assert answer is not None
        assert answer.status == 403
        await keep_screen(page, "console-forbidden", language)
        answer = await page.goto(f"{centre.url}/console/nowhere")
        assert answer is not None
        assert answer.status == 404
        await keep_screen(page, "console-not-found", language)


@LANGUAGES
async def test_a_box_is_invited(browser: Browser, tmp_path: Path, language: str) -> None:
    """An invite as a symbol and as text that a box reads."""
    async with opened(browser, tmp_path, SMALL_DESK, language) as (centre, page):
        await centre.add_box(QUIET)
        await sign_in(page, centre)
        await page.goto(f"{centre.url}/console/invite")
        await keep_screen(page, "console-invite", language)
        await page.locator("input[name=site]").fill("site1")
        await page.locator("input[name=counter]").fill("3号窗口")
        await page.locator("main form button").click()
        await expect(page.locator("#said")).to_contain_text("site1/box2")
        text = await page.locator("#said p code").inner_text()
        assert parse_invite(text.rpartition(" ")[2]).counter == "3号窗口"
        await keep_screen(page, "console-invited", language)


@LANGUAGES
async def test_a_box_is_revoked_by_the_systems_administrator_alone(
    browser: Browser, tmp_path: Path, language: str
) -> None:
    """Operations have no such button; the administrator gives a reason, and the box is out."""
    async with opened(browser, tmp_path, SMALL_DESK, language) as (centre, page):
        await centre.add_box(QUIET)
        await sign_in(page, centre)
        address = f"{centre.url}/console/boxes/{QUIET}"
        await page.goto(address)
        await expect(page.locator("button.danger")).to_have_count(0)
        administrator = await centre.add_user(Role.SYSTEM_ADMIN, "root")
        enrolment = await centre.desk.begin_second_factor(administrator)
        code = totp(enrolment.secret)
        signed_in, _ = await centre.desk.confirm_second_factor(administrator, code)
        await page.context.add_cookies(
            [{"name": "onecode", "value": signed_in.secret, "url": centre.url}]
        )
        await page.goto(address)
        await page.locator("details").last.locator("summary").click()
        await page.locator("select[name=why]").select_option("stolen")
        await keep_screen(page, "console-revoke", language)
        await page.locator("button.danger").click()
        await expect(page.locator("#said .good")).to_be_visible()
        await page.reload()
        await expect(page.locator("main")).to_contain_text(
            {"zh": "已吊销", "en": "Revoked"}[language]
        )
        assert centre.central.fleet.box(QUIET).state is BoxState.REVOKED
