"""The normaliser: every name in the application's answers works in queries, in all spellings."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.concerts.lexicon import CITY_ALIASES, COUNTRY_ALIASES, STATE_CODES, Lexicon, Lexicons, key
from chalicelib.concerts.values import NamedArtist, Place, Vocabulary
from chalicelib.errors import UpstreamUnavailable
from local.season.places import CITIES
from tests.fakes.season import ConcertWorld

PLACES = tuple(Place(city.name, city.state, city.country) for city in CITIES)
GENRES = ("rock", "rock/indie", "hip-hop", "r&b", "pop/electronic", "jazz/blues", "drum & bass")
LEXICON = Lexicon(Vocabulary(genres=GENRES, places=PLACES, venue_types=("club", "theater", "amphitheater")))


def spellings(text: str) -> st.SearchStrategy[str]:
    """How people write it: any case, without accents, with spaces around, other hyphens."""
    bare = "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
    return st.sampled_from([text, text.upper(), text.lower(), bare, f"  {text} ", unicodedata.normalize("NFD", text)])


@given(st.data())
def test_every_place_finds_itself(data: st.DataObject) -> None:
    place = data.draw(st.sampled_from(PLACES))
    parts = data.draw(
        st.sampled_from(
            [
                (place.city,),
                (place.city, place.state),
                (place.city, place.country),
                (place.city, place.state, place.country),
            ]
        )
    )
    text = ", ".join(data.draw(spellings(part)) for part in parts)
    assert any(place.within(found) or found == place for found in LEXICON.place(text)), text


@given(st.data())
def test_every_genre_and_each_part_finds_itself(data: st.DataObject) -> None:
    genre = data.draw(st.sampled_from(GENRES))
    assert LEXICON.genre(data.draw(spellings(genre))) == tuple(genre.split("/"))
    for part in genre.split("/"):
        written = part.replace("-", data.draw(st.sampled_from(["", " ", "-"])))
        assert LEXICON.genre(data.draw(spellings(written))) == (part,)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Austin, TX", ["Austin"]),
        ("Austin TX", ["Austin"]),
        ("Texas, Austin", ["Austin"]),
        ("USA", ["United States"]),
        ("the Netherlands", ["Netherlands"]),
        ("CA", ["California"]),
        ("San Diego, CA", ["San Diego"]),
        ("Toronto, CA", ["Toronto"]),
        ("Montréal", ["Montreal"]),
        ("ZURICH", ["Zürich"]),
        ("Sao Paulo", ["São Paulo"]),
        ("New York", ["New York"]),
        ("Washington", ["Washington", "Washington"]),
        ("Washington, DC", ["Washington"]),
        ("Austin, Ohio", []),
        ("Atlantis", []),
        ("", []),
        (",", []),
    ],
)
def test_places(text: str, names: list[str]) -> None:
    assert [place.name for place in LEXICON.place(text)] == names


@pytest.mark.parametrize(
    ("text", "parts"),
    [("hip hop", ("hip-hop",)), ("hiphop", ("hip-hop",)), ("RnB", ("r&b",)), ("R and B", ("r&b",)),
     ("rap", ("hip-hop",)), ("pop / electronic", ("pop", "electronic")), ("rock/gamelan", ()), ("gamelan", ()),
     ("", ())],
)  # fmt: skip
def test_genres(text: str, parts: tuple[str, ...]) -> None:
    assert LEXICON.genre(text) == parts


@given(st.text(max_size=60))
def test_no_text_breaks_it(text: str) -> None:
    LEXICON.place(text)
    LEXICON.genre(text)
    LEXICON.venue_type(text)
    assert key(key(text)) == key(text)


def test_codes_and_aliases_are_of_places_that_there_are() -> None:
    assert all(code == key(code) for code in (*STATE_CODES, *COUNTRY_ALIASES, *CITY_ALIASES))


def test_while_the_warehouse_is_away_the_last_one_stands() -> None:
    world = ConcertWorld()
    lexicons = Lexicons(world.warehouse)
    world.warehouse.fail = UpstreamUnavailable("down")
    with pytest.raises(UpstreamUnavailable):
        lexicons()
    world.warehouse.fail = None
    first = lexicons()
    world.warehouse.fail = UpstreamUnavailable("down")
    assert lexicons() is first


def test_it_is_made_anew_only_when_the_vocabulary_is_another() -> None:
    world = ConcertWorld()
    lexicons = Lexicons(world.warehouse)
    first = lexicons()
    assert lexicons() is first
    world.warehouse.names = Vocabulary(artists=(NamedArtist("art-1", "Eve", "rock"),))
    assert lexicons() is not first
