"""Evaluate CloudFormation's intrinsic functions for parts of the template that CloudFormation itself does not deploy.

`chalice deploy` reads plain values, but the template has `!Sub "${AWS::StackName}-flights"`. This module evaluates the
functions that infra/ uses. The names of a stack's resources come from its outputs.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from infra.deployment.problems import DeploymentError

PLACEHOLDER = re.compile(r"\$\{(!?)([^}]+)\}")
NOTHING = object()
"""The value of `AWS::NoValue`: the entry is removed."""


@dataclass(frozen=True)
class Known:
    """Values of a template's names. `stand_in` is the value of resources that do not exist yet; None refuses them."""

    parameters: Mapping[str, Any]
    pseudo: Mapping[str, str]
    conditions: Mapping[str, Any] = field(default_factory=dict)
    mappings: Mapping[str, Any] = field(default_factory=dict)
    references: Mapping[str, str] = field(default_factory=dict)
    stand_in: str | None = None

    def refer(self, name: str) -> Any:
        """The value of `Ref` for a parameter, pseudo parameter or resource, or of `GetAtt` for "Resource.Attribute"."""
        if name == "AWS::NoValue":
            return NOTHING
        for source in (self.parameters, self.pseudo, self.references):
            if name in source:
                return source[name]
        if self.stand_in is None or name.startswith("AWS::"):
            raise DeploymentError(f"the template refers to {name}, which is unknown")
        return self.stand_in


def pseudo_parameters(stack: str, account: str, region: str, partition: str = "aws") -> dict[str, str]:
    """CloudFormation's pseudo parameters."""
    suffix = "amazonaws.com.cn" if partition == "aws-cn" else "amazonaws.com"
    return {
        "AWS::StackName": stack,
        "AWS::AccountId": account,
        "AWS::Region": region,
        "AWS::Partition": partition,
        "AWS::URLSuffix": suffix,
    }


def resolve(value: Any, known: Known) -> Any:
    """`value` with every function evaluated, and without entries whose value is `AWS::NoValue`."""
    if isinstance(value, list):
        items = (resolve(item, known) for item in value)
        return [item for item in items if item is not NOTHING]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((name, argument),) = value.items()
        if name in FUNCTIONS and (name != "Condition" or isinstance(argument, str)):  # IAM has a Condition, too
            return FUNCTIONS[name](argument, known)
        if name.startswith("Fn::"):
            raise DeploymentError(
                f"{name} is not supported; infra/deployment/intrinsics.py supports {', '.join(FUNCTIONS)}"
            )
    entries = ((key, resolve(item, known)) for key, item in value.items())
    return {key: item for key, item in entries if item is not NOTHING}


def references(value: Any) -> Iterator[str]:
    """Every name that `value` refers to: "Name", or "Name.Attribute"."""
    if isinstance(value, list):
        for item in value:
            yield from references(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key == "Ref":
                yield item
            elif key == "Fn::GetAtt":
                yield _attribute(item)
            elif key == "Fn::Sub":
                yield from _substituted(item)
            else:
                yield from references(item)


def _substituted(argument: Any) -> Iterator[str]:
    text, own = argument if isinstance(argument, list) else (argument, {})
    yield from references(own)
    yield from (name for literal, name in PLACEHOLDER.findall(text) if not literal and name not in own)


def _attribute(argument: Any) -> str:
    return argument if isinstance(argument, str) else ".".join(argument)


def _sub(argument: Any, known: Known) -> str:
    text, own = argument if isinstance(argument, list) else (argument, {})
    local = {key: resolve(item, known) for key, item in own.items()}

    def replaced(found: re.Match[str]) -> str:
        literal, name = found.groups()
        if literal:
            return f"${{{name}}}"
        return _text(local[name] if name in local else known.refer(name))

    return PLACEHOLDER.sub(replaced, text)


def _text(value: Any) -> str:
    return ",".join(map(_text, value)) if isinstance(value, list) else str(value)


def _if(argument: Any, known: Known) -> Any:
    name, yes, no = argument
    return resolve(yes if _condition(name, known) else no, known)


def _condition(name: str, known: Known) -> bool:
    if name not in known.conditions:
        raise DeploymentError(f"the template names the condition {name}, which it does not declare")
    return bool(resolve(known.conditions[name], known))


def holds(name: str | None, known: Known) -> bool:
    """Whether the condition holds; None always does."""
    return name is None or _condition(name, known)


def _equals(argument: Any, known: Known) -> bool:
    one, other = (resolve(item, known) for item in argument)
    return _text(one) == _text(other)


def _join(argument: Any, known: Known) -> str:
    between, parts = argument
    return str(between).join(_text(part) for part in resolve(parts, known))


def _select(argument: Any, known: Known) -> Any:
    index, items = argument
    return resolve(items, known)[int(resolve(index, known))]


def _split(argument: Any, known: Known) -> list[str]:
    between, text = argument
    return _text(resolve(text, known)).split(between)


def _find(argument: Any, known: Known) -> Any:
    table, row, column = (resolve(item, known) for item in argument)
    return known.mappings[table][row][column]


FUNCTIONS: dict[str, Callable[[Any, Known], Any]] = {
    "Ref": lambda argument, known: known.refer(argument),
    "Fn::GetAtt": lambda argument, known: known.refer(_attribute(argument)),
    "Fn::Sub": _sub,
    "Fn::If": _if,
    "Condition": _condition,
    "Fn::Equals": _equals,
    "Fn::Not": lambda argument, known: not resolve(argument[0], known),
    "Fn::And": lambda argument, known: all(resolve(item, known) for item in argument),
    "Fn::Or": lambda argument, known: any(resolve(item, known) for item in argument),
    "Fn::Join": _join,
    "Fn::Select": _select,
    "Fn::Split": _split,
    "Fn::FindInMap": _find,
}
