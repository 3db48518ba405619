"""The many manners in which people say one part of a question, each in several sentences."""

# ruff: noqa: E501

from datetime import date
from typing import Any

import pytest

from tests.unit.concerts.test_reading import BOSTON, TODAY, asked

MANNERS: tuple[tuple[tuple[str, ...], str, dict[str, Any]], ...] = (
    (
        ("drop the {}", "remove {}", "cut out the {}", "lose the {}", "ditch {}", "scrap the {}", "forget {}", "forget about {}",
         "leave {} off", "leave the {} out", "ban {}", "kick out the {}", "get rid of the {}", "take out the {}",
         "rule out {}", "omit {}", "ignore {}", "stay away from {}", "steer clear of {}", "keep {} out",
         "keep {} away", "spare us {}", "skip the {}", "enough {}", "allergic to {}", "{} excluded", "{} aside",
         "had it with {}", "fed up with {}", "pass on {}", "without any {}", "stop with the {}", "w/o {}", "{}: no", "{}? No."),
        "blues",
        {"not_genres": ("blues",), "genres": ("jazz",)},
    ),
    (
        ("for {} people", "for {} guests", "with {} seats", "of {} capacity", "holding {}", "that hold {}", "seating {}", "with room for {}",
         "with a capacity of {}", "capacity {}", "that fit {} persons", "with space for {} spectators", "that can take {} people",
         "sized {}", "accommodating {} guests", "welcoming {} visitors"),
        "2000 to 5000|2,000-5,000|between 2000 and 5000|from 2000 to 5000|2k to 5k|2-5k|2000 up to 5000|min 2000 max 5000",
        {"min_capacity": 2000, "max_capacity": 5000, "since": None, "until": None, "min_price": None, "max_price": None, "count": None},
    ),
    (
        ("halls for {} fans", "clubs holding {}", "an arena with {} seats", "places with {} spectators"),
        "over 2010|at least 2010|2010 or more|from 2010|2010 and up|2010 plus|2010+|upwards of 2010|a minimum of 2010",
        {"min_capacity": 2010, "max_capacity": None, "since": None, "min_price": None, "max_price": None},
    ),
    (
        ("{} jazz concerts in Boston", "jazz in Boston, {} please", "any {} gigs", "is there something {} tonight"),
        "free|entirely free|totally free|completely free|admission free|gratis|complimentary|no cost|zero dollar|0 dollar|$0|free of charge",
        {"max_price": 0.0, "by_price": False},
    ),
    (
        ("jazz in Boston {}", "concerts {}, please"),
        "for free|for nothing|without paying|at no cost|at no charge|with free entry|with free entrance|with free admission|"
        "without a ticket price|without an entrance fee|without entry fee|no cover|no cover charge|no admission fee|for 0 dollars|"
        "where i dont pay|that cost nothing|that are free|which are free|where entrance is free|where entry is free|free to attend",
        {"max_price": 0.0, "by_price": False},
    ),
    (
        ("the {} of con-000456", "{} for con-000456", "what's the {} for con-000456?"),
        "entrance fee|entry fee|admission fee|fee|cover charge|ticket price|entry price|charge|price tag|face value",
        {"intent": "concert_recommendation", "topic": "concert"},
    ),
    (
        ("{} jazz in Boston", "how much is the {} jazz", "{} for a jazz gig"),
        "entrance fee|entry fee|admission fee|cover charge",
        {"intent": "concert_recommendation", "genres": ("jazz",)},
    ),
    (
        ("will winter wolves {}?", "do you think winter wolves will {}", "is winter wolves going to {}", "winter wolves gonna {}?"),
        "be a hit|be a success|be a big hit|be a flop|be a smash|be a blockbuster|be a bust|be a failure|be popular|be huge|tank|bomb|be big|"
        "go well|do well|go down well|be sold out|draw a crowd|pull a crowd|fill the place|attract many people|be a disaster|be a triumph|"
        "be empty|be well attended",
        {"intent": "ticket_prediction"},
    ),
    (
        ("{} for jazz", "I'd pay {} for a good gig", "jazz, {}"),
        "100 dollars or more|$100 or more|100 bucks and up|$100+|100 euros or higher|at least $100|100 dollars or above",
        {"min_price": 100.0, "max_price": None, "unused": ()},
    ),
    (
        ("rock gigs, {}", "{} for a gig", "rock in Boston for {}"),
        "35 CAD max|max 35 cad|35 dollars max|about 35 dollars|around $35|roughly 35 bucks|approx. 35 euros|35 aud or less|circa 35 dollars|approximately $35",
        {"min_price": None, "max_price": 35.0, "unused": ()},
    ),
    (
        ("a show that {}", "a rock show, it {}"),
        "doesn't cost much|does not cost a lot|doesn't cost too much|won't break the bank|doesn't cost a fortune|is reasonably priced|is not too dear|is easy on the wallet",
        {"by_price": True, "unused": ()},
    ),
    (
        ("will {} come to see winter wolves?", "do you think {} will come to winter wolves", "would {} show up for winter wolves"),
        "many people|lots of people|a lot of fans|enough people|many fans|few people|many",
        {"intent": "ticket_prediction"},
    ),
    (("gigs in {}", "{} gigs"), "BOS", {"places": (BOSTON,)}),
    (
        ("{} suggestions for Montreal", "give me {} gigs in Boston", "list {} jazz concerts", "{} options please", "i want {} ideas"),
        "max 5|at most 5|maximum 5|no more than 5|not more than 5|up to 5|a maximum of 5|max. 5|five|around 5|about 5|exactly 5|at least 5",
        {"count": 5, "max_price": None, "min_price": None, "max_capacity": None},
    ),
    (
        ("jazz in Boston, {}", "{} of jazz tips please", "blues in austin: {}"),
        "5 max|5 tops|5 at most|5 or fewer|max 5",
        {"max_price": None, "max_capacity": None},
    ),
    (
        ("jazz in Boston this {}", "what's on the {}", "any gig over the {}?"),
        "wkd|wknd|wkend|wend|w/e|week end|week-end|weekend",
        {"since": date(2026, 11, 21), "until": date(2026, 11, 23), "unused": ()},
    ),
    (
        ("jazz {}", "any gigs {} please"),
        "tmrw|tmrow|tomoz|tmoro|2mrw|tom'row|tomorow|tommorow|tomorro",
        {"since": date(2026, 11, 22), "until": date(2026, 11, 23)},
    ),
    (("jazz {}", "any gigs {} please"), "2day|tdy|tonyt|tnite|2nyt|tonit", {"since": TODAY, "until": date(2026, 11, 22)}),
    (
        ("jazz on {}", "any gigs {} please", "blues, {}"),
        "fri|fri.|frid|friday nite|friday eve|friday evng|friday night|fri nite",
        {"since": date(2026, 11, 27), "until": date(2026, 11, 28)},
    ),
    (("jazz {}", "gigs {} please"), "next wk|nxt wk|next wk.|nxt week", {"since": date(2026, 11, 23), "until": date(2026, 11, 30)}),
    (("jazz {}", "gigs {} please"), "next mth|nxt month|next mnth", {"since": date(2026, 12, 1), "until": date(2027, 1, 1)}),
    (
        ("{}", "{}!", "ok {}"),
        "see you|see ya|cu|cya|later|see you later|take care|bye|bye bye|have a nice day|have a good one|good night|so long|farewell|"
        "that's all|that is all|that will be all|thanks a lot|many thanks|much appreciated|no thanks|no thank you|all good|i'm done|you're great|"
        "well done|good job|thanks for your help|got it|understood|talk to you later|ttyl|see you soon|until next time|cheers mate|"
        "appreciate it|you helped a lot|gotta go|i have to go|nice talking to you|awesome, thanks|pleased to meet you|"
        "see you tomorrow|see you next week|merry christmas|happy new year|happy holidays|sounds good|that helps|perfect, bye",
        {"intent": "general_query", "since": None},
    ),
)  # fmt: skip
"""Frames, the words in them, and what each of them means."""


