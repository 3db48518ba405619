"""Additions to the OpenAPI description: text for parameters, an example for everything, links.

A file of the application holds the texts and values by name. Anything without a value there gets one from its schema.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

Schema = Mapping[str, Any]
FORMATS = {
    "date-time": "2026-11-21T12:00:00Z",
    "date": "2026-11-21",
    "uuid": "1b671a64-40d5-491e-99b0-da01ff1f3341",
    "uri": "https://app.example.com/",
}
NO_EXAMPLE = object()


class Words(Struct, frozen=True, forbid_unknown_fields=True):
    """A parameter's meaning, and an example value."""

    description: str
    example: Any = None


class Link(Struct, frozen=True, forbid_unknown_fields=True):
    """A link from the answer of one operation to another operation: its parameters, as expressions over that answer."""

    to: str
    parameters: Mapping[str, str]
    description: str = ""


class Reference(Struct, frozen=True, forbid_unknown_fields=True):
    """By name: parameters, values of fields, descriptions of schemas, examples for fields that exclude each other.

    A parameter with another meaning in one operation is `operation.name`. Links are listed by their source operation.
    """

    parameters: Mapping[str, Words] = {}
    fields: Mapping[str, Any] = {}
    schemas: Mapping[str, str] = {}
    examples: Mapping[str, Any] = {}
    links: Mapping[str, tuple[Link, ...]] = {}

    @classmethod
    def read(cls, path: Path) -> "Reference":
        """The reference that a JSON file holds."""
        return msgspec.json.decode(path.read_bytes(), type=cls)

    def complete(self, document: dict[str, Any]) -> dict[str, Any]:
        """The description with texts, examples and links."""
        schemas = document["components"]["schemas"]
        for name, schema in schemas.items():
            if words := self.schemas.get(name):
                schema["description"] = words
            schema.setdefault("examples", [self.examples.get(name) or self.example(schema, schemas)])
        for operation in _operations(document):
            for parameter in operation.get("parameters", []):
                self._describe(operation["operationId"], parameter, schemas)
            if links := self.links.get(operation["operationId"]):
                success = next(code for code in operation["responses"] if code.startswith("2"))
                operation["responses"][success]["links"] = {
                    link.to: {"operationId": link.to, "parameters": dict(link.parameters)}
                    | ({"description": link.description} if link.description else {})
                    for link in links
                }
        return document

    def _describe(self, operation: str, parameter: dict[str, Any], schemas: Mapping[str, Any]) -> None:
        name, schema = parameter["name"], parameter["schema"]
        own = self.parameters.get(f"{operation}.{name}") or self.parameters.get(name)
        if words := [each["description"] for each in (schema, *schema.get("anyOf", ())) if "description" in each]:
            parameter["description"] = words[0]
        elif own:
            parameter["description"] = own.description
        if own and own.example is not None:
            parameter["example"] = own.example
        else:
            parameter["example"] = self.example(schema, schemas)

    def example(self, schema: Schema, schemas: Mapping[str, Any], name: str = "") -> Any:
        """A value that fits the schema of the field `name`."""
        if "$ref" in schema:
            return self.example(schemas[schema["$ref"].rpartition("/")[2]], schemas, name)
        if (own := self._own(schema, name)) is not NO_EXAMPLE:
            return own
        if choices := schema.get("anyOf") or schema.get("oneOf"):
            return self.example(next(each for each in choices if each.get("type") != "null"), schemas, name)
        kind = schema.get("type")
        if kind == "object":
            properties = schema.get("properties", {})
            return {field: self.example(part, schemas, field) for field, part in properties.items()}
        if kind == "array":
            several = max(1, schema.get("minItems", 1))
            return [self.example(schema.get("items", {"type": "string"}), schemas, name)] * several
        if kind in {"integer", "number"}:
            return schema.get("default") or schema.get("minimum", 1)
        return {"boolean": True, "null": None}.get(str(kind), FORMATS.get(schema.get("format", ""), "text"))

    def _own(self, schema: Schema, name: str) -> Any:
        """The value from the schema or the file, or NO_EXAMPLE."""
        if examples := schema.get("examples"):
            return examples[0]
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return schema["enum"][0]
        if name in self.fields and schema.get("type") not in {"object", "array"}:
            return self.fields[name]
        return NO_EXAMPLE


def _operations(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for methods in document["paths"].values():
        yield from methods.values()
