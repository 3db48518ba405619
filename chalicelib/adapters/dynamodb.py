"""DynamoDB items as plain mappings, and conditional updates."""

import re
from collections.abc import Mapping, Sequence
from math import isfinite
from types import MappingProxyType
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.adapters.aws import error_code

NO_VALUES: Mapping[str, Any] = MappingProxyType({})


def to_item(values: Mapping[str, Any]) -> dict[str, Any]:
    """Plain values as DynamoDB attributes; omits None, because NULL is neither a key nor an absence."""
    return {name: _attribute(value) for name, value in values.items() if value is not None}


def from_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """DynamoDB attributes as plain values; whole numbers as int, others as float."""
    return {name: _value(attribute) for name, attribute in item.items()}


def condition_failed(error: ClientError) -> bool:
    """Did a conditional write fail its condition?"""
    return error_code(error) == "ConditionalCheckFailedException"


def setting(
    values: Mapping[str, Any],
    *,
    adding: Mapping[str, int] = NO_VALUES,
    conditions: Sequence[str] = (),
    given: Mapping[str, Any] = NO_VALUES,
) -> dict[str, Any]:
    """The UpdateItem arguments that set `values` (None removes an attribute) and add `adding` to numbers.

    All `conditions` must hold. They name attributes as `#name`, or plainly if the name is not reserved, and the
    values of `given` as `:name`.
    """
    items, amounts = to_item(values), to_item(adding)
    gone = [f"#{name}" for name in values if name not in items]
    clauses = {
        "SET": [f"#{name} = :{name}" for name in items],
        "ADD": [f"#{name} :{name}" for name in amounts],
        "REMOVE": gone,
    }
    update = " ".join(f"{verb} {', '.join(parts)}" for verb, parts in clauses.items() if parts)
    condition = " AND ".join(conditions)
    used = {f":{name}": value for name, value in {**items, **amounts, **to_item(given)}.items()}
    return {
        "UpdateExpression": update,
        **({"ConditionExpression": condition} if conditions else {}),
        "ExpressionAttributeNames": {name: name[1:] for name in re.findall(r"#\w+", f"{update} {condition}")},
        **({"ExpressionAttributeValues": used} if used else {}),
    }


def one_of(attribute: str, values: Sequence[str]) -> tuple[str, dict[str, str]]:
    """The condition that `attribute` is one of `values`, and its named values."""
    given = {f"{attribute}_{place}": value for place, value in enumerate(values)}
    return f"#{attribute} IN ({', '.join(f':{name}' for name in given)})", given


# boto3 has a serializer of its own, but importing boto3 takes an eighth of a cold start, and its numbers are Decimals.
def _attribute(value: Any) -> dict[str, Any]:
    if value is None:
        return {"NULL": True}
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, int) or (isinstance(value, float) and isfinite(value)):
        return {"N": str(value)}
    if isinstance(value, bytes):
        return {"B": value}
    if isinstance(value, Mapping):
        return {"M": to_item(value)}
    if isinstance(value, list | tuple):
        return {"L": [_attribute(part) for part in value]}
    raise TypeError(f"DynamoDB has no attribute for {value!r}")


def _value(attribute: Mapping[str, Any]) -> Any:
    ((kind, value),) = attribute.items()
    if kind == "NULL":
        return None
    if kind == "N":
        return _number(value)
    if kind == "M":
        return from_item(value)
    if kind == "L":
        return [_value(part) for part in value]
    return value


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        number = float(text)
        return int(number) if number.is_integer() else number
