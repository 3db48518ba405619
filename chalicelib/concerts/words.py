"""The words of a message as the reading takes them: without accents, with slang spelled out and typos mended."""

# ruff: noqa: SIM905

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from chalicelib.concerts.languages import SMALL_NUMBERS, in_english
from chalicelib.concerts.lexicon import SPELLINGS, plain_text
from chalicelib.concerts.periods import MONTHS, SHORT, WEEKDAYS

TOKEN = re.compile(
    r"con-[0-9]{1,12}\b|w/[eo]\b|week[- ]end\b"
    r"|\d{4}-\d\d?-\d\d?|\d{1,2}/\d{1,2}(?:/\d{2,4})?(?![\d/])|\d+(?:[.,]\d+)*(?:st|nd|rd|th|k)?\b"
    r"|(?:[^\W\d_]\.){2,}|[^\W_]+(?:['’´`][^\W_]+)*|[<>]=|[&,.;:!?()$€£#%<>≤≥+]",
    re.IGNORECASE,
)
PUNCTUATION = frozenset(",.;:!?()")
MOST_TOKENS = 1200
SHORTENED = frozenset(("excl", "incl", "approx", "st", "max", "min", "feat", "vs", "ca"))
CONTRACTED = frozenset(("lets", "thats", "whats", "wheres", "whos", "hows", "its", "heres", "whens"))
SPELLED: Mapping[str, str] = dict(
    pair.split(":")
    for pair in (
        "week end:weekend|week-end:weekend|w/e:weekend|w/o:without|wkd:weekend|wkds:weekends|wend:weekend|"
        "wkday:weekday|wkdays:weekdays|mth:month|mths:months|mnth:month|mnths:months|hr:hour|tmrow:tomorrow|tmrrw:tomorrow|"
        "tomoz:tomorrow|tomo:tomorrow|tmoro:tomorrow|tomrow:tomorrow|2mrw:tomorrow|2mro:tomorrow|2day:today|tdy:today|"
        "tonyt:tonight|tnite:tonight|2nyt:tonight|2nt:tonight|tonit:tonight|nite:night|midnite:midnight|lites:lights|nites:nights|morn:morning|"
        "arvo:afternoon|aft:afternoon|eves:evenings|cu:see you|cya:see you|ttyl:talk to you later|tc:take care|"
        "gn:good night|gm:good morning|np:no problem|tysm:thanks so much|thnx:thanks|thks:thanks|tnx:thanks|tks:thanks|"
        "&:and|<:under|<=:at most|≤:at most|>:over|>=:at least|≥:at least|tmrw:tomorrow|tmr:tomorrow|"
        "tmw:tomorrow|tmro:tomorrow|2moro:tomorrow|2morrow:tomorrow|2nite:tonight|2night:tonight|"
        "tonite:tonight|undr:under|abt:about|wknd:weekend|wkend:weekend|wkends:weekends|nxt:next|b4:before|yr:year|yrs:years|"
        "wk:week|wks:weeks|hrs:hours|nye:new years eve|ppl:people|rev:revenue|avg:average|gonna:going to|"
        "gunna:going to|wanna:want to|gimme:give me|lemme:let me|whats:what s|wheres:where s|whos:who s|"
        "hows:how s|whens:when s|thats:that s|heres:here s|tix:tickets|tickts:tickets|tkts:tickets|"
        "pls:please|plz:please|thx:thanks|thanx:thanks|ty:thanks|gr8:great|somethin:something|sth:something|smth:something|"
        "nothin:nothing|anythin:anything|happenin:happening|goin:going|playin:playing|dunno:dont know|"
        "cuz:because|bday:birthday|vs:versus|excl:excluding|incl:including|w:with|n:and|r:are|u:you|ur:your|cud:could|wud:would|"
        "luv:love|freebie:free show|freebies:free shows|hiphop:hip hop|til:until|fortnight:2 weeks|thru:through|"
        "ytd:this year so far|howd:how did|indy:indie|raps:hip hop|rapping:hip hop|rapper:hip hop artist|"
        "rappers:hip hop artists|konzert:concert|konzerte:concerts|conciertos:concerts|concierto:concert|"
        "concerti:concerts|classique:classical|clasica:classical|classica:classical|"
        "klassik:classical|electronica:electronic|latina:latin|latino:latin|jaz:jazz|jass:jazz|rok:rock"
    ).split("|")
)
"""Slang, abbreviations and marks, with the words that they mean."""
UNITS = SMALL_NUMBERS[1:20]
TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
NUMERALS: Mapping[str, int] = {word: number for number, word in enumerate(UNITS, 1)} | {
    word: 10 * number for number, word in enumerate(TENS, 2)
}
NTHS: Mapping[str, int] = {
    word: number
    for number, word in enumerate(
        (
            "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth "
            "fifteenth sixteenth seventeenth eighteenth nineteenth twentieth"
        ).split(),
        1,
    )
} | {"thirtieth": 30}
HALVES: Mapping[str, str] = {"half a dozen": "6", "half a hundred": "50", "half a grand": "500"}
TIMES: Mapping[str, int] = {"dozen": 12, "hundred": 100, "thousand": 1000}
SHORT_DAYS: Mapping[str, str] = {
    short: day for day in WEEKDAYS for short in (day[:3], day[:4], f"{day[:3]}s" if day == "tuesday" else day[:5])
} | {"weds": "wednesday"}
DASH = re.compile(r"\s*[-–—]\s*")
OPENS_CLAUSE = re.compile(
    r"[,.;:!?()]|and|but|so|because|since|as|if|when|while|hey|hi|hello|yes|ok|well|know|think|says?"
)
FOLLOWS_WE_ARE = re.compile(
    r"in|at|on|near|into|after|from|up|here|back|off|out|both|all|not|just|only|also|still|now|big|huge|open|free|"
    r"bored|new|fans?|lovers|students|tourists|a|\d+|two|three|four|five|six|going to|gonna|\w{2,}ing"
)
"""Words that follow "we are", and rarely follow a past "were" that begins its clause."""
AFTER_TO = re.compile(r"see|go|hear|watch|be|find|know|listen|catch|visit|do")
BEFORE_FOR = frozenset("looking searching hunting waiting tickets ticket up thanks ready time place".split())
FOLLOWS_WE_WOULD = re.compile(r"love|like|prefer|rather|be|want|enjoy|need|also|really|both|go|see|have|take")
NUMBER_OF = re.compile(r"(?:\b(?:no|nr|num|nbr)\b\.?|#) ?of\b(?! course)", re.IGNORECASE)
LETTERS = 5
"""Shorter words are never corrected."""
MOST_LETTERS = 20
FAR_LETTERS = 7
"""Words of this length may have two slips if their first and last letters are right."""


