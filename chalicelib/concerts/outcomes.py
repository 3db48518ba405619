"""How an answer ends: what it was about, by the tools that it used, and what to ask next."""

from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.concerts.models import Intent
from chalicelib.concerts.tools import ToolAnswer
from chalicelib.concerts.values import ChatOutcome

GROUNDED, UNGROUNDED, FAILED = 0.9, 0.6, 0.4
"""Confidence of a model's answer that used a tool, that used none, and whose tools all failed."""

SUGGESTIONS: Mapping[Intent, tuple[str, ...]] = {
    "artist_lookup": ("What are its ticket sales going to be?", "Recommend similar concerts"),
    "venue_search": ("Recommend concerts in my city", "How did revenue develop by genre?"),
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
        subject = next((found for answer in reversed(worked) if (found := subject_of(answer.data))), None)
        return ChatOutcome(last.intent, GROUNDED, last.data, SUGGESTIONS[last.intent], subject)
    if answers:
        return ChatOutcome(answers[-1].intent, FAILED, answers[-1].content, SUGGESTIONS[answers[-1].intent])
    return ChatOutcome("general_query", UNGROUNDED, {}, SUGGESTIONS["general_query"])


def subject_of(data: Mapping[str, Any]) -> str | None:
    """The concert that an answer came to, for a later "it"."""
    if concert := data.get("concert"):
        return str(concert["concert_id"])
    if found := data.get("recommendations"):
        return str(found[0]["concert_id"])
    if found := data.get("artists"):
        return found[0]["next_concert_id"] and str(found[0]["next_concert_id"])
    return None