@pytest.mark.parametrize(
    ("message", "parts"),
    [
        (f"jazz please, {frame.format(words)}" if "not_genres" in parts else frame.format(words), parts)
        for frames, several, parts in MANNERS
        for frame in frames
        for words in several.split("|")
    ],
)
def test_every_manner_of_saying_a_part_is_read(message: str, parts: dict[str, Any]) -> None:
    question = asked(message)
    assert {name: getattr(question, name) for name in parts} == parts


@pytest.mark.parametrize(
    ("message", "parts"),
    [
        ("drop me a list of jazz gigs in Boston", {"genres": ("jazz",), "not_genres": ()}),
        ("don't forget the jazz", {"genres": ("jazz",), "not_genres": ()}),
        ("jazz not far from Boston", {"places": (BOSTON,), "not_places": ()}),
        ("I'm free on friday, any jazz?", {"max_price": None, "since": date(2026, 11, 27)}),
        ("feel free to show me rock concerts", {"max_price": None}),
        ("we are free in december", {"max_price": None, "since": date(2026, 12, 1)}),
        ("i dont pay more than 40 for jazz", {"max_price": 40.0, "genres": ("jazz",)}),
        ("gigs in 2027, max 40 dollars", {"since": date(2027, 1, 1), "max_price": 40.0, "max_capacity": None}),
        ("max 5 dollars", {"count": None, "max_price": 5.0}),
        ("under 9, jazz", {"count": None, "max_price": 9.0}),
        ("jazz in Boston, max 50", {"count": None, "max_price": 50.0}),
        ("thanks, and what about jazz in Boston?", {"intent": "concert_recommendation", "genres": ("jazz",)}),
        ("good evening, jazz please", {"intent": "concert_recommendation", "genres": ("jazz",)}),
        ("see you at the jazz gig on friday in Boston?", {"intent": "concert_recommendation", "places": (BOSTON,)}),
        ("happy new year! anything on that day?", {"intent": "concert_recommendation"}),
        ("the first days of january", {"since": date(2027, 1, 1), "until": date(2027, 1, 11)}),
        ("more expensive than 100, jazz", {"min_price": 100.0, "genres": ("jazz",), "unused": ()}),
        ("not more expensive than 100, jazz", {"min_price": None, "max_price": 100.0}),
        ("jazz? no problem, show me jazz in Boston", {"genres": ("jazz",)}),
        ("clubs for 50 dollars", {"min_capacity": None}),
        ("a club for 20 december", {"min_capacity": None}),
        ("a club for 12 to 15 december", {"min_capacity": None}),
        ("any club for 12/20", {"min_capacity": None}),
        ("two students want jazz in Boston", {"count": None}),
        ("i don't mind paying 150 dollars", {"max_price": 150.0}),
        ("are the blues gigs in Boston free of charge?", {"genres": ("blues",), "max_price": 0.0}),
        ("jazz, no cover charge", {"genres": ("jazz",), "not_genres": (), "max_price": 0.0}),
    ],
)
def test_words_that_look_like_a_manner_and_are_none(message: str, parts: dict[str, Any]) -> None:
    question = asked(message)
    assert {name: getattr(question, name) for name in parts} == parts


def test_a_long_courtesy_takes_no_longer_than_its_length() -> None:
    assert asked("thanks a lot see you later bye " * 100 + "jazz").genres == ("jazz",)
