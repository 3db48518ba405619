"""The OpenAPI 3.1 description, generated from the contracts that the routes enforce."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec
from msgspec import Struct

REFERENCE = "#/components/schemas/{name}"
JSON = "application/json"
GEOJSON = "application/geo+json"
OPERATOR_TOKEN = "X-Operator-Token"  # nosec B105  # the name of a header

SECURITY_SCHEMES: dict[str, Any] = {
    "cognito": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "The ID token of a signed-in user.",
    },
    "operator": {
        "type": "apiKey",
        "in": "header",
        "name": OPERATOR_TOKEN,
        "description": "The operators' token, for machines.",
    },
}

ERROR_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["error"],
    "additionalProperties": False,
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "request_id"],
            "additionalProperties": False,
            "properties": {
                "code": {"type": "string", "description": "Stable and machine-readable.", "examples": ["not_found"]},
                "message": {"type": "string", "description": "For a person."},
                "request_id": {"type": "string", "description": "Identifies this request in the logs."},
                "details": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["field", "problem", "expected"],
                        "properties": {name: {"type": "string"} for name in ("field", "problem", "expected")},
                    },
                },
            },
        }
    },
}


class Contract(Struct, frozen=True, kw_only=True):
    """The inputs and outputs of one route: its wrapper enforces them, and the OpenAPI description lists them."""

    path: str
    methods: tuple[str, ...]
    handler: Callable[..., Any]
    body: type[Struct] | None = None
    query: type[Struct] | None = None
    returns: Any = None
    status: int = 200
    tag: str = ""
    proof: str = ""
    headers: tuple[str, ...] = ()
    produces: tuple[str, ...] = (JSON,)
    where: Mapping[str, Any] = {}
    accepts: Mapping[str, Any] = {}
    max_body_bytes: int = 0


def describe(title: str, contracts: Iterable[Contract], server: str) -> dict[str, Any]:
    """The whole document: a path item for each route below the URL `server`, a schema for each model.

    A model's `SCHEMA` adds rules that its fields cannot express, such as which of them go together.
    """
    contracts = list(contracts)
    models = {
        model
        for contract in contracts
        for model in (contract.body, contract.returns, *contract.accepts.values())
        if model is not None
    }
    _, components = msgspec.json.schema_components(sorted(models, key=str), ref_template=REFERENCE)
    for model in models:
        if hasattr(model, "SCHEMA"):
            components[model.__name__] |= model.SCHEMA
    paths: dict[str, dict[str, Any]] = {}
    for contract in contracts:
        for method in contract.methods:
            paths.setdefault(contract.path, {})[method.lower()] = _operation(contract, method)
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": "1.0.0", "description": "Five serverless workloads behind one API."},
        "servers": [{"url": server}],
        "paths": paths,
        "components": {
            "schemas": {**components, "Error": ERROR_SCHEMA},
            "responses": {"Error": {"description": "What went wrong.", "content": _content(REFERENCE_TO_ERROR)}},
            "securitySchemes": SECURITY_SCHEMES,
        },
    }


REFERENCE_TO_ERROR = {"$ref": REFERENCE.format(name="Error")}


def _operation(contract: Contract, method: str) -> dict[str, Any]:
    import inspect  # slow to import, and only this description needs it

    summary, _, description = (inspect.getdoc(contract.handler) or contract.handler.__name__).partition("\n\n")
    operation: dict[str, Any] = {
        "operationId": contract.handler.__name__ + ("" if len(contract.methods) == 1 else f"_{method.lower()}"),
        "summary": summary,
        "responses": {
            str(contract.status): _success(contract),
            "default": {"$ref": "#/components/responses/Error"},
        },
    }
    if "If-None-Match" in contract.headers:
        operation["responses"]["304"] = {"description": "The caller has the current version."}
    if description:
        operation["description"] = description
    if contract.tag:
        operation["tags"] = [contract.tag]
    if parameters := [*_path_parameters(contract), *_query_parameters(contract), *_header_parameters(contract)]:
        operation["parameters"] = parameters
    if contract.body is not None:
        operation["requestBody"] = {"required": True, "content": _content(_schema(contract.body))}
    elif contract.accepts:
        content = {kind: {"schema": _schema(wanted)} for kind, wanted in contract.accepts.items()}
        operation["requestBody"] = {"required": True, "content": content}
    if contract.proof:
        schemes = ("operator", "cognito") if contract.proof == "operator" else (contract.proof,)
        operation["security"] = [{scheme: []} for scheme in schemes]
    return operation


def _success(contract: Contract) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": "The answer."}
    if contract.produces == (JSON,) and contract.returns is None:
        return answer
    schemas: dict[str, Any] = {GEOJSON: {"type": "object"}}
    if contract.returns is not None:
        schemas[JSON] = _schema(contract.returns)
    answer["content"] = {kind: {"schema": schemas.get(kind, {"type": "string"})} for kind in contract.produces}
    return answer


def _path_parameters(contract: Contract) -> list[dict[str, Any]]:
    names = re.findall(r"{(\w+)}", contract.path)
    return [
        {"name": name, "in": "path", "required": True, "schema": _path_schema(contract.where, name)} for name in names
    ]


def _path_schema(where: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A path parameter's schema: the type that the route declares, or any non-empty text."""
    return msgspec.json.schema(where[name]) if name in where else {"type": "string", "minLength": 1}


def _query_parameters(contract: Contract) -> list[dict[str, Any]]:
    if contract.query is None:
        return []
    (reference,), components = msgspec.json.schema_components([contract.query], ref_template="{name}")
    schema = components[reference["$ref"]]
    required = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": _inlined(part, components)}
        for name, part in schema["properties"].items()
    ]


def _header_parameters(contract: Contract) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "header", "required": False, "schema": {"type": "string"}} for name in contract.headers
    ]


def _inlined(part: Any, components: dict[str, Any]) -> Any:
    if isinstance(part, dict):
        if "$ref" in part:
            return _inlined(components[part["$ref"]], components)
        return {key: _inlined(value, components) for key, value in part.items()}
    return [_inlined(item, components) for item in part] if isinstance(part, list) else part


def _schema(model: Any) -> dict[str, Any]:
    (schema,), _ = msgspec.json.schema_components([model], ref_template=REFERENCE)
    return schema


def _content(schema: dict[str, Any]) -> dict[str, Any]:
    return {JSON: {"schema": schema}}
