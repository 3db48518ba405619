"""The names in a message: artists, venues, genres, types and places, wanted or not."""

import re
from collections.abc import Sequence
from itertools import pairwise

from chalicelib.concerts.cues import (
    ALL_BUT,
    ARTIST_AFTER,
    BOUNDARY,
    CODE_BEFORE,
    COMMON,
    GENRE_WORDS,
    IDLE,
    IN_A_BAND,
    JOINS_PLACES,
    MUSIC_AFTER,
    NEGATION,
    NEVER_CODES,
    NOT_COUNTRY,
    NOT_NEGATION,
    OPEN_CODES,
    OPTIONAL,
    ORDINARY_AFTER,
    ORDINARY_BEFORE,
    PLACE_ADJECTIVE,
    PLACE_BEFORE,
    PUT_AWAY,
    SHORT_CODES,
    UNLOVED,
    UNWANTED_AFTER,
    WERE_THERE,
)
from chalicelib.concerts.lexicon import COUNTRY_ALIASES, STATE_CODES, Named, key
from chalicelib.concerts.message import Message, Span
from chalicelib.concerts.periods import DayPeriod
from chalicelib.concerts.values import Place
from chalicelib.concerts.words import PUNCTUATION

LETTER = 1
REACH = 60
"""Characters around a name in which a verb and its particle may be: "leave the blues out"."""
LISTS = re.compile(r"(?: ,)?(?: (?:or|and|nor))? ?")
"""Between the names of one list, all of which are wanted or none."""
LISTED_NEXT = re.compile(r"^ (?:,|or|and) (\S+)")
OF_PLACES = re.compile(
    r"^ (?:cit(?:y|ies)|towns?|venues?|concerts?|gigs?|shows?|arenas?|clubs?|halls?|theat(?:er|re)s?)\b"
)
HABIT = re.compile(r"\b(?:usually|normally|mostly|always|last time|used to)\b[^.;:!?]*$")
INSTEAD = re.compile(r"[^.;:!?]*\b(?:but|this time|today|tonight)\b")
LISTED = frozenset(("or", "and", "nor", "any", "the", "a", "some", "either", "even", "no", "not", "music", ","))
"""Words after a comma that continue a list."""
MUSIC_WORDS = frozenset(
    ("concerts", "concert", "gigs", "shows", "bands", "stuff", "music", "artists", "in", "of", "at")
)
"""Words between the names of a list that is not wanted."""
WIDE_NAMES = frozenset(key(name) for name in (*STATE_CODES.values(), *COUNTRY_ALIASES.values()))
"""States and countries, whether or not the warehouse has venues there."""
JOINERS = frozenset(("in", "at", "near", "around", "from", "the", "or", "and", "nor", ",", "anything", "anywhere"))


