"""Choices: a fuzzer's bytes, used up one after the other to choose among things."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Choices:
    """Bytes that choose; when they are used up, every choice is the first one. Equal bytes choose equally."""

    def __init__(self, data: bytes) -> None:
        """Take the bytes."""
        self.data = data
        self.index = 0

    @property
    def left(self) -> int:
        """How many bytes are left."""
        return len(self.data) - self.index

    def number(self, below: int) -> int:
        """Choose a whole number from 0 to below `below`."""
        size = 1 if below <= 1 << 8 else 2 if below <= 1 << 16 else 4
        taken = self.data[self.index : self.index + size]
        self.index += size
        return int.from_bytes(taken, "little") % below

    def one(self, options: Sequence[T]) -> T:
        """Choose one of some things."""
        return options[self.number(len(options))]

    def odds(self, of: int) -> bool:
        """Say yes once in `of` times; no when the bytes are used up."""
        return self.number(of) == of - 1

    def text(self, longest: int) -> str:
        """Take some text: the bytes themselves, as UTF-8; what is none becomes a lone surrogate."""
        size = self.number(longest + 1)
        taken = self.data[self.index : self.index + size]
        self.index += size
        return taken.decode("utf-8", "surrogateescape")
