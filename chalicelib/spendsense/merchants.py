"""One name for a merchant, however its terminals spell it."""

import re
import unicodedata

MAX_LENGTH = 200

_STORE = re.compile(
    r"""\s* (?:
        [#*] \s* [\w-]* \d [\w-]*               # "#1234", "*2T4RT6"
      | \b (?:store|shop|unit|no|nr|loc|ste) [.:]? \s* \#? \d+   # "store 12"
      | \b [a-z]? \d{3,} [\d-]*                 # a bare number of three digits or more
    ) (?= \s | $ )""",
    re.VERBOSE,
)
_NOISE = re.compile(r"[^\w&+.' -]+")
_SPACES = re.compile(r"\s+")


def canonical(name: str) -> str:
    """The key that a merchant is grouped by: lower case, without store numbers and stray punctuation.

    "STARBUCKS #1234" and "Starbucks 00412" become "starbucks"; "7-Eleven" and "Studio 54" keep their numbers. A name
    of nothing but numbers stays as it is.
    """
    folded = _SPACES.sub(" ", unicodedata.normalize("NFKC", name).casefold()).strip()
    bare = _SPACES.sub(" ", _NOISE.sub(" ", _STORE.sub(" ", folded))).strip(" -.'&+")
    return (bare or folded)[:MAX_LENGTH]
