"""The days that a message means: "next weekend", "12 to 15 December", "since March 2025", "the last 30 days"."""

# ruff: noqa: E501

import calendar
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from functools import lru_cache
from math import ceil
from typing import NamedTuple

DAY = timedelta(days=1)
CLAUSE = 300
"""Characters before a place that patterns look at; within them, a negation may reach a name."""
MONTHS = {name.lower(): number for number, name in enumerate(calendar.month_name) if name}
SHORT = {name.lower(): number for number, name in enumerate(calendar.month_abbr) if name} | {"sept": 9}
WEEKDAYS = {name.lower(): number for number, name in enumerate(calendar.day_name)}
SEASON_MONTHS = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}
NUMBER_WORDS = {
    word: number
    for number, word in enumerate(
        ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"), 1
    )
} | {"a": 1, "an": 1, "couple of": 2, "a couple of": 2, "few": 3, "a few": 3, "fifteen": 15, "twenty": 20, "thirty": 30}
NUMBER = r"(?:\d{1,4}|" + "|".join(sorted(NUMBER_WORDS, key=len, reverse=True)) + ")"

_MONTH = "|".join(sorted((*MONTHS, *SHORT), key=len, reverse=True))
_DAY = r"(?:the )?(\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?:(?: ,)?(?: of)? ((?:19|20)\d\d)\b)?"
_WEEKDAY = "|".join(WEEKDAYS)
_NTH = "first|second|third|fourth|last|1st|2nd|3rd|4th"
_SPACED_YEAR = _YEAR.replace(" ", "[ ]")
_SPACED_DAY = _DAY.replace(" ", "[ ]")
_MORE_DAYS = r"(?:\ ,\ (?:the\ )?\d{1,2}(?:st|nd|rd|th)?)*(?:\ ,)?"
_SPACED_NUMBER = NUMBER.replace(" ", "[ ]")
_WHICH = "this|next|last|coming|upcoming|past|previous|following|current"

_AFTER = "|".join(
    rf"(?<=\b{word}\ )"
    for word in (
        "in", "of", "for", "during", "since", "year", "season", "from", "before", "after", "until", "till", "to", "and",
        "between", "vs", "versus", "with", "through",
    )
)  # fmt: skip

