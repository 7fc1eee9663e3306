"""A state of a page, held against what must be true of every one, and kept as a picture.

Nothing cut off, no glyph missing, nothing in the other language, Chinese in a real CJK font,
nothing serious by axe. The picture goes to ``build/screens``.
"""

from pathlib import Path
from typing import Any

from playwright.async_api import CDPSession, Error, Page

_ROOT = Path(__file__).resolve().parent.parent.parent
SCREENS = _ROOT / "build/screens"
_AXE = _ROOT / "node_modules/axe-core/axe.min.js"
_FINDINGS = Path(__file__).with_name("findings.js").read_text(encoding="utf-8")
_GRAVE = {"serious", "critical"}
_CHINESE_FONTS = ("Noto Sans CJK", "Noto Serif CJK")
_MARK = "data-holds-chinese"
_MARK_CHINESE = rf"""
for (const element of document.body.querySelectorAll("*"))
  for (const node of element.childNodes)
    if (node.nodeType === Node.TEXT_NODE && /\p{{Script=Han}}/u.test(node.data))
      element.toggleAttribute("{_MARK}", true)
"""
_UNMARK_CHINESE = f"""
document.querySelectorAll("[{_MARK}]").forEach((each) => each.removeAttribute("{_MARK}"))
"""


async def keep_screen(page: Page, name: str, language: str) -> Path:
    """Check the page as it stands and keep its picture; fails on the first list of findings.

    ``name`` is ``<page>-<state>``; language and width are added.
    """
    await page.evaluate("document.fonts.ready.then(() => true)")
    width = (page.viewport_size or {"width": 0})["width"]
    SCREENS.mkdir(parents=True, exist_ok=True)
    path = SCREENS / f"{name}-{language}-{width}.png"
    await page.screenshot(path=path, animations="disabled")
    findings: list[str] = await page.evaluate(_FINDINGS, language)
    findings += await _list_wrong_fonts(page)
    findings += await _list_grave(page)
    assert not findings, f"{path.name}: " + "; ".join(findings)
    return path


async def _list_grave(page: Page) -> list[str]:
    """What axe finds serious or critical (WCAG 2.2 A and AA, best practice)."""
    # Evaluated, not added as a script: the page's policy forbids foreign scripts.
    await page.evaluate(_AXE.read_text(encoding="utf-8"))
    result: dict[str, Any] = await page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"axe {found['id']}: {found['nodes'][0]['html'][:120]} ({len(found['nodes'])})"
        for found in result["violations"]
        if found["impact"] in _GRAVE
    ]


async def _list_wrong_fonts(page: Page) -> list[str]:
    """Chinese text that no CJK font draws."""
    session = await page.context.new_cdp_session(page)
    try:
        await session.send("DOM.enable")
        await session.send("CSS.enable")
        await page.evaluate(_MARK_CHINESE)
        root = (await session.send("DOM.getDocument", {"depth": 0}))["root"]["nodeId"]
        marked = {"nodeId": root, "selector": f"[{_MARK}]"}
        nodes = (await session.send("DOM.querySelectorAll", marked))["nodeIds"]
        used = [await _read_fonts(session, id) for id in nodes]
    finally:
        await page.evaluate(_UNMARK_CHINESE)
        await session.detach()
    return [
        f"Chinese is drawn by {', '.join(families)}"
        for families in used
        if families and not any(family.startswith(_CHINESE_FONTS) for family in families)
    ]


async def _read_fonts(session: CDPSession, node: int) -> list[str]:
    """The families that draw a node; none when a live page has replaced it meanwhile."""
    try:
        answer = await session.send("CSS.getPlatformFontsForNode", {"nodeId": node})
    except Error:
        return []
    return [font["familyName"] for font in answer["fonts"]]
