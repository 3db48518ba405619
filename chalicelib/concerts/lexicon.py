"""The warehouse's names as people write them: accents, hyphens, abbreviations and aliases; one normaliser for all.

Every name in the application's answers (a genre, a place, an artist, a venue) works in queries, in all spellings.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple, TypeVar

from chalicelib.concerts.ports import ConcertCatalogue
from chalicelib.concerts.values import NamedArtist, NamedVenue, Place, Vocabulary
from chalicelib.errors import UpstreamError

Tokens = tuple[str, ...]
Nameable = TypeVar("Nameable")

WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")  # people type both apostrophes
LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ß": "ss", "æ": "ae", "œ": "oe", "ı": "i"})

_BRITISH = {
    "theatre": "theater",
    "amphitheatre": "amphitheater",
    "centre": "center",
    "harbour": "harbor",
    "grey": "gray",
}
SPELLINGS: Mapping[str, str] = _BRITISH | {american: british for british, american in _BRITISH.items()}
"""Words of names by the other of their two spellings."""
GENRE_ALIASES: Mapping[str, str] = {
    "rnb": "r&b",
    "r n b": "r&b",
    "rhythm and blues": "r&b",
    "rap": "hip-hop",
    "edm": "electronic",
    "techno": "electronic",
    "house": "electronic",
    "electro": "electronic",
    "dance": "electronic",
    "heavy metal": "metal",
    "rock and roll": "rock",
    "rocknroll": "rock",
    "orchestral": "classical",
    "classic": "classical",
}
CITY_ALIASES: Mapping[str, str] = {
    "nyc": "New York",
    "new york city": "New York",
    "big apple": "New York",
    "la": "Los Angeles",
    "l a": "Los Angeles",
    "sf": "San Francisco",
    "san fran": "San Francisco",
    "frisco": "San Francisco",
    "vegas": "Las Vegas",
    "philly": "Philadelphia",
    "phili": "Philadelphia",
    "phila": "Philadelphia",
    "mpls": "Minneapolis",
    "philli": "Philadelphia",
    "nola": "New Orleans",
    "big easy": "New Orleans",
    "nueva york": "New York",
    "nova york": "New York",
    "nova iorque": "New York",
    "nueva orleans": "New Orleans",
    "nouvelle orleans": "New Orleans",
    "filadelfia": "Philadelphia",
    "philadelphie": "Philadelphia",
    "atl": "Atlanta",
    "hotlanta": "Atlanta",
    "atx": "Austin",
    "htx": "Houston",
    "pdx": "Portland",
    "phx": "Phoenix",
    "lax": "Los Angeles",
    "sfo": "San Francisco",
    "jfk": "New York",
    "mtl": "Montreal",
    "yul": "Montreal",
    "yyz": "Toronto",
    "msp": "Minneapolis",
    "mia": "Miami",
    "phl": "Philadelphia",
    "bos": "Boston",
    "ord": "Chicago",
    "dfw": "Dallas",
    "iah": "Houston",
    "dtw": "Detroit",
    "bna": "Nashville",
    "msy": "New Orleans",
    "sea": "Seattle",
    "chi town": "Chicago",
    "chitown": "Chicago",
    "windy city": "Chicago",
    "beantown": "Boston",
    "motown": "Detroit",
    "motor city": "Detroit",
    "music city": "Nashville",
    "sin city": "Las Vegas",
    "mile high city": "Denver",
    "dc": "Washington",
    "washington dc": "Washington",
    "munchen": "Munich",
    "koln": "Cologne",
    "wien": "Vienna",
    "praha": "Prague",
    "roma": "Rome",
    "milano": "Milan",
    "lisboa": "Lisbon",
    "warszawa": "Warsaw",
    "kobenhavn": "Copenhagen",
    "bruxelles": "Brussels",
    "brussel": "Brussels",
    "ciudad de mexico": "Mexico City",
    "cdmx": "Mexico City",
}
STATE_PAIRS = (
    "al:Alabama,ak:Alaska,az:Arizona,ar:Arkansas,ca:California,co:Colorado,ct:Connecticut,de:Delaware,"
    "dc:District of Columbia,fl:Florida,ga:Georgia,hi:Hawaii,id:Idaho,il:Illinois,in:Indiana,ia:Iowa,ks:Kansas,"
    "ky:Kentucky,la:Louisiana,me:Maine,md:Maryland,ma:Massachusetts,mi:Michigan,mn:Minnesota,ms:Mississippi,"
    "mo:Missouri,mt:Montana,ne:Nebraska,nv:Nevada,nh:New Hampshire,nj:New Jersey,nm:New Mexico,ny:New York,"
    "nc:North Carolina,nd:North Dakota,oh:Ohio,ok:Oklahoma,or:Oregon,pa:Pennsylvania,ri:Rhode Island,"
    "sc:South Carolina,sd:South Dakota,tn:Tennessee,tx:Texas,ut:Utah,vt:Vermont,va:Virginia,wa:Washington,"
    "wv:West Virginia,wi:Wisconsin,wy:Wyoming,on:Ontario,qc:Quebec,bc:British Columbia,ab:Alberta,mb:Manitoba,"
    "nsw:New South Wales,vic:Victoria,qld:Queensland,nrw:North Rhine-Westphalia,cali:California,"
    "calif:California,tex:Texas,mass:Massachusetts,penn:Pennsylvania,tenn:Tennessee,wash:Washington,"
    "jersey:New Jersey,kalifornien:California,californie:California,floride:Florida"
)
COUNTRY_PAIRS = (
    "canadian:Canada,us:United States,usa:United States,u s:United States,u s a:United States,america:United States,"
    "the states:United States,united states of america:United States,uk:United Kingdom,u k:United Kingdom,"
    "gb:United Kingdom,great britain:United Kingdom,britain:United Kingdom,ca:Canada,can:Canada,ie:Ireland,"
    "fr:France,de:Germany,ger:Germany,deutschland:Germany,at:Austria,ch:Switzerland,nl:Netherlands,"
    "holland:Netherlands,the netherlands:Netherlands,be:Belgium,dk:Denmark,se:Sweden,no:Norway,fi:Finland,"
    "pl:Poland,cz:Czechia,czech republic:Czechia,es:Spain,espana:Spain,pt:Portugal,it:Italy,italia:Italy,jp:Japan,"
    "kanada:Canada,estados unidos:United States,etats unis:United States,vereinigte staaten:United States,"
    "stati uniti:United States,kr:South Korea,korea:South Korea,republic of korea:South Korea,au:Australia,"
    "nz:New Zealand,br:Brazil,brasil:Brazil,ar:Argentina,mx:Mexico"
)
STATE_CODES: Mapping[str, str] = {
    code: name for code, _, name in (pair.partition(":") for pair in STATE_PAIRS.split(","))
}
COUNTRY_ALIASES: Mapping[str, str] = {
    alias: name for alias, _, name in (pair.partition(":") for pair in COUNTRY_PAIRS.split(","))
}
TYPE_ALIASES: Mapping[str, str] = {
    "theatre": "theater",
    "amphitheatre": "amphitheater",
    "concert hall": "hall",
    "night club": "club",
    "nightclub": "club",
    "open air": "amphitheater",
}


class Named(NamedTuple):
    """The meaning of a span of words: its kind, and the genre, Place, NamedArtist, NamedVenue or venue type."""

    kind: str
    what: object


class Lexicon:
    """One vocabulary, by its normalised words."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary

    @cached_property
    def genres(self) -> Mapping[str, str]:
        """Each part of a genre by its compact key, and by its aliases."""
        parts = sorted({part.strip() for genre in self.vocabulary.genres for part in genre.split("/")} - {""})
        known = {compact(part): part for part in parts}
        aliases = {compact(alias): known[compact(to)] for alias, to in GENRE_ALIASES.items() if compact(to) in known}
        return aliases | known

    @cached_property
    def places(self) -> Mapping[str, tuple[Place, ...]]:
        """Cities, states and countries by their key, with their aliases; a name that is several places has them all."""
        found: dict[str, dict[Place, None]] = defaultdict(dict)
        for place in self.vocabulary.places:
            for part in (place, Place("", place.state, place.country), Place("", "", place.country)):
                found[key(part.city or part.state or part.country)][part] = None
        places = {name: _without_states_of_cities(tuple(several)) for name, several in found.items() if name}
        cities = {name: [one for one in several if one.city] for name, several in places.items()}
        wholes = {name: [one for one in several if not one.city] for name, several in found.items()}
        for aliases, known in ((COUNTRY_ALIASES, wholes), (STATE_CODES, wholes), (CITY_ALIASES, cities)):
            places |= {alias: tuple(known[key(to)]) for alias, to in aliases.items() if known.get(key(to))}
        return places

    @cached_property
    def types(self) -> Mapping[str, str]:
        """Venue types by their key, singular and plural."""
        known = {key(kind): kind for kind in self.vocabulary.venue_types}
        known |= {alias: known[to] for alias, to in TYPE_ALIASES.items() if to in known}
        return known | {f"{name}s": kind for name, kind in known.items()} | {f"{n}es": k for n, k in known.items()}

    @cached_property
    def spans(self) -> Mapping[Tokens, tuple[Named, ...]]:
        """Everything that a text may name, by its words; the key of the longest name tells how far to look."""
        found: dict[Tokens, list[Named]] = defaultdict(list)
        for genre in self.vocabulary.genres:
            found[tuple(tokens(genre))].append(Named("genre", genre))
        for part in set(self.genres.values()):
            if Named("genre", part) not in found[tuple(tokens(part))]:
                found[tuple(tokens(part))].append(Named("genre", part))
            found[(compact(part),)] = [Named("genre", part)]
        for alias, to in GENRE_ALIASES.items():
            if compact(to) in self.genres:
                found[tuple(tokens(alias))] = [Named("genre", self.genres[compact(to)])]
        for name, several in self.places.items():
            found[tuple(name.split())] += [Named("place", place) for place in several]
        for name, kind in self.types.items():
            found[tuple(name.split())].append(Named("type", kind))
        for artist in self.vocabulary.artists:
            found[tuple(tokens(artist.name))].append(Named("artist", artist))
        for venue in self.vocabulary.venues:
            found[tuple(tokens(venue.name))].append(Named("venue", venue))
        found.pop((), None)
        for words, named in list(found.items()):
            if not SPELLINGS.keys().isdisjoint(words):
                found.setdefault(tuple(SPELLINGS.get(word, word) for word in words), named)
        return {words: tuple(named) for words, named in found.items()}

    @cached_property
    def longest(self) -> int:
        """The number of words in the longest name."""
        return max(map(len, self.spans), default=0)

    def genre(self, text: str) -> tuple[str, ...]:
        """The parts of the genre that `text` spells, none where it is no genre of the warehouse."""
        if whole := self.genres.get(compact(text)):
            return (whole,)
        parts = [self.genres.get(compact(part)) for part in text.split("/")]
        return tuple(part for part in parts if part) if all(parts) else ()

    def place(self, text: str) -> tuple[Place, ...]:
        """The places that `text` spells, "Austin, TX" for one; none where the warehouse has no venue there."""
        if whole := self.places.get(key(text)):
            return whole
        parts = [part for part in text.split(",") if part.strip()]
        if len(parts) < 2:  # "Austin TX" without its comma
            words = key(text).split()
            parts = [" ".join(words[:-1]), words[-1]] if len(words) > 1 else []
        options = [self.parts(part) for part in parts]
        if not options or not all(options):
            return ()
        found = [place for place in options[0] if all(any(place.within(wide) for wide in rest) for rest in options[1:])]
        if not found:  # "Texas, Austin" is as good
            found = [
                place
                for several in options
                for place in several
                if all(any(place.within(wide) for wide in other) for other in options)
            ]
        return tuple(dict.fromkeys(found))

    def parts(self, text: str) -> tuple[Place, ...]:
        """Every place that one part of an address may be: ", CA" is California and Canada until the city decides."""
        name = key(text)
        found = list(self.places.get(name, ()))
        for aliases in (STATE_CODES, COUNTRY_ALIASES):
            found += [place for place in self.places.get(key(aliases.get(name, "")), ()) if not place.city]
        found += self.wide(name)
        return tuple(dict.fromkeys(found))

    def wide(self, text: str) -> tuple[Place, ...]:
        """The states and countries that `text` spells, though a city has the same name."""
        return self._wide.get(key(text), ())

    @cached_property
    def _wide(self) -> Mapping[str, tuple[Place, ...]]:
        """States and countries by their key, those that are named as one of their cities included."""
        found: dict[str, dict[Place, None]] = defaultdict(dict)
        for place in self.vocabulary.places:
            found[key(place.state)][Place("", place.state, place.country)] = None
            found[key(place.country)][Place("", "", place.country)] = None
        return {name: tuple(several) for name, several in found.items()}

    def venue_type(self, text: str) -> str | None:
        """The venue type that `text` spells."""
        return self.types.get(key(text))

    def artists(self, text: str) -> list[NamedArtist]:
        """Artists whose name has all the words of `text`, the last perhaps not whole, by name."""
        return _matching(self._artist_keys, text)

    def venues(self, text: str) -> list[NamedVenue]:
        """Venues whose name has all the words of `text`, the last perhaps not whole, by name."""
        return _matching(self._venue_keys, text)

    @cached_property
    def _artist_keys(self) -> list[tuple[str, NamedArtist]]:
        return sorted(
            ((f" {key(one.name)}", one) for one in self.vocabulary.artists), key=lambda it: (it[0], it[1].artist_id)
        )

    @cached_property
    def _venue_keys(self) -> list[tuple[str, NamedVenue]]:
        return sorted(
            ((f" {key(one.name)}", one) for one in self.vocabulary.venues), key=lambda it: (it[0], it[1].venue_id)
        )


