"""JSON and query strings to models, and errors to JSON: what routes, sockets and direct invocations share."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeVar

import msgspec

from chalicelib.errors import InvalidInput, OmnibusError, Problem

Model = TypeVar("Model", bound=msgspec.Struct)

NOTHING: Mapping[str, Any] = MappingProxyType({})


def decode_json(raw: bytes, model: type[Model]) -> Model:
    """`raw` as a `model`, strictly: no number from a string, no unknown field; 16.0 is an integer, as in a schema."""
    if not raw.strip():
        raise InvalidInput.of("body", "is empty", "a JSON object")
    try:
        return _decode(raw, model)
    except msgspec.ValidationError as error:
        raise _invalid("body", str(error)) from None
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
    """A query string's values as a `model`; a name given once is a value, given more often a list."""
    lists = {item.encode_name for item in msgspec.structs.fields(model) if _takes_list(item.type)}
    flat: dict[str, Any] = {}
    for name, given in (values or {}).items():
        if name in lists:
            flat[name] = list(given)
        elif len(given) == 1:
            flat[name] = given[0]
        else:
            raise InvalidInput.of(name, f"is given {len(given)} times", "one value")
    try:
        return msgspec.convert(flat, model, strict=False)
    except msgspec.ValidationError as error:
        raise _invalid("query", str(error), given=flat) from None


def _takes_list(annotation: Any) -> bool:
    return "list[" in str(annotation) or "tuple[" in str(annotation)


def _invalid(where: str, message: str, given: Mapping[str, Any] = NOTHING) -> InvalidInput:
    """msgspec's message, e.g. "Expected `int` <= 100 - at `$.top_n`", as field, problem and what is expected."""
    text, _, path = message.partition(" - at `")
    field_name = path.rstrip("`").removeprefix("$").removeprefix(".") or where
    if text.startswith("Object missing required field `"):
        missing = text.split("`")[1]
        name = missing if field_name == where else f"{field_name}.{missing}"
        return InvalidInput.of(name, "is missing", "a value")
    if text.startswith("Object contains unknown field `"):
        unknown = text.split("`")[1]
        name = unknown if field_name == where else f"{field_name}.{unknown}"
        return InvalidInput.of(name, "is unknown", "only the documented fields")
    wanted, _, got = text.removeprefix("Expected ").partition(", got ")
    problem = f"is {got}".replace("`", "") if got else "is not acceptable"
    if field_name in given:
        problem = f"is {str(given[field_name])[:80]!r}"
    if not text.startswith("Expected "):
        problem, wanted = text.replace("`", "")[:1].lower() + text.replace("`", "")[1:], "a valid value"
    return InvalidInput(
        f"{field_name}: {problem}; expected {wanted.replace('`', '')}",
        problems=[Problem(field_name, problem, wanted.replace("`", ""))],
    )


def error_content(error: OmnibusError, request_id: str = "") -> dict[str, Any]:
    """An error as the one shape that callers see."""
    content: dict[str, Any] = {"code": error.code, "message": error.message}
    if request_id:
        content["request_id"] = request_id
    if error.problems:
        content["details"] = [problem._asdict() for problem in error.problems]
    return content
