"""Write the Terraform module's variables and outputs from the packaged template: `python -m infra.terraform_variables`.

The module in infra/terraform/ deploys the template as it is; so what can be set, and what comes out, is the template's
to say. A test holds the files to what this writes.
"""

import argparse
import json
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.package import ROOT, PackagingError, package

FOLDER = ROOT / "infra" / "terraform"
HEAD = "# Written by `python -m infra.terraform_variables` from the packaged template. Do not edit.\n"
OF_THE_PACKAGE = {"Release", "Runtime", "Architecture"}
"""What the package itself decides: the module leaves the template's default, unless it is told otherwise."""
COMPARED = ("dev", "prod")
STAGE = "Stage"


@dataclass(frozen=True)
class Variable:
    """One parameter of the template as a Terraform variable.

    `default` is None where the template's default differs between packages or stages: the template decides then.
    """

    parameter: str
    name: str
    type: str
    default: Any
    description: str
    sensitive: bool
    rules: tuple[tuple[str, str], ...]

    @property
    def value(self) -> str:
        """The expression that gives CloudFormation's text for it."""
        reference = f"var.{self.name}"
        match self.type:
            case "list(string)":
                return f'join(",", {reference})'
            case "map(any)":
                return f"jsonencode({reference})"
            case "string":
                return reference
            case _ if self.default is None:
                return f"{reference} == null ? null : tostring({reference})"
            case _:
                return f"tostring({reference})"


def variables(templates: Mapping[str, Mapping[str, Any]]) -> list[Variable]:
    """The variables of the template, which was packaged for several stages; in alphabetical order."""
    first, *others = (template["Parameters"] for template in templates.values())
    return [
        _variable(
            name, first[name], fixed=all(other[name].get("Default") == first[name].get("Default") for other in others)
        )
        for name in sorted(first)
    ]


def snake(name: str) -> str:
    """`OpenSkyUrl` as Terraform writes names: `open_sky_url`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def _variable(name: str, declared: Mapping[str, Any], *, fixed: bool) -> Variable:
    kind = _type(declared)
    decided = fixed and name not in OF_THE_PACKAGE
    required = name == STAGE or "Default" not in declared
    default = _default(kind, declared["Default"]) if decided and not required else None
    return Variable(
        parameter=name,
        name=snake(name),
        type=kind,
        default=default,
        description=str(declared.get("Description", f"The template's {name}.")),
        sensitive=bool(declared.get("NoEcho")),
        rules=tuple(_rules(f"var.{snake(name)}", kind, declared)),
    )


def _type(declared: Mapping[str, Any]) -> str:
    """The Terraform type that holds what the parameter's text means."""
    allowed = {str(each) for each in declared.get("AllowedValues", [])}
    if allowed and allowed <= {"true", "false"}:
        return "bool"
    if "List" in declared["Type"] or "by commas" in declared.get("Description", ""):
        return "list(string)"
    if str(declared.get("Default", "")).startswith("{"):
        return "map(any)"
    return "number" if declared["Type"] == "Number" else "string"


def _default(kind: str, text: Any) -> Any:
    match kind:
        case "bool":
            return text == "true"
        case "list(string)":
            return [part for part in str(text).split(",") if part]
        case "map(any)":
            return json.loads(text)
        case "number":
            number = float(text)
            return int(number) if number.is_integer() else number
        case _:
            return str(text)


