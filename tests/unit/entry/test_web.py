"""App: typed requests, one error body, CORS, headers, path parameters, packaging."""

import base64
import json
from datetime import datetime
from types import SimpleNamespace
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

import pytest
from chalice.app import BadRequestError, CognitoUserPoolAuthorizer, CORSConfig, NotFoundError, Response
from chalice.test import Client
from msgspec import Meta, Struct

from chalicelib.entry.limits import AddressLimits
from chalicelib.entry.operators import Operators
from chalicelib.entry.signin import SignIn
from chalicelib.entry.web import CORS, App, Page, Reply
from chalicelib.errors import Conflict, Gone, NotFound, OmnibusError, RateLimited, UpstreamTimeout
from tests.fakes.clock import Clock
from tests.fakes.uploads import FakeCounters


class Part(Struct, frozen=True, kw_only=True):
    """One of several."""

    colour: Literal["red", "green"]


class Order(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is ordered."""

    item: str
    count: Annotated[int, Meta(ge=1, le=100)] = 1
    price: float | None = None
    tags: list[str] = []
    size: Literal["small", "large"] | None = None
    parts: list[Part] = []
    by_name: dict[str, Part] = {}
    bought_at: datetime | None = None
    number: UUID | None = None

    SCHEMA: ClassVar[dict[str, Any]] = {"anyOf": [{"required": ["price"]}, {"required": ["count"]}]}


class Letter(Struct, frozen=True, kw_only=True):
    """What a letter says."""

    text: str


class Found(Struct, frozen=True, kw_only=True):
    """What was found."""

    term: str
    limit: int
    flag: bool
    kinds: list[str]


class Search(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to look for."""

    term: str
    limit: Annotated[int, Meta(ge=1, le=10)] = 5
    flag: bool = False
    kinds: list[str] = []
    order: Literal["up", "down"] = "up"


RAISED: dict[str, Exception] = {
    "gone": Gone("it is gone"),
    "conflict": Conflict("somebody was faster", code="version_conflict"),
    "slow": UpstreamTimeout("the warehouse did not answer in time"),
    "later": RateLimited("too many", retry_after=17),
    "chalice": BadRequestError("chalice's own"),
    "missing": NotFoundError("no such order"),
    "bug": KeyError("secret-internal-detail"),
}


TOKEN = "the operators' token"
OPERATORS = Operators(
    lambda: TOKEN,
    SignIn(pool=SimpleNamespace, key=lambda *_: None, clock=datetime.now),
    AddressLimits(FakeCounters(), Clock()),
)


def make_app(origins: frozenset[str] = frozenset({"https://app.example.com"})) -> App:
    app = App("omnibus", origins=lambda: origins, operators=lambda: OPERATORS)

    @app.route("/orders", methods=["POST"], cors=CORS, body=Order, returns=Order, status=201, tag="orders")
    def create_order() -> Order:
        """Order something."""
        return app.body(Order)

    @app.route("/search", query=Search, returns=Found)
    def search() -> Found:
        """Look for something."""
        query = app.query(Search)
        return Found(term=query.term, limit=query.limit, flag=query.flag, kinds=query.kinds)

    @app.route("/things/{name}", cors=CORS)
    def thing(name: str) -> dict[str, str]:
        """Show a thing."""
        if name == "missing":
            raise NotFound("there is no such thing")
        return {"name": name}

    @app.route("/raise/{kind}")
    def fail(kind: str) -> None:
        """Fail."""
        raise RAISED[kind]

    @app.route("/json", methods=["POST"])
    def read_json() -> Any:
        """What Chalice's own request makes of the body."""
        assert app.current_request is not None
        return app.current_request.json_body

    @app.route("/page")
    def page() -> Page:
        """A page."""
        return Page("<p>hello</p>", "text/html; charset=utf-8", {"Content-Security-Policy": "default-src 'self'"})

    @app.route("/reply")
    def reply() -> Reply:
        """A reply with headers."""
        return Reply({"a": 1}, 202, {"Location": "/x"})

    @app.route("/nothing", methods=["DELETE"])
    def nothing() -> None:
        """No content."""

    @app.route("/me", authorizer=CognitoUserPoolAuthorizer("people", provider_arns=["arn"]))
    def me() -> dict[str, str]:
        """Who am I."""
        return {"sub": app.principal()["sub"]}

    @app.route(
        "/letters/{number}",
        methods=["PUT"],
        headers=["If-None-Match"],
        proof="operator",
        where={"number": Annotated[str, Meta(pattern="^[0-9]+$")]},
        accepts={"application/json": Letter, "text/plain": str},
        produces=("text/html", "text/plain"),
    )
    def write_letter(number: str) -> Page:
        """Keep a letter."""
        return Page(app.raw_body().decode(), "text/plain")

    @app.route("/plain")
    def plain() -> Response:
        """Chalice's own response passes through."""
        return Response("x", {"Content-Type": "text/plain"}, 200)

    return app


class Caller:
    def __init__(self, app: App) -> None:
        self._client = Client(app)

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, dict[str, str], Any]:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else b""
        sent = {"Content-Type": "application/json", **{name.replace("_", "-"): text for name, text in headers.items()}}
        answer = self._client.http.request(method, path, headers=sent, body=raw)
        lower = {name.lower(): value for name, value in answer.headers.items()}
        is_json = lower.get("content-type") == "application/json" and answer.body
        return answer.status_code, lower, json.loads(answer.body) if is_json else answer.body


