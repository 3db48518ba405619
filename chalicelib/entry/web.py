"""App: Chalice with typed requests, one error body, a CORS allow-list and an OpenAPI description.

Handlers stay one line long because everything that every route needs happens here, once: path parameters are
decoded, bodies and query strings become validated models, errors become `{"error": {...}}`, answers become JSON.
"""

import base64
import binascii
import functools
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote

import msgspec
from chalice.app import Authorizer, Chalice, ChaliceViewError, EventSourceHandler, Request, Response
from msgspec import Struct

from chalicelib.entry import telemetry
from chalicelib.entry.events import EVENTS, packaging_for_cloudformation
from chalicelib.entry.models import NOTHING, Model, decode_json, decode_query, error_content
from chalicelib.entry.openapi import JSON, OPERATOR_TOKEN, Contract, describe
from chalicelib.entry.operators import Operators
from chalicelib.entry.signin import read_token
from chalicelib.errors import Forbidden, InvalidInput, OmnibusError, TooLarge, Unauthenticated

Handler = Callable[..., Any]
Caller = TypeVar("Caller")

MAX_BODY_BYTES = 1024 * 1024
SECURITY_HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}


class Cors(Struct, frozen=True):
    """What browsers of other origins may send to a route; who they may be is `App(origins=...)`."""

    headers: tuple[str, ...] = ("Authorization", "Content-Type", "If-None-Match", OPERATOR_TOKEN)
    expose: tuple[str, ...] = ("ETag", "Location", "Retry-After", "X-Request-Id")
    max_age: int = 7200


CORS = Cors()


class Reply(Struct, frozen=True):
    """An answer that needs its own status or headers; `body` is a Struct, a JSON value, or None for no body."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = {}


class Page(Struct, frozen=True):
    """Text to be served as it is: HTML, CSS, JavaScript, SVG."""

    text: str
    content_type: str
    headers: Mapping[str, str] = {}


class S3Trigger(Struct, frozen=True):
    """The S3 event that a function declares in app.py; the template's must equal it."""

    function: str
    prefix: str
    suffix: str
    events: tuple[str, ...]