def _rules(reference: str, kind: str, declared: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Conditions, each with what is said where it does not hold; null is the template's own default."""
    if kind == "bool":
        return
    if allowed := declared.get("AllowedValues"):
        values = allowed if kind == "number" else [str(each) for each in allowed]
        listed = json.dumps(values)
        yield f"contains({listed}, {reference})", "Expected one of " + ", ".join(map(str, values)) + "."
    if "MinValue" in declared:
        yield f"{reference} >= {declared['MinValue']}", f"Expected at least {declared['MinValue']}."
    if "MaxValue" in declared:
        yield f"{reference} <= {declared['MaxValue']}", f"Expected at most {declared['MaxValue']}."
    if kind == "string" and "MaxLength" in declared:
        yield f"length({reference}) <= {declared['MaxLength']}", f"Expected at most {declared['MaxLength']} characters."
    if kind == "string" and (pattern := declared.get("AllowedPattern")):
        whole = f"^(?:{pattern})$"
        yield f"can(regex({_text(whole)}, {reference}))", f"Expected a text like {pattern}."


def variables_file(found: list[Variable]) -> str:
    """`variables.tf`."""
    return HEAD + "".join(_block(each) for each in found)


def parameters_file(found: list[Variable]) -> str:
    """`parameters.tf`: the variables as the stack takes them."""
    width = max(len(each.parameter) for each in found)
    lines = [f"    {each.parameter:<{width}} = {each.value}" for each in found if not each.sensitive]
    secret = [each for each in found if each.sensitive]
    wide = max((len(each.parameter) for each in secret), default=0)
    secrets = [f"    {each.parameter:<{wide}} = {each.value}" for each in secret]
    return (
        f"{HEAD}\nlocals {{\n  parameters = {{\n" + "\n".join(lines) + "\n  }\n\n"
        "  # CloudFormation masks these, so Terraform sees them change each time: those that are given are passed.\n"
        "  secrets = {\n" + "\n".join(secrets) + "\n  }\n}\n"
    )


def outputs_file(template: Mapping[str, Any]) -> str:
    """`outputs.tf`: the stack's outputs; one with a condition is null where that does not hold."""
    blocks = []
    for name, declared in sorted(template["Outputs"].items()):
        said = declared.get("Description", f"The stack's {name}.")
        value = f'lookup(aws_cloudformation_stack.omnibus.outputs, "{name}", null)'
        blocks.append(f'\noutput "{snake(name)}" {{\n  description = {_text(said)}\n  value       = {value}\n}}\n')
    return HEAD + "".join(blocks)


def _block(variable: Variable) -> str:
    entries = [("type", variable.type), ("description", _text(variable.description))]
    if variable.parameter != STAGE:
        entries.append(("default", _literal(variable.default)))
    if variable.sensitive:
        entries.append(("sensitive", "true"))
    width = max(len(key) for key, _ in entries)
    lines = [f"  {key:<{width}} = {text}" for key, text in entries]
    nullable = variable.default is None and variable.parameter != STAGE
    for condition, message in variable.rules:
        whole = f"var.{variable.name} == null ? true : {condition}" if nullable else condition
        lines += [
            "",
            "  validation {",
            f"    condition     = {whole}",
            f"    error_message = {_text(message)}",
            "  }",
        ]
    return f'\nvariable "{variable.name}" {{\n' + "\n".join(lines) + "\n}\n"


def _literal(value: Any) -> str:
    return _text(value) if isinstance(value, str) else json.dumps(value)


def _text(value: str) -> str:
    """A quoted text; Terraform would read `${` and `%{` as templates."""
    return json.dumps(value, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")


def files(templates: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """The generated files of the module, by name."""
    found = variables(templates)
    return {
        "variables.tf": variables_file(found),
        "parameters.tf": parameters_file(found),
        "outputs.tf": outputs_file(next(iter(templates.values()))),
    }


def packaged() -> dict[str, dict[str, Any]]:
    """The template as it is packaged for the stages that are compared."""
    with tempfile.TemporaryDirectory(prefix="omnibus-terraform-") as folder:
        return {
            stage: json.loads(package(stage, Path(folder) / stage).read_text(encoding="utf-8")) for stage in COMPARED
        }


def main() -> None:
    """Write the files into infra/terraform/."""
    argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0]).parse_args()
    try:
        written = files(packaged())
    except PackagingError as error:
        sys.exit(f"infra.terraform_variables: {error}")
    for name, text in written.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
        print(FOLDER / name)


if __name__ == "__main__":
    main()
