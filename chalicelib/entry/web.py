"""App: Chalice with typed requests, one error body, a CORS allow-list and an OpenAPI description.

Handlers stay one line long because this module does the work that all routes share: it decodes path parameters,
validates bodies and query strings as models, and turns errors into `{"error": {...}}` and answers into JSON.
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
    """The headers and methods that other origins may send to a route; `App(origins=...)` lists the origins."""

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
    """Text to serve unchanged: HTML, CSS, JavaScript, SVG."""

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

    `origins` returns the allowed origins at each cross-origin request; `{"*"}` allows all. `operators`
    admits callers to routes with `proof="operator"`. `reference` is the file of texts and examples for OpenAPI.
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
        """`Chalice.route` with the route's contract, which it enforces.

        `body` and `query` are the models that the handler gets from `app.body` and `app.query`; it never sees a request
        that does not fit them, or a body beyond `max_body_bytes`. `proof="operator"` admits only operators;
        if an `authorizer` accepts people, `admit` identifies the caller, or raises. Both run before anything else, as
        does `own_pages`, which refuses pages of origins that are not allowed: such pages cannot read the answer, but
        browsers send their simple requests from the user's address.
        `returns` is the type of the answer with `status`; `headers` names the request headers that the handler reads,
        `produces` its content types. `where` gives types to path parameters, which must fit them; `accepts` describes
        bodies without a model: content type -> its type.
        """
        if not isinstance(cors, Cors | None):
            raise TypeError(f"{path}: use cors=CORS or a Cors(...) of chalicelib.entry.web, not Chalice's {cors!r}")
        if proof not in {"", "operator"}:
            raise TypeError(f"{path}: proof is {proof!r}; expected 'operator'")
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
        """The handler behind the checks that its contract declares."""

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
                raise  # Chalice sets the status, `_answer_in_one_voice` the body
            except Exception:  # noqa: BLE001  # the edge: the caller gets an opaque 500
                telemetry.logger.exception("unhandled error in %s", contract.handler.__name__)
                return self.error(OmnibusError("An internal error occurred."))

        return answer

    def _refuse_foreign_pages(self) -> None:
        origin = self.header("Origin")
        if origin is None:
            return
        # Our own pages are this API's and the console's, whose address is a variable of API Gateway's stage.
        own = {_origin_of(self.address("")), _origin_of((self._request().stage_vars or {}).get("console", ""))}
        if not (self._origins() | own) & {"*", origin}:
            raise Forbidden("Pages of this origin may not call this route.")

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
        """Give Chalice's own errors our body, and every response its request id, CORS and security headers."""
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
            except Exception:  # noqa: BLE001  # without settings the response is an error already; it gets no CORS header
                telemetry.logger.exception("the allowed origins are unknown")
        return response

    def _in_our_words(self, request: Request | None, status: int, theirs: Mapping[str, str]) -> OmnibusError:
        """Chalice's error response as one of our errors."""
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

    # -- for handlers

    def body(self, model: type[Model]) -> Model:
        """The request's JSON body, as the `model` that the route declares."""
        return self._declared(self._body, model)

    def query(self, model: type[Model]) -> Model:
        """The query string, as the `model` that the route declares."""
        return self._declared(self._query, model)

    def raw_body(self) -> bytes:
        """The request's body, decoded from base64, of at most the bytes that the route declares."""
        return self._raw_body

    def caller(self, kind: type[Caller]) -> Caller:
        """The caller that the route's `admit` returned; for `proof="operator"`, a user's subject or `machine`."""
        return self._declared(self._caller, kind)

    def operator(self) -> str:
        """The calling operator; Forbidden or Unauthenticated for anybody else."""
        return self._operators().admit(self.header(OPERATOR_TOKEN), self.header("Authorization"), self.source_ip())

    @staticmethod
    def _declared(value: object, kind: type[Caller]) -> Caller:
        if not isinstance(value, kind):
            raise RuntimeError(f"the route declares no {kind.__name__}")
        return value

    def _decoded_query(self, model: type[Struct]) -> Struct:
        """Parse numbers and booleans from text, and repeated names as lists."""
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
        """The claims of the token that the route's Cognito authorizer accepted; Unauthenticated without one.

        They come from the token itself: API Gateway passes the list of groups on as one text, in which a group named
        `not,operators` would look like two.
        """
        accepted = (self._request().context.get("authorizer") or {}).get("claims") or {}
        if not accepted.get("sub"):
            raise Unauthenticated("Sign in to do this: send an Authorization header with an ID token.")
        claims = read_token(self.header("Authorization")).claims
        if claims.get("sub") != accepted["sub"]:
            raise Unauthenticated("The token is not the one that the authorizer accepted.")
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
        """This API's absolute URL of `path` from the caller's view: with domain, stage or base path."""
        request = self._request()
        domain = request.context.get("domainName") or request.headers.get("host") or "localhost"
        called = str(request.context.get("path") or request.path).rstrip("/").split("/")
        # Below the stage or base path, the called path has as many parts as the route; the event's own path also
        # contains the base path of a custom domain.
        base = "/".join(called[: len(called) - len([part for part in request.path.split("/") if part])])
        return f"https://{domain}{base}/{path}"

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI 3.1 description of every route."""
        # Outside API Gateway our address is unknown, so it is relative to this document.
        placed = self.current_request is not None and "domainName" in self.current_request.context
        described = describe(self.app_name, self.contracts, self.address("").rstrip("/") if placed else ".")
        if self._reference is None:
            return described
        from chalicelib.entry.reference import Reference  # only this description needs it

        return Reference.read(self._reference).complete(described)

    def error(self, error: OmnibusError, *, status: int | None = None) -> Response:
        """`error` as our error body, with Retry-After if the error has one."""
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

    def on_s3_event(  # type: ignore[override]  # accepts sequences and plain texts, where Chalice accepts lists and None
        self,
        bucket: str,
        events: Sequence[str] = ("s3:ObjectCreated:*",),
        prefix: str = "",
        suffix: str = "",
        name: str | None = None,
    ) -> Callable[[Handler], Handler]:
        """`Chalice.on_s3_event` that also packages for CloudFormation.

        `chalice package` refuses the original, because CloudFormation cannot add a notification to a bucket that
        it does not own. Our stack does own it: there we register a bare function, and `infra/` gives it the event.
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
    """A handler's result as Chalice's Response, with its JSON already encoded."""
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
