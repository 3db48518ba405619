"""Parsing of JSON and query strings, and errors as JSON, for routes, sockets and direct invocations."""

import functools
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeVar

import msgspec

from chalicelib.errors import InvalidInput, OmnibusError

Model = TypeVar("Model", bound=msgspec.Struct)

NUMBER_TEXT = r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?"
NOTHING: Mapping[str, Any] = MappingProxyType({})


def decode_json(raw: bytes, model: type[Model]) -> Model:
    """`raw` as a `model`, strictly: no number from a string, no unknown field; 16.0 counts as an integer."""
    if not raw.strip():
        raise InvalidInput.of("body", "is empty", "a JSON object")
    try:
        return _decode(raw, model)
    except msgspec.ValidationError as error:
        raise _invalid("body", str(error), model) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        reason = "is nested too deeply" if isinstance(error, RecursionError) else f"is not JSON ({error})"
        raise InvalidInput.of("body", reason, "a JSON object in UTF-8") from None


def _decode(raw: bytes, model: type[Model]) -> Model:
    try:
        return msgspec.json.decode(raw, type=model)
    except msgspec.ValidationError as error:
        if "got `float`" not in str(error):
            raise
        return msgspec.convert(_with_whole_numbers(msgspec.json.decode(raw)), model)


def _with_whole_numbers(value: Any) -> Any:
    """A JSON value whose floats without a fraction are integers."""
    if isinstance(value, dict):
        return {name: _with_whole_numbers(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_with_whole_numbers(part) for part in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def decode_query(values: Mapping[str, Sequence[str]] | None, model: type[Model]) -> Model:
    """A query string's values as a `model`; a repeated name gives a list."""
    lists, moments = _shape(model)
    flat: dict[str, Any] = {}
    for name, given in (values or {}).items():
        if name in lists:
            flat[name] = list(given)
        elif len(given) == 1:
            flat[name] = given[0]
        else:
            raise InvalidInput.of(name, f"is given {len(given)} times", "one value")
    for name in moments:
        # From text, msgspec accepts a number as seconds since 1970, but the schema requires a time.
        if re.fullmatch(NUMBER_TEXT, str(flat.get(name, ""))):
            raise InvalidInput.of(name, "is no time", "a time such as 2026-11-21T12:00:00Z")
    try:
        return msgspec.convert(flat, model, strict=False)
    except msgspec.ValidationError as error:
        raise _invalid("query", str(error), model, given=flat) from None


@functools.cache
def _shape(model: type[msgspec.Struct]) -> tuple[frozenset[str], tuple[str, ...]]:
    """The names of a query's fields that take a list, and of those that take a time."""
    types = {item.encode_name: str(item.type) for item in msgspec.structs.fields(model)}
    lists = frozenset(name for name, kind in types.items() if "list[" in kind or "tuple[" in kind)
    return lists, tuple(name for name, kind in types.items() if "datetime" in kind)


def _invalid(where: str, message: str, model: type[Any], given: Mapping[str, Any] = NOTHING) -> InvalidInput:
    """msgspec's message, e.g. "Expected `int` <= 100 - at `$.top_n`", as field, problem and expected value."""
    text, _, path = message.partition(" - at `")
    place = path.rstrip("`").removeprefix("$").removeprefix(".")
    field_name = place or where
    if text.startswith("Object missing required field `"):
        missing = text.split("`")[1]
        return InvalidInput.of(f"{place}.{missing}" if place else missing, "is missing", "a value")
    if text.startswith("Object contains unknown field `"):
        unknown = text.split("`")[1]
        return InvalidInput.of(f"{place}.{unknown}" if place else unknown, "is unknown", "only the documented fields")
    problem, wanted = _told(text.replace("`", ""), model, place)
    if field_name in given:
        problem = f"is {str(given[field_name])[:80]!r}"
    return InvalidInput.of(field_name, problem, wanted)


def _told(text: str, model: type[Any], place: str) -> tuple[str, str]:
    """The problem and the expected value, from msgspec's message about one value."""
    if text.startswith("Expected "):
        wanted, _, got = text.removeprefix("Expected ").partition(", got ")
        return f"is {got}" if got else "is not acceptable", wanted
    if text.startswith("Invalid enum value "):
        choices = ", ".join(map(str, _choices(model, place))) or "the documented values"
        return f"is {text.removeprefix('Invalid enum value ')[:80]}", f"one of {choices}"
    return SAID.get(text, (text[:1].lower() + text[1:], "a valid value"))


SAID = {
    "Invalid UUID": ("is no UUID", "a UUID"),
    "Invalid RFC3339 encoded date": ("is no date", "a date such as 2026-11-21"),
    "Invalid RFC3339 encoded datetime": ("is no time", "a time such as 2026-11-21T12:00:00Z"),
    "Number out of range": ("is out of range", "a number nearer to zero"),
    "Integer value out of range": ("is out of range", "a number nearer to zero"),
}
"""msgspec's messages that lack the expected value -> the problem and the expected value."""


def _choices(model: type[Any], place: str) -> list[Any]:
    """The values that a field of a model, such as `items[3].colour`, accepts."""
    from msgspec import inspect  # only errors pay for loading it

    def plain(kind: Any) -> list[Any]:
        if isinstance(kind, inspect.UnionType):
            return [each for part in kind.types for each in plain(part)]
        return plain(kind.type) if isinstance(kind, inspect.Metadata) else [kind]

    found = plain(inspect.type_info(model))
    for step in place.replace("[...]", "[]").replace("[", ".[").split("."):
        names = ("item_type", "value_type") if step.startswith("[") else ()
        items = [getattr(kind, name) for kind in found for name in names if hasattr(kind, name)]
        fields = [field.type for kind in found for field in getattr(kind, "fields", ()) if field.encode_name == step]
        found = [each for kind in (*items, *fields) for each in plain(kind)]
    return [value for kind in found for value in getattr(kind, "values", ())]


def error_content(error: OmnibusError, request_id: str = "") -> dict[str, Any]:
    """An error in the one format that callers see."""
    content: dict[str, Any] = {"code": error.code, "message": error.message}
    if request_id:
        content["request_id"] = request_id
    if error.problems:
        content["details"] = [msgspec.structs.asdict(problem) for problem in error.problems]
    return content
