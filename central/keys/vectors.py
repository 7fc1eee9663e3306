"""Vectors of the national formula: one JSON line to one JSON line, root key included. Pure."""

from collections.abc import Iterable

import msgspec

from shared.ehc import RootKey
from shared.errors import Malformed, OneCodeError
from shared.reasons import Reason


class Vector(msgspec.Struct, frozen=True):
    """What a line brings; ``root_key`` is 32 hex characters. Other members are ignored."""

    id_type: str
    id_number: str
    name: str
    root_key: str


class Answer(msgspec.Struct, frozen=True):
    """The quantities of a line, upper-case hex."""

    mindex_id: str
    factor: str
    ehc_id: str


class Refusal(msgspec.Struct, frozen=True):
    """Why a line has no answer; ``line`` counts from 1."""

    line: int
    error: Reason
    message: str


class VectorReader:
    """Answers lines and counts them. Not to be shared between threads."""

    def __init__(self) -> None:
        self._decode = msgspec.json.Decoder(Vector).decode
        self._encoder = msgspec.json.Encoder()
        self._line = 0
        self._root = ("", RootKey(bytes(16)))  # the last one: files have few root keys

    def answer(self, lines: Iterable[bytes]) -> tuple[bytes, bool]:
        """A line for each line that is not blank, and whether none was refused."""
        answers: list[Answer | Refusal] = []
        good = True
        for line in lines:
            self._line += 1
            if not line.strip():
                continue
            try:
                answers.append(self._derive(line))
            except OneCodeError as error:
                good = False
                message = f"{error.reason.words.zh} / {error.reason.words.en}"
                answers.append(Refusal(self._line, error.reason, message))
        return self._encoder.encode_lines(answers), good

    def _derive(self, line: bytes) -> Answer:
        try:
            vector = self._decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Malformed(Reason.REQUEST_MALFORMED) from error
        found = self._root_key(vector.root_key).derive(
            vector.id_type, vector.id_number, vector.name
        )
        return Answer(found.mindex_id, found.factor, found.ehc_id)

    def _root_key(self, text: str) -> RootKey:
        if text != self._root[0]:
            try:
                self._root = (text, RootKey(bytes.fromhex(text)))
            except ValueError as error:
                raise Malformed(Reason.REQUEST_MALFORMED, "root_key") from error
        return self._root[1]
