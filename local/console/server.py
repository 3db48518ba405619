"""Serve the built console and forward `/api/*` to the REST API, as CloudFront does in AWS.

    python -m local.console.server --home .local --port 0 --ready-file .local/run/console.ready.json

The files come from the build (`make web`), the security headers from the packaged template's response-headers policy,
and the addresses from the running cloud's description. All are read on each request: a new build or deployment needs
no restart.
"""

import argparse
import http.client
import json
import threading
from collections.abc import Mapping
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from infra.console import SITE, content_type
from local.console.access import KEY_HEADER, opens
from local.ports import HOST
from local.processes import serve, told_to_stop

API = "/api/"
CONFIGURATION = "/config.json"
PEOPLE = "/people.json"
INDEX = "index.html"
LARGEST_BODY = 16 * 1024 * 1024
FORWARD_S = 60.0
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"}
BODYLESS = {204, 304}
NOT_BUILT = "The console is not built. Run `make web`, then reload this page.\n"


class ConsoleServer:
    """Serves the console of one home on a port of the loopback address."""

    def __init__(self, home: Path, port: int = 0, site: Path = SITE) -> None:
        self.home = home
        self.site = site
        self._http = ThreadingHTTPServer((HOST, port), type("Handler", (_Handler,), {"owner": self}))
        self._http.daemon_threads = True
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, name="console", daemon=True
        )

    @property
    def url(self) -> str:
        """The console's address."""
        return f"http://{HOST}:{self._http.server_address[1]}"

    def __enter__(self) -> "ConsoleServer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def described(self) -> Mapping[str, Any] | None:
        """The running cloud as `cloud.json` describes it; None before the first deployment."""
        try:
            found: dict[str, Any] = json.loads((self.home / "cloud.json").read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return None
        return found

    def configuration(self, cloud: Mapping[str, Any]) -> dict[str, Any]:
        """The content of `config.json`, which every account of this machine may read."""
        users = cloud["users"]
        first: Mapping[str, str] = next(iter(users.values()), {})
        return {
            "api": API.rstrip("/"),
            "socket": cloud["websocket_url"],
            "stage": "local",
            "release": cloud["fingerprint"][:10],
            "client": first.get("client_id", ""),
            "signIn": {"kind": "password", "endpoint": cloud["aws_endpoint_url"]},
        }

    def people(self, cloud: Mapping[str, Any], key: str) -> dict[str, list[str]] | None:
        """The test users' names and passwords for a visitor with the key; None for others."""
        users = cloud["users"]
        if not opens(users, key):
            return None
        return {name: [user["username"], user["password"]] for name, user in users.items()}

    def headers(self, cloud: Mapping[str, Any]) -> dict[str, str]:
        """The security headers of the template's policy, with this cloud's addresses."""
        endpoint = cloud["aws_endpoint_url"]
        own = {
            "Sockets": endpoint.replace("http", "ws", 1),
            "SignIn": endpoint,
            "Uploads": endpoint,
            "Predictions": endpoint,
        }
        template = self.home / "package" / "sam.json"
        return security_headers(_policy(template, template.stat().st_mtime_ns), own)


@lru_cache(maxsize=1)
def _policy(template: Path, _written: int) -> dict[str, Any]:
    packaged = json.loads(template.read_text(encoding="utf-8"))
    found: dict[str, Any] = packaged["Resources"]["ConsoleHeaders"]["Properties"]["ResponseHeadersPolicyConfig"]
    return found


def security_headers(policy: Mapping[str, Any], addresses: Mapping[str, str]) -> dict[str, str]:
    """The headers that CloudFront adds by a response-headers policy; `addresses` fill its content policy.

    Strict-Transport-Security is left out: browsers ignore it over plain HTTP.
    """
    security = policy["SecurityHeadersConfig"]
    text, names = security["ContentSecurityPolicy"]["ContentSecurityPolicy"]["Fn::Sub"]
    for name in names:
        text = text.replace(f"${{{name}}}", addresses[name])
    custom = {item["Header"]: item["Value"] for item in policy["CustomHeadersConfig"]["Items"]}
    return {
        **custom,
        "Content-Security-Policy": text,
        "Referrer-Policy": security["ReferrerPolicy"]["ReferrerPolicy"],
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": security["FrameOptions"]["FrameOption"],
    }


class _Handler(BaseHTTPRequestHandler):
    owner: ConsoleServer
    protocol_version = "HTTP/1.1"
    server_version = "console"
    sys_version = ""
    timeout = 60
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Serve a file, `config.json`, or the API's answer."""
        path = urlsplit(self.path).path
        cloud = self.owner.described()
        if not self._is_for_us():
            # Another site whose name resolves to this machine would have this origin and could read the passwords.
            self._send(403, b"The Host header names another machine.\n", {})
        elif cloud is None:
            self._send(503, b"The local cloud is not deployed yet.\n", {"Retry-After": "2"})
        elif path.startswith(API):
            self._forward(cloud)
        elif path == CONFIGURATION:
            self._json(200, self.owner.configuration(cloud))
        elif path == PEOPLE:
            people = self.owner.people(cloud, self.headers.get(KEY_HEADER, ""))
            self._json(403 if people is None else 200, people or {})
        else:
            self._file(path, cloud)

    def _is_for_us(self) -> bool:
        return urlsplit(f"//{self.headers.get('Host', '')}").hostname in {HOST, "localhost"}

    do_HEAD = do_GET  # noqa: N815  # the name that http.server looks for

    def do_POST(self) -> None:
        """Forward to the API; other paths accept no data."""
        cloud = self.owner.described()
        if cloud is None or not self.path.startswith(API):
            self.close_connection = True
            self._send(405, b"", {})
        else:
            self._forward(cloud)

    do_PUT = do_DELETE = do_PATCH = do_OPTIONS = do_POST  # noqa: N815  # likewise

    def log_message(self, *_: object) -> None:
        """Log nothing: the API's functions log requests."""

    def _json(self, status: int, content: Mapping[str, Any]) -> None:
        headers = {"Content-Type": "application/json", "Cache-Control": "no-store"}
        self._send(status, json.dumps(content).encode(), headers)

    def _file(self, path: str, cloud: Mapping[str, Any]) -> None:
        site = self.owner.site.resolve()
        file = (site / (path.lstrip("/") or INDEX)).resolve()
        if not (site / INDEX).exists():
            self._send(503, NOT_BUILT.encode(), {"Content-Type": "text/plain; charset=utf-8"})
        elif not file.is_file() or site not in file.parents:
            self._send(404, b"There is no such file.\n", {"Content-Type": "text/plain"})
        else:
            forever = "public, max-age=31536000, immutable" if "/assets/" in path else "no-cache"
            encoded = file.with_name(file.name + ".gz")
            packed = encoded.exists() and "gzip" in self.headers.get("Accept-Encoding", "")
            content = (encoded if packed else file).read_bytes()
            encoding = {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"} if packed else {}
            own = {"Content-Type": content_type(file), "Cache-Control": forever, **encoding}
            self._send(200, content, self.owner.headers(cloud) | own)

    def _forward(self, cloud: Mapping[str, Any]) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > LARGEST_BODY:
            self.close_connection = True
            self._send(413, b"", {})
            return
        body = self.rfile.read(length)
        if len(body) < length:  # the caller is gone: half a file must not pass for a whole one
            self.close_connection = True
            return
        base = urlsplit(cloud["rest_url"])
        passed = {name: value for name, value in self.headers.items() if name.lower() not in {*HOP_BY_HOP, "host"}}
        origin = http.client.HTTPConnection(base.netloc, timeout=FORWARD_S)
        try:
            origin.request(self.command, base.path + self.path.removeprefix(API.rstrip("/")), body or None, passed)
            answer = origin.getresponse()
            content = answer.read()
        except OSError as error:
            said = {"error": {"code": "bad_gateway", "message": f"The API does not answer: {error}", "request_id": ""}}
            self._send(502, json.dumps(said).encode(), {"Content-Type": "application/json"})
            return
        finally:
            origin.close()
        headers = {name: value for name, value in answer.getheaders() if name.lower() not in HOP_BY_HOP}
        self._send(answer.status, content, headers)

    def _send(self, status: int, content: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status not in BODYLESS:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD" and status not in BODYLESS:
            self.wfile.write(content)


def main() -> None:
    """Serve the console of the home that the command line names, until SIGTERM."""
    parser = argparse.ArgumentParser(description="Serve the console of a local cloud.")
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--ready-file", type=Path, required=True)
    options = parser.parse_args()
    stopping = told_to_stop()
    with ConsoleServer(options.home, options.port) as server:
        serve(server.url, stopping, options.ready_file)


if __name__ == "__main__":
    main()