class Word(NamedTuple):
    """One word or mark of a message: plain, as it was written, and where the plain ones stand in the flat text."""

    plain: str
    raw: str
    at: int


def words_of(message: str, known: Mapping[tuple[str, ...], object]) -> list[Word]:
    """The words of a message in English, whatever its language; a word that is a `known` name stays what it is."""
    message = NUMBER_OF.sub("number of", message)
    return list(placed(_counted(_in_present(in_english(list(_spelled(message, known)), known)))))


def _spelled(message: str, known: Mapping[tuple[str, ...], object]) -> Iterator[tuple[str, str]]:
    """Each word, plain and raw; a dash between figures, days or months is "to"."""
    last, ended = "", 0
    for number, match in enumerate(TOKEN.finditer(message)):
        if number >= MOST_TOKENS:
            return
        raw = match[0]
        if raw == "." and (last in SHORT or last in SHORTENED):  # as in "Dec. 19"
            continue
        between, ended = message[ended : match.start()], match.end()
        if DASH.fullmatch(between) and _datelike(last) and (_datelike(raw) or raw in "$€£"):
            yield "to", "-"
        elif between.strip() == "/" and _datelike(last) and _datelike(raw) and not raw[0].isdigit():
            yield "or", "/"
        before, last = last, raw.lower()
        if raw == "+":
            if number and _is_figure(message[: match.start()].rstrip()[-1:]):
                yield from (("or", "or"), ("more", "more"))
            continue
        raw = re.sub(r"(?i)^(we|they|you)['’´`](?:re|d)$", r"\1", raw)  # "were" is past, "wed" a day
        text = re.sub(r"['’´`.]", "", plain_text(raw)) if len(raw) > 1 and not raw[0].isdigit() else plain_text(raw)
        if raw.lower().endswith(("'s", "’s")) and len(raw) > 3 and text not in CONTRACTED:
            yield text[:-1], raw[:-2]
            yield "s", "s"
        elif (
            text in SPELLED
            and (text,) not in known
            and not (len(text) < 3 and raw.isupper())
            and not (text == "r" and re.match(r"\s*(?:&|n|and)\s*b\b", message[ended:], re.IGNORECASE))
        ):
            for part in SPELLED[text].split():
                yield part, raw if " " not in SPELLED[text] else part
        elif text in SHORT_DAYS and (text,) not in known and not (text == "sun" and before == "the"):
            yield SHORT_DAYS[text], raw
        else:
            yield re.sub(r"(.)\1{2,}", r"\1\1", text) if text.isalpha() else text, raw