@pytest.fixture
def call() -> Caller:
    return Caller(make_app())


def problem(body: Any) -> tuple[str, str, str]:
    (detail,) = body["error"]["details"]
    return detail["field"], detail["problem"], detail["expected"]


def test_a_body_becomes_a_model_and_the_model_a_body(call: Caller) -> None:
    status, headers, body = call("POST", "/orders", {"item": "x", "count": 2})
    assert status == 201
    assert body == {
        "item": "x", "count": 2, "price": None, "tags": [], "size": None, "parts": [], "by_name": {},
        "bought_at": None, "number": None,
    }  # fmt: skip
    assert headers["content-type"] == "application/json"
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-request-id"]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b'{"item":"x","count":true}', ("count", "is bool", "int")),
        (b'{"item":"x","count":"10"}', ("count", "is str", "int")),
        (b'{"item":"x","count":10.5}', ("count", "is float", "int")),
        (b'{"item":"x","count":0}', ("count", "is not acceptable", "int >= 1")),
        (b'{"item":"x","count":101}', ("count", "is not acceptable", "int <= 100")),
        (b'{"item":null}', ("item", "is null", "str")),
        (b'{"count":1}', ("item", "is missing", "a value")),
        (b'{"item":"x","colour":"red"}', ("colour", "is unknown", "only the documented fields")),
        (b'{"item":"x","tags":["a",1]}', ("tags[1]", "is int", "str")),
        (b'{"item":"x","size":"huge"}', ("size", "is 'huge'", "one of large, small")),
        (
            b'{"item":"x","parts":[{"colour":"red"},{"colour":"blue"}]}',
            ("parts[1].colour", "is 'blue'", "one of green, red"),
        ),
        (b'{"item":"x","by_name":{"a":{"colour":"blue"}}}', ("by_name[...].colour", "is 'blue'", "one of green, red")),
        (b'{"item":"x","parts":[{}]}', ("parts[0].colour", "is missing", "a value")),
        (b'{"item":"x","price":1e400}', ("price", "is out of range", "a number nearer to zero")),
        (b'{"item":"x","number":"1"}', ("number", "is no UUID", "a UUID")),
        (b'{"item":"x","bought_at":"soon"}', ("bought_at", "is no time", "a time such as 2026-11-21T12:00:00Z")),
        (b"[]", ("body", "is array", "object")),
        (b"", ("body", "is empty", "a JSON object")),
        (b"  ", ("body", "is empty", "a JSON object")),
    ],
)
def test_a_wrong_body_names_field_problem_and_expected(call: Caller, raw: bytes, expected: tuple[str, ...]) -> None:
    status, _, body = call("POST", "/orders", raw)
    assert status == 400
    assert body["error"]["code"] == "invalid_input"
    assert problem(body) == expected
    assert body["error"]["request_id"]


@pytest.mark.parametrize(
    "raw",
    [
        b'{"item":"x","price":NaN}',
        b'{"item":"x","price":1e400}',
        b'{"item":',
        b"\xff\xfe",
        b'{"item":"\xff"}',
        b"[" * 100_000,
        b'{"item":"x"} trailing',
    ],
)
def test_what_is_no_json_is_a_400(call: Caller, raw: bytes) -> None:
    status, _, body = call("POST", "/orders", raw)
    assert status == 400
    assert problem(body)[0] in {"body", "price"}


