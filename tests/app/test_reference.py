"""The API reference is complete: texts, valid examples, and links to existing operations. A gap is one line here."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import app as application
from chalicelib.entry.reference import Reference

DOCUMENT = application.app.openapi()
SCHEMAS = DOCUMENT["components"]["schemas"]
OPERATIONS = {each["operationId"]: each for methods in DOCUMENT["paths"].values() for each in methods.values()}
WHERE = "write it into the model (Meta) or chalicelib/reference.json"


def misfit(value: Any, schema: Any) -> str:
    """Why a value does not fit a schema of the document, or nothing."""
    whole = {**schema, "components": DOCUMENT["components"]}
    checker = jsonschema.Draft202012Validator(whole, format_checker=jsonschema.FormatChecker())
    return "; ".join(error.message[:100] for error in checker.iter_errors(value))


def gaps_of_parameters() -> Iterator[str]:
    for name, operation in OPERATIONS.items():
        for parameter in operation.get("parameters", []):
            where = f"{name}: parameter {parameter['name']}"
            if not parameter.get("description"):
                yield f"{where} has no description"
            if "example" not in parameter:
                yield f"{where} has no example"
            elif why := misfit(parameter["example"], parameter["schema"]):
                yield f"{where}: the example {parameter['example']!r} does not fit: {why}"


def gaps_of_schemas() -> Iterator[str]:
    for name, schema in SCHEMAS.items():
        if not schema.get("description"):
            yield f"schema {name} has no description"
        for example in schema.get("examples") or ["(none)"]:
            if why := misfit(example, schema):
                yield f"schema {name}: the example does not fit: {why}"


def gaps_of_links() -> Iterator[str]:
    for name, operation in OPERATIONS.items():
        for answer in operation["responses"].values():
            for link in answer.get("links", {}).values():
                target = OPERATIONS.get(link["operationId"])
                known = {each["name"] for each in (target or {}).get("parameters", [])}
                if target is None:
                    yield f"{name}: a link leads to {link['operationId']}, which there is not"
                for parameter in link["parameters"]:
                    if parameter.rpartition(".")[2] not in known:
                        yield f"{name}: {link['operationId']} has no parameter {parameter}"


def gaps_of_creators() -> Iterator[str]:
    """What answers 201 or 202 with the id of something leads to where that is read."""
    for name, operation in OPERATIONS.items():
        created = operation["responses"].get("201") or operation["responses"].get("202")
        reference = str((created or {}).get("content", {}).get("application/json", {}).get("schema", {}).get("$ref"))
        properties = SCHEMAS.get(reference.rpartition("/")[2], {}).get("properties", {})
        read = {each["name"] for other in OPERATIONS.values() for each in other.get("parameters", [])}
        if created and {"job_id", "sessionId", "replay_id"} & properties.keys() & read and "links" not in created:
            yield f"{name} creates something and links to nothing that reads it"


@pytest.mark.parametrize("gaps", [gaps_of_parameters, gaps_of_schemas, gaps_of_links, gaps_of_creators])
def test_the_reference_has_no_gap(gaps: Any) -> None:
    found = list(gaps())
    assert not found, "\n".join([f"{len(found)} gaps; {WHERE}:", *found])


def test_nothing_is_described_that_there_is_not() -> None:
    read = Reference.read(Path(application.__file__).with_name("chalicelib") / "reference.json")
    parameters = {each["name"] for operation in OPERATIONS.values() for each in operation.get("parameters", [])}
    assert {name.rpartition(".")[2] for name in read.parameters} <= parameters
    assert read.schemas.keys() <= SCHEMAS.keys()
    assert read.links.keys() <= OPERATIONS.keys()