class App(Chalice):
    """The Chalice application of Omnibus.

    `origins` is asked at each cross-origin request for the origins that may call; `{"*"}` allows all. `operators`
    admits callers to the routes with `proof="operator"`. `reference` is the file of words and examples for OpenAPI.
    """

    def __init__(
        self,
        app_name: str,
        *,
        origins: Callable[[], frozenset[str]],
        operators: Callable[[], Operators],
        reference: Path | None = None,
    ) -> None:
        super().__init__(app_name, configure_logs=False)
        self.current_request = None
        self._origins = origins
        self._operators = operators
        self._reference = reference
        self._caller: Any = None
        self._query: Struct | None = None
        self._body: Struct | None = None
        self._raw_body = b""
        self.contracts: list[Contract] = []
        self.s3_triggers: list[S3Trigger] = []
        self.register_middleware(self._answer_in_one_voice, "http")
        self.register_middleware(telemetry.observe_event, "all")

    # -- routes

    def route(
        self,
        path: str,
        *,
        methods: Sequence[str] = ("GET",),
        cors: Cors | None = None,
        body: type[Struct] | None = None,
        query: type[Struct] | None = None,
        returns: Any = None,
        status: int = 200,
        tag: str = "",
        headers: Sequence[str] = (),
        produces: tuple[str, ...] = (JSON,),
        proof: str = "",
        where: Mapping[str, Any] = NOTHING,
        accepts: Mapping[str, Any] = NOTHING,
        max_body_bytes: int = MAX_BODY_BYTES,
        own_pages: bool = False,
        authorizer: Authorizer | None = None,
        admit: Callable[[], Any] | None = None,
        **chalice_options: Any,
    ) -> Callable[[Handler], Handler]:
        """`Chalice.route`, with the contract of the route as data, and enforced.

        `body` and `query` are the models that the handler asks `app.body` and `app.query` for: a request that does not
        fit them never reaches it, nor does a body beyond `max_body_bytes`. `proof="operator"` lets operators alone in;
        where an `authorizer` accepts people, `admit` says who calls, or raises. Both come before anything else, as does
        `own_pages`, which refuses pages of origins that are not allowed: they may not read the answer, but a browser
        sends their simple requests, in the name of its user's address.
        `where` gives types to parameters of the path: what does not fit never reaches the handler, either.
        `returns` is what it answers with `status`; `headers` names the request headers that it reads, `produces` its
        content types. `accepts` is for bodies that are no model: content type -> its type.
        """
        if not isinstance(cors, Cors | None):
            raise TypeError(f"{path}: use cors=CORS or a Cors(...) of chalicelib.entry.web, not Chalice's {cors!r}")
        if proof not in {"", "operator"}:
            raise TypeError(f"{path}: proof is {proof!r}; nothing enforces anything but 'operator'")
        if accepts:
            chalice_options["content_types"] = list(accepts)
        if proof == "operator":
            admit = self.operator
        elif authorizer is not None:
            admit = admit or self.principal

        def register(handler: Handler) -> Handler:
            contract = Contract(
                path=path,
                methods=tuple(methods),
                handler=handler,
                body=body,
                query=query,
                returns=returns,
                status=status,
                tag=tag,
                proof="cognito" if authorizer is not None else proof,
                headers=tuple(headers),
                produces=produces,
                where=where,
                accepts=accepts,
                max_body_bytes=max_body_bytes,
            )
            self.contracts.append(contract)
            wrapped = self._enforcing(contract, admit, own_pages=own_pages)
            served = [*methods, "HEAD"] if "GET" in methods else list(methods)
            super(App, self).route(path, methods=served, authorizer=authorizer, **chalice_options)(wrapped)
            if cors is not None and "OPTIONS" not in self.routes[path]:
                preflight = self._preflight(path, cors)
                super(App, self).route(path, methods=["OPTIONS"], name=f"preflight {path}")(preflight)
            self._cors_by_path.setdefault(path, cors)
            return handler

        return register

    @functools.cached_property
    def _cors_by_path(self) -> dict[str, Cors | None]:
        return {}

    def _enforcing(self, contract: Contract, admit: Callable[[], Any] | None, *, own_pages: bool) -> Handler:
        """The handler of a contract, behind everything that the contract declares."""

        @functools.wraps(contract.handler)
        def answer(**path_parameters: str) -> Response:
            try:
                decoded = {name: unquote(value, errors="strict") for name, value in path_parameters.items()}
            except UnicodeDecodeError:
                return self.error(InvalidInput.of("path", "is not UTF-8", "percent-encoded UTF-8"))
            try:
                if own_pages:
                    self._refuse_foreign_pages()
                self._caller = None if admit is None else admit()
                for name, kind in contract.where.items():
                    _check_named(name, decoded[name], kind)
                self._query = None if contract.query is None else self._decoded_query(contract.query)
                self._raw_body = self._read_body(contract.max_body_bytes)
                self._body = None if contract.body is None else decode_json(self._raw_body, contract.body)
                return to_response(contract.handler(**decoded), contract.status)
            except OmnibusError as error:
                return self.error(error)
            except ChaliceViewError:
                raise  # Chalice answers with its status, and `_answer_in_one_voice` in our words
            except Exception:  # noqa: BLE001  # the edge: whatever it was, the caller gets an opaque 500
                telemetry.logger.exception("unhandled error in %s", contract.handler.__name__)
                return self.error(OmnibusError("An internal error occurred."))

        return answer

    def _refuse_foreign_pages(self) -> None:
        origin = self.header("Origin")
        if origin is None:
            return
        # Our own pages are those of this API, and the console's, which a variable of API Gateway's stage names.
        own = {_origin_of(self.address("")), _origin_of((self._request().stage_vars or {}).get("console", ""))}
        if not (self._origins() | own) & {"*", origin}:
            raise Forbidden("Pages of this origin may not call this.")

    def _preflight(self, path: str, cors: Cors) -> Handler:
        def preflight(**_path_parameters: str) -> Response:
            allowed = sorted(self.routes[path])
            return Response(
                body="",
                status_code=204,
                headers={
                    "Access-Control-Allow-Methods": ",".join(allowed),
                    "Access-Control-Allow-Headers": ",".join(cors.headers),
                    "Access-Control-Max-Age": str(cors.max_age),
                },
            )

        return preflight

    def _answer_in_one_voice(self, request: Request | None, get_response: Callable[[Any], Response]) -> Response:
        """Give Chalice's own errors our body, and every answer its request id, CORS and security headers."""
        response = get_response(request)
        if response.status_code >= 400 and isinstance(response.body, dict) and "Code" in response.body:
            headers, status = response.headers, response.status_code
            response = self.error(self._in_our_words(request, status, response.body), status=status)
            response.headers.update(headers)
        if request is not None and request.method == "HEAD":
            response.body = b"" if isinstance(response.body, bytes) else ""
        response.headers.update(SECURITY_HEADERS)
        response.headers["X-Request-Id"] = self.request_id()
        response.headers.setdefault("Cache-Control", "no-store")
        if request is not None:
            try:
                self._allow_origin(request, response)
            except Exception:  # noqa: BLE001  # without settings nobody may read the answer, which is an error already
                telemetry.logger.exception("the allowed origins are unknown")
        return response

    def _in_our_words(self, request: Request | None, status: int, theirs: Mapping[str, str]) -> OmnibusError:
        """An error that Chalice answered with, as ours."""
        if request is not None and status == 415:
            wanted = ", ".join(self.routes[request.path][request.method].content_types)
            given = request.headers.get("content-type")
            return InvalidInput.of("Content-Type", f"is {given!r}", wanted, code="unsupported_media_type")
        if status >= 500:
            return OmnibusError("An internal error occurred.")
        return OmnibusError(theirs["Message"], code=_snake(theirs["Code"]))

    def _allow_origin(self, request: Request, response: Response) -> None:
        cors = self._cors_by_path.get(request.path)
        if cors is None:
            return
        response.headers["Vary"] = "Origin"
        origin = request.headers.get("origin")
        if origin is None:
            return
        allowed = self._origins()
        if "*" in allowed or origin in allowed:
            response.headers["Access-Control-Allow-Origin"] = "*" if "*" in allowed else origin
            response.headers["Access-Control-Expose-Headers"] = ",".join(cors.expose)

    # -- what handlers ask for

    def body(self, model: type[Model]) -> Model:
        """The request's JSON body, as the `model` that the route declares."""
        return self._declared(self._body, model)

    def query(self, model: type[Model]) -> Model:
        """The query string, as the `model` that the route declares."""
        return self._declared(self._query, model)

    def raw_body(self) -> bytes:
        """The request's body, base64 undone, of at most the bytes that the route declares."""
        return self._raw_body

    def caller(self, kind: type[Caller]) -> Caller:
        """The caller, as what the route's `admit` returned; for `proof="operator"`, a user's subject or `machine`."""
        return self._declared(self._caller, kind)

    def operator(self) -> str:
        """The operator who calls; Forbidden or Unauthenticated for anybody else."""
        return self._operators().admit(self.header(OPERATOR_TOKEN), self.header("Authorization"), self.source_ip())

    @staticmethod
    def _declared(value: object, kind: type[Caller]) -> Caller:
        if not isinstance(value, kind):
            raise RuntimeError(f"the route declares no {kind.__name__}")
        return value

    def _decoded_query(self, model: type[Struct]) -> Struct:
        """Numbers and booleans from their text, repeated names as lists."""
        return decode_query(self._request().to_original_event().get("multiValueQueryStringParameters"), model)

    def _read_body(self, limit: int) -> bytes:
        event = self._request().to_original_event()
        text = event.get("body") or ""
        if event.get("isBase64Encoded"):
            try:
                raw = base64.b64decode(text, validate=True)
            except (binascii.Error, ValueError):
                raise InvalidInput.of("body", "is not valid base64", "base64, as its flag says") from None
        else:
            raw = text if isinstance(text, bytes) else text.encode()
        if len(raw) > limit:
            raise TooLarge.of("body", f"has {len(raw)} bytes", f"at most {limit} bytes")
        return raw

    def header(self, name: str) -> str | None:
        """A request header, whatever its case."""
        value: str | None = self._request().headers.get(name)
        return value

    def principal(self) -> Mapping[str, Any]:
        """The claims of the token that the route's Cognito authorizer accepted; Unauthenticated where there is none.

        They are read from the token: API Gateway passes the list of groups on as one text, in which a group named
        `not,operators` would look like two.
        """
        accepted = (self._request().context.get("authorizer") or {}).get("claims") or {}
        if not accepted.get("sub"):
            raise Unauthenticated("This needs a signed-in user: send an Authorization header with an ID token.")
        claims = read_token(self.header("Authorization")).claims
        if claims.get("sub") != accepted["sub"]:
            raise Unauthenticated("The token is not the one that was accepted.")
        return claims

    def request_id(self) -> str:
        """API Gateway's id of this request, or the Lambda invocation's, or a new one outside AWS."""
        context = self.current_request.context if self.current_request else {}
        invocation = getattr(self.lambda_context, "aws_request_id", None)
        return context.get("requestId") or invocation or f"local-{time.time_ns():x}"

    def source_ip(self) -> str:
        """The caller's address as API Gateway saw it."""
        identity = self._request().context.get("identity") or {}
        return str(identity.get("sourceIp") or "unknown")

    def address(self, path: str) -> str:
        """This API's own absolute URL of `path`, as the caller reached it: with its domain, stage or base path."""
        request = self._request()
        domain = request.context.get("domainName") or request.headers.get("host") or "localhost"
        called = str(request.context.get("path") or request.path).rstrip("/").split("/")
        # Below the stage or base path the called path has as many parts as the route; the event's own path has the
        # base path of a custom domain in it, too.
        base = "/".join(called[: len(called) - len([part for part in request.path.split("/") if part])])
        return f"https://{domain}{base}/{path}"

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI 3.1 description of every route."""
        # Outside API Gateway nobody says where we are: as near as this document, then.
        placed = self.current_request is not None and "domainName" in self.current_request.context
        described = describe(self.app_name, self.contracts, self.address("").rstrip("/") if placed else ".")
        if self._reference is None:
            return described
        from chalicelib.entry.reference import Reference  # only this description needs it

        return Reference.read(self._reference).complete(described)

    def error(self, error: OmnibusError, *, status: int | None = None) -> Response:
        """`error` as the one error body, with Retry-After where it says when to come back."""
        content = error_content(error, self.request_id())
        response = to_response(Reply({"error": content}, status or error.status), 200)
        if error.retry_after is not None:
            response.headers["Retry-After"] = str(error.retry_after)
        return response

    def _request(self) -> Request:
        if self.current_request is None:
            raise RuntimeError("only a route has a request")
        return self.current_request

    # -- events

    def on_s3_event(  # type: ignore[override]  # takes sequences and plain texts where Chalice takes lists and None
        self,
        bucket: str,
        events: Sequence[str] = ("s3:ObjectCreated:*",),
        prefix: str = "",
        suffix: str = "",
        name: str | None = None,
    ) -> Callable[[Handler], Handler]:
        """`Chalice.on_s3_event`, which also packages for CloudFormation.

        `chalice package` refuses the original, because CloudFormation cannot add a notification to a bucket that
        it does not own. Ours does own it: there the function is registered bare, and `infra/` gives it the event.
        """

        def register(handler: Handler) -> Handler:
            function = name or handler.__name__
            self.s3_triggers.append(S3Trigger(function, prefix, suffix, tuple(events)))
            if packaging_for_cloudformation():
                super(App, self).lambda_function(name=function)(handler)
                return handler
            original = super(App, self).on_s3_event(bucket, list(events), prefix or None, suffix or None, function)
            wrapped: Handler = original(handler)
            return wrapped

        return register

    def _wrap_handler(self, handler_type: str, handler_name: str, user_handler: Handler) -> Handler:
        if handler_type not in EVENTS:
            return super()._wrap_handler(handler_type, handler_name, user_handler)
        event_class, middleware = EVENTS[handler_type]
        handler: Handler = EventSourceHandler(user_handler, event_class, self._get_middleware_handlers(middleware))
        return handler


def _origin_of(url: str) -> str:
    return "/".join(url.split("/")[:3])


def _check_named(name: str, value: str, kind: Any) -> None:
    """Return if a parameter of the path is of its type; InvalidInput for what is in no address of ours."""
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        raise InvalidInput.of(name, f"is {value[:80]!r}", "an id as our answers give it") from None


def to_response(answer: Any, status: int) -> Response:
    """What a handler returned, as Chalice's Response with its JSON already encoded."""
    if isinstance(answer, Response):
        return answer
    if isinstance(answer, Page):
        return Response(answer.text, {"Content-Type": answer.content_type, **answer.headers}, status)
    reply = answer if isinstance(answer, Reply) else Reply(answer, status)
    if reply.body is None:
        return Response("", dict(reply.headers), 204 if reply.status == 200 else reply.status)
    text = msgspec.json.encode(reply.body).decode()
    return Response(text, {"Content-Type": JSON, **reply.headers}, reply.status)


def _snake(name: str) -> str:
    return "".join(f"_{char.lower()}" if char.isupper() else char for char in name).strip("_").removesuffix("_error")
