"""Rules, templates and the reviewed data: what they say, and what is refused when they are loaded."""

from typing import Any

import pytest

from chalicelib.adapters.spendsense import rules_sql as sql
from chalicelib.spendsense import rules, templates
from chalicelib.spendsense.catalogue import assemble, packaged_catalogue
from chalicelib.spendsense.guardrails import DISCLOSURE, LANGUAGE_GUARDRAILS, Language
from chalicelib.spendsense.rules import Comparison, Either, Every
from chalicelib.spendsense.signals import SIGNALS
from tests.fakes.spendsense_reference import holds
from tests.unit.spendsense.declarations import DECLARED

# -- rules


def test_a_rule_is_what_it_declares() -> None:
    declared = {
        "all": [
            {"signal": "recurring_merchants", "at_least": 3},
            {"any": [{"signal": "subscription_share", "at_least": 0.1}, {"signal": "cards", "less_than": 1}]},
        ]
    }
    three, tenth, none = (
        Comparison("recurring_merchants", ">=", 3),
        Comparison("subscription_share", ">=", 0.1),
        Comparison("cards", "<", 1),
    )
    rule = rules.parse_rule(declared)
    assert rule == Every((three, Either((tenth, none))))
    assert list(rules.comparisons(rule)) == [three, tenth, none]
    assert tenth.threshold == ">= 0.1"


@pytest.mark.parametrize(
    "declared",
    [
        None,
        [],
        {},
        {"any": []},
        {"signal": "cards"},
        {"signal": "cards", "at_least": "1"},
        {"signal": "cards", "at_least": True},
        {"signal": "cards", "at_least": 1, "at_most": 2},
        {"signal": "cards; DROP TABLE x", "at_least": 1},
        {"signal": "top_card", "at_least": 1},
        {"signal": "cards", "equals": 1},
        {"all": [{"signal": "cards"}]},
        {"all": [], "any": []},
    ],
)
def test_what_is_no_rule_is_refused(declared: Any) -> None:
    with pytest.raises(ValueError, match=r"rule|signal|number|never"):
        rules.parse_rule(declared)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.5, (True, False, True, False)), (0.4999, (False, False, True, True)), (None, (False,) * 4)],
)
def test_comparisons_and_the_unknown(value: float | None, expected: tuple[bool, ...]) -> None:
    compared = [Comparison("max_utilization", operator, 0.5) for operator in (">=", ">", "<=", "<")]
    assert tuple(holds(rule, {"max_utilization": value}) for rule in compared) == expected


# -- rules and templates as SQL


def test_only_declared_names_numbers_and_quoted_texts_become_sql() -> None:
    rule = rules.parse_rule({"any": [{"signal": "cards", "at_least": 1}, {"signal": "cards", "at_most": 0}]})
    assert sql.condition(rule) == "(coalesce(f.cards >= 1, false) OR coalesce(f.cards <= 0, false))"
    assert sql.condition(rules.ALWAYS) == "true"
    template = templates.parse_template("It's {cards} of 100%: {top_card}")
    assert sql.sentence(template) == "'It''s ' || f.cards::text || ' of 100%%: ' || f.top_card"


def test_every_signal_has_a_way_to_be_written() -> None:
    for name, signal in SIGNALS.items():
        assert name in sql.WRITTEN[signal.kind].format(name=name)


# -- templates


def test_a_template_knows_what_it_cites() -> None:
    template = templates.parse_template("{cards} and {spend_cents} and {cards}")
    assert template.signals == ("cards", "spend_cents")
    assert template.texts == ("", " and ", " and ", "")


@pytest.mark.parametrize("text", ["", "No number.", "{top_card} alone", "{unknown}", "{cards", "cards}", "{cards!r}"])
def test_a_template_that_cites_no_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"cites|signal|brace"):
        templates.parse_template(text)


# -- language