class Lexicons:
    """The lexicon of the warehouse as it is now; made anew when its vocabulary is another."""

    def __init__(self, catalogue: ConcertCatalogue) -> None:
        self._catalogue = catalogue
        self._latest = Lexicon(Vocabulary())

    def __call__(self) -> Lexicon:
        """The lexicon, the last one where the warehouse fails; Upstream* where there was none yet."""
        try:
            vocabulary = self._catalogue.vocabulary()
        except UpstreamError:
            if not self._latest.vocabulary.artists:
                raise
            return self._latest
        if vocabulary is not self._latest.vocabulary:
            self._latest = Lexicon(vocabulary)
        return self._latest


def plain_text(text: str) -> str:
    """`text` in lower case, without accents."""
    if text.isascii():
        return text.lower()
    whole = unicodedata.normalize("NFKD", text).casefold().translate(LETTERS)
    apart = unicodedata.normalize("NFKD", whole)
    return "".join(char for char in apart if not unicodedata.combining(char))


def tokens(text: str) -> list[str]:
    """The words of `text`, plain; an ampersand is "and", an apostrophe joins."""
    return [re.sub("['’]", "", word) for word in WORD.findall(plain_text(text).replace("&", " and "))]


def key(text: str) -> str:
    """`text` as one looks it up: its words, with one space between them."""
    return " ".join(tokens(text))


def compact(text: str) -> str:
    """`text` without what people leave out: "hip hop", "Hip-Hop" and "hiphop" are one."""
    return "".join(tokens(text))


def _without_states_of_cities(several: Sequence[Place]) -> tuple[Place, ...]:
    """A city that is named as its own state or country is meant, not the wider one: New York, Berlin, Mexico City."""
    cities = [place for place in several if place.city]
    return tuple(
        place
        for place in several
        if place.city
        or not any(city.country == place.country and (not place.state or city.state == place.state) for city in cities)
    )


def _matching(keys: Iterable[tuple[str, Nameable]], text: str) -> list[Nameable]:
    wanted = [f" {word}" for word in tokens(text)]
    return [one for name, one in keys if all(word in name for word in wanted)]


Lexical = Callable[[], Lexicon]
