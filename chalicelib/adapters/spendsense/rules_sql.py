"""Translate declared rules, templates and catalogue into PostgreSQL expressions over a row `f` of computed_features.

This SQL contains only names of declared signals, numbers, and quoted texts of the reviewed catalogue. Texts from people
or banks stay in columns.
"""

from collections.abc import Iterable, Sequence

from chalicelib.spendsense.catalogue import MOST_ITEMS, AdviceCatalogue, AdviceItem, Behaviour, Persona
from chalicelib.spendsense.guardrails import LANGUAGE_GUARDRAILS
from chalicelib.spendsense.rules import Comparison, Every, Rule, comparisons
from chalicelib.spendsense.signals import SIGNALS
from chalicelib.spendsense.templates import Template

WRITTEN = {
    "count": "f.{name}::text",
    "money": "spendsense.as_money(f.{name}, f.currency)",
    "ratio": "spendsense.as_percent(f.{name})",
    "number": "spendsense.as_number(f.{name})",
    "text": "f.{name}",
}


def quoted(text: str) -> str:
    """`text` as an SQL literal, fit for a statement that takes parameters."""
    return "'" + text.replace("'", "''").replace("%", "%%") + "'"


def array(texts: Sequence[str]) -> str:
    """`texts` as an SQL array."""
    return "ARRAY[" + ", ".join(map(quoted, texts)) + "]::text[]"


def condition(rule: Rule) -> str:
    """Does the rule hold? An unknown signal makes its comparison false."""
    if isinstance(rule, Comparison):
        return f"coalesce(f.{rule.signal} {rule.operator} {rule.number!r}, false)"
    if not rule.parts:
        return "true"
    joint = " AND " if isinstance(rule, Every) else " OR "
    return "(" + joint.join(map(condition, rule.parts)) + ")"


def sentence(template: Template) -> str:
    """The finished sentence; null if one of its signals is unknown."""
    parts = []
    for number, piece in enumerate(template.pieces):
        if number % 2:
            parts.append(WRITTEN[SIGNALS[piece].kind].format(name=piece))
        elif piece:
            parts.append(quoted(piece))
    return " || ".join(parts)


def evidence(rule: Rule, also: Iterable[str]) -> str:
    """A JSON array of {signal, value, threshold} for each comparison of a rule, then for each signal in `also`."""
    found = [(comparison.signal, comparison.threshold) for comparison in comparisons(rule)]
    compared = {signal for signal, _ in found}
    found += [(signal, "") for signal in also if signal not in compared]
    return "jsonb_build_array(" + ", ".join(_object(*each) for each in found) + ")"


def _object(signal: str, threshold: str, **constants: str) -> str:
    fixed = "".join(f", {quoted(name)}, {quoted(value)}" for name, value in constants.items())
    shown = quoted(threshold) if threshold else "null"
    return f"jsonb_build_object('signal', {quoted(signal)}, 'value', f.{signal}, 'threshold', {shown}{fixed})"


def matched_personas(personas: Iterable[Persona]) -> str:
    """An array of the personas that fit, by precedence, without the fallbacks."""
    cases = [
        f"CASE WHEN {condition(persona.rule)} THEN {quoted(persona.persona)} END"
        for persona in personas
        if not persona.fallback
    ]
    return "array_remove(ARRAY[" + ",\n        ".join(cases) + "], null)"


def fallback_persona(personas: Iterable[Persona]) -> str:
    """The persona for people whom no other persona fits."""
    cases = [
        f"WHEN {condition(persona.rule)} THEN {quoted(persona.persona)}" for persona in personas if persona.fallback
    ]
    return "CASE " + " ".join(cases) + " END"


def persona_evidence(personas: Iterable[Persona]) -> str:
    """A JSON array of what made each persona fit: the comparisons of its rule that hold."""
    cases = []
    for persona in personas:
        if persona.fallback:
            continue
        fits = condition(persona.rule)
        for comparison in comparisons(persona.rule):
            found = _object(comparison.signal, comparison.threshold, persona=persona.persona)
            cases.append(f"CASE WHEN {fits} AND {condition(comparison)} THEN {found} END")
    return "to_jsonb(array_remove(ARRAY[" + ",\n        ".join(cases) + "], null))"


def noticed_behaviours(behaviours: Iterable[Behaviour]) -> str:
    """An array of the behaviours that were noticed."""
    cases = [
        f"CASE WHEN {condition(behaviour.rule)} THEN {quoted(behaviour.behaviour)} END" for behaviour in behaviours
    ]
    return "array_remove(ARRAY[" + ",\n        ".join(cases) + "], null)"


def considered_items(items: Sequence[AdviceItem]) -> str:
    """A row for each item and person whose persona it is for, with what each guardrail needs."""
    return "\n    UNION ALL\n".join(_considered(item, position) for position, item in enumerate(items))


def _considered(item: AdviceItem, position: int) -> str:
    return (
        f"    SELECT f.user_id, f.window_days, f.subject, f.persona, {quoted(item.item_id)} AS item_id, "  # nosec B608  # quoted, from our catalogue
        f"{quoted(item.kind)} AS kind, {position} AS position, {quoted(item.template_id)} AS template_id,\n"
        f"        {condition(item.eligibility)} AS eligible,\n"
        f"        {sentence(item.because)} AS rationale,\n"
        f"        {str(_names_something(item)).lower()} AS names_something,\n"
        f"        {evidence(item.eligibility, item.because.signals)} AS signals_used\n"
        f"    FROM judged f WHERE f.persona = ANY({array(item.personas)})"
    )


def _names_something(item: AdviceItem) -> bool:
    """Does the sentence contain an unreviewed text, such as a merchant's name?"""
    return any(SIGNALS[name].kind == "text" for name in item.because.signals)


def assignment(template: str, catalogue: AdviceCatalogue) -> str:
    """The statement that assigns personas, its places filled from the catalogue."""
    return (
        template.replace("/*matched*/", matched_personas(catalogue.personas))
        .replace("/*fallback*/", fallback_persona(catalogue.personas))
        .replace("/*evidence*/", persona_evidence(catalogue.personas))
        .replace("/*behaviours*/", noticed_behaviours(catalogue.behaviours))
    )


def generation(template: str, catalogue: AdviceCatalogue) -> str:
    """The statement that recommends, its places filled from the catalogue."""
    filled = template.replace("/*considered*/", considered_items(catalogue.items))
    for guardrail in LANGUAGE_GUARDRAILS:
        filled = filled.replace(f"/*{guardrail}*/", quoted(catalogue.language.postgres_pattern(guardrail)))
    for kind, most in MOST_ITEMS.items():
        filled = filled.replace(f"/*most_{kind}*/", str(most))
    return filled
