"""What the counter page tells at a glance: sounds, refusals, language and looks.

The box's answers are made up (``ShownBox``); all that brings them to the page is real.
"""

import pytest
from msgspec.structs import replace
from playwright.async_api import Browser, Page, expect

from agent.counter.states import ScanState
from shared.messages import Verdict
from shared.reasons import Reason
from tests.browser import test_counter_screens as screens
from tests.browser.chromium import SMALL_DESK, open_context
from tests.browser.screens import keep_screen
from tests.browser.shown_box import (
    OTHER_PERSON,
    PERSON,
    ShownBox,
    face,
    open_page,
    scan,
    serving,
)

SPY = """
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (when) {
  document.documentElement.dataset.heard ??= "";
  document.documentElement.dataset.heard += `${this.type} ${this.frequency.value},`;
  return start.call(this, when);
};
"""


async def heard(page: Page) -> str:
    """The tones since the last question."""
    tones: str = await page.evaluate(
        """() => {
          const { heard = "" } = document.documentElement.dataset;
          delete document.documentElement.dataset.heard;
          return heard;
        }"""
    )
    return tones


async def wait_heard(page: Page) -> str:
    await page.wait_for_selector("html[data-heard]")
    return await heard(page)


async def test_verdicts_differ_by_sound(browser: Browser) -> None:
    """Three tones, none like another; silent until a key allows it, which the page says; F7."""
    box = ShownBox()
    async with serving(box) as address, open_context(browser) as context:
        await context.add_init_script(SPY)
        page = await open_page(context, address)
        sound = page.locator("[data-cell='sound']")
        await expect(sound).to_have_attribute("data-level", "busy")
        await page.keyboard.press("Shift")
        await expect(sound).to_have_attribute("data-level", "good")
        tones = []
        for verdict in (Verdict.ACCEPTED, Verdict.PROVISIONAL, Verdict.REFUSED):
            box.show_scan(scan(verdict, Reason.CODE_USED, PERSON))
            tones.append(await wait_heard(page))
        assert len(set(tones)) == 3
        await page.keyboard.press("Enter")
        await page.keyboard.press("F7")
        await expect(sound).to_have_attribute("data-level", "bad")
        box.show_scan(scan(Verdict.ACCEPTED, None, OTHER_PERSON))
        await expect(page.locator("#person .name")).to_have_text(OTHER_PERSON.name)
        assert await heard(page) == ""


async def test_a_refusal_sounds_and_stays_until_acknowledged(browser: Browser) -> None:
    """A newer scan covers it only in part; Enter, Space and a click acknowledge, oldest first."""
    box = ShownBox()
    async with serving(box) as address, open_context(browser) as context:
        await context.add_init_script(SPY)
        page = await open_page(context, address)
        await page.keyboard.press("Shift")
        first, second, third = (
            scan(Verdict.REFUSED, Reason.CODE_EXPIRED),
            scan(Verdict.REFUSED, Reason.CODE_USED),
            scan(Verdict.REFUSED, Reason.CODE_FORGED),
        )
        for refusal in (first, second, third):
            box.show_scan(refusal)
        box.show_scan(scan(Verdict.ACCEPTED, None, PERSON))
        await face(page, "accepted")
        await expect(page.locator("#refusal")).to_contain_text("二维码已过期")
        await page.keyboard.press("Enter")
        await expect(page.locator("#refusal")).to_contain_text("已经用过")
        await page.keyboard.press("Space")
        await expect(page.locator("#refusal")).to_contain_text("伪造")
        await page.locator("#refusal button").click()
        await expect(page.locator("#refusal")).to_be_hidden()
        assert box.acknowledged == [first.id, second.id, third.id]


async def test_a_refusal_keeps_sounding(browser: Browser) -> None:
    """Every few seconds, until somebody has acknowledged it."""
    box = ShownBox()
    async with serving(box) as address, open_context(browser) as context:
        await context.add_init_script(SPY)
        page = await open_page(context, address)
        await page.keyboard.press("Shift")
        box.show_scan(scan(Verdict.REFUSED, Reason.CODE_EXPIRED))
        once = await wait_heard(page)
        assert await wait_heard(page) == once
        await page.keyboard.press("Enter")
        await expect(page.locator(".acknowledge")).to_be_hidden()
        await expect(page.locator("#verdict .notes")).to_contain_text("已确认")


async def test_a_refusal_is_acknowledged_while_typing(browser: Browser) -> None:
    """In a form Enter belongs to the form; F3 works everywhere, and the page says so."""
    box = ShownBox()
    async with serving(box) as address, open_context(browser) as context:
        page = await open_page(context, address)
        await page.keyboard.press("F2")
        await page.keyboard.type("1101", delay=30)
        box.show_scan(scan(Verdict.REFUSED, Reason.CODE_EXPIRED))
        await expect(page.locator(".acknowledge kbd")).to_have_text("F3")
        await page.keyboard.press("Enter")
        await page.keyboard.press("F3")
        await expect(page.locator(".acknowledge")).to_be_hidden()
        await expect(page.locator("#number")).to_have_value("1101")
        assert len(box.acknowledged) == 1