@pytest.fixture
def language() -> Language:
    return packaged_catalogue().language


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("You are overspending.", "no_shaming: overspending"),
        ("Don't be LAZY about it", "no_shaming: lazy"),
        ("Act now!", "tone: act now"),
        ("act\n  now", "tone: act\n  now"),
        ("A guaranteed win", "tone: guaranteed"),
        ("A payday loan", "no_predatory: payday loan"),
        ("rent to own", "no_predatory: rent to own"),
        ("You wasted $50", "no_shaming: wasted"),
        ("You spend recklessly", "no_shaming: recklessly"),
        ("It guarantees a rate", "tone: guarantees"),
        ("A pay-day loan", "no_predatory: pay-day loan"),
    ],
)
def test_words_that_are_refused(language: Language, text: str, fault: str) -> None:
    assert fault in language.faults(text) or language.faults(text)[0].split(":")[0] == fault.split(":")[0]
    assert language.faults(text)


@pytest.mark.parametrize("text", ["Your pay day is Friday.", "A shared plan", "Guarantor", "Lazytown", ""])
def test_words_that_only_look_like_it(language: Language, text: str) -> None:
    assert language.faults(text) == ()


@pytest.mark.parametrize("words", [["Caps"], ["a  b"], [""], ["x|y"], ["(a"]])
def test_a_word_that_is_a_pattern_is_refused(words: list[str]) -> None:
    with pytest.raises(ValueError, match="lower-case"):
        Language(dict.fromkeys(LANGUAGE_GUARDRAILS, words))


def test_every_guardrail_of_language_needs_its_words() -> None:
    with pytest.raises(ValueError, match="needs"):
        Language({"tone": ["act now"]})


def test_the_disclosure_is_verbatim() -> None:
    assert DISCLOSURE == (
        "This is educational content, not financial advice. Consult a licensed advisor for personalized guidance."
    )


# -- the packaged data


def test_each_persona_has_enough_to_choose_from() -> None:
    catalogue = packaged_catalogue()
    for persona in catalogue.personas:
        if persona.persona != "insufficient_data":
            kinds = [item.kind for item in catalogue.items if persona.persona in item.personas]
            assert kinds.count("education") >= 5
            assert kinds.count("offer") >= 1


def test_no_text_of_the_catalogue_fails_a_guardrail() -> None:
    catalogue = packaged_catalogue()
    texts = [text for item in catalogue.items for text in (item.title, item.summary, *item.because.texts)]
    texts += [behaviour.text for behaviour in catalogue.behaviours] + [persona.focus for persona in catalogue.personas]
    assert [fault for text in texts for fault in catalogue.language.faults(text)] == []


def test_personas_are_tried_in_the_order_of_the_facts() -> None:
    assert [persona.persona for persona in packaged_catalogue().personas] == [
        "high_utilization",
        "variable_income_budgeter",
        "subscription_heavy",
        "savings_builder",
        "general_wellness",
        "insufficient_data",
    ]


def changed(part: str, **values: Any) -> dict[str, Any]:
    return {**DECLARED, part: [{**DECLARED[part][0], **values}, *DECLARED[part][1:]]}


@pytest.mark.parametrize(
    ("part", "values", "message"),
    [
        ("education", {"title": "Stop overspending"}, "no_shaming"),
        ("education", {"summary": "Act now and save"}, "tone"),
        ("education", {"because": "You should know: {cards}"}, "tone"),
        ("offers", {"title": "A payday loan"}, "no_predatory"),
        ("offers", {"personas": ["nobody"]}, "unknown personas"),
        ("offers", {"personas": []}, "unknown personas"),
        ("offers", {"reviewed_by": ""}, "not reviewed"),
        ("offers", {"eligibility": {"signal": "age", "at_least": 18}}, "not a signal"),
        ("education", {"because": "Like everybody"}, "no number"),
        ("education", {"item_id": "credit-monitoring"}, "repeated"),
        ("personas", {"fallback": True}, "fallback"),
        ("behaviours", {"rule": {}}, "rule|signal"),
    ],
)
def test_a_mistake_in_the_data_is_found_when_it_is_loaded(part: str, values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        assemble(changed(part, **values))


def test_a_missing_field_is_named() -> None:
    entry = {name: value for name, value in DECLARED["offers"][0].items() if name != "because"}
    with pytest.raises(ValueError, match=r"offers\.json, entry 1: because is missing"):
        assemble({**DECLARED, "offers": [entry]})