_BESIDE_DAY = (
    "(?:"
    + "|".join(rf"(?<=\b{word}\ )" for word in ("before", "after", "until", "till", "by", "since", "to", "including"))
    + ")"
)
POINT = re.compile(
    rf"""
      (?P<iso>\b\d{{4}}-\d\d?-\d\d?\b)
    | (?P<slash>\b\d{{1,2}}/\d{{1,2}}(?:/\d{{2,4}})?\b)
    | (?P<betweenyears>\bbetween\ (?:christmas|xmas)\ and\ (?:the\ )?new\ years?\b(?!\ (?:s\ )?(?:day|eve)))
    | (?P<holiday>\bnew\ year(?:s|\ s)?\ eve\b|\bnew\ year(?:s|\ s)?(?:\ day)?\b|\bchristmas(?:\ (?:eve|day))?\b|\bxmas(?:\ (?:eve|day))?\b|\bhalloween\b
        |\bvalentine(?:s|\ s)?(?:\ day)?\b|\bthanksgiving(?:\ weekend)?\b|\bblack\ friday\b
        |\b(?:st|saint)\ patrick(?:s|\ s)?(?:\ day)?\b|\bst\ paddy(?:s|\ s)?(?:\ day)?\b|\beaster(?:\ (?:sunday|monday|weekend))?\b|\bgood\ friday\b
        |\bboxing\ day\b|\bapril\ fools?(?:\ s)?(?:\ day)?\b|\bindependence\ day\b|\bcinco\ de\ mayo\b|\b(?:memorial|labou?r|mother(?:s|\ s)?|father(?:s|\ s)?|mlk|presidents)\ day\b)
    | (?P<days>\b{_SPACED_DAY}{_MORE_DAYS}\ (?:to|and|until|till|through|or)\ {_SPACED_DAY}\ (?:of\ )?({_MONTH})\b{_SPACED_YEAR})
    | (?P<spread>\b({_MONTH})\ {_SPACED_DAY}{_MORE_DAYS}\ (?:to|and|or|until|till|through)\ {_SPACED_DAY}\b(?!\ (?:dollars|euros|seats|people|concerts|shows|gigs)){_SPACED_YEAR})
    | (?P<daymonth>(?<![$€£]\ )\b(?:(?:(?:on|this|next)\ )?(?:{_WEEKDAY})\ (?:,\ )?)?{_SPACED_DAY}\ (?:of\ )?({_MONTH})\b(?!\ \d{{1,2}}(?:st|nd|rd|th)?\b){_SPACED_YEAR})
    | (?P<monthday>\b(?:(?:(?:on|this|next)\ )?(?:{_WEEKDAY})\ (?:,\ )?)?({_MONTH})\ {_SPACED_DAY}\b(?!\ (?:dollars|euros|seats|people)){_SPACED_YEAR})
    | (?P<quarter>\b(?:q([1-4])|(first|second|third|fourth|last)\ quarter)\b{_SPACED_YEAR})
    | (?P<half>\b(first|second)\ half\ of\ ((?:19|20)\d\d)\b)
    | (?P<weekof>\b(?:the\ )?(?:({_NTH})\ (?:or|and)\ )?({_NTH})\ (day(?!s)|week|weekend|{_WEEKDAY})s?\ (?:of|in)\ ({_MONTH})\b{_SPACED_YEAR})
    | (?P<daysof>\b(?:the\ )?(first|last)\ ({_SPACED_NUMBER})\ (day|week)s\ (?:of|in)\ ({_MONTH})\b{_SPACED_YEAR})
    | (?P<afternext>\b(?:the\ )?(week|weekend|month)\ after\ next(?:\ (?:week|weekend|month))?\b)
    | (?P<weekfrom>\b({_SPACED_NUMBER})\ weeks?\ from\ (today|tomorrow|{_WEEKDAY})\b)
    | (?P<month>\b(?:({_WHICH}|early|mid|late|(?:the\ )?(?:start|beginning|middle|end|rest|remainder|(?:first|last)\ days)\ of)\ )?({_MONTH})\b{_SPACED_YEAR})
    | (?P<season>\b(?:({_WHICH}|in|in\ the|during\ the|over\ the)\ )?(spring|summer|autumn|fall|winter)\b{_SPACED_YEAR})
    | (?P<span>\b(?:the\ )?(next|coming|upcoming|following|last|past|previous)\ ({_SPACED_NUMBER})\ (hour|day|night|week|weekend|month|year)s?\b)
    | (?P<ahead>\b(?:in|within)\ (?:the\ next\ )?({_SPACED_NUMBER})\ (day|week|month|year)s?(?:\ time)?\b)
    | (?P<ago>\b({_SPACED_NUMBER})\ (day|week|month|year)s?\ ago\b)
    | (?P<relative>\b(?:so\ far\ )?(?:the\ )?({_WHICH})\ (week|weekend|month|year|quarter)s?\b(?:\ or\ (?:the\ )?next\b(?!\ (?:week|month|year|{_SPACED_NUMBER}))|\ (?:so\ far|to\ date))?)
    | (?P<yearend>\b(?:the\ )?(?:rest|end|remainder)\ of\ (?:the|this)\ (week|month|year)\b|\blater\ this\ (week|month|year)\b|\b(?:the\ )?last\ day\ of\ (?:the|this)\ (week|month|year)\b|\bbefore\ the\ (week|month|year)\ is\ (?:out|over)\b)
    | (?P<tonight>\b(?:today|tonight|this\ (?:evening|morning|afternoon|night))\b)
    | (?P<tomorrow>\b(?:the\ )?day\ after\ tomorrow\b|\btomorrow(?:\ (?:evening|night|morning|afternoon))?\b)
    | (?P<yesterday>\byesterday(?:\ (?:evening|night))?\b|\blast\ night\b)
    | (?P<now>(?:(?<=between\ )|(?<=from\ ))now\b)
    | (?P<fromnow>\b({_SPACED_NUMBER})\ (day|week|month|year)s?\ from\ (?:now|today)\b)
    | (?P<halfmonth>\b(first|second)\ half\ of\ ({_MONTH})\b{_SPACED_YEAR})
    | (?P<newyear>\bin\ the\ new\ year\b)
    | (?P<dayof>\b(?:(?:(?:on|home|back|leave|leaving)|(?:on\ )?(?:{_WEEKDAY})(?:\ ,)?)\ the\ (?=\d)|{_BESIDE_DAY}the\ (?=\d)|the\ (?=\d{{1,2}}(?:st|nd|rd|th)\ (?:to|until|till|through)\ )|the\ (?=1[1-9]|[23]\d))(\d{{1,2}})(?:st|nd|rd|th)\b(?!\ (?:of\ (?!this|the\ month)|{_MONTH}|(?:(?:or|and)\ (?:{_NTH})\ )?(?:day|week|{_WEEKDAY})))(?:\ of\ (?:this|the)\ month\b)?)
    | (?P<weekend>\b(?:over\ the|on\ the|at\ the|for\ the|the)?\ ?weekend\b)
    | (?P<weekday>\b(?:(this|next|last|coming|on)\ )?({_WEEKDAY})(?:\ (?:night|evening|afternoon))?\b(?!\ (?:night|evening)s))
    | (?P<year>(?:{_AFTER})((?:19|20)\d\d)\b|\b(20[0-4]\d)\b(?!\ (?:or\ more|seats?|people|fans|dollars?|bucks|usd|euros?|capacity|spectators|persons|visitors)))
    """,
    re.VERBOSE,
)
_OWN = r"(?: (?:my|our|your|the|his|her|their) (?:\w+ ){1,2}(?:on|in|of|is))?"
"""What happens on a day: "after my exam on December 15"."""
FROM = re.compile(rf"(?:\b(?:after|later than|since|from|starting|beginning){_OWN}(?: on| in)?(?: the)?) ?$")
BEFORE = re.compile(
    rf"(?:\b(?:before|earlier than|until|till|by|(?<!all )through|up to(?: and including)?|no later than|(?:by|until) and including|at the latest(?: on| by)?){_OWN}(?: the)?(?: end of)?) ?$"
)
JOINED = re.compile(
    r"^(?: at \w+)? ?,? ?(?:to|until|till|through|and)(?: (?:i |we )?(?:(?:he |she |they )?(?:leaves?|departs?|returns?|fly|flies|go|goes|leaving|flying|going)\b)?(?: back| home)?)?(?: on| in)?(?: the)? ?$"
)
RANGED = re.compile(r"(?:\b(?:from|between|arrive|arriving|land|landing|here|there|fly in)(?: on| in)?(?: the)?) ?$")
ENDING = re.compile(r"(?:the )?(?:end|rest|remainder) of ")
AMOUNT = re.compile(
    r"(?:[$€£]|\b(?:under|over|above|below|than|least|most|to|and|between|holds?|holding|seats?|top|con)) ?$"
)
LATEST = re.compile(r" ?,? (?:at the (?:very )?latest|or (?:earlier|before|sooner))\b")
EARLIEST = re.compile(
    r" ?,? (?:at the (?:very )?earliest|or (?:later|after)|onwards?|and (?:later|onwards?|after))\b(?! (?:that|the|it)\b)"
)
GIVE_OR_TAKE = re.compile(rf" ?,? ?(?:give or take|plus or minus|plus minus) ({NUMBER}) (day|week)s?\b")
BESIDE = re.compile(
    r"\b(?<!not )(?:the )?(?<!not the )(day|night|evening|week|weekend|month|year) (after|before)(?: (?:that|this|it|then))?(?= ?(?:[,.?!;]|$)| (?:in|at|near|for|under|with|please)\b)"
)
"""Days next to those that were named before, here or in the question before."""
AFTERWARDS = re.compile(r"\b(after|before|from) (?:that|then)\b")
"""Days from or to those that were named before."""
LEAVING = re.compile(
    r"\b(?:leav(?:e|es|ing)|depart(?:s|ing)?|(?:fly|flies|flying|go|goes|going|head|heads|heading|driv(?:e|es|ing)|get|gets|getting|be) "
    r"(?:home|back|off|out|away)|return(?:s|ing)?|check(?:s|ing)? out)(?: (?:home|back|again|there|on|the|town|for home))* $"
)
"""Before the day on which a stay ends."""
DATED = re.compile(
    rf"\d|\b(?:{_MONTH}|{_WEEKDAY}|hours?|days?|nights?|weeks?|weekends?|months?|years?|quarters?|to(?:day|night|morrow)|"
    r"yesterday|spring|summer|autumn|fall|winter|now|morning|afternoon|evening|christmas|xmas|halloween|valentines?|"
    r"thanksgiving|patricks?|paddys?|easter|mayo)\b"
)
"""A word without which a text names no days: looking for it is much faster than for all of POINT."""
IN_PERIOD = re.compile(rf" (?:in|of|during) (?:the )?(?:next|coming|{_MONTH})\b")
"""Follows a weekday that means any of several days: "a Friday in December"."""
ALONE = re.compile(r"(?:[,.;:!?] )?(?: [,.;:!?])?")
"""The text before and after a season that is a part of a list: "rock, Texas, spring"."""
NEAR = re.compile(
    rf"(?<!in )(?<!any )(?<!each )(?<!every )\b(?:the )?(?<!in the )(day|night|evening|week|weekend|month|{_WEEKDAY}) (before|after) (?:the )?$"
)
VERBS = frozenset({"may", "march", "mar"})
NTH = ("first", "second", "third", "fourth", "1st", "2nd", "3rd", "4th")
HOLIDAYS: Mapping[str, tuple[int, int]] = {
    "halloween": (10, 31),
    "valentine": (2, 14),
    "st p": (3, 17),
    "saint p": (3, 17),
    "boxing": (12, 26),
    "independence": (7, 4),
    "cinco": (5, 5),
    "april": (4, 1),
}
"""Month and day by the beginning of the holiday's name."""
MOVING: Mapping[str, tuple[int, int, int, int]] = {
    "thanks": (11, calendar.THURSDAY, 4, 0),
    "black": (11, calendar.THURSDAY, 4, 1),
    "mlk": (1, calendar.MONDAY, 3, 0),
    "presidents": (2, calendar.MONDAY, 3, 0),
    "mother": (5, calendar.SUNDAY, 2, 0),
    "memorial": (5, calendar.MONDAY, -1, 0),
    "father": (6, calendar.SUNDAY, 3, 0),
    "labo": (9, calendar.MONDAY, 1, 0),
}
"""Month, weekday, its number in the month, and days after it, by the beginning of the holiday's name."""
MONTH_CONTEXT = re.compile(
    r"\b(?:in|on|of|by|for|during|until|till|before|after|since|from|to|and|or|between|through) $"
)


