"""Pages as text: templates beside this file, one language a page. The only importer of Jinja.

A template says both languages side by side, ``{{ t("盒子", "Boxes") }}``, so that neither can be
forgotten. Everything is escaped but what a template itself marks as markup.
"""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from central.web.language import Language

TEMPLATES = Path(__file__).parent / "templates"


class Pages:
    """Renders templates; each is read and compiled at its first use."""

    def __init__(self, **shared: Any) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.globals.update(shared)

    def render(self, template: str, language: Language, **values: Any) -> str:
        """The text of ``template`` in ``language``; ``t(zh, en)`` and ``language`` are there."""
        found = self._environment.get_template(template)
        return found.render(t=language.choose, language=language, **values)
