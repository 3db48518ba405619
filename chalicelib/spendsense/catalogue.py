"""The reviewed data files: personas, behaviours, education items, partner offers, refused language."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import msgspec

from chalicelib.spendsense import rules, templates
from chalicelib.spendsense.guardrails import DISCLOSURE, Language
from chalicelib.spendsense.models import (
    BehaviourView,
    CatalogueCategory,
    CatalogueItem,
    CataloguePersona,
    CatalogueView,
    ConsentPolicy,
    SignalView,
)
from chalicelib.spendsense.rules import Rule
from chalicelib.spendsense.signals import SIGNALS
from chalicelib.spendsense.taxonomy import packaged_taxonomy
from chalicelib.spendsense.templates import Template

MOST_ITEMS = {"education": 5, "offer": 3}


@dataclass(frozen=True)
class Persona:
    """A way of handling money; a fallback is only for people whom no other persona fits."""

    persona: str
    name: str
    focus: str
    rule: Rule
    fallback: bool


@dataclass(frozen=True)
class Behaviour:
    """Something noticed about a person's money, whatever the persona."""

    behaviour: str
    text: str
    rule: Rule


@dataclass(frozen=True)
class AdviceItem:
    """Something to recommend to certain personas, to whom its rule allows it, because of their own numbers."""

    item_id: str
    kind: Literal["education", "offer"]
    title: str
    summary: str
    personas: tuple[str, ...]
    eligibility: Rule
    because: Template
    template_id: str


@dataclass(frozen=True)
class AdviceCatalogue:
    """All of it, checked."""

    personas: tuple[Persona, ...]
    behaviours: tuple[Behaviour, ...]
    items: tuple[AdviceItem, ...]
    language: Language

    def view(self) -> CatalogueView:
        """Its public part, with the signals and the categories."""
        return CatalogueView(
            personas=[CataloguePersona(persona=one.persona, name=one.name, focus=one.focus) for one in self.personas],
            behaviours=[BehaviourView(behaviour=one.behaviour, text=one.text) for one in self.behaviours],
            items=[
                CatalogueItem(
                    item_id=one.item_id,
                    kind=one.kind,
                    title=one.title,
                    summary=one.summary,
                    because=one.because.text,
                    personas=list(one.personas),
                )
                for one in self.items
            ],
            signals=[SignalView(signal=one.name, unit=one.kind, meaning=one.meaning) for one in SIGNALS.values()],
            categories=[
                CatalogueCategory(primary=one.primary, detailed=one.detailed, flow=one.flow)
                for one in packaged_taxonomy().categories.values()
            ],
            disclosure=DISCLOSURE,
        )

    def item(self, item_id: str) -> AdviceItem | None:
        """The item of that id, if it is still in the catalogue."""
        return next((item for item in self.items if item.item_id == item_id), None)

    def persona(self, persona: str) -> Persona:
        """The persona of that id; KeyError if there is none."""
        return {known.persona: known for known in self.personas}[persona]

    def behaviour(self, behaviour: str) -> Behaviour:
        """The behaviour of that id; KeyError if there is none."""
        return {known.behaviour: known for known in self.behaviours}[behaviour]


@cache
def packaged_catalogue() -> AdviceCatalogue:
    """The catalogue of this package."""
    folder = files("chalicelib.spendsense.declared")
    return assemble({name: msgspec.json.decode((folder / f"{name}.json").read_bytes()) for name in PARTS})


@cache
def packaged_policy() -> ConsentPolicy:
    """The current policy that people consent to."""
    text = (files("chalicelib.spendsense.declared") / "consent.json").read_bytes()
    return msgspec.json.decode(text, type=ConsentPolicy)


PARTS = ("personas", "behaviours", "education", "offers", "language")


def assemble(parts: Mapping[str, Any]) -> AdviceCatalogue:
    """The catalogue of decoded files; ValueError names the entry that is wrong, and why."""
    language = Language(parts["language"])
    personas = tuple(_each("personas", parts["personas"], _persona))
    known = [persona.persona for persona in personas]
    education = _each("education", parts["education"], lambda entry: _item(entry, "education", known, language))
    offers = _each("offers", parts["offers"], lambda entry: _item(entry, "offer", known, language))
    items = (*education, *offers)
    behaviours = tuple(_each("behaviours", parts["behaviours"], _behaviour))
    _unique([persona.persona for persona in personas])
    _unique([item.item_id for item in items])
    _unique([behaviour.behaviour for behaviour in behaviours])
    if [persona.fallback for persona in personas] != sorted(persona.fallback for persona in personas):
        raise ValueError("personas: a fallback comes before a persona that is none")
    return AdviceCatalogue(personas, behaviours, items, language)


def _each(part: str, entries: Sequence[Any], read: Any) -> list[Any]:
    found = []
    for number, entry in enumerate(entries, start=1):
        try:
            found.append(read(entry))
        except KeyError as error:
            raise ValueError(f"{part}.json, entry {number}: {error.args[0]} is missing") from None
        except ValueError as error:
            raise ValueError(f"{part}.json, entry {number}: {error}") from None
    return found


def _persona(entry: Mapping[str, Any]) -> Persona:
    rule = rules.parse_rule(entry["rule"])
    return Persona(entry["persona"], entry["name"], entry["focus"], rule, bool(entry.get("fallback", False)))


def _behaviour(entry: Mapping[str, Any]) -> Behaviour:
    return Behaviour(entry["behaviour"], entry["text"], rules.parse_rule(entry["rule"]))


def _item(
    entry: Mapping[str, Any], kind: Literal["education", "offer"], personas: Sequence[str], language: Language
) -> AdviceItem:
    template = templates.parse_template(entry["because"])
    for text in (entry["title"], entry["summary"], *template.texts):
        if faults := language.faults(text):
            raise ValueError(f"{entry['item_id']}: fails {', '.join(faults)}")
    unknown = set(entry["personas"]) - set(personas)
    if unknown or not entry["personas"]:
        raise ValueError(f"{entry['item_id']}: unknown personas {sorted(unknown)}")
    if not entry["reviewed_by"] or not entry["reviewed_on"]:
        raise ValueError(f"{entry['item_id']}: is not reviewed")
    return AdviceItem(
        item_id=entry["item_id"],
        kind=kind,
        title=entry["title"],
        summary=entry["summary"],
        personas=tuple(entry["personas"]),
        eligibility=rules.parse_rule(entry.get("eligibility", {"all": []})),
        because=template,
        template_id=f"{entry['item_id']}/{entry['version']}",
    )


def _unique(ids: Sequence[str]) -> None:
    repeated = {name for name in ids if ids.count(name) > 1}
    if repeated:
        raise ValueError(f"repeated in the catalogue: {sorted(repeated)}")
