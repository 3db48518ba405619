"""The end of an answer: its subject, by the tools that it used, and suggestions for the next question."""

from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.concerts.models import Intent
from chalicelib.concerts.tools import ToolAnswer
from chalicelib.concerts.values import ChatOutcome, Subject

GROUNDED, UNGROUNDED, FAILED = 0.9, 0.6, 0.4
"""Confidence of a model's answer that used a tool, that used none, and whose tools all failed."""

SUGGESTIONS: Mapping[Intent, tuple[str, ...]] = {
    "artist_lookup": ("What are its ticket sales going to be?", "Recommend similar concerts"),
    "venue_search": ("Recommend concerts this weekend", "How did revenue develop by genre?"),
    "concert_recommendation": ("Predict the sales of the first one", "Which venues are the most popular?"),
    "ticket_prediction": ("Which venues are the most popular?", "Recommend rock concerts"),
    "data_analysis": ("Which venues are the most popular?", "Recommend jazz concerts"),
    "general_query": ("Which venues are the most popular?", "Recommend rock concerts", "Predict sales of con-000001"),
    "unknown": ("Which venues are the most popular?", "Recommend rock concerts", "Predict sales of con-000001"),
}


def outcome_of(answers: Sequence[ToolAnswer]) -> ChatOutcome:
    """The end of a model's answer, by the last tool that worked for it."""
    worked = [answer for answer in answers if answer.error is None]
    if worked:
        last = worked[-1]
        listed = next((found for answer in reversed(worked) if (found := subjects_of(answer.data))), ())
        return ChatOutcome(last.intent, GROUNDED, last.data, SUGGESTIONS[last.intent], listed)
    if answers:
        return ChatOutcome(answers[-1].intent, FAILED, answers[-1].content, SUGGESTIONS[answers[-1].intent])
    return ChatOutcome("general_query", UNGROUNDED, {}, SUGGESTIONS["general_query"])


def subjects_of(data: Mapping[str, Any]) -> tuple[Subject, ...]:
    """The items that an answer listed, in order, for a later "it" or "the second one"."""
    if "concert" in data:
        return (_subject(data["concert"]),)
    for name in ("recommendations", "concerts", "venues"):
        if name in data:
            return tuple(map(_subject, data[name]))
    if "artists" in data:
        return tuple(_of_artist(one) for one in data["artists"])
    if "members" in data:
        upcoming = data["upcoming"]
        return tuple(map(_subject, upcoming)) or (_subject(data),)
    return (_subject(data),) if "venue_id" in data or "concert_id" in data else ()


def _subject(one: Mapping[str, Any]) -> Subject:
    return Subject(**{name: one[name] for name in Subject.__struct_fields__ if one.get(name)})


def _of_artist(one: Mapping[str, Any]) -> Subject:
    return Subject(
        artist_id=one["artist_id"], concert_id=one["next_concert_id"] or "", venue_id=one["next_venue_id"] or ""
    )