def _in_present(words: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The words with "were" as "we" where it is "we're", "wed" where it is "we'd", and "4" and "2" as they sound.

    A past "were" follows its subject, or begins a question about it ("were there", "were the Wolves").
    """
    found = list(words)
    for place, ((_, raw), (following, _)) in enumerate(pairwise(words)):
        before = words[place - 1][0] if place else "."
        are = raw.lower() == "were" and OPENS_CLAUSE.fullmatch(before) and FOLLOWS_WE_ARE.fullmatch(following)
        if raw == "4" and before in BEFORE_FOR:
            found[place] = ("for", raw)
        elif raw == "2" and AFTER_TO.fullmatch(following):
            found[place] = ("to", raw)
        elif are or (raw == "wed" and FOLLOWS_WE_WOULD.fullmatch(following)):
            found[place] = ("we", raw)
    return found


def _is_figure(mark: str) -> bool:
    return mark.isdigit() or mark in "kK"


def _datelike(raw: str) -> bool:
    plain = raw.lower()
    return plain[:1].isdigit() or plain in MONTHS or plain in SHORT or plain in WEEKDAYS or plain in SHORT_DAYS


def _counted(words: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """The words with the larger numerals in figures: "a hundred", "two dozen", "fifty"."""
    place = 0
    while place < len(words):
        plain, raw = words[place]
        if plain == "half" and (halved := HALVES.get(" ".join(one for one, _ in words[place : place + 3]))):
            yield halved, " ".join(one for _, one in words[place : place + 3])
            place += 3
            continue
        times = TIMES.get(words[place + 1][0]) if place + 1 < len(words) else None
        if times and (plain in NUMERALS or plain == "a"):
            number, size = NUMERALS.get(plain, 1) * times, 2
            more = [one for one, _ in words[place + 2 : place + 4]]
            if more[:1] == ["and"] and times > 12 and NUMERALS.get(more[-1], times) < times:  # "a hundred and fifty"
                number, size = number + NUMERALS[more[-1]], 4
            yield str(number), " ".join(one for _, one in words[place : place + size])
            place += size
            continue
        if ordinal := _ordinal(words, place):
            yield ordinal
            place += 1 + (ordinal[1] != raw)
            continue
        if plain in TIMES:
            plain = str(TIMES[plain])
        elif plain in TENS:
            one = NUMERALS.get(words[place + 1][0], 10) if place + 1 < len(words) else 10
            if one < 10:
                raw = f"{raw} {words[place + 1][1]}"
                place += 1
            plain = str(NUMERALS[plain] + one % 10)
        elif plain in NUMERALS and _of_money(words[place + 1 : place + 5]):
            plain = str(NUMERALS[plain])
        yield plain, raw
        place += 1


def _of_money(after: list[tuple[str, str]]) -> bool:
    """Whether a number is of money by the words after it: "ten dollars", "ten to twenty dollars"."""
    words = [one for one, _ in after]
    return words[:1] != [] and (
        words[0] in MONEY_WORDS or (words[0] in {"to", "and", "or"} and not MONEY_WORDS.isdisjoint(words[2:]))
    )


def _ordinal(words: list[tuple[str, str]], place: int) -> tuple[str, str] | None:
    """A day of the month in words as a figure: "the eighteenth", "twenty third", "first of May", "May first"."""
    plain, raw = words[place]
    after = [one for one, _ in words[place + 1 : place + 3]]
    if plain in {"twenty", "thirty"} and after[:1] and (unit := NTHS.get(after[0], 10)) < 10:
        return _nth(NUMERALS[plain] + unit), f"{raw} {words[place + 1][1]}"
    number = NTHS.get(plain, 0)
    dated = number > 10 or (after[:1] == ["of"] and after[-1] in MONTHS) or (place and words[place - 1][0] in MONTHS)
    return (_nth(number), raw) if number and dated else None


def _nth(number: int) -> str:
    ending = "th" if 10 < number % 100 < 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


MONEY_WORDS = frozenset(("dollar", "dollars", "buck", "bucks", "usd", "euro", "euros", "eur", "pounds", "gbp", "quid"))


def placed(words: Iterable[tuple[str, str]]) -> Iterator[Word]:
    """Plain and raw words with their places in the flat text."""
    at = 0
    for plain, raw in words:
        yield Word(plain, raw, at)
        at += len(plain) + 1


class Speller:
    """Finds what a misspelled word was to be, among `targets`; of two that are as near, neither."""

    def __init__(self, targets: Iterable[str]) -> None:
        self._targets: dict[str, set[str]] = defaultdict(set)
        for word in targets:
            if len(word) >= LETTERS and word.isalpha():
                for short in _shortened(word):
                    self._targets[short].add(word)

    def __call__(self, word: str) -> str:
        """What `word` was to be; itself where that is not clear."""
        if not LETTERS <= len(word) <= MOST_LETTERS:
            return word
        near = {one for short in _shortened(word) for one in self._targets.get(short, ()) if one[0] == word[0]}
        close = [one for one in near if slips(word, one) == 1 and (len(one) != len(word) or len(word) > LETTERS)]
        if not close and len(word) >= FAR_LETTERS:
            close = [one for one in near if one[-1] == word[-1] and slips(word, one) == 2]
        same = {min(each, SPELLINGS.get(each, each)).removesuffix("s") for each in close}
        return max(close, key=len) if len(same) == 1 else word  # "arensa" is arenas or arena, and either will do


def _shortened(word: str) -> set[str]:
    """The word itself and the word without each one of its letters; for long words, also without each two."""
    once = {word[:place] + word[place + 1 :] for place in range(len(word))}
    twice = {short[:place] + short[place + 1 :] for short in once for place in range(len(short))}
    return {word} | once | (twice if len(word) >= FAR_LETTERS - 1 else set())


def slips(one: str, other: str) -> int:
    """How many letters are wrong, missing, too many or swapped with their neighbour; 3 for more than two."""
    if abs(len(one) - len(other)) > 2:
        return 3
    before, row = [0] * (len(other) + 1), list(range(len(other) + 1))
    for here, letter in enumerate(one, 1):
        new = [here]
        for there, wanted in enumerate(other, 1):
            cost = min(row[there] + 1, new[-1] + 1, row[there - 1] + (letter != wanted))
            if here > 1 and there > 1 and letter == other[there - 2] and one[here - 2] == wanted:
                cost = min(cost, before[there - 2] + 1)
            new.append(cost)
        before, row = row, new
    return row[-1]
