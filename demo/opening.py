"""What is prepared for the page once the story is told: people at central, a phone, the server."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from demo.answers import Happened, require
from demo.controls import Controls
from demo.http_calls import call
from demo.office import Badge, Office
from demo.page_server import PageServer
from demo.phone import Phone
from demo.residents import MOTHER
from demo.stage import Stage
from demo.story import Block, step
from demo.table import Said


class Opening:
    """Steps like the story's; what they open ends with ``stack``."""

    def __init__(self, stage: Stage, slip: Path, stack: ExitStack) -> None:
        self._stage = stage
        self._slip = slip
        self._stack = stack
        self._office = Office(stage)
        self._badge = Badge("", "", "")
        self._phone = Phone("")
        self._server: PageServer | None = None
        self.account = ""

    @property
    def server(self) -> PageServer:
        """The page, once every step held."""
        assert self._server is not None
        return self._server

    def blocks(self) -> Sequence[Block]:
        """The steps, in order."""
        steps = (
            step("中心的管理员、运维员、收费员", "Central's people", self._open_office),
            step(f"{MOTHER.name} 的手机打开链接", "A phone opens its link", self._open_phone),
            step("演示页面", "The demonstration's page", self._open_page),
        )
        return (Block(Said("七 页面", "The page"), steps),)

    def _open_office(self) -> Happened:
        self._badge = self._office.open()
        return Happened(
            Said("口令随机生成；收费员有工牌和 PIN", "drawn passwords; a badge and a PIN")
        )

    def _open_phone(self) -> Happened:
        self._phone = Phone(self._stage.link_phone(MOTHER))
        self._phone.open()
        return Happened(Said("一次性链接已绑定这部手机", "the one-time link is this phone's now"))

    def _open_page(self) -> Happened:
        controls = Controls(self._stage, self._phone, self._badge)
        server = PageServer(self._stage, self._office, self._phone, controls, self._slip)
        self._server = self._stack.enter_context(server)
        answer = call("GET", f"{self._stage.page_origin}/")
        require(answer.status == 200, f"the page answers {answer.status}")
        return Happened(Said("柜台、中心、手机并排", "counter, central and phone side by side"))
