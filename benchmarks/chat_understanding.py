"""How well the local chat understands: intents, and the parts of a question that it honours or names as unusable.

    python benchmarks/chat_understanding.py [--json] [--misses] [--half HALF]

The messages are in `benchmarks/chat`: those that rules were made from, those that were judged once before the last
rules and passed, and those that no rule was made from. A part is honoured when the question has it just so, and named
when a sentence of `unused` has its word; a part that the question has and the message does not is invented. A message
with two readings has the other intents in `also`; "~" marks parts that it may take from the message before. Beside it
the same messages through the rules that the chat had before, and how long a message takes on a vocabulary of 10,000
artists, 5,000 venues and 500 cities; the peer there is one regular expression of all those names, which finds names
and reads nothing else.
"""

import re
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import measure
from benchmarks.chat import earlier
from chalicelib.concerts.lexicon import Lexicon, key
from chalicelib.concerts.models import MAX_MESSAGE, ChatReply, ChatRequest
from chalicelib.concerts.reading import read
from chalicelib.concerts.values import NamedArtist, NamedVenue, Place, Vocabulary
from local.season.generator import generate
from local.season.names import FIRST_WORDS, GENRES, SECOND_WORDS, VENUE_WORDS
from tests.fakes.season import TODAY, ConcertWorld

MESSAGES = Path(__file__).parent / "chat"
HALVES = ("development", "first_judged", "held_out")
SALES = 20_000
LISTS = {"g": "genres", "xg": "not_genres", "p": "places", "xp": "not_places", "a": "artists", "v": "venues"}
CARRIED = "~"
"""Before a part that may be taken over from the message before."""
DAY_WORDS = re.compile(
    r"\b(?:(?:mon|tues|wednes|thurs|fri|satur|sun)days?|week\w*|months?|quarter|year\w*|tonight|tomorrow|yesterday|"
    r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)\w*|christmas|spring|summer|autumn|fall|winter|\d+(?:st|nd|rd|th)|20\d\d)\b"
)
"""What names days in a sentence about what was not used."""
AGAIN = (
    "0", "1,", "1.", "$1 ", "1-", "jazz ", "rock or ", "dec ", "q1 ", "2026 ", "9pm ", "seats ", "A ", "Xx Yy ", "in ",
)  # fmt: skip
"""What a message of the largest size may repeat; patterns that read all of it from each place would take seconds."""
NUMBERS = {"n": "count", "which": "which", "max": "max_price", "min": "min_price"}


@dataclass(frozen=True)
class Labelled:
    """A message, its kind, and what it asks for."""

    kind: str
    intent: str
    message: str
    wanted: Mapping[str, str]


@dataclass
class Tally:
    """What was right of some messages."""

    messages: int = 0
    intents: int = 0
    parts: int = 0
    honoured: int = 0
    named: int = 0
    invented: int = 0
    misses: list[str] = field(default_factory=list)


