"""DynamoDB items as plain mappings, and conditional updates."""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

from chalicelib.adapters.aws import error_code

NOTHING: Mapping[str, Any] = MappingProxyType({})
_serializer = TypeSerializer()
_deserializer = TypeDeserializer()


def to_item(values: Mapping[str, Any]) -> dict[str, Any]:
    """Plain values as DynamoDB attributes; omits None, because NULL is neither a key nor an absence."""
    return {name: _serializer.serialize(_decimals(value)) for name, value in values.items() if value is not None}


def from_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """DynamoDB attributes as plain values; whole numbers as int, others as float."""
    return {name: _numbers(_deserializer.deserialize(value)) for name, value in item.items()}


def condition_failed(error: ClientError) -> bool:
    """Did a conditional write fail its condition?"""
    return error_code(error) == "ConditionalCheckFailedException"


def setting(
    values: Mapping[str, Any],
    *,
    adding: Mapping[str, int] = NOTHING,
    conditions: Sequence[str] = (),
    given: Mapping[str, Any] = NOTHING,
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


def _decimals(value: Any) -> Any:
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, Mapping):
        return {key: _decimals(part) for key, part in value.items() if part is not None}
    if isinstance(value, list | tuple):
        return [_decimals(part) for part in value]
    return value


def _numbers(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dict):
        return {key: _numbers(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_numbers(part) for part in value]
    return value
