"""Half surrogate pairs in JSON: `"\\ud83d"` is allowed by its grammar, but is no text that UTF-8 can hold."""

import re

_HALF = rb"[dD][89abAB][0-9a-fA-F]{2}"
_OTHER_HALF = rb"[dD][c-fC-F][0-9a-fA-F]{2}"
_ESCAPE = re.compile(
    rb"\\(?:u" + _HALF + rb"\\u" + _OTHER_HALF + rb"|(u(?:" + _HALF + rb"|" + _OTHER_HALF + rb"))|.)", re.DOTALL
)
"""An escape in a string; half a surrogate pair is its group."""


def mended(text: bytes) -> bytes:
    """JSON whose half surrogate pairs are replacement characters, each as long as it was."""
    return _ESCAPE.sub(lambda found: rb"\ufffd" if found[1] else found[0], text)