async def test_a_late_refusal_replaces_what_the_box_had_said(browser: Browser) -> None:
    """Central's answer to a PROVISIONAL is shown and heard when it comes."""
    box = ShownBox()
    async with serving(box) as address, open_context(browser) as context:
        await context.add_init_script(SPY)
        page = await open_page(context, address)
        await page.keyboard.press("Shift")
        view = scan(Verdict.PROVISIONAL, Reason.OFFLINE_KNOWN, PERSON)
        box.show_scan(view)
        provisional = await wait_heard(page)
        late = scan(Verdict.REFUSED, Reason.CARD_SUSPENDED, PERSON, id=view.id, at=view.at)
        box.show(main=late, recent=(late,), unacknowledged=(late,))
        box.scans.tell(late)
        await face(page, "refused")
        assert await wait_heard(page) != provisional
        await expect(page.locator(".recent li")).to_have_count(1)


async def test_an_earlier_scan_that_ends_late_never_takes_the_place(browser: Browser) -> None:
    """The main place belongs to the latest scan."""
    box = ShownBox()
    async with serving(box) as address, open_context(browser) as context:
        page = await open_page(context, address)
        earlier = scan(Verdict.REFUSED, Reason.CODE_USED, None, 3)
        box.show_scan(scan(Verdict.ACCEPTED, None, PERSON))
        await face(page, "accepted")
        recent, waiting = (earlier, *box.shown.recent), (earlier,)
        box.shown = replace(box.shown, recent=recent, unacknowledged=waiting)
        box.scans.tell(earlier)
        await expect(page.locator(".recent li").first).to_have_attribute("data-face", "refused")
        await face(page, "accepted")


async def test_the_language_is_switched_and_remembered(browser: Browser) -> None:
    """F8 at any time; the document says its language; the choice survives a reload."""
    box = ShownBox()
    box.show_scan(scan(Verdict.REFUSED, Reason.CODE_EXPIRED))
    async with serving(box) as address, open_context(browser) as context:
        page = await open_page(context, address)
        await expect(page.locator("#verdict .why")).to_have_text("二维码已过期")
        await page.keyboard.press("F8")
        await expect(page.locator("#verdict .why")).to_have_text("The code has expired")
        await expect(page.locator("html")).to_have_attribute("lang", "en")
        await page.reload()
        await expect(page.locator("#verdict .why")).to_have_text("The code has expired")


async def test_sizes_read_at_two_metres(browser: Browser) -> None:
    """The verdict's word is at least 72 px, the record number 40, at the smaller size too."""

    box = ShownBox()
    async with serving(box) as address, open_context(browser, SMALL_DESK, "en") as context:
        page = await open_page(context, address, "en")
        box.show_scan(scan(Verdict.REFUSED, Reason.CODE_FUTURE, None, 9))
        box.show_scan(scan(Verdict.PROVISIONAL, Reason.OFFLINE_SIGNED, PERSON, same_name=True))
        await expect(page.locator("#refusal")).to_be_visible()
        for selector, least in (("#verdict h1", 72), ("#person .digits", 40)):
            size: float = await page.locator(selector).evaluate(
                "(element) => parseFloat(getComputedStyle(element).fontSize)"
            )
            assert size >= least


@pytest.mark.parametrize("name", ["accepted", "crowded", "issue_findings"])
async def test_the_page_is_dark_where_that_is_preferred(browser: Browser, name: str) -> None:
    """The same checks hold, contrast among them."""

    box = ShownBox()
    async with serving(box) as address, open_context(browser) as context:
        page = await open_page(context, address)
        await page.emulate_media(color_scheme="dark")
        await getattr(screens, name)(box, page)
        await keep_screen(page, f"counter-dark-{name.replace('_', '-')}", "zh")


async def test_what_was_scanned_is_never_read_as_markup(browser: Browser) -> None:
    """A name with tags in it is text."""

    box = ShownBox()
    async with serving(box) as address, open_context(browser) as context:
        page = await open_page(context, address)
        person = replace(PERSON, name="<img src=x onerror=alert(1)>")
        box.show_scan(scan(Verdict.ACCEPTED, None, person))
        await expect(page.locator("#person .name")).to_have_text(person.name)
        assert await page.locator("#person img").count() == 0


async def test_a_scan_without_a_record_is_loud(browser: Browser) -> None:
    """A full disk: it says "not saved", sounds as a refusal, and waits for a person."""
    box = ShownBox()
    async with serving(box) as address, open_context(browser) as context:
        await context.add_init_script(SPY)
        page = await open_page(context, address)
        await page.keyboard.press("Shift")
        box.show_scan(scan(Verdict.REFUSED, Reason.CODE_USED))
        refused = await wait_heard(page)
        await page.keyboard.press("Enter")
        box.show_scan(scan(None, Reason.STORE_UNAVAILABLE, None, state=ScanState.UNSAVED))
        assert await wait_heard(page) == refused
        await face(page, "unsaved")
        await expect(page.locator(".acknowledge")).to_be_visible()