class DayPeriod(NamedTuple):
    """Days from `since`, before `until`, either of which may be open, where they stand, and what is wrong with them."""

    start: int
    end: int
    since: date | None
    until: date | None
    problem: str = ""
    ranged: bool = False
    """Whether the words name both ends."""

    @property
    def words(self) -> str:
        """The days as one reads them out."""
        if self.since and self.until:
            last = self.until - DAY
            return f"on {self.since}" if last == self.since else f"from {self.since} to {last}"
        if self.since:
            return f"from {self.since} on"
        return f"until {self.until - DAY}" if self.until else ""


def periods_in(flat: str, today: date, *, past: bool) -> list[DayPeriod]:
    """The periods that a normalised text names, in its order; where the year is open, the nearest past or coming one."""
    points = _in_their_year(list(_points(flat, today, past)), flat)
    found: list[DayPeriod] = []
    while points:
        point = points.pop(0)
        before = clause_before(flat, point.start)
        if points and JOINED.match(flat[point.end : points[0].start]) and not point.problem and not points[0].problem:
            ranged = RANGED.search(before)
            joint = flat[point.end : points[0].start]
            if ranged or " and" not in joint:
                last = points.pop(0)
                since, until = point.since, last.until
                if since and until and since >= until and _open_year(flat[point.start : point.end]):
                    since = _day(until.year - (since.month > (until - DAY).month), since.month, since.day) or since
                if since and until and until <= since and _open_year(flat[last.start : last.end]):
                    week = flat[last.start : last.end].split()[-1] in WEEKDAYS
                    until = until + 7 * DAY if week else _next_year(until)
                wrong = bool(since and until and until <= since)
                problem = f"{since} to {until - DAY} ends before it begins." if wrong and until else ""
                found.append(DayPeriod(ranged.start() if ranged else point.start, last.end, since, until, problem))
                continue
        spread = GIVE_OR_TAKE.match(flat, point.end)
        if spread and point.since and point.until and not point.problem:
            away = _length(spread[1], spread[2])
            found.append(DayPeriod(point.start, spread.end(), point.since - away, point.until + away))
        elif point.problem or point.ranged:
            found.append(point)
        elif latest := LATEST.match(flat, point.end):
            found.append(DayPeriod(point.start, latest.end(), None, point.until))
        elif earliest := EARLIEST.match(flat, point.end):
            found.append(DayPeriod(point.start, earliest.end(), point.since, None))
        elif point.since and (edge := re.search(r"\b(?:the )?(week|weekend) of (?:the )?$", before)):
            found = [one for one in found if one.end <= edge.start()]
            until = _weekend_from(point.since, 0)[1] if edge[1] == "weekend" else point.since + 7 * DAY
            days = (until - 3 * DAY, until) if edge[1] == "weekend" else (point.since, until)
            found.append(DayPeriod(edge.start(), point.end, *days))
        elif (edge := NEAR.search(before)) and point.since and point.until:
            found = [one for one in found if one.end <= edge.start()]
            days = beside_days(edge[1], point.since, point.until, later=edge[2] == "after")
            found.append(DayPeriod(edge.start(), point.end, *days))
        elif edge := re.search(
            r"\b(?:(?:not|nothing|none|never) before|on or after|(?:no|not) (?:earlier|sooner) than) (?:the )?$", before
        ):
            found.append(DayPeriod(edge.start(), point.end, point.since, None))
        elif edge := re.search(r"\b(?:(?:not|nothing|none|never) after|on or before) (?:the )?$", before):
            found.append(DayPeriod(edge.start(), point.end, None, point.until))
        elif edge := BEFORE.search(before):
            inclusive = not re.search("before|earlier", edge[0]) or bool(ENDING.match(flat, point.start))
            first = point.since
            if first and re.fullmatch("christmas|xmas", flat[point.start : point.end]):  # which has its eve in it
                first += DAY
            found.append(DayPeriod(edge.start(), point.end, None, point.until if inclusive else first))
        elif edge := FROM.search(before):
            exclusive = bool(re.search("after|later", edge[0]))
            found.append(DayPeriod(edge.start(), point.end, point.until if exclusive else point.since, None))
        else:
            found.append(point)
    return found