def test_a_body_over_the_limit_is_a_413(call: Caller) -> None:
    status, _, body = call("POST", "/orders", b'{"item":"' + b"x" * 1024 * 1024 + b'"}')
    assert status == 413
    assert body["error"]["code"] == "too_large"


def event(path: str, method: str, **parts: Any) -> dict[str, Any]:
    return {
        "requestContext": {
            "resourcePath": path,
            "httpMethod": method,
            "requestId": "gateway-1",
            **parts.pop("ctx", {}),
        },
        "pathParameters": None,
        "multiValueQueryStringParameters": None,
        "headers": {"content-type": "application/json"},
        "stageVariables": None,
        "body": None,
        "isBase64Encoded": False,
        **parts,
    }


def test_a_base64_body_is_decoded() -> None:
    raw = base64.b64encode(b'{"item":"caf\xc3\xa9"}').decode()
    answer = make_app()(event("/orders", "POST", body=raw, isBase64Encoded=True), None)
    assert answer["statusCode"] == 201
    assert json.loads(answer["body"])["item"] == "café"


def test_a_body_that_only_claims_to_be_base64_is_a_400() -> None:
    answer = make_app()(event("/orders", "POST", body="%%%", isBase64Encoded=True), None)
    assert answer["statusCode"] == 400
    assert "base64" in answer["body"]


def test_the_gateways_request_id_is_used() -> None:
    answer = make_app()(event("/things/{name}", "GET", pathParameters={"name": "missing"}), None)
    assert answer["headers"]["X-Request-Id"] == "gateway-1"
    assert json.loads(answer["body"])["error"]["request_id"] == "gateway-1"


def bearer(**claims: Any) -> str:
    """An unverified token."""
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"Bearer e30.{payload}.c2lnbmVk"


def test_the_principal_is_of_the_token_that_the_authorizer_accepted() -> None:
    def me(accepted: dict[str, str] | None, authorization: str | None) -> tuple[int, Any]:
        ctx = {"authorizer": {"claims": accepted}} if accepted else {}
        answer = make_app()(event("/me", "GET", ctx=ctx, headers={"authorization": authorization}), None)
        return answer["statusCode"], json.loads(answer["body"])

    assert me({"sub": "person-1"}, bearer(sub="person-1")) == (200, {"sub": "person-1"})
    assert me(None, bearer(sub="person-1"))[0] == 401
    for other in (bearer(sub="person-2"), bearer(), "rubbish", "a.b", "", None, "é.é.é", "Bearer " + "9." * 9):
        assert me({"sub": "person-1"}, other)[0] == 401


def test_an_event_that_is_no_request_is_an_opaque_500() -> None:
    answer = make_app()({}, SimpleNamespace(aws_request_id="invocation-1"))
    assert answer["statusCode"] == 500
    error = json.loads(answer["body"])["error"]
    assert (error["code"], error["message"]) == ("internal_error", "An internal error occurred.")
    assert error["request_id"] == answer["headers"]["X-Request-Id"] == "invocation-1"


def test_without_settings_errors_keep_their_body() -> None:
    def lacking() -> frozenset[str]:
        raise KeyError("OMNIBUS_STAGE")

    app = make_app()
    app._origins = lacking
    headers = {"origin": "https://app.example.com"}
    answer = app(event("/things/{name}", "GET", pathParameters={"name": "missing"}, headers=headers), None)
    assert (answer["statusCode"], json.loads(answer["body"])["error"]["code"]) == (404, "not_found")
    assert "Access-Control-Allow-Origin" not in answer["headers"]


@pytest.mark.parametrize(
    ("called", "path", "base"),
    [
        ("/api/things/a", "/things/a", "https://id.execute-api.example.com/api"),  # the stage's own address
        ("/api/things/a/", "/things/a/", "https://id.execute-api.example.com/api"),
        ("/things/a", "/things/a", "https://id.execute-api.example.com"),  # a custom domain
        ("/photos/v1/things/a", "/photos/v1/things/a", "https://id.execute-api.example.com/photos/v1"),  # a base path
    ],
)
def test_an_address_is_as_the_caller_reached_us(called: str, path: str, base: str) -> None:
    app = make_app()
    seen = []

    @app.route("/things/{name}", methods=["POST"])
    def look(name: str) -> None:
        seen.extend([app.address("u/"), app.openapi()["servers"][0]["url"]])

    ctx = {"path": called, "domainName": "id.execute-api.example.com"}
    app({**event("/things/{name}", "POST", pathParameters={"name": "a"}, ctx=ctx), "path": path}, None)
    assert seen == [f"{base}/u/", base]