def labelled(half: str) -> Iterator[Labelled]:
    """The messages of one half."""
    for line in (MESSAGES / f"{half}.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("#") or not line.strip():
            continue
        kind, intent, rest = (part.strip() for part in line.split("|", 2))
        message, _, parts = rest.partition(" |")
        wanted = dict(_pair(part) for part in parts.split(";") if part.strip())
        yield Labelled(kind, intent, message.strip(), wanted)


def _pair(text: str) -> tuple[str, str]:
    for sign in (">=", "<="):
        if text.strip().startswith(f"seats{sign}"):
            return f"seats{sign}", text.split(sign)[1].strip()
    name, _, value = text.partition("=")
    return name.strip(), value.strip()


def asked(world: ConcertWorld, one: Labelled) -> ChatReply:
    """The reply to a message, after those before it."""
    session: str | None = None
    for message in filter(None, (one.wanted.get("after"), one.message)):
        reply = world.conversation.reply(ChatRequest(message=message, session_id=session))
        session = reply.session_id
    return reply


def parts_of(question: Mapping[str, Any]) -> dict[str, Any]:
    """A question's parts, named as the labels name them."""
    found: dict[str, Any] = {}
    for short, name in LISTS.items():
        if several := question.get(name):
            found[short] = sorted({one if isinstance(one, str) else _narrowest(one) for one in several})
    if kinds := question.get("venue_types"):
        found["t"] = sorted(kinds)
    for short, name in NUMBERS.items():
        if (number := question.get(name)) not in (None, 0) or (name == "max_price" and number == 0):
            found[short] = float(number)
    for short, name in (("seats>=", "min_capacity"), ("seats<=", "max_capacity")):
        if question.get(name) is not None:
            found[short] = float(question[name])
    if since := question.get("since"):
        found["from"] = since
    if until := question.get("until"):
        found["to"] = str(date.fromisoformat(until) - timedelta(days=1))
    if question.get("order_by", "popularity") != "popularity":
        found["order"] = question["order_by"]
    for short, name in (("least", "least_first"), ("cheap", "by_price")):
        if question.get(name):
            found[short] = 1.0
    if question.get("concert_id"):
        found["id"] = question["concert_id"]
    return found


def _narrowest(one: Mapping[str, str]) -> str:
    return one.get("name") or one.get("city") or one.get("state") or one.get("country") or ""


def wanted_of(one: Labelled) -> dict[str, Any]:
    """A label's parts as `parts_of` gives them."""
    found: dict[str, Any] = {}
    for name, value in one.wanted.items():
        if name in {"after", "named", "also"} or name.startswith(CARRIED):
            continue
        if name in {*LISTS, "t"}:
            found[name] = sorted(part.strip() for part in value.split(","))
        elif name in {*NUMBERS, "seats>=", "seats<=", "least", "cheap"}:
            found[name] = float(value)
        else:
            found[name] = value
    return found


def judge(one: Labelled, intent: str, found: Mapping[str, Any], unused: list[str], tally: Tally) -> None:
    """Add one message to a tally."""
    tally.messages += 1
    intents = {one.intent, *(other.strip() for other in one.wanted.get("also", "").split(","))}
    tally.intents += intent in intents
    wrong = [] if intent in intents else [f"intent {intent}, not {one.intent}"]
    wanted = wanted_of(one)
    said = key(" ".join(unused))
    for name, value in wanted.items():
        tally.parts += 1
        if found.get(name) == value:
            tally.honoured += 1
        elif all(key(_said(part)) in said for part in (value if isinstance(value, list) else [value])) or (
            name in {"from", "to"} and DAY_WORDS.search(said)
        ):
            tally.named += 1
        else:
            wrong.append(f"{name} is {found.get(name)}, not {value}")
    for word in filter(None, one.wanted.get("named", "").split(",")):
        tally.parts += 1
        if key(word) in said:
            tally.named += 1
        else:
            wrong.append(f"does not name {word.strip()}")
    extra = {name: value for name, value in found.items() if name not in wanted and CARRIED + name not in one.wanted}
    tally.invented += len(extra)
    wrong += [f"invents {name} {value}" for name, value in extra.items()]
    if wrong:
        tally.misses.append(f"{one.message!r}: {'; '.join(wrong)}")


def _said(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def understood(half: str) -> tuple[dict[str, Tally], Tally]:
    """The tallies of one half, by kind; and that of the earlier rules."""
    world = ConcertWorld(season=generate(SALES, today=TODAY))
    tallies: dict[str, Tally] = defaultdict(Tally)
    before = Tally()
    for one in labelled(half):
        reply = asked(world, one)
        question = dict(reply.question)
        for tally in (tallies["all"], tallies[one.kind]):
            judge(one, reply.intent, parts_of(question), question.get("unused", []), tally)
        old = earlier.read(one.message, world.warehouse.vocabulary())
        judge(one, old.pop("intent"), {name: value for name, value in old.items() if value}, [], before)
    return tallies, before


def large_lexicon() -> Lexicon:
    """10,000 artists, 5,000 venues and 500 cities."""
    firsts = [f"{first}{ending}" for first in FIRST_WORDS for ending in ("", "er")]
    artists = [f"{first} {second}" for first in firsts for second in SECOND_WORDS][:10_000]
    places = tuple(
        Place(f"{VENUE_WORDS[n % 46]}town {n // 46}", f"State {n // 10}", f"Land {n // 100}") for n in range(500)
    )
    lexicon = Lexicon(
        Vocabulary(
            genres=tuple(genre for genre, _ in GENRES),
            places=places,
            venue_types=("club", "theater", "arena", "hall"),
            artists=tuple(NamedArtist(f"art-{n}", name, "rock") for n, name in enumerate(artists)),
            venues=tuple(
                NamedVenue(f"ven-{n}", f"{VENUE_WORDS[n % 46]} Hall {n // 46}", places[n % 500], "hall")
                for n in range(5000)
            ),
        )
    )
    read("warm", lexicon, TODAY)
    return lexicon


def names_alone(lexicon: Lexicon) -> Callable[[str], object]:
    """The peer: all names in one regular expression."""
    names = sorted((" ".join(words) for words in lexicon.spans), key=len, reverse=True)
    pattern = re.compile(rf"\b(?:{'|'.join(map(re.escape, names))})\b")
    return lambda message: pattern.findall(key(message))


def milliseconds(reader: Callable[[str], object], messages: Iterable[str]) -> list[float]:
    """The processor's time for reading each message, the best of three."""
    times = []
    for message in messages:
        best = float("inf")
        for _ in range(3):
            started = time.process_time()
            reader(message)
            best = min(best, 1000 * (time.process_time() - started))
        times.append(best)
    return sorted(times)


def main() -> None:
    """Measure and print."""
    halves = HALVES
    chosen = next((half for half in halves if half in sys.argv), None)
    misses = "--misses" in sys.argv
    sys.argv = [one for one in sys.argv if one not in {"--misses", "--half", *halves}]
    arguments = measure.arguments(__doc__)
    report = measure.Report("chat_understanding")
    for half in (chosen,) if chosen else halves:
        tallies, before = understood(half)
        for kind, tally in {**tallies, "the earlier rules": before}.items():
            label = f"{half}, {kind}, {tally.messages} messages"
            report.ratios[f"{label}: intents"] = round(tally.intents / tally.messages, 4)
            if tally.parts:
                report.ratios[f"{label}: parts honoured or named"] = round(
                    (tally.honoured + tally.named) / tally.parts, 4
                )
            report.ratios[f"{label}: parts invented a message"] = round(tally.invented / tally.messages, 4)
        if misses:
            print(*tallies["all"].misses, sep="\n")
    lexicon = large_lexicon()
    messages = [one.message for half in HALVES for one in labelled(half)]

    def reader(message: str) -> object:
        return read(message, lexicon, TODAY)

    times = milliseconds(reader, messages)
    peer = milliseconds(names_alone(lexicon), messages)
    for size in (MAX_MESSAGE // 2, MAX_MESSAGE):
        slowest = milliseconds(reader, [(word * size)[:size] for word in AGAIN])[-1]
        report.medians[f"one word again and again, {size} characters: slowest"] = round(slowest, 1)
    report.medians["a message, 10,000 artists: p50"] = round(times[len(times) // 2], 3)
    report.medians["a message, 10,000 artists: slowest"] = round(times[-1], 3)
    report.medians["a message, 10,000 artists: names by one regular expression"] = round(peer[len(peer) // 2], 3)
    report.ratios["a message, 10,000 artists: names by one regular expression"] = round(
        peer[len(peer) // 2] / times[len(times) // 2], 2
    )
    report.show(arguments.json)


if __name__ == "__main__":
    main()