def _in_their_year(points: list[DayPeriod], flat: str) -> list[DayPeriod]:
    """The points, where "this year" or "of last year" after a day or range says in which year it is."""
    found: list[DayPeriod] = []
    for point in points:
        text = flat[point.start : point.end]
        joint = flat[found[-1].end : point.start].strip() if found else "-"
        if (
            point.since
            and re.fullmatch(r"(?:the )?(?:this|last|past|next) year", text)
            and joint in {"", "of", ",", "in"}
        ):
            first = len(found) - 1
            if first and JOINED.match(flat[found[first - 1].end : found[first].start]):
                first -= 1
            if found[first].since and all(_open_year(flat[one.start : one.end]) for one in found[first:]):
                years = point.since.year - (found[first].since or point.since).year
                found[first:] = [_years_on(one, years) for one in found[first:]]
                found[-1] = found[-1]._replace(end=point.end)
                continue
        found.append(point)
    return found


def _years_on(point: DayPeriod, years: int) -> DayPeriod:
    since, until = (day and _day(day.year + years, day.month, day.day) for day in (point.since, point.until))
    return point._replace(since=since, until=until)


def beside_days(unit: str, since: date, until: date, *, later: bool) -> tuple[date, date]:
    """The day, weekday, week, weekend, month or year right after or before some days."""
    if unit in {"day", "night", "evening"} or unit in WEEKDAYS:
        day = until if later else since - DAY
        if unit in WEEKDAYS:
            away = (WEEKDAYS[unit] - day.weekday()) % 7
            day += (away if later else away - 7 * (away > 0)) * DAY
        return day, day + DAY
    if unit == "weekend" and later:
        return _weekend_from(until, 0)
    days = _relative(["next", unit] if later else ["last", unit], until - DAY if later else since, False, "")
    assert isinstance(days, tuple)
    assert days[0]
    assert days[1]
    return days[0], days[1]