def test_the_query_becomes_a_model(call: Caller) -> None:
    status, _, body = call("GET", "/search?term=a%20b&limit=3&flag=true&kinds=x&kinds=y")
    assert status == 200
    assert body == {"term": "a b", "limit": 3, "flag": True, "kinds": ["x", "y"]}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ("term", "is missing", "a value")),
        ("?term=x&limit=11", ("limit", "is '11'", "int <= 10")),
        ("?term=x&limit=ten", ("limit", "is 'ten'", "int")),
        ("?term=x&order=sideways", ("order", "is 'sideways'", "one of down, up")),
        ("?term=x&flag=maybe", ("flag", "is 'maybe'", "bool")),
        ("?term=x&term=y", ("term", "is given 2 times", "one value")),
        ("?term=x&more=1", ("more", "is unknown", "only the documented fields")),
    ],
)
def test_a_wrong_query_names_field_problem_and_expected(call: Caller, query: str, expected: tuple[str, ...]) -> None:
    status, _, body = call("GET", "/search" + query)
    assert status == 400
    assert problem(body) == expected


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("gone", 410, "gone"),
        ("conflict", 409, "version_conflict"),
        ("slow", 504, "upstream_timeout"),
        ("later", 429, "rate_limited"),
    ],
)
def test_our_errors_become_their_status_and_code(call: Caller, kind: str, status: int, code: str) -> None:
    answered, headers, body = call("GET", f"/raise/{kind}")
    assert (answered, body["error"]["code"]) == (status, code)
    assert body["error"]["message"] == RAISED[kind].args[0]
    assert headers.get("retry-after") == ("17" if kind == "later" else None)


def test_a_bug_is_an_opaque_500_whose_traceback_is_in_the_log(call: Caller, capfd: pytest.CaptureFixture[str]) -> None:
    status, _, body = call("GET", "/raise/bug")
    assert status == 500
    assert body["error"]["code"] == "internal_error"
    assert "secret-internal-detail" not in json.dumps(body)


def test_head_is_get_without_the_body(call: Caller) -> None:
    status, headers, _ = call("GET", "/things/x")
    head = call("HEAD", "/things/x")
    assert (head[0], head[2]) == (status, b"")
    assert head[1]["content-type"] == headers["content-type"]
    assert call("HEAD", "/things/missing")[0] == 404
    assert call("HEAD", "/orders")[0] == 405


def test_chalices_own_errors_get_our_body(call: Caller) -> None:
    status, _, body = call("GET", "/raise/chalice")
    assert (status, body["error"]["code"], body["error"]["message"]) == (400, "bad_request", "chalice's own")
    status, _, body = call("GET", "/raise/missing")
    assert (status, body["error"]["code"]) == (404, "not_found")
    status, _, body = call("POST", "/json", b"{")
    assert (status, body["error"]["code"]) == (400, "bad_request")
    assert "Parsing JSON" in body["error"]["message"]
    status, headers, body = call("PUT", "/orders", {})
    assert status == 405
    assert body["error"]["code"] == "method_not_allowed"
    assert "POST" in headers["allow"]
    status, _, body = call("POST", "/orders", {"item": "x"}, Content_Type="text/csv")
    assert status == 415
    assert body["error"]["code"] == "unsupported_media_type"
    assert problem(body) == ("Content-Type", "is 'text/csv'", "application/json")


@pytest.mark.parametrize(
    ("sent", "seen"),
    [("a%20b", "a b"), ("caf%C3%A9", "café"), ("a%2Fb", "a/b"), ("100%25", "100%"), ("a+b", "a+b"), ("%2525", "%25")],
)
def test_path_parameters_are_decoded_once(call: Caller, sent: str, seen: str) -> None:
    status, _, body = call("GET", f"/things/{sent}")
    assert status == 200
    assert body == {"name": seen}


def test_a_path_parameter_that_is_no_utf8_is_a_400(call: Caller) -> None:
    status, _, body = call("GET", "/things/%FF")
    assert status == 400
    assert problem(body) == ("path", "is not UTF-8", "percent-encoded UTF-8")


