"""Pairing and cards in Chromium: a clerk pairs a PC at the counter page, the PC opens the page
over the network, and a card laid on the reader fills the form.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from agent.api.server import LocalAccess, serve_api
from agent.config import BoxFiles, LanConfig
from agent.counter.documents import Documents
from agent.drivers.document_reader import SamDocumentReader
from agent.drivers.document_reader_simulated import SimulatedSamModule
from agent.drivers.sam_v import CardText
from agent.handover.door import Door
from agent.ports import DeviceDescriptor
from shared.clock import SystemClock
from tests.agent.api.one_box import TOKEN
from tests.agent.drivers.pseudoterminal import Pseudoterminal
from tests.browser.chromium import DESK, SMALL_DESK, Size, open_context
from tests.browser.screens import keep_screen
from tests.browser.shown_box import ShownBox, open_page, serving

CARD = CardText("电子健康卡", "0", "11010020171225006X")


class PairedBox(ShownBox):
    """Tells its pages how many are paired, as the box does."""

    def __init__(self) -> None:
        super().__init__()
        self.door: Door | None = None

    def tell_changed(self) -> None:
        assert self.door is not None
        self.show(workstations=len(self.door.list_workstations()))


@asynccontextmanager
async def at_the_counter(directory: Path) -> AsyncIterator[tuple[PairedBox, str]]:
    """A box with its door, and the address of its page on loopback."""
    box = PairedBox()
    box.door = door = Door(LanConfig(port=0), BoxFiles(directory), SystemClock())
    async with (
        asyncio.TaskGroup() as group,
        serve_api(box, SystemClock(), LocalAccess(TOKEN), pairing=door) as port,
    ):
        running = group.create_task(door.run(box))
        yield box, f"http://127.0.0.1:{port}"
        running.cancel()


async def pair_in_browser(page: Page, address: str, code: str) -> None:
    await page.goto(f"{address}/pair")
    await page.locator("#code").fill(code)
    await page.locator("#name").fill("收费 2 号")
    await page.locator("#name").press("Enter")


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_a_pc_is_paired_and_shows_the_counter(
    browser: Browser, tmp_path: Path, language: str
) -> None:
    """F9, the code typed at the PC, its page live over TLS; removed, it is cut."""
    async with at_the_counter(tmp_path) as (box, address):
        async with open_context(browser, DESK, language) as context:
            page = await open_page(context, address, language)
            await page.keyboard.press("F9")
            await page.locator("#side button.main").click()
            code = await page.locator(".pairing-code .digits").text_content()
            where = await page.locator(".pairing-code .address").text_content()
            assert code is not None
            assert where is not None
            await keep_screen(page, "counter-pairing", language)
            network = f"https://127.0.0.1:{where.rpartition(':')[2].removesuffix('/pair')}"
            pc_context = await browser.new_context(ignore_https_errors=True)
            pc = await pc_context.new_page()
            await pair_in_browser(pc, network, "00000000")
            await expect(pc.locator("[role='alert']")).to_be_visible()
            await pc.screenshot(path=f"build/screens/pair-wrong-{language}.png")
            await pair_in_browser(pc, network, code)
            await pc.wait_for_selector("#verdict:not([data-face='unknown'])")
            row = page.locator(".workstations li", has_text="收费 2 号")
            await expect(row).to_be_visible()
            await expect(page.locator(".pairing-code .digits")).to_have_count(0)
            await keep_screen(page, "counter-paired", language)
            await row.locator("button").click()
            await expect(row).to_have_count(0)
            await pc.wait_for_selector("#verdict[data-face='unknown']")
            await pc_context.close()
        assert box.door is not None
        assert list(box.door.list_workstations()) == []


@pytest.mark.parametrize("size", [DESK, SMALL_DESK], ids=lambda size: str(size.width))
async def test_a_card_on_the_reader_needs_no_typing(
    browser: Browser, tmp_path: Path, size: Size
) -> None:
    """Card laid → form filled → Enter → issued; and nothing of the card stays in the box."""
    line = Pseudoterminal(tmp_path / "reader")
    line.plug_in()
    module = SimulatedSamModule(line.master)
    module.open()
    box = ShownBox()
    device = DeviceDescriptor("SAM_V", str(line.path))
    reader = SamDocumentReader(device, SystemClock())
    box.documents = Documents(reader, box.operators, SystemClock())
    async with asyncio.TaskGroup() as group, serving(box) as address:
        reading = group.create_task(box.documents.run())
        async with open_context(browser, size) as context:
            page = await open_page(context, address)
            module.lay(CARD)
            await expect(page.locator("#number")).to_have_value(CARD.number)
            await expect(page.locator("#name")).to_have_value(CARD.name)
            await keep_screen(page, "counter-card", "zh")
            await page.keyboard.press("Enter")
            await expect(page.locator(".issued .outcome")).to_be_visible()
            (request,) = box.requests
            assert request.document.number == CARD.number
            assert box.documents.waiting() is None
            module.lift()
            module.pulled = True
            module.lay(CARD)
            await expect(page.locator("#side .problem")).to_be_visible()
            await keep_screen(page, "counter-card-unreadable", "zh")
        reading.cancel()
    module.close()
    line.close()