def _open_year(text: str) -> bool:
    return not re.search(r"\b(?:19|20)\d\d\b", text)


def _next_year(day: date) -> date:
    return _day(day.year + 1, day.month, day.day) or date(day.year + 1, 3, 1)


def _points(flat: str, today: date, past: bool) -> Iterator[DayPeriod]:
    if not DATED.search(flat):
        return
    latest: date | None = None
    for match in _points_in(flat):
        kind = next(name for name, value in match.groupdict().items() if value is not None)
        own = _own_groups(match, kind)
        start = match.start()
        if kind == "weekday" and (
            re.search(
                r"\b(?:every|each|any|ideally (?:on )?a|preferably (?:on )?a|best (?:on )?a) $",
                clause_before(flat, start),
            )
            or IN_PERIOD.match(flat, match.end())
        ):
            continue
        if kind == "month" and not _is_month(flat, match, own):
            continue
        if kind == "year" and own[0] is None and AMOUNT.search(clause_before(flat, start)):
            continue
        if kind == "season" and not (own[0] or own[2] or ALONE.fullmatch(flat[:start][-2:] + flat[match.end() :][:2])):
            continue
        if kind == "weekday" and re.match(r" (?:papers?|newspaper|times|brunch|roast|school)\b", flat[match.end() :]):
            continue
        if kind == "weekend" and re.search(r"\b(?:a|any|every|each) ?$", clause_before(flat, start)):
            continue
        days = _KINDS[kind](own, today, past, match[0])
        if kind == "dayof" and latest and not past and "month" not in match[0]:
            days = _dayof(own, latest, False, match[0])  # of the month that was named before
        if isinstance(days, tuple) and days[0]:
            latest = days[0]
        if days is None:
            continue
        if isinstance(days, str):
            yield DayPeriod(start, match.end(), None, None, days)
        else:
            yield DayPeriod(start, match.end(), *days, ranged=kind in {"days", "spread"})


def clause_before(text: str, start: int) -> str:
    """The end of the text before a place. Patterns that read all of it at each place would take seconds."""
    return text[max(0, start - CLAUSE) : start]


@lru_cache(maxsize=16)
def _points_in(flat: str) -> Sequence[re.Match[str]]:
    """The matches of POINT, which are looked for once for days to come and once for days that are over."""
    return tuple(POINT.finditer(flat))


def _own_groups(match: re.Match[str], kind: str) -> list[str | None]:
    """The groups inside the alternative that matched."""
    first = POINT.groupindex[kind]
    later = [number for number in POINT.groupindex.values() if number > first]
    return list(match.groups()[first : (min(later) - 1 if later else None)])


def _is_month(flat: str, match: re.Match[str], own: list[str | None]) -> bool:
    """Whether a word is a month: "may" and "march" are verbs unless something else says so."""
    name = own[1] or ""
    if own[0] or own[2] or name not in VERBS:
        return True
    before = clause_before(flat, match.start())
    if MONTH_CONTEXT.search(before):
        return True
    before, after = before.rstrip(), flat[match.end() :]
    ends = bool(re.match(rf" ?(?:[,.;:!?]|$)| (?:or|and|to) (?:{_MONTH})\b", after))
    return ends and (name != "may" or not before or before[-1] in ",.;:!?")


Days = tuple[date | None, date | None] | str | None


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _month_of(name: str) -> int:
    return MONTHS.get(name) or SHORT[name]


def _nearest(month: int, day: int, year: str | None, today: date, past: bool) -> Days:
    """One day; where no year is given, the nearest that has it, past or coming."""
    if year:
        found = _day(int(year), month, day)
    else:
        years = (today.year, today.year - 1) if past else (today.year, today.year + 1)
        options = [one for number in years if (one := _day(number, month, day))]
        fitting = [one for one in options if (one <= today if past else one >= today)]
        found = fitting[0] if fitting else options[0] if options else None
    if found is None:
        return f"There is no {day} {calendar.month_name[month]}{f' {year}' if year else ''}."
    return found, found + DAY