class NamedMessage(Message):
    """A message whose names are read."""

    def _names(self, taken: Sequence[DayPeriod]) -> list[Span]:
        """What the words name, the longest first at each place, with what is meant and what else it could be."""
        found: list[Span] = []
        blocked = {place for period in taken for place in self._places_in(period.start, period.end)}
        for second, (one, other) in enumerate(pairwise(self.words), 1):  # as in "k-pop", which is no pop
            joint = one.plain + other.plain
            if len(one.plain) <= LETTER and joint in GENRE_WORDS and joint not in self.lexicon.genres:
                blocked |= {second - 1, second}
        place = 0
        while place < len(self.words):
            span = None
            if place not in blocked and self.words[place].plain not in PUNCTUATION:
                for size in range(min(self.lexicon.longest, len(self.words) - place), 0, -1):
                    name = tuple(word.plain for word in self.words[place : place + size])
                    named = self.lexicon.spans.get(name) or self._owners(name)
                    if named and (span := self._span(place, place + size, named)):
                        break
            if span is None:
                place += 1
                continue
            if found and found[-1].named.kind == span.named.kind and not span.negated and found[-1].after < span.first:
                joint = self.flat[self._end(found[-1].after - 1) : self.words[span.first].at]
                span = span._replace(negated=found[-1].negated and bool(LISTS.fullmatch(joint)))
            elif found and found[-1].named.kind == span.named.kind and not found[-1].negated:
                joint = self.flat[self._end(found[-1].after - 1) : self.words[span.first].at]
                unloved = UNLOVED.match(self.flat[self._end(span.after - 1) :])
                if unloved and any(unloved.groups()) and LISTS.fullmatch(joint):
                    found[-1] = found[-1]._replace(negated=True)
                span = span._replace(negated=span.negated and bool(unloved or not LISTS.fullmatch(joint)))
            found.append(span)
            for used in range(span.first, span.after):
                self.used[used] = True
                self.kinds[used] = span.named.kind
            if span.named.kind == "place":
                self.in_places |= set(range(span.first, span.after))
            place = span.after
        return self._with_states(found)

    def _owners(self, name: tuple[str, ...]) -> list[Named]:
        """The artists and venues of a name with an "s" after it: "paper avenues genre" is Paper Avenue's."""
        if len(name) < 2 or not name[-1].endswith("s"):
            return []
        owned = self.lexicon.spans.get((*name[:-1], name[-1][:-1]), ())
        return [one for one in owned if one.kind in {"artist", "venue"}]

    def _span(self, first: int, after: int, named: Sequence[Named]) -> Span | None:
        """The meaning of a name here, by its spelling and the words around it; None if it is an ordinary word."""
        before, behind = self._around(first, after)
        words = self.words[first:after]
        capitals = all(word.raw[:1].isupper() for word in words) and not self.shout
        mid = first > 0 and self.words[first - 1].plain not in PUNCTUATION
        common = all(word.plain in COMMON or word.plain.isdigit() for word in words)
        fitting: list[Named] = []
        for one in named:
            if one.kind == "artist" and common:
                sure = (capitals and (mid or ARTIST_AFTER.search(behind))) or re.search(
                    r"\b(?:artist|band|singer|by|group|act) (?:the )?$", before
                )
                if not sure or (len(words) == 1 and self._is_time(first)):
                    continue
            if one.kind == "place" and not self._is_place(first, after, before):
                continue
            one_word = after - first == 1 and one.kind in {"genre", "type"}
            if one_word and self._is_ordinary(words[0].plain, before, behind):
                continue
            fitting.append(one)
        if not fitting:
            return None
        state = after < len(self.words) and self.words[after].plain == "state"
        if state and (wide := [one for one in self.lexicon.wide(self._raw(first, after)) if one.state]):
            self.spent[after] = True  # as in "Washington state"
            fitting = [Named("place", one) for one in wide]
        meant = fitting[0]
        kinds = {one.kind for one in fitting}
        if kinds > {"artist"}:
            acts = self._is_act(first, after, kinds)
            meant = next(one for one in fitting if (one.kind == "artist") == acts)
        elif "place" in kinds and "genre" not in kinds:
            meant = next(one for one in fitting if one.kind == "place")
        others = tuple(one for one in fitting if one is not meant)
        return Span(first, after, meant, others, self._negated(first, after, meant.kind))

    def _is_ordinary(self, word: str, before: str, behind: str) -> bool:
        """Whether a genre's or a type's word is an ordinary one here: "a full house", "which country", "to dance"."""
        ordinary = ORDINARY_BEFORE.get(word)
        if (idiom := ORDINARY_AFTER.get(word)) and idiom.match(behind):
            return True
        listed = LISTED_NEXT.match(behind)
        if word == "country" and NOT_COUNTRY.search(before):
            return False
        if MUSIC_AFTER.match(behind) or (listed and listed[1] in self.lexicon.genres):
            return False
        if word == "country" and before.endswith("any ") and re.match(r"^ (?:but|except|other|is|where)\b", behind):
            return True
        return bool(ordinary and ordinary.search(before)) or bool(
            re.match(r"^ (?:club|floor|hall)s?\b", behind) and word in {"dance", "country"}
        )

    def _is_act(self, first: int, after: int, kinds: set[str]) -> bool:
        """Whether a name that is a place or a genre, too, is the artist's: by the words around it."""
        before, behind = self._around(first, after)
        if re.search(r"\b(?:artist|band|singer|by|see|hear|watch|group|act) (?:the )?$", before):
            return True
        if "place" in kinds and PLACE_BEFORE.search(before):
            return False
        asked = re.search(r"\b(?:is|does|will|are|when|has|for|did) (?:the )?$", before)
        owned = behind.startswith(" s ") and self.words[first].raw[:1].isupper()
        return bool((ARTIST_AFTER.search(behind) and asked) or owned)

    def _is_place(self, first: int, after: int, before: str) -> bool:
        """Short codes are places in capitals, after a comma, or after "in"; others always are."""
        if after - first > 1:
            return True
        word = self.words[first]
        spelled = key(STATE_CODES.get(word.plain, ""))
        if spelled and self.flat[self._end(first) :].startswith(f" ( {spelled} )"):
            return False  # as in "la (Louisiana)"
        if word.plain == "america" and re.search(r"\b(?:north|south|central|latin) $", before):
            return False
        if word.plain == "canadian":  # not "Canadian bands"
            return bool(OF_PLACES.match(self.flat[self._end(first) :]))
        if PLACE_ADJECTIVE.match(self.flat[self._end(first) :]):
            return False
        if len(word.plain) > 3:
            return True
        capital = word.raw.isupper() and len(word.raw) > 1 and not self.shout
        near = first - 1 in self.in_places or first - 2 in self.in_places or PLACE_BEFORE.search(before)
        if capital and (not first or near or word.plain not in NEVER_CODES | OPEN_CODES):  # not "this OR that"
            return True
        follows = self.words[after].plain if after < len(self.words) else ","
        code = word.plain in SHORT_CODES
        after_comma = first > 1 and self.words[first - 1].plain == "," and self.used[first - 2]
        after_name = first > 0 and self.used[first - 1] and not code and word.plain not in IDLE
        if after_name or (after_comma and not code):
            return True
        if first and self.words[first - 1].plain == "," and follows in PUNCTUATION:
            return first - 2 in self.in_places or word.plain not in IDLE | NEVER_CODES | OPEN_CODES
        if code:
            if word.plain == "me" and not before.endswith("in "):
                return False  # as in "near me"
            listed = first - 2 in self.in_places and JOINS_PLACES.search(before)
            open_too = follows in PUNCTUATION or (listed and not before.endswith(", "))
            words = NEVER_CODES if open_too else NEVER_CODES | OPEN_CODES
            begins = (not first or self.words[first - 1].plain in PUNCTUATION) and self._begins_places(after)
            return word.plain not in words and bool(CODE_BEFORE.search(before) or listed or begins)
        return bool(PLACE_BEFORE.search(before)) or word.plain not in IDLE

    def _begins_places(self, after: int) -> bool:
        """Whether a list of places goes on after a code: "pa or nj"."""
        if after + 1 >= len(self.words) or self.words[after].plain not in {"or", "and", ","}:
            return False
        word = self.words[after + 1].plain
        return word not in SHORT_CODES | IDLE and (word in STATE_CODES or word in self.lexicon.places)

    def _is_time(self, place: int) -> bool:
        around = self.flat[max(0, self.words[place].at - 12) : self.words[place].at + 16]
        return bool(re.search(r"\b(?:christmas|years?|this|in|on|last|next|of) \w+|\b\d", around)) and not re.search(
            r"\b(?:see|by|band|artist|singer|is|does|about) " + re.escape(self.words[place].plain), around
        )

    def _with_states(self, spans: list[Span]) -> list[Span]:
        """A city with its state or country after it is one place: Portland, OR; Austin, Texas; Paris in France."""
        found: list[Span] = []
        for span in spans:
            last = found[-1] if found else None
            between = self.flat[self._end(last.after - 1) : self.words[span.first].at].strip() if last else "-"
            if (
                last
                and between in {"", ",", "in"}
                and last.named.kind == span.named.kind == "place"
                and isinstance(last.named.what, Place)
                and isinstance(span.named.what, Place)
            ):
                cities = [one for one in (last.named, *last.others) if isinstance(one.what, Place) and one.what.city]
                wides = [one for one in (span.named, *span.others) if isinstance(one.what, Place) and not one.what.city]
                wides += [Named("place", one) for one in self.lexicon.parts(self.words[span.first].raw) if not one.city]
                if not last.named.what.city:
                    turned = [
                        one
                        for one in (span.named, *span.others)
                        if isinstance(one.what, Place) and one.what.city and one.what.within(last.named.what)
                    ]
                    if turned and between == ",":  # "Georgia, Atlanta"
                        found[-1] = Span(last.first, span.after, turned[0], (), last.negated)
                        continue
                inside = [
                    city
                    for city in cities
                    if any(isinstance(w.what, Place) and city.what.within(w.what) for w in wides)  # type: ignore[attr-defined]
                ]
                if inside:
                    found[-1] = Span(last.first, span.after, inside[0], (), last.negated)
                    continue
                if between != "in" and cities and wides:  # such as Austin, Ohio: there is none
                    text = f"{last.named.what.name}, {span.named.what.name}"
                    self.unused.append(f"No venue is in {text}.")
                    self.missing_place = True
                    found.pop()
                    continue
            found.append(span)
        return found

    def _without_origins(self, spans: list[Span]) -> list[Span]:
        """Without the place that people come from or were in: "from Boston to Seattle", "born in Texas"; it is said.

        Where a message names no other place, that one may be meant.
        """
        kept = []
        others = [span for span in spans if span.named.kind == "place" and not span.negated]
        for span in spans:
            before, behind = self._around(span.first, span.after)
            onward = before.endswith(" from ") and re.match(r"^ (?:over |back |up |down )?to ", behind)
            once = len(others) > 1 and WERE_THERE.search(before)
            if OPTIONAL.search(before):
                others = [one for one in others if one is not span]
                continue
            if span.named.kind == "place" and not span.negated and (onward or once):
                others = [one for one in others if one is not span]
                self.unused.append(f"I could not use: from {self._raw(span.first, span.after)}.")
            else:
                kept.append(span)
        return kept

    def _without_habits(self, spans: list[Span]) -> list[Span]:
        """Without genres that people usually hear: "we usually go to indie shows but tonight we want jazz"."""
        kept = []
        for span in spans:
            before, behind = self._around(span.first, span.after)
            habit = HABIT.search(before) and INSTEAD.match(behind)
            if span.named.kind == "genre" and (habit or (behind.startswith(" band") and IN_A_BAND.search(before))):
                self.unused.append(f"I could not use: {self._raw(span.first, span.after)}.")
            else:
                kept.append(span)
        return kept

    def _without_false_places(self, spans: list[Span]) -> list[Span]:
        """Without places whose address is another's: "Austin, Ohio", "Springfield, Illinois"; each is said."""
        kept = []
        for span in spans:
            if span.named.kind == "place" and not self.blind:
                before = self.words[: span.first]
                if (
                    len(before) > 1
                    and before[-1].plain == ","
                    and not self.used[span.first - 2]
                    and before[-2].raw[:1].isupper()
                    and re.search(
                        r"\b(?:in|near|around|at) (?:\w+ ){0,2}\w+ , $", self._before(self.words[span.first].at)
                    )
                ):
                    continue
                end = self._end_of_address(span.after)
                if end > span.after:
                    self.unused.append(f"No venue is in {self._raw(span.first, end)}.")
                    self.missing_place = True
                    self.used[span.after : end] = [True] * (end - span.after)
                    continue
            kept.append(span)
        return kept

    def _end_of_address(self, after: int) -> int:
        """The end of a state or country without venues right after a name: "Austin, Ohio", "Portland ME"."""
        first = after + (after < len(self.words) and self.words[after].plain == ",")
        for size in (3, 2, 1):
            words = self.words[first : first + size]
            name = " ".join(word.plain for word in words)
            coded = len(words) == 1 and words[0].raw.isupper() and not self.shout and name in STATE_CODES
            if (coded or name in WIDE_NAMES) and not any(self.used[first : first + size]):
                return first + size
        return after

    def _negated(self, first: int, after: int, kind: str) -> bool:
        """Whether a negation before a name reaches it: until a boundary, over "or", and over commas to its kind."""
        before = self._before(self.words[first].at)
        before = NOT_NEGATION.sub(lambda match: " " * len(match[0]), before)
        inside = [match.span() for match in NEGATION.finditer(before)]
        ends = [
            match.end()
            for match in BOUNDARY.finditer(before)
            if not any(start <= match.start() and match.end() <= end for start, end in inside)
        ]
        clause = before[ends[-1] if ends else 0 :]
        cues = list(NEGATION.finditer(clause))
        if re.search(r"\bnothing (?:too |very |remotely )?$|\bprefer (?:\S+ ){1,4}?(?:over|to) $", before):
            return True
        if re.search(r"\b(?:rather|prefer|sooner) .*\bthan (?:\w+ ){0,5}$", before):
            return True
        behind = self.flat[self._end(after - 1) :]
        if UNLOVED.match(behind) or ALL_BUT.search(before) or PUT_AWAY.search(f"{before[-REACH:]}\0{behind[:REACH]}"):
            return True
        after_it = UNWANTED_AFTER.match(behind[:REACH]) if kind in {"genre", "place"} else None
        if after_it and not NEGATION.search(after_it[1]) and not self._names_kind(after_it[1], kind):
            return True
        if not cues:
            return False
        reach = clause[cues[-1].end() :]
        near = list(self._places_in(self.words[first].at - len(reach), self.words[first].at))
        listed = max((place for place in near if place in self.kinds), default=None)
        if listed is not None:
            between = self.flat[self._end(listed) : self.words[first].at]
            other_kind = kind == "place" and any(self.kinds.get(place, kind) != kind for place in near)
            if other_kind and not (between.strip() and LISTS.fullmatch(between)):
                return False  # "sans le jazz a Montreal"
            if not LISTED.union(MUSIC_WORDS).issuperset(between.split()):
                return False  # "apart from Dallas I would go anywhere for latin"
        comma = next((place for place in reversed(near) if self.words[place].plain == ","), None)
        if comma is not None:
            other = any(self.kinds.get(place, kind) != kind for place in near if place < comma)
            spoken_for = any(
                self.words[place].plain not in LISTED and self.words[place].plain.isalpha()
                for place in near
                if place < comma and place not in self.kinds
            )
            if spoken_for and not any(place in self.kinds for place in near if place < comma):
                return False  # "no money, Austin or Houston"
            anew = any(place > comma and self.words[place].plain not in LISTED for place in near)
            if other or (anew and any(place in self.kinds for place in near if place < comma)):
                return False
        if re.search(
            r"\b(?:in|at|near|around|from|close to|visiting) (?:the )?$", reach
        ):  # "no rock in Texas" is not "no rock, not in Texas"
            start = self.words[first].at - len(reach)
            return all(
                place in self.in_places or self.words[place].plain in JOINERS
                for place in self._places_in(start, self.words[first].at)
            )
        if re.search(r"\b(?:i like|i love|want|prefer|give me|show me|recommend|in the|looking)\b", reach):
            return False
        if cues[-1][0] in {"no", "not", "non", "less", "without", "never"}:
            return len(reach.split()) <= 5 or bool(
                re.match(r"^(?: [\w-]+){1,3}(?: (?:or|nor|and|,) [\w-]+)+ ?$", reach)
            )
        return True

    def _names_kind(self, text: str, kind: str) -> bool:
        """Whether a word of the text names something of that kind."""
        return any(one.kind == kind for word in text.split() for one in self.lexicon.spans.get((word,), ()))

    def _unpaired(self, spans: Sequence[Span]) -> None:
        """Say that genres and places are not paired: "hip-hop in Detroit or folk in Boston"."""
        named = [span for span in spans if span.named.kind in {"genre", "place"} and not span.negated]
        pairs = [(one, two) for one, two in pairwise(named) if (one.named.kind, two.named.kind) == ("genre", "place")]
        if len(pairs) > 1 and len({span.named.what for pair in pairs for span in pair}) == 2 * len(pairs):
            words = self._raw(pairs[1][0].first - 1, pairs[-1][1].after)
            self.unused.append(f"I took each genre in each place, and could not use: {words}.")

    def _genres(self, spans: Sequence[Span]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        liked: dict[str, None] = {}
        disliked: dict[str, None] = {}
        for span in spans:
            if span.named.kind == "genre":
                parts = self.lexicon.genre(str(span.named.what))
                (disliked if span.negated else liked).update(dict.fromkeys(parts))
        for both in [genre for genre in liked if genre in disliked]:
            self.unused.append(f"You asked for {both} and for none of it: I left it out.")
            del liked[both]
        return tuple(liked), tuple(disliked)

    def _places(self, spans: Sequence[Span]) -> tuple[tuple[Place, ...], tuple[Place, ...]]:
        there: dict[Place, None] = {}
        elsewhere: dict[Place, None] = {}
        for span in spans:
            if span.named.kind == "place":
                several = [one.what for one in (span.named, *span.others) if isinstance(one.what, Place)]
                (elsewhere if span.negated else there).update(dict.fromkeys(several))
        for both in [place for place in there if place in elsewhere]:
            self.unused.append(f"You asked for {both.name} and not for it: I left it out.")
            del there[both]
        for part in [one for one in there if any(one != wide and one.within(wide) for wide in there)]:
            del there[part]  # "Chicago or anywhere in Illinois"
        return tuple(there), tuple(elsewhere)
