"""From a scanner's last byte to the verdict painted in a browser, online.

The shipped agent in the box's own environment beside the real central and broker; its page in
headless Chromium. The scanner is a pseudo-terminal. Both clocks are this machine's.
"""

import asyncio
import os
import pty
import re
import subprocess
import sys
import time
import tty
from pathlib import Path

from playwright.async_api import Page

from tests.bench.site import Site, open_site, running
from tests.bench.table import Figure, median, run, shown, value_at_most
from tests.browser.chromium import open_browser, open_context

SCANS = 200
PAUSE_SECONDS = 0.15
"""Between two patients: far shorter than real ones, long enough for one to be painted."""
BOX_PYTHON = Path(".venv-box/bin/python")

_WATCH = """
window.painted = [];
new MutationObserver(() => {
  // The second frame begins when the first one, which holds the change, has been painted.
  requestAnimationFrame(() => requestAnimationFrame(() => window.painted.push([
    document.getElementById("verdict").dataset.face,
    performance.timeOrigin + performance.now()])));
}).observe(document.getElementById("verdict"), { childList: true });
"""
_FIRST_ACCEPTED = """
(since) => window.painted.find(([face, at]) => face === "accepted" && at > since)?.[1]
"""


def measure() -> list[Figure]:
    """All figures of one run."""
    with open_site(1, SCANS) as site:
        master, slave = pty.openpty()
        tty.setraw(slave)
        _configure(site, os.ttyname(slave))
        command = [BOX_PYTHON, "-m", "agent", "--dir", site.boxes[0].directory]
        with running([*command, "run"], site.directory / "box.log", "local API on"):
            told = subprocess.run(
                [str(word) for word in (*command, "page")],
                check=True,
                capture_output=True,
                text=True,
            )
            taken = asyncio.run(_scan_all(site, master, told.stdout.split()[-1]))
        os.close(master)
        os.close(slave)
    ninety_fifth = sorted(taken)[int(len(taken) * 0.95)]
    return [
        shown("scan → verdict painted, p50", median(taken), "ms"),
        value_at_most("scan → verdict painted, p95", ninety_fifth, "ms", 100),
    ]


async def _scan_all(site: Site, scanner: int, link: str) -> list[float]:
    async with open_browser() as browser, open_context(browser) as context:
        page = await context.new_page()
        await page.goto(link)
        await page.wait_for_selector("#verdict[data-face]:not([data-face='unknown'])")
        await page.evaluate(_WATCH)
        return [await _scan(page, scanner, code) for code in site.codes]


async def _scan(page: Page, scanner: int, code: str) -> float:
    await asyncio.sleep(PAUSE_SECONDS)
    begun = time.time() * 1000
    os.write(scanner, code.encode() + b"\r")
    handle = await page.wait_for_function(_FIRST_ACCEPTED, arg=begun, polling=10)
    return float(await handle.json_value()) - begun


def _configure(site: Site, scanner: str) -> None:
    """Give the box a scanner, a free port and no again-window."""
    file = site.boxes[0].config
    text = re.sub(r"(?ms)^\[scanner\].*?(?=^\[|\Z)", "", file.read_text())
    text = re.sub(r"(?m)^api_port.*", f"api_port = {site.api_port}\nagain_seconds = 0", text)
    file.write_text(text + f'\n[scanner]\nkind = "serial"\npath = "{scanner}"\n')


if __name__ == "__main__":
    sys.exit(run(measure, __doc__))