def _months(year: int, month: int, count: int = 1) -> tuple[date, date]:
    after = year * 12 + month - 1 + count
    return date(year, month, 1), date(after // 12, after % 12 + 1, 1)


def _iso(own: list[str | None], today: date, past: bool, text: str) -> Days:
    year, month, day = map(int, text.split("-"))
    found = _day(year, month, day)
    return (found, found + DAY) if found else f"There is no {text}."


def _slash(own: list[str | None], today: date, past: bool, text: str) -> Days:
    parts = text.split("/")
    month, day = int(parts[0]), int(parts[1])
    if month > 12 >= day:
        month, day = day, month
    year = parts[2] if len(parts) > 2 else None
    if not 1 <= month <= 12:
        return f"There is no {text}."
    return _nearest(month, day, year and (f"20{year}" if len(year) == 2 else year), today, past)


def _daymonth(own: list[str | None], today: date, past: bool, text: str) -> Days:
    return _nearest(_month_of(own[1] or ""), int(own[0] or 0), own[2], today, past)


def _monthday(own: list[str | None], today: date, past: bool, text: str) -> Days:
    return _nearest(_month_of(own[0] or ""), int(own[1] or 0), own[2], today, past)


def _days(own: list[str | None], today: date, past: bool, text: str) -> Days:
    return _range(own[0], own[1], own[2], own[3], today, past)


def _spread(own: list[str | None], today: date, past: bool, text: str) -> Days:
    return _range(own[1], own[2], own[0], own[3], today, past)


def _range(first: str | None, last: str | None, month: str | None, year: str | None, today: date, past: bool) -> Days:
    start = _nearest(_month_of(month or ""), int(first or 0), year, today, past)
    end = _nearest(_month_of(month or ""), int(last or 0), year, today, past)
    if isinstance(start, str) or isinstance(end, str) or start is None or end is None:
        return start if isinstance(start, str) else end
    if start[0] and end[0] and start[0] > end[0] and not year and not past:  # the first of them is over already
        start = (start[0].replace(year=end[0].year), None)
    if start[0] and end[1] and start[0] >= end[1]:
        return f"{start[0]} to {end[0]} ends before it begins."
    return start[0], end[1]


def _quarter(own: list[str | None], today: date, past: bool, text: str) -> Days:
    number = int(own[0]) if own[0] else {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": 4}[own[1] or ""]
    if own[1] == "last" and not own[2]:
        return _relative(["last", "quarter"], today, past, text)
    year = int(own[2]) if own[2] else today.year + (not past and 3 * number < today.month)
    return _months(year, 3 * number - 2, 3)


def _half(own: list[str | None], today: date, past: bool, text: str) -> Days:
    return _months(int(own[1] or 0), 1 if own[0] == "first" else 7, 6)


def _month(own: list[str | None], today: date, past: bool, text: str) -> Days:
    which, month = own[0] or "", _month_of(own[1] or "")
    if own[2]:
        year = int(own[2])
    elif which in {"last", "past", "previous"} or (past and which not in {"next", "coming", "upcoming", "this"}):
        year = today.year - (month >= today.month if which else month > today.month)
    elif which == "this":
        year = today.year
    else:
        year = today.year + (month < today.month or (which == "next" and month == today.month))
    first, after = _months(year, month)
    if which.endswith(("rest of", "remainder of")):
        return max(first, today), after
    if which == "early" or which.endswith(("start of", "beginning of", "first days of")):
        return first, first + 10 * DAY
    if which == "mid" or which.endswith("middle of"):
        return first + 10 * DAY, first + 20 * DAY
    if which == "late" or which.endswith(("end of", "last days of")):
        return first + 20 * DAY, after
    return first, after


def _weekof(own: list[str | None], today: date, past: bool, text: str) -> Days:
    month = _month([None, own[3], own[4]], today, past, text)
    if not isinstance(month, tuple) or month[0] is None or month[1] is None:
        return month
    unit, found = own[2] or "", []
    for nth in filter(None, own[:2]):
        number = -1 if nth == "last" else NTH.index(nth) % 4
        if unit == "day":
            first = month[1] - DAY if number < 0 else month[0] + number * DAY
            found.append((first, first + DAY))
        elif unit == "week":
            first = month[1] - timedelta(days=7) if number < 0 else month[0] + timedelta(days=7 * number)
            found.append((first, first + timedelta(days=7)))
        else:
            weekday = calendar.FRIDAY if unit == "weekend" else WEEKDAYS[unit]
            first = _weekday_of(month[0].year, month[0].month, weekday, number + (number >= 0))
            found.append((first, first + (3 * DAY if unit == "weekend" else DAY)))
    return found[0][0], found[-1][1]


def _daysof(own: list[str | None], today: date, past: bool, text: str) -> Days:
    month = _month([None, own[3], own[4]], today, past, text)
    if not isinstance(month, tuple):
        return month
    (first, after), days = month, _length(own[1], own[2])
    assert first
    assert after
    return (max(after - days, first), after) if own[0] == "last" else (first, min(first + days, after))


def _season(own: list[str | None], today: date, past: bool, text: str) -> Days:
    which, month = own[0] or "", SEASON_MONTHS[own[1] or ""]
    if own[2]:
        return _months(int(own[2]), month, 3)
    seasons = [_months(today.year + offset, month, 3) for offset in (-2, -1, 0, 1, 2)]
    if which in {"last", "past", "previous"} or (past and which not in {"next", "coming", "upcoming", "following"}):
        return [one for one in seasons if one[1] <= today or (which == "this" and one[0] <= today)][-1]
    coming = [one for one in seasons if one[1] > today]
    running = coming[0][0] <= today
    return coming[1] if running and which in {"next", "following"} else coming[0]


def _span(own: list[str | None], today: date, past: bool, text: str) -> Days:
    days = _length(own[1], own[2])
    if (own[0] or "") in {"last", "past", "previous"}:
        return today - days, today
    return today, today + days + DAY


def _ahead(own: list[str | None], today: date, past: bool, text: str) -> Days:
    days = _length(own[0], own[1])
    if text.startswith("within") or "next" in text:
        return today, today + days + DAY
    day = today + days
    spread = 1 if "from" in text else {"day": 1, "week": 7, "month": 30, "year": 365}[own[1] or "day"]
    return day, day + timedelta(days=spread)


def _ago(own: list[str | None], today: date, past: bool, text: str) -> Days:
    day = today - _length(own[0], own[1])
    return day, day + timedelta(days={"day": 1, "week": 7, "month": 30, "year": 365}[own[1] or "day"])


def _length(number: str | None, unit: str | None) -> timedelta:
    count = min(NUMBER_WORDS.get(number or "") or int(number or 1), 10_000)
    days = {"hour": 1 / 24, "day": 1, "night": 1, "week": 7, "weekend": 7, "month": 30, "year": 365}[unit or "day"]
    return timedelta(days=ceil(min(count * days, 36_500)))


def _relative(own: list[str | None], today: date, past: bool, text: str) -> Days:
    which, unit = own[0] or "", own[1] or ""
    if text.endswith(" next"):  # "this month or next"
        return _relative(own, today, past, "")[0], _relative(["next", unit], today, past, "")[1]  # type: ignore[index,return-value]
    if text.endswith((" so far", " to date")) or text.startswith("so far"):
        return _relative(own, today, past, "")[0], today + DAY  # type: ignore[index,return-value]
    if text.endswith("s"):  # "the coming weeks"
        days = _length("few", unit)
        back = which in {"last", "past", "previous"}
        return (today - days, today) if back else (today, today + days)
    step = {"next": 1, "following": 1, "last": -1, "past": -1, "previous": -1}.get(which, 0)
    if which in {"coming", "upcoming"} and unit != "weekend":
        step = 1
    if unit == "week":
        monday = today - timedelta(days=today.weekday()) + timedelta(days=7 * step)
        return max(monday, today) if step == 0 and not past else monday, monday + timedelta(days=7)
    if unit == "weekend":
        return _weekend_from(today, step)
    if unit == "year":
        return date(today.year + step, 1, 1), date(today.year + step + 1, 1, 1)
    size = 3 if unit == "quarter" else 1
    month = today.year * 12 + (today.month - 1) // size * size + step * size
    return _months(month // 12, month % 12 + 1, size)


def _weekend_from(today: date, step: int) -> tuple[date, date]:
    """Friday to Sunday: this one while it lasts, else the coming one; `step` weekends on."""
    friday = (
        today - timedelta(days=(today.weekday() - 4) % 7)
        if today.weekday() >= 4
        else today + timedelta(days=4 - today.weekday())
    )
    friday += timedelta(days=7 * step)
    return (max(friday, today) if step == 0 else friday), friday + timedelta(days=3)


def _weekend(own: list[str | None], today: date, past: bool, text: str) -> Days:
    return _weekend_from(today, 0)


def _yearend(own: list[str | None], today: date, past: bool, text: str) -> Days:
    until = _relative(["this", next(filter(None, own))], today, past, text)[1]  # type: ignore[index]
    assert isinstance(until, date)
    return (until - DAY if "last day" in text else today), until


def _afternext(own: list[str | None], today: date, past: bool, text: str) -> Days:
    if own[0] == "weekend":
        return _weekend_from(today, 2)
    monday, after = today - timedelta(days=today.weekday() - 14), today - timedelta(days=today.weekday() - 21)
    month = today.year * 12 + today.month + 1
    return (monday, after) if own[0] == "week" else _months(month // 12, month % 12 + 1)


def _weekfrom(own: list[str | None], today: date, past: bool, text: str) -> Days:
    number = WEEKDAYS.get(own[1] or "", today.weekday() + (own[1] == "tomorrow"))
    day = today + timedelta(days=(number - today.weekday()) % 7) + _length(own[0], "week")
    return day, day + DAY


def _now(own: list[str | None], today: date, past: bool, text: str) -> Days:
    return today, today + DAY


def _halfmonth(own: list[str | None], today: date, past: bool, text: str) -> Days:
    month = _month([None, own[1], own[2]], today, past, text)
    if not isinstance(month, tuple) or month[0] is None:
        return month
    middle = month[0] + 15 * DAY
    return (month[0], middle) if own[0] == "first" else (middle, month[1])


def _newyear(own: list[str | None], today: date, past: bool, text: str) -> Days:
    return date(today.year + 1, 1, 1), None


def _dayof(own: list[str | None], today: date, past: bool, text: str) -> Days:
    """The coming day of that number, the past one where it was asked of the past."""
    number = int(own[0] or 0)
    months = [divmod(today.year * 12 + today.month - 1 + step, 12) for step in ((0, -1, -2) if past else (0, 1, 2))]
    days = [day for year, month in months if (day := _day(year, month + 1, number))]
    day = next((one for one in days if (one <= today if past else one >= today)), None)
    return (day, day + DAY) if day else f"There is no {text.removeprefix('on the ')}."


def _tonight(own: list[str | None], today: date, past: bool, text: str) -> Days:
    return today, today + DAY


def _tomorrow(own: list[str | None], today: date, past: bool, text: str) -> Days:
    day = today + (2 * DAY if "day after" in text else DAY)
    return day, day + DAY


def _yesterday(own: list[str | None], today: date, past: bool, text: str) -> Days:
    return today - DAY, today


def _holiday(own: list[str | None], today: date, past: bool, text: str) -> Days:
    if text.startswith("new") and text.endswith("eve"):
        return _nearest(12, 31, None, today, past)
    if text.startswith("new"):
        return _nearest(1, 1, None, today, past)
    if text.startswith(("christmas", "xmas")):
        if text.endswith(("eve", "day")):
            return _nearest(12, 24 if text.endswith("eve") else 25, None, today, past)
        first, last = _nearest(12, 24, None, today, past), _nearest(12, 26, None, today, past)
        return (first[0], last[1]) if isinstance(first, tuple) and isinstance(last, tuple) else None
    if fixed := next((day for name, day in HOLIDAYS.items() if text.startswith(name)), None):
        return _nearest(*fixed, None, today, past)
    years = (today.year, today.year - 1) if past else (today.year, today.year + 1)
    day_in, length = _moving(text)
    days = [day_in(year) for year in years]
    day = next((one for one in days if (one <= today if past else one >= today)), days[0])
    return day, day + length * DAY


def _betweenyears(own: list[str | None], today: date, past: bool, text: str) -> Days:
    return date(today.year - past, 12, 26), date(today.year - past + 1, 1, 1)


def _moving(text: str) -> tuple[Callable[[int], date], int]:
    """The first day, by year, of a holiday that moves, and its number of days."""
    if text.startswith(("easter", "good")):
        step = {"good friday": -2, "easter monday": 1, "easter weekend": -2}.get(text, 0)
        return lambda year: _easter(year) + step * DAY, 4 if text.endswith("weekend") else 1
    month, weekday, number, step = next(rule for name, rule in MOVING.items() if text.startswith(name))
    return lambda year: _weekday_of(year, month, weekday, number) + step * DAY, 4 if text.endswith("weekend") else 1


def _weekday_of(year: int, month: int, weekday: int, number: int) -> date:
    """The `number`th such weekday of a month; the last one for -1."""
    first, after = _months(year, month)
    if number < 0:
        return after - DAY - (after - DAY - weekday * DAY).weekday() * DAY
    return first + ((weekday - first.weekday()) % 7 + 7 * (number - 1)) * DAY


def _easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (the algorithm of Meeus, Jones and Butcher)."""
    a, (b, c) = year % 19, divmod(year, 100)
    h = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    k = (32 + 2 * (b % 4) + 2 * (c // 4) - h - c % 4) % 7
    month, day = divmod(h + k - 7 * ((a + 11 * h + 22 * k) // 451) + 114, 31)
    return date(year, month, day + 1)


def _weekday(own: list[str | None], today: date, past: bool, text: str) -> Days:
    which, number = own[0] or "", WEEKDAYS[own[1] or ""]
    ahead = (number - today.weekday()) % 7
    if which == "last" or (past and which not in {"next", "this", "coming"}):
        day = today - timedelta(days=(today.weekday() - number) % 7 or 7)
    elif which == "next":  # of next week
        day = today + timedelta(days=7 - today.weekday() + number)
    else:
        day = today + timedelta(days=ahead)
    return day, day + DAY


def _year(own: list[str | None], today: date, past: bool, text: str) -> Days:
    year = int(own[0] or own[1] or 0)
    return date(year, 1, 1), date(year + 1, 1, 1)


_KINDS = {
    "iso": _iso,
    "slash": _slash,
    "days": _days,
    "spread": _spread,
    "daymonth": _daymonth,
    "monthday": _monthday,
    "quarter": _quarter,
    "half": _half,
    "month": _month,
    "weekof": _weekof,
    "daysof": _daysof,
    "afternext": _afternext,
    "weekfrom": _weekfrom,
    "now": _now,
    "fromnow": _ahead,
    "halfmonth": _halfmonth,
    "newyear": _newyear,
    "dayof": _dayof,
    "season": _season,
    "span": _span,
    "ahead": _ahead,
    "ago": _ago,
    "relative": _relative,
    "yearend": _yearend,
    "tonight": _tonight,
    "tomorrow": _tomorrow,
    "yesterday": _yesterday,
    "betweenyears": _betweenyears,
    "holiday": _holiday,
    "weekend": _weekend,
    "weekday": _weekday,
    "year": _year,
}
