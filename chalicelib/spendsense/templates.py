"""Sentences with a person's own numbers: text with {signal} in it, written by the signal's kind."""

import re
from dataclasses import dataclass

from chalicelib.spendsense.signals import SIGNALS

_PLACE = re.compile(r"{(\w+)}")


@dataclass(frozen=True)
class Template:
    """`pieces` alternate: text, signal, text, ..., text."""

    pieces: tuple[str, ...]

    @property
    def signals(self) -> tuple[str, ...]:
        """The signals that it cites, each once, in order."""
        return tuple(dict.fromkeys(self.pieces[1::2]))

    @property
    def text(self) -> str:
        """The template as it is declared, signals in braces."""
        return "".join(f"{{{piece}}}" if number % 2 else piece for number, piece in enumerate(self.pieces))

    @property
    def texts(self) -> tuple[str, ...]:
        """The text between the signals."""
        return self.pieces[::2]


def parse_template(text: str) -> Template:
    """The template that `text` is; ValueError if it cites none of the person's numbers, or an unknown signal."""
    pieces = tuple(_PLACE.split(text))
    template = Template(pieces)
    unknown = [name for name in template.signals if name not in SIGNALS]
    if unknown:
        raise ValueError(f"{unknown[0]!r} is not a signal")
    if all(SIGNALS[name].kind == "text" for name in template.signals):
        raise ValueError("cites no number")
    if any("{" in piece or "}" in piece for piece in template.texts):
        raise ValueError("has a stray brace")
    return template