def test_cors_answers_only_the_origins_of_the_allow_list(call: Caller) -> None:
    _, headers, _ = call("GET", "/things/a", Origin="https://app.example.com")
    assert headers["access-control-allow-origin"] == "https://app.example.com"
    assert headers["vary"] == "Origin"
    _, headers, _ = call("GET", "/things/a", Origin="https://evil.example.com")
    assert "access-control-allow-origin" not in headers
    _, headers, _ = call("GET", "/search?term=a", Origin="https://app.example.com")
    assert "access-control-allow-origin" not in headers, "this route has no CORS"


def test_cors_headers_are_on_errors_too(call: Caller) -> None:
    status, headers, _ = call("GET", "/things/missing", Origin="https://app.example.com")
    assert status == 404
    assert headers["access-control-allow-origin"] == "https://app.example.com"


def test_a_preflight_names_methods_and_headers(call: Caller) -> None:
    status, headers, _ = call("OPTIONS", "/orders", Origin="https://app.example.com")
    assert status == 204
    assert headers["access-control-allow-origin"] == "https://app.example.com"
    assert headers["access-control-allow-methods"] == "OPTIONS,POST"
    assert "Content-Type" in headers["access-control-allow-headers"]


def test_a_star_allows_all_origins() -> None:
    _, headers, _ = Caller(make_app(frozenset({"*"})))("GET", "/things/a", Origin="https://any.example.com")
    assert headers["access-control-allow-origin"] == "*"


def test_pages_replies_and_nothing(call: Caller) -> None:
    status, headers, body = call("GET", "/page")
    assert (status, body) == (200, b"<p>hello</p>")
    assert headers["content-security-policy"] == "default-src 'self'"
    status, headers, body = call("GET", "/reply")
    assert (status, headers["location"], body) == (202, "/x", {"a": 1})
    status, _, body = call("DELETE", "/nothing")
    assert (status, body) == (204, b"")
    status, _, body = call("GET", "/plain")
    assert (status, body) == (200, b"x")


