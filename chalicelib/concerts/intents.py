"""The intent of a message, by its cues and names."""

import re
from collections.abc import Sequence

from chalicelib.concerts.cues import (
    ACTS,
    AHEAD,
    ALL_VENUES,
    CHEAP,
    CONCERTS_IN,
    CONCERTS_NAMED,
    COSTS,
    CUES,
    ELSEWHERE,
    FILLERS,
    HOUSE_RULES,
    ORDINAL,
    OTHER_TASKS,
    PAST,
    REFERENCE_CUE,
    REFUNDS,
    RENTS,
    SALES,
    TAKEN,
    THE_VENUE,
    VENUES_ASKED,
    WHAT_I_DO,
    WOULD_TAKE,
)
from chalicelib.concerts.message import Span
from chalicelib.concerts.models import Intent

HEARD = frozenset(("concert", "venue", "when", "price"))
"""Cues of questions about concerts and where they are."""


def intent_of(
    cues: set[str],
    cued: str,
    spans: Sequence[Span],
    concert: str,
    *,
    limited: bool,
    seated: bool,
    dated: bool,
    over: bool,
    genre_like: bool,
) -> tuple[Intent, str, float]:
    """Return the intent, the topic that answers it, and the confidence in both."""
    kinds = {span.named.kind for span in spans if not (span.negated and span.named.kind == "artist")}
    about = kinds & {"artist", "venue"}
    asks_venues = "venue" in cues and "venue" not in kinds
    of_many = re.search(r"\b(?:which|what) genres?\b", cued) or (
        "venue" in cues and "venue" not in kinds and re.search(r"\b(?:which|what|top|best)\b", cued)
    )
    if (
        "help" in cues
        and not kinds
        and re.search(r"^who \w+ you\b|\bare (?:you|u) (?:\w+ ){0,2}?(?:person|human|ro?bot|machine)\b", cued)
    ):
        return "general_query", "", 0.9
    if re.search(r"\bhow (?:are|r) (?:you|u|ya)\b", cued) and not cues & {*HEARD, "forecast"}:
        return "general_query", "", 0.8
    if WHAT_I_DO.search(cued) and not kinds:
        return "general_query", "", 0.9
    if OTHER_TASKS.search(cued) and not cues & {"concert", "forecast", "venue", "analysis"}:
        return "unknown", "", 0.2
    if (REFUNDS.search(cued) or HOUSE_RULES.search(cued)) and not kinds & {"genre", "place", "type", "venue"}:
        return "general_query", "", 0.8
    if RENTS.search(cued):
        return "venue_search", "venue", 0.8
    travels = "venue" in kinds and re.search(r"\bdirections\b", cued)
    if ELSEWHERE.search(cued) and not travels and "genre" not in kinds and not _hears(cued):
        return "unknown", "", 0.2
    if re.search(r"\bwhere (?:is|s) (?:it|that|this)(?: place)?(?: at)?(?: \?)?$", cued) and not kinds:
        return "venue_search", "venue", 0.75
    told = bool(SALES.search(cued)) and not COSTS.search(cued) and "genre" not in kinds
    ahead = told and bool(AHEAD.search(cued)) and not PAST.search(cued)
    if ahead and (about or concert or ORDINAL.search(cued) or REFERENCE_CUE.search(without_fillers(cued))):
        return "ticket_prediction", "forecast", 0.85
    summed = re.search(r"\b(?:total|overall|all) (?:\S+ )?sales\b", cued)
    if re.search(r"\bsales\b", cued) and not summed and ((about and not PAST.search(cued)) or ORDINAL.search(cued)):
        return "ticket_prediction", "forecast", 0.8
    if re.search(r"\bsales\b(?! (?:of|for|be|look|going|start|open|begin|end)\b)", cued) and not (
        ahead or about or cues & {"forecast"}
    ):
        return "data_analysis", "totals", 0.75
    compared = re.search(r"\b(?:versus|compar\w+)\b", cued)
    if "forecast" in cues and not over and not of_many and not summed and not (compared and not AHEAD.search(cued)):
        return "ticket_prediction", "forecast", 0.9 if about or concert else 0.75
    supposed = re.search(r"\b(?:suppose|imagine|what if)\b", cued)
    if WOULD_TAKE.search(cued) and (supposed or not (PAST.search(cued) or COSTS.search(cued))):
        return "ticket_prediction", "forecast", 0.75
    if concert and "similar" in cues:
        return "concert_recommendation", "similar", 0.95
    if concert:
        if cues & {"price", "when", "facts"} or "concert" in cues:
            return "concert_recommendation", "concert", 0.9
        return "ticket_prediction", "forecast", 0.85
    asks_how_much = re.search(
        r"\b(?:what|how much|how many \S+) did\b|\bwhat (?:\S+ ){1,6}?(?:took|made|earned|grossed|brought) ", cued
    )
    if TAKEN.search(cued) and PAST.search(cued) and not COSTS.search(cued) and (asks_how_much or not asks_venues):
        return "data_analysis", "totals", 0.8
    if "similar" in cues and not cues & {"analysis"}:
        return "concert_recommendation", "similar", 0.9
    if "genres" in cues and "analysis" not in cues and not kinds & {"artist", "genre"}:
        return "general_query", "genres", 0.9
    if "venue" in kinds:
        if re.match(r"^(?:is|was) (?:the )?_venue (?!\w+ing\b)", cued):
            return "venue_search", "venue", 0.85
        if "price" in cues and "facts" not in cues:
            return "concert_recommendation", "concerts", 0.8
        if "analysis" in cues and not cues & {"facts"}:
            return "data_analysis", "totals", 0.8
        if cues & {"facts"} or not (cues & {"concert", "when"} or "genre" in kinds or limited or dated):
            return "venue_search", "venue", 0.9
        return "concert_recommendation", "concerts", 0.8
    ranks = re.search(
        r"\b(?:which|what|popular|best|top|rank\w*|biggest|largest|smallest|(?<!at )least|(?<!at )most|list)\b", cued
    )
    asks_venue = (
        "venue" in cues
        and not ("genre" in kinds and not ranks)
        and (bool(cues & {"ranking", "ordered", "facts"}) or not cues & {"concert", "price", "analysis"})
    )
    if asks_venue and CONCERTS_IN.search(cued):
        asks_venue = False
    sized = seated and "type" in kinds and "genre" not in kinds and not CONCERTS_NAMED.search(cued)
    all_venues = "venue" in cues and ALL_VENUES.search(cued) and not SALES.search(cued) and not cues & {"concert"}
    asks_venue = asks_venue or bool(VENUES_ASKED.search(cued) or all_venues or sized)
    if asks_venue and "artist" not in kinds:
        if (
            THE_VENUE.search(cued)
            and cues & {"facts"}
            and not re.search(r"\b(?:most|least|best|top|biggest|largest|smallest)\b", cued)
        ):
            return "venue_search", "venue", 0.85
        return "venue_search", "venues", 0.9 if "ranking" in cues else 0.75
    if cues & {"facts"} and (
        THE_VENUE.search(cued)
        or re.search(r"\b(?:address|capacity|located|amenities|how (?:big|large)|hold|seats)\b", cued)
    ):
        return "venue_search", "venue", 0.8
    if "analysis" in cues and not (compared and "artist" in kinds and not SALES.search(cued)):
        return "data_analysis", "totals", 0.85
    if "artist" in kinds:
        bought = re.search(r"\b(?:book|buy|get|need|want|purchase|reserve)\b.*\btickets?\b", cued)
        if "price" in cues or ((CHEAP.search(cued) or bought) and "when" not in cues):
            return "concert_recommendation", "price", 0.85
        return "artist_lookup", "artist", 0.9
    if "facts" in cues and "artist" not in cues and ORDINAL.search(cued):
        return "venue_search", "venue", 0.75
    if "price" in cues and (REFERENCE_CUE.search(cued) or ORDINAL.search(cued)):
        return "concert_recommendation", "price", 0.8
    if "when" in cues and not kinds and (REFERENCE_CUE.search(cued) or ORDINAL.search(cued)):
        return "artist_lookup", "artist", 0.75
    if "help" in cues and not kinds & {"genre", "place"} and "help me" not in cued and not dated:
        return "general_query", "", 0.9
    if "greeting" in cues and not cues & {"concert", "when", "price"} and not kinds:
        return "general_query", "", 0.9
    if ORDINAL.search(cued) and "artist" in cues and not kinds:
        return "artist_lookup", "artist", 0.75
    if re.search(rf"\b(?:which|what|any) (?:\S+ )?{ACTS}s?\b|\b(?:top|best|popular|\d) (?:\S+ )?{ACTS}s\b", cued):
        return "artist_lookup", "concerts", 0.8
    named = bool(kinds & {"genre", "place", "type"}) or genre_like
    if (
        named
        or limited
        or CHEAP.search(cued)
        or any(span.named.kind == "artist" for span in spans)
        or cues & {"concert", "when", "price"}
        or dated
    ):
        sure = 0.5 + 0.15 * (("genre" in kinds) + ("place" in kinds) + ("concert" in cues))
        return "concert_recommendation", "concerts", sure
    if "ranking" in cues and not cues & {"artist"}:
        return "venue_search", "venues", 0.5
    if "artist" in cues or "facts" in cues:
        return "artist_lookup", "artist", 0.5
    if "help" in cues or "greeting" in cues:
        return "general_query", "", 0.8
    return "unknown", "", 0.2


def _hears(cued: str) -> bool:
    """Whether a message about something else asks for concerts, too; "recommend" alone may be about a pizza."""
    bare = re.sub(r"\b(?:recommend|suggest)\w*", " ", cued)
    return any(name in HEARD | {"facts"} and pattern.search(bare) for name, pattern in CUES)


def without_fillers(cued: str) -> str:
    """The text without words such as "there is", which refer to nothing."""
    return FILLERS.sub(" ", cued)
