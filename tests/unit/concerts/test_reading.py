"""What the local chat takes messages to ask: the kinds that people write, and those that break readers."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.concerts.lexicon import Lexicon
from chalicelib.concerts.reading import read
from chalicelib.concerts.values import ChatQuestion, NamedArtist, NamedVenue, Place, Vocabulary

TODAY = date(2026, 11, 21)
AUSTIN, BOSTON = Place("Austin", "Texas", "United States"), Place("Boston", "Massachusetts", "United States")
MONTREAL = Place("Montreal", "Quebec", "Canada")
TEXAS, CANADA = Place("", "Texas", "United States"), Place("", "", "Canada")
ARTISTS = (
    "Eve",
    "The Who",
    "Boston",
    "December",
    "Jazz",
    "Winter Wolves",
    "One",
    "Texas Lights",
    "Rock",
    "Eleven Elephants",
)
LEXICON = Lexicon(
    Vocabulary(
        genres=("rock", "jazz", "blues", "hip-hop", "country", "rock/indie"),
        places=(AUSTIN, BOSTON, Place("New York", "New York", "United States"), MONTREAL),
        venue_types=("club", "theater", "arena"),
        artists=tuple(NamedArtist(f"art-{number}", name, "rock") for number, name in enumerate(ARTISTS)),
        venues=(
            NamedVenue("ven-1", "Beacon Theatre", AUSTIN, "theater"),
            NamedVenue("ven-2", "Beacon Theatre", BOSTON, "theater"),
            NamedVenue("ven-3", "Sunday Hall", BOSTON, "arena"),
        ),
    )
)


def asked(message: str) -> ChatQuestion:
    return read(message, LEXICON, TODAY)


def names(question: ChatQuestion) -> list[str]:
    return [artist.name for artist in question.artists]


@pytest.mark.parametrize(
    ("message", "artists"),
    [
        ("concerts this evening", []),
        ("concerts on New Year's Eve", []),
        ("I want to see Eve live", ["Eve"]),
        ("tell me about the band Eve", ["Eve"]),
        ("who is playing tonight", []),
        ("When do The Who play?", ["The Who"]),
        ("concerts in Boston", []),
        ("is Boston playing in Boston?", ["Boston"]),
        ("jazz in December", []),
        ("the band December", ["December"]),
        ("I like jazz", []),
        ("the artist Jazz", ["Jazz"]),
        ("the first one", []),
        ("rock concerts", []),
        ("country music", []),
        ("WINTER WOLVES", ["Winter Wolves"]),
        ("winter wolves' tickets", ["Winter Wolves"]),
        ("Texas Lights in Texas", ["Texas Lights"]),
    ],
)
def test_artists_named_like_words_need_more_than_the_word(message: str, artists: list[str]) -> None:
    assert names(asked(message)) == artists


@pytest.mark.parametrize(
    ("message", "parts"),
    [
        ("no rock please, just jazz", {"genres": ("jazz",), "not_genres": ("rock",)}),
        ("anything but rock or country", {"not_genres": ("rock", "country")}),
        ("why not jazz?", {"genres": ("jazz",)}),
        ("not only rock", {"genres": ("rock",)}),
        ("no rock in Texas", {"not_genres": ("rock",), "places": (Place("", "Texas", "United States"),)}),
        ("not in Texas or in Boston", {"not_places": (Place("", "Texas", "United States"), BOSTON), "places": ()}),
        ("How much is Winter Wolves?", {"topic": "price"}),
        ("rock in a theater", {"topic": "concerts"}),
        ("how much did Sunday Hall earn", {"topic": "totals"}),
        ("New York or Boston", {"places": (Place("New York", "New York", "United States"), BOSTON)}),
        ("in Texas", {"places": (Place("", "Texas", "United States"),)}),
        ("in tx", {"places": (Place("", "Texas", "United States"),)}),
        ("it is in me", {"places": ()}),
        ("rock or jazz in a club or theatre", {"genres": ("rock", "jazz"), "venue_types": ("club", "theater")}),
        ("under $50", {"max_price": 50.0}),
        ("no more than 70 dollars", {"max_price": 70.0, "min_price": None}),
        ("nothing above $45", {"max_price": 45.0, "min_price": None}),
        ("good evening", {"intent": "general_query"}),
        ("anywhere but Boston", {"not_places": (BOSTON,)}),
        ("between 20 and 40 dollars", {"min_price": 20.0, "max_price": 40.0}),
        ("more than 5,000 seats", {"min_capacity": 5000}),
        ("concerts with at most 2k seats", {"max_capacity": 2000}),
        ("in December 2026", {"since": date(2026, 12, 1), "until": date(2027, 1, 1)}),
        ("the third one", {"which": 3}),
        ("number 4", {"which": 4}),
        ("the last one", {"which": -1}),
        ("five concerts", {"count": 5}),
        ("top 3 theaters", {"count": 3, "venue_types": ("theater",), "topic": "venues"}),
        ("least popular venues", {"least_first": True, "order_by": "popularity"}),
        ("Which venue sells the most", {"order_by": "revenue", "topic": "venues"}),
        ("the Beacon Theatre in Boston", {"topic": "venue"}),
        ("what is on at Sunday Hall", {"topic": "concerts", "since": None}),
    ],
)
def test_parts(message: str, parts: dict[str, Any]) -> None:
    question = asked(message)
    assert {name: getattr(question, name) for name in parts} == parts


def test_a_venue_of_two_cities_is_the_one_in_the_place() -> None:
    assert [venue.venue_id for venue in asked("the Beacon Theatre in Boston").venues] == ["ven-2"]
    assert [venue.venue_id for venue in asked("where is the Beacon Theatre?").venues] == ["ven-1", "ven-2"]


@pytest.mark.parametrize(
    ("message", "word"),
    [
        ("a concert in Vancouver", "Vancouver"),
        ("concerts in Austin, Ohio", "Austin, Ohio"),
        ("concerts in vancouver", "vancouver"),
        ("some reggae", "reggae"),
        ("stadiums", "stadium"),
        ("concerts near me", "where you are"),
        ("concerts at 8pm", "times"),
        ("on February 30", "There is no 30 February"),
        ("on 2027-02-29", "There is no 2027-02-29"),
        ("from December 20 to December 10 2026", "ends before it begins"),
        ("jazz but no jazz", "jazz and for none of it"),
        ("Boston but not Boston", "Boston and not for it"),
        ("100 concerts", "at most 20"),
        ("book two tickets", "cannot book"),
        ("revenue by city", "genre only"),
        ("not today, tomorrow", "leave out days"),
        ("outdoor concerts", "offers"),
        ("outdoor concerts", "could not use: outdoor"),
        ("something loud on Friday", "could not use: loud"),
        ("no weekends, jazz", "could not use: weekends"),
        ("any Friday in December", "could not use: any Friday"),
        ("which city sold the most tickets", "could not use: which city"),
        ("genres with the least revenue in 2025", "could not use: least revenue"),
        ("gigs in ks", "No venue is in ks"),
        ("concerts in Austin OH", "No venue is in Austin OH"),
        ("I fly from Boston to Austin", "could not use: from Boston"),
        ("concerts in north america", "north america"),
        ("jazz in Boston or rock in Austin", "could not use: or rock in Austin"),
        ("what is on the week after", "the week after"),
        ("blues in new england or new york", "new england"),
        ("we usually hear blues but tonight we want jazz", "blues"),
        ("rock, but neither this week nor next week", "next week"),
        ("can you take a wheelchair into the beacon theatre", "wheelchair"),
    ],
)
def test_what_cannot_be_honoured_is_named(message: str, word: str) -> None:
    assert word in " ".join(asked(message).unused)


@pytest.mark.parametrize(
    ("message", "parts"),
    [
        ("gigs tmrw", {"since": date(2026, 11, 22), "until": date(2026, 11, 23)}),
        ("shows Dec 5-7", {"since": date(2026, 12, 5), "until": date(2026, 12, 8)}),
        ("fri or sat", {"since": date(2026, 11, 27), "until": date(2026, 11, 29)}),
        ("weekend after next", {"since": date(2026, 12, 4), "until": date(2026, 12, 7)}),
        ("first weekend of december", {"since": date(2026, 12, 4), "until": date(2026, 12, 7)}),
        ("before the end of January", {"since": None, "until": date(2027, 2, 1)}),
        ("not before February", {"since": date(2027, 2, 1), "until": None}),
        ("a beach on friday", {"since": date(2026, 11, 27)}),
        ("Sat 5 Dec", {"since": date(2026, 12, 5), "until": date(2026, 12, 6)}),
        ("jazz < $60", {"max_price": 60.0}),
        ("$30-$60 shows", {"min_price": 30.0, "max_price": 60.0, "count": None}),
        ("under fifty dollars", {"max_price": 50.0}),
        ("less than a hundred bucks", {"max_price": 100.0}),
        ("within 50 miles", {"max_price": None}),
        ("half a dozen rock shows", {"count": 6}),
        ("venues that hold 2000+ people", {"min_capacity": 2000}),
        ("less rock more jazz", {"genres": ("jazz",), "not_genres": ("rock",)}),
        ("I'd rather hear blues than rock", {"genres": ("blues",), "not_genres": ("rock",)}),
        ("anything that isn't rock", {"genres": (), "not_genres": ("rock",)}),
        ("jazz is boring, blues?", {"genres": ("blues",), "not_genres": ("jazz",)}),
        ("we're after rock in December", {"since": date(2026, 12, 1)}),
        ("ROCK IN TEXAS OR BOSTON", {"places": (Place("", "Texas", "United States"), BOSTON)}),
        ("rock in boston, on friday", {"places": (BOSTON,)}),
        ("austin tx", {"places": (AUSTIN,)}),
        ("Texas, Austin", {"places": (AUSTIN,)}),
        ("concerts not by Winter Wolves", {"artists": (), "intent": "concert_recommendation"}),
        ("top 4 concerts in clubs", {"topic": "concerts", "count": 4}),
        ("were in boston on march 23, folk?", {"since": date(2027, 3, 23), "places": (BOSTON,)}),
        ("hey so were 4 people in boston in march", {"since": date(2027, 3, 1)}),
        ("what concerts were in boston in march", {"since": date(2026, 3, 1)}),
        ("wed love some jazz", {"since": None, "genres": ("jazz",)}),
        ("jazz on wed", {"since": date(2026, 11, 25)}),
        ("i was wondering about rock in march", {"since": date(2027, 3, 1)}),
        ("shows before christmas that arent sold out", {"until": date(2026, 12, 25)}),
        ("il y a du jazz à boston", {"places": (BOSTON,), "genres": ("jazz",)}),
        ("something in ma pls", {"places": (Place("", "Massachusetts", "United States"),)}),
        ("me and my ma, tx or ma", {"places": (TEXAS, Place("", "Massachusetts", "United States"))}),
        ("this OR that", {"places": ()}),
        ("monday to thursday next week", {"since": date(2026, 11, 23), "until": date(2026, 11, 27)}),
        ("thursday to saturday", {"since": date(2026, 11, 26), "until": date(2026, 11, 29)}),
        ("the weekend before christmas", {"since": date(2026, 12, 18), "until": date(2026, 12, 21)}),
        ("friday after thanksgiving", {"since": date(2026, 11, 27), "until": date(2026, 11, 28)}),
        ("last saturday of november", {"since": date(2026, 11, 28), "until": date(2026, 11, 29)}),
        ("easter", {"since": date(2027, 3, 28), "until": date(2027, 3, 29)}),
        ("memorial day", {"since": date(2027, 5, 31)}),
        ("nothing under 100", {"min_price": 100.0, "max_price": None}),
        ("nothing below 30 or above 60", {"min_price": 30.0, "max_price": 60.0}),
        ("a hundred and fifty dollars max", {"max_price": 150.0}),
        ("not cheap", {"by_price": False}),
        ("rock but not in a club, boston", {"places": (BOSTON,), "not_places": ()}),
        ("anything but rock in austin or boston", {"places": (AUSTIN, BOSTON), "not_genres": ("rock",)}),
        ("not a rock fan, into jazz", {"genres": ("jazz",), "not_genres": ("rock",)}),
        ("rock isnt my thing, jazz is", {"genres": ("jazz",), "not_genres": ("rock",)}),
        ("sin rock, mejor jazz", {"genres": ("jazz",), "not_genres": ("rock",)}),
        ("winter wolvess next show", {"artists": ["Winter Wolves"]}),
        ("which country sold the most", {"genres": ()}),
        ("who won the game last night", {"intent": "unknown"}),
        ("write an essay about jazz", {"intent": "unknown"}),
        ("i prefer jazz over rock", {"genres": ("jazz",), "not_genres": ("rock",)}),
        ("which venue made the least money", {"order_by": "revenue", "least_first": True}),
        ("how was 2024", {"intent": "data_analysis", "since": date(2024, 1, 1)}),
        ("jan 30 or 31", {"since": date(2027, 1, 30), "until": date(2027, 2, 1)}),
        ("i dont have more than 45 dollars", {"max_price": 45.0, "min_price": None}),
        ("my budget's 80", {"max_price": 80.0, "by_price": False}),
        ("2-4k seats", {"min_capacity": 2000, "max_capacity": 4000}),
        ("looking 4 jazz", {"count": None, "genres": ("jazz",)}),
        ("jazz. boston. march", {"since": date(2027, 3, 1), "until": date(2027, 4, 1)}),
        ("march or april gigs", {"since": date(2027, 3, 1), "until": date(2027, 5, 1)}),
        ("march to the concert, if i may", {"since": None}),
        ("rock, spring", {"since": date(2027, 3, 1), "until": date(2027, 6, 1)}),
        ("in the coming weeks", {"since": TODAY, "until": date(2026, 12, 12)}),
        ("two weeks from saturday", {"since": date(2026, 12, 5), "until": date(2026, 12, 6)}),
        ("any city in texas but austin", {"places": (TEXAS,), "not_places": (AUSTIN,)}),
        ("not so much rock, rather jazz", {"genres": ("jazz",), "not_genres": ("rock",)}),
        ("jazz and rock is not for me", {"genres": ("jazz",), "not_genres": ("rock",)}),
        ("jazz and rock are not for me", {"genres": (), "not_genres": ("jazz", "rock")}),
        ("we'd love to see blues", {"genres": ("blues",), "since": None}),
        ("any country, blues or jazz", {"genres": ("country", "blues", "jazz")}),
        ("is there any country in Boston", {"genres": ("country",)}),
        ("jazz for less than 35 dollars, visiting Boston", {"places": (BOSTON,), "max_price": 35.0}),
        ("30 dollars or less close to Boston", {"places": (BOSTON,), "not_places": ()}),
        ("blues, without rock close to Boston", {"places": (BOSTON,), "not_genres": ("rock",)}),
        ("something at least 100 dollars, in a club", {"topic": "concerts"}),
        ("about $45 at a small venue", {"count": None}),
        (
            "gigs in a club with more than 2000 seats max 80",
            {"min_capacity": 2000, "max_capacity": None, "max_price": 80.0},
        ),
        ("i've never been to a jazz concert, any tomorrow?", {"genres": ("jazz",), "since": date(2026, 11, 22)}),
        ("biggest clubs in march", {"since": date(2026, 3, 1), "until": date(2026, 4, 1)}),
        ("a venue with jazz in march", {"since": date(2027, 3, 1)}),
        ("ticket sales in 2025", {"intent": "data_analysis", "since": date(2025, 1, 1)}),
        ("ticket sales between june 1 and june 15", {"intent": "data_analysis", "since": date(2026, 6, 1)}),
        ("upcoming winter wolves gigs", {"artists": ["Winter Wolves"], "since": None}),
        ("how full will winter wolves be", {"intent": "ticket_prediction"}),
        ("december 12 concerts", {"count": None, "since": date(2026, 12, 12)}),
        ("what's your favourite colour", {"intent": "unknown"}),
        ("I don't care for jazz. Blues would be great", {"genres": ("blues",), "not_genres": ("jazz",)}),
        ("is there an alternative to rock", {"genres": (), "not_genres": ("rock",)}),
        ("least crowded clubs", {"order_by": "attendance_rate", "least_first": True}),
        ("i have 200 dollars, that is 50 per ticket", {"max_price": 50.0}),
        ("up to 40 dollars a head", {"max_price": 40.0}),
        ("number of concerts in Boston last year", {"intent": "data_analysis"}),
        ("did blues do better than jazz this year?", {"intent": "data_analysis"}),
        ("i am home on dec 20, anything after that?", {"since": date(2026, 12, 21), "until": None}),
        ("rock, but neither this week nor next week", {"since": None, "until": None}),
        ("we usually hear blues but tonight we want jazz", {"genres": ("jazz",)}),
        ("no money, Austin or Boston", {"places": (AUSTIN, BOSTON), "not_places": ()}),
        ("i have a 100 dollar gift card", {"intent": "concert_recommendation", "max_price": 100.0}),
        ("budget: 65", {"max_price": 65.0, "by_price": False}),
        ("one jazz gig is enough", {"count": 1}),
        ("anything undr 30$", {"max_price": 30.0}),
        ("not in the mood for blues, rather something in jazz", {"genres": ("jazz",), "not_genres": ("blues",)}),
        ("five tips for a night out in Boston", {"count": 5}),
        ("in march but not in the first week", {"intent": "concert_recommendation", "since": date(2027, 3, 1)}),
        ("music in any Canadian city", {"places": (CANADA,)}),
        ("Canadian bands in Boston", {"places": (BOSTON,)}),
        ("the least visited clubs", {"order_by": "attendance_rate", "least_first": True}),
        ("which venues earned the most in 2025?", {"order_by": "revenue"}),
        ("how much would it be to see winter wolves?", {"topic": "price"}),
        ("what did theaters take in yesterday", {"intent": "data_analysis"}),
        ("compare the sales of jazz and country", {"intent": "data_analysis"}),
        ("tickets 4 jazz", {"count": None, "genres": ("jazz",)}),
        ("i leave on sunday, is there a show the evening before?", {"since": TODAY, "until": date(2026, 11, 22)}),
        ("beacon theater shows", {"topic": "concerts", "venue_types": ()}),
    ],
)
def test_messages_as_people_type_them(message: str, parts: dict[str, Any]) -> None:
    question = asked(message)
    found = {name: names(question) if name == "artists" and parts[name] else getattr(question, name) for name in parts}
    assert found == parts


@pytest.mark.parametrize(
    ("message", "meant"),
    [
        ("concerts in Bostn", {"places": (BOSTON,)}),
        ("contry music", {"genres": ("country",)}),
        ("jazzy stuff", {"genres": ("jazz",)}),
        ("gigs tommorow", {"since": date(2026, 11, 22)}),
        ("winter wolfes", {"artists": ["Winter Wolves"]}),
        ("the best arensa", {"venue_types": ("arena",)}),
        ("how much was earnned last sumer", {"intent": "data_analysis", "since": date(2026, 6, 1)}),
        ("gigs beforre december", {"until": date(2026, 12, 1), "since": None}),
    ],
)
def test_a_mended_word_is_said(message: str, meant: dict[str, Any]) -> None:
    question = asked(message)
    found = {name: names(question) if name == "artists" else getattr(question, name) for name in meant}
    assert found == meant
    assert "I read" in question.corrected[0]


def test_every_word_that_nothing_has_used_is_named() -> None:
    question = asked("dog friendly jazz on a yacht in Boston, with 7 fireworks, 90s style")
    assert question.unused[-1] == "I could not use: dog friendly, yacht, 7 fireworks, 90s."


@given(st.lists(st.sampled_from(["zorbing", "yak", "77", "quixotic", "umami"]), min_size=1, max_size=4, unique=True))
def test_no_word_is_dropped_silently(strange: list[str]) -> None:
    said = " ".join(asked(f"jazz in Boston {' and '.join(strange)} please").unused)
    assert all(word in said for word in strange)


@pytest.mark.parametrize(
    "message",
    [
        "what do tickets for Winter Wolves cost",
        "how much money did concerts make in 2025",
        "which genre sold the most last year",
        "will Winter Wolves sell out in Boston",
        "expected sales for Winter Wolves next month",
        "how was business between June and August",
        "a few small jazz shows in a club in Texas under $50",
        "does the Beacon Theatre have parking",
        "3 cheap gigs, no rock, not in Boston, on the first weekend of December",
        "similar concerts to Winter Wolves",
        "the least popular venues with more than 500 seats",
        "how many people came to Sunday Hall last year",
    ],
)
def test_a_strange_word_is_named_wherever_it_stands(message: str) -> None:
    words = message.split()
    for place in range(len(words) + 1):
        strange = " ".join([*words[:place], "quixotic", *words[place:]])
        assert "quixotic" in " ".join(asked(strange).unused), strange


@pytest.mark.parametrize(
    ("message", "intent", "name"),
    [
        ("is Coldplay playing in Boston", "artist_lookup", "Coldplay"),
        ("tour dates for the rolling pebbles", "artist_lookup", "rolling pebbles"),
        ("address of the Blue Note?", "venue_search", "Blue Note"),
        ("music in New Jersey?", "concert_recommendation", "New Jersey"),
        ("ohio gigs", "concert_recommendation", "ohio"),
    ],
)
def test_names_that_the_warehouse_lacks_are_said(message: str, intent: str, name: str) -> None:
    question = asked(message)
    assert question.intent == intent
    assert name in " ".join(question.unused)


def test_a_question_that_follows_keeps_what_it_leaves_open() -> None:
    first = asked("jazz in Boston in December under $50")
    second = read("what about Texas?", LEXICON, TODAY, first)
    assert (second.genres, second.max_price, second.since) == (("jazz",), 50.0, date(2026, 12, 1))
    assert second.places == (Place("", "Texas", "United States"),)
    assert read("only rock", LEXICON, TODAY, second).genres == ("rock",)
    assert read("rock in Austin", LEXICON, TODAY, first).max_price is None


@pytest.mark.parametrize(
    ("message", "since", "until"),
    [
        ("and the month after?", date(2027, 1, 1), date(2027, 2, 1)),
        ("the day before", date(2026, 11, 30), date(2026, 12, 1)),
        ("what about the week after that", date(2027, 1, 4), date(2027, 1, 11)),
    ],
)
def test_days_next_to_those_of_the_question_before(message: str, since: date, until: date) -> None:
    question = read(message, LEXICON, TODAY, asked("jazz in Boston in December"))
    assert (question.since, question.until, question.genres) == (since, until, ("jazz",))


def test_ten_parts_at_once() -> None:
    question = asked(
        "3 cheap jazz or blues concerts, no rock, in Texas or Montreal but not in Boston, in small clubs, in December, "
        "under $90"
    )
    assert (question.count, question.genres, question.not_genres) == (3, ("jazz", "blues"), ("rock",))
    assert {place.name for place in question.places} == {"Texas", "Montreal"}
    assert [place.name for place in question.not_places] == ["Boston"]
    assert (question.venue_types, question.max_capacity, question.max_price) == (("club",), 1500, 90.0)
    assert (question.since, question.until) == (date(2026, 12, 1), date(2027, 1, 1))


@pytest.mark.parametrize(
    "message",
    ["🎸🎸🎸", "¿Dónde hay conciertos?", "コンサート", "концерт", "x" * 4000,
     "jazz " * 800, "in " * 1300, "( " * 2000, "?",
     "a", "1", "$", "not " * 1000, "1 to 2 to 3 to 4 december", "con-", "con-" + "9" * 30,
     "99999999999999999999 concerts", "in 99999 years",
     "the next 9999 years",
     "between", "from to", "12/40", "00/00", "13/13/13", "31/12/0001", "0000-00-00"],
)  # fmt: skip
def test_messages_that_break_readers_are_read(message: str) -> None:
    assert asked(message).intent


@given(st.text(max_size=400))
def test_every_text_is_read(message: str) -> None:
    asked(message)


HEAP = (
    "rock jazz no not but or and in at the of for Boston Texas Austin TX december january 2026 2027 next last weekend "
    "week top 3 five concerts venues tickets under over $50 100 seats cheap Eve Beacon Theatre sales predict revenue "
    "when is what like similar first second it , . ? from to between until since con-000001 club theater 30 february"
)
WORDS = HEAP.split()


@given(st.lists(st.sampled_from(WORDS), max_size=25).map(" ".join))
def test_every_heap_of_words_is_read(message: str) -> None:
    question = asked(message)
    assert not set(question.genres) & set(question.not_genres)
    assert not set(question.places) & set(question.not_places)
    if question.since and question.until:
        assert question.since < question.until


PERIODS: tuple[tuple[str, str, str], ...] = (
    ("the weekend after thanksgiving", "2026-11-27", "2026-11-29"),
    ("the week before christmas", "2026-12-14", "2026-12-20"),
    ("the night before new years eve", "2026-12-30", "2026-12-30"),
    ("next weekend or the weekend after", "2026-11-27", "2026-12-06"),
    ("weekend of december 12", "2026-12-11", "2026-12-13"),
    ("the week of january 11th", "2027-01-11", "2027-01-17"),
    ("later than february 10", "2027-02-11", ""),
    ("earlier than february 10", "", "2027-02-09"),
    ("on or after december 5", "2026-12-05", ""),
    ("not after december 5", "", "2026-12-05"),
    ("after my exam on december 15", "2026-12-16", ""),
    ("the 24th", "2026-11-24", "2026-11-24"),
    ("on the 3rd", "2026-12-03", "2026-12-03"),
    ("the 1st or 2nd weekend of january", "2027-01-01", "2027-01-10"),
    ("the last day of the year", "2026-12-31", "2026-12-31"),
    ("december 4, 5 and 6", "2026-12-04", "2026-12-06"),
    ("4, 5 and 6 december", "2026-12-04", "2026-12-06"),
    ("between 5 and 8 pm on friday", "2026-11-27", "2026-11-27"),
    ("this month or next", "2026-11-01", "2026-12-31"),
    ("all through january", "2027-01-01", "2027-01-31"),
    ("through january", "", "2027-01-31"),
    ("i arrive dec 10 and leave dec 14", "2026-12-10", "2026-12-14"),
    ("from dec 28 to jan 3", "2026-12-28", "2027-01-03"),
    ("late february", "2027-02-21", "2027-02-28"),
    ("the first ten days of march", "2027-03-01", "2027-03-10"),
    ("the last 2 weeks of january", "2027-01-18", "2027-01-31"),
    ("any friday before christmas", "", "2026-12-24"),
)
FRAMES = (
    "jazz in Boston {}",
    "any concerts {}?",
    "{}, rock in Austin under 50",
    "Hello, what is on {} in Austin",
    "gigs {} please",
)


@pytest.mark.parametrize(("words", "first", "last"), PERIODS)
def test_days_are_read_wherever_they_stand(words: str, first: str, last: str) -> None:
    for frame in FRAMES:
        question = asked(frame.format(words))
        since, until = question.since, question.until and question.until - timedelta(days=1)
        assert (str(since or ""), str(until or "")) == (first, last), frame
        assert (question.count, question.min_price, question.which) == (None, None, 0), frame


PARTS: tuple[tuple[tuple[str, dict[str, Any]], ...], ...] = (
    (
        ("in Boston", {"places": (BOSTON,)}),
        ("in austin or montreal", {"places": (AUSTIN, MONTREAL)}),
        ("near Boston", {"places": (BOSTON,)}),
        ("I live in Austin", {"places": (AUSTIN,)}),
        ("visiting Texas", {"places": (TEXAS,)}),
    ),
    (
        ("next weekend", {"since": date(2026, 11, 27), "until": date(2026, 11, 30)}),
        ("on the 5th of january", {"since": date(2027, 1, 5), "until": date(2027, 1, 6)}),
        ("in dec or jan", {"since": date(2026, 12, 1), "until": date(2027, 2, 1)}),
        ("from 10 to 15 december", {"since": date(2026, 12, 10), "until": date(2026, 12, 16)}),
        ("before christmas", {"until": date(2026, 12, 25)}),
    ),
    (
        ("under $35", {"max_price": 35.0}),
        ("for less than thirty five dollars", {"max_price": 35.0}),
        ("35 dollars or less", {"max_price": 35.0}),
        ("my budget is 35", {"max_price": 35.0}),
        ("at least 35 euros", {"min_price": 35.0}),
        ("as cheap as possible", {"by_price": True}),
    ),
    (
        ("in a club", {"venue_types": ("club",)}),
        ("at a small venue", {"max_capacity": 1500}),
        ("in a theatre with more than 2000 seats", {"venue_types": ("theater",), "min_capacity": 2000}),
    ),
    (
        ("no rock", {"not_genres": ("rock",)}),
        ("anything but rock or country", {"not_genres": ("rock", "country")}),
        ("i don't like blues", {"not_genres": ("blues",)}),
        ("and country is not for me", {"not_genres": ("country",)}),
    ),
)
"""Ways to say each part; a message has at most one way of each."""
BEGINNINGS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("any jazz", {"genres": ("jazz",)}),
    ("Hi, are there any gigs", {}),
    ("we'd love to see hip hop or jazz", {"genres": ("hip-hop", "jazz")}),
    ("could you find me some JAZZ", {"genres": ("jazz",)}),
    ("what's on", {}),
)


@given(
    st.sampled_from(BEGINNINGS), st.tuples(*map(st.sampled_from, PARTS)), st.permutations(range(5)), st.integers(1, 5)
)
def test_parts_are_read_in_any_order(
    beginning: tuple[str, dict[str, Any]], parts: tuple[tuple[str, dict[str, Any]], ...], order: list[int], size: int
) -> None:
    chosen = [beginning, *(parts[place] for place in order[:size])]
    message = ", ".join(text for text, _ in chosen)
    question = asked(message)
    wanted = {name: value for _, part in chosen for name, value in part.items()}
    open_parts = {
        name: getattr(ChatQuestion(intent="unknown", confidence=0), name)
        for _, part in (each for ways in (BEGINNINGS, *PARTS) for each in ways)
        for name in part
    }
    assert {name: getattr(question, name) for name in open_parts} == {**open_parts, **wanted}, message
    assert question.intent == "concert_recommendation"


def test_a_long_message_takes_no_longer_than_its_length() -> None:
    assert len(asked("jazz in Boston, " * 250).unused) < 20


@pytest.mark.parametrize(
    ("message", "part", "value", "said"),
    [
        ("shows in Boston, no wait, Austin", "places", ("Austin",), "I took Austin, not Boston."),
        ("rock, or make it jazz", "genres", ("jazz",), "I took jazz, not rock."),
        ("show me ten, no make it five gigs", "count", 5, "I took five, not ten."),
        ("3 of us have 120 total, jazz", "max_price", 40.0, "I took 120 for 3 as 40.00 for each."),
        ("two tickets for under $90 all in", "max_price", 45.0, "I took 90 for 2 as 45.00 for each."),
    ],
)
def test_what_was_corrected_or_divided_is_said(message: str, part: str, value: object, said: str) -> None:
    question = asked(message)
    found = getattr(question, part)
    assert (tuple(one.name for one in found) if part == "places" else found) == value
    assert said in question.corrected


@pytest.mark.parametrize("word", ["shuttle", "production", "concept", "deliver", "longest", "vegans"])
def test_ordinary_words_are_not_taken_for_misspelled_ones(word: str) -> None:
    question = asked(f"jazz and a {word}")
    assert question.corrected == ()
    assert word in " ".join(question.unused)


@pytest.mark.parametrize(
    ("message", "found"), [("jazz in Portland, ME", ["Portland"]), ("jazz in me", ["Maine"]), ("jazz near me", [])]
)
def test_me_is_a_state_only_after_in_or_in_capitals(message: str, found: list[str]) -> None:
    portlands = (Place("Portland", "Maine", "United States"), Place("Portland", "Oregon", "United States"))
    question = read(message, Lexicon(Vocabulary(genres=("jazz",), places=portlands)), TODAY)
    assert [place.name for place in question.places] == found
    assert all(place.state == "Maine" for place in question.places)