def test_openapi_describes_every_route() -> None:
    described = make_app().openapi()
    assert described["servers"] == [{"url": "."}], "beside the document"
    assert set(described["paths"]) == {
        "/orders", "/search", "/things/{name}", "/raise/{kind}", "/json", "/page", "/reply", "/nothing", "/me",
        "/plain", "/letters/{number}",
    }  # fmt: skip
    order = described["paths"]["/orders"]["post"]
    assert order["summary"] == "Order something."
    assert order["requestBody"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Order"}
    assert order["responses"]["201"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Order"}
    assert order["responses"]["default"] == {"$ref": "#/components/responses/Error"}
    assert described["components"]["schemas"]["Order"]["properties"]["count"]["maximum"] == 100
    names = {
        (each["name"], each["in"], each["required"]) for each in described["paths"]["/search"]["get"]["parameters"]
    }
    assert names == {
        ("term", "query", True), ("limit", "query", False), ("flag", "query", False), ("kinds", "query", False),
        ("order", "query", False),
    }  # fmt: skip
    assert described["paths"]["/things/{name}"]["get"]["parameters"][0]["in"] == "path"


def test_openapi_says_what_a_route_is_told_besides_its_models() -> None:
    described = make_app().openapi()
    letter = described["paths"]["/letters/{number}"]["put"]
    assert letter["parameters"][0]["schema"] == {"type": "string", "pattern": "^[0-9]+$"}
    assert letter["requestBody"]["content"] == {
        "application/json": {"schema": {"$ref": "#/components/schemas/Letter"}},
        "text/plain": {"schema": {"type": "string"}},
    }
    assert set(letter["responses"]["200"]["content"]) == {"text/html", "text/plain"}
    assert "content" not in letter["responses"]["304"], "what the caller has already is not sent"
    assert letter["security"] == [{"operator": []}, {"cognito": []}]
    assert described["components"]["securitySchemes"]["operator"]["name"] == "X-Operator-Token"
    assert described["components"]["schemas"]["Letter"]["required"] == ["text"]
    order = described["components"]["schemas"]["Order"]
    assert order["anyOf"] == Order.SCHEMA["anyOf"]
    assert order["properties"]["count"]["minimum"] == 1


def test_a_route_accepts_the_content_types_that_it_describes() -> None:
    call = Caller(make_app())
    assert call("PUT", "/letters/1", b"hello", X_Operator_Token=TOKEN, **{"Content-Type": "text/plain"})[0] == 200
    assert call("PUT", "/letters/1", b"hello", X_Operator_Token=TOKEN, **{"Content-Type": "text/csv"})[0] == 415


@pytest.mark.parametrize(("text", "count"), [(b"16.0", 16), (b"1e2", 100), (b"100.0", 100)])
def test_a_whole_number_may_be_written_as_a_float(text: bytes, count: int) -> None:
    status, _, body = Caller(make_app())("POST", "/orders", b'{"item": "a", "tags": ["1.0"], "count": %s}' % text)
    assert (status, body["count"], body["tags"]) == (201, count, ["1.0"])


@pytest.mark.parametrize("text", [b"1.5", b"101.0", b"1e300", b'"1.0"', b"[1.0]"])
def test_other_floats_are_no_whole_numbers(text: bytes) -> None:
    status, _, body = Caller(make_app())("POST", "/orders", b'{"item": "a", "count": %s}' % text)
    assert (status, body["error"]["details"][0]["field"]) == (400, "count")


def test_an_s3_event_is_kept_as_data_and_handles_raw_events() -> None:
    app = make_app()
    seen: list[str] = []

    @app.on_s3_event(bucket="b", prefix="raw/", suffix=".gz")
    def on_raw(event: Any) -> None:
        seen.extend(record.key for record in event)

    (trigger,) = app.s3_triggers
    assert (trigger.function, trigger.prefix, trigger.suffix) == ("on_raw", "raw/", ".gz")
    on_raw({"Event": "s3:TestEvent"}, None)
    assert seen == []


def test_error_messages_are_the_callers_language() -> None:
    error = OmnibusError("x")
    assert (error.status, error.code) == (500, "internal_error")


def test_a_route_for_operators_lets_nobody_else_in() -> None:
    reached = []
    app = make_app()

    @app.route("/deed", methods=["POST"], proof="operator", body=Order, returns=None)
    def deed() -> None:
        """Do what operators do."""
        reached.append(app.caller(str))

    call = Caller(app)
    for headers in ({}, {"X_Operator_Token": "guessed"}, {"X_Operator_Token": ""}):
        assert call("POST", "/deed", {"not": "an order"}, **headers)[0] == 403, "who calls is asked before what"
    assert call("POST", "/deed", {"item": "a"}, Authorization=bearer(sub="a"))[0] in {401, 500}
    assert reached == []
    assert call("POST", "/deed", {"item": "a"}, X_Operator_Token=TOKEN)[0] == 204
    assert reached == ["machine"]


def test_a_body_that_does_not_fit_never_reaches_the_handler() -> None:
    reached = []
    app = make_app()

    @app.route("/small", methods=["POST"], body=Letter, query=Search, max_body_bytes=20, returns=None)
    def small() -> None:
        """Forgets to ask for its body."""
        reached.append(1)

    call = Caller(app)
    assert call("POST", "/small?term=a", {"text": 1})[0] == 400
    assert call("POST", "/small", {"text": "a"})[0] == 400
    assert call("POST", "/small?term=a", {"text": "far too long"})[0] == 413
    assert reached == []
    assert call("POST", "/small?term=a", {"text": "a"})[0] == 204


@pytest.mark.parametrize("cors", [True, False, CORSConfig(allow_origin="https://a.example")])
def test_chalices_own_cors_is_refused_with_what_to_use(cors: Any) -> None:
    with pytest.raises(TypeError, match=r"use cors=CORS or a Cors\(\.\.\.\)"):
        make_app().route("/cors", cors=cors)


def test_a_proof_that_nothing_enforces_is_refused() -> None:
    with pytest.raises(TypeError, match=r"expected .operator."):
        make_app().route("/proof", proof="honour")


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (None, 200),
        ("https://app.example.com", 200),
        ("https://id.execute-api.example.com", 200),
        ("https://console.example.com", 200),
        ("https://evil.example", 403),
        ("http://id.execute-api.example.com", 403),
        ("null", 403),
        ("", 403),
    ],
)
def test_a_route_for_our_own_pages_refuses_those_of_other_sites(origin: str | None, status: int) -> None:
    app = make_app()

    @app.route("/own", methods=["POST"], cors=CORS, own_pages=True)
    def own() -> dict[str, str]:
        """For our own pages."""
        return {"name": "own"}

    given = event("/own", "POST", ctx={"domainName": "id.execute-api.example.com"})
    given["stageVariables"] = {"console": "https://console.example.com/"}
    given["headers"] |= {} if origin is None else {"origin": origin}
    assert app(given, None)["statusCode"] == status
