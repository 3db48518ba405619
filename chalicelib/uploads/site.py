"""The two pages for people: plain HTML, CSS and ES modules in `pages/`, without a build step."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from chalicelib.errors import NotFound

PAGES = Path(__file__).parent / "pages"
PAGE_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}
HTML = "text/html; charset=utf-8"


class Document(NamedTuple):
    """A file to serve unchanged."""

    text: str
    content_type: str
    headers: dict[str, str]


class Site:
    """The pages, with a content policy that allows only their own scripts."""

    def __init__(self, *, storage_origins: Callable[[], frozenset[str]], socket_url: str | None) -> None:
        self._storage_origins = storage_origins
        self._socket_url = socket_url

    def desktop(self) -> Document:
        """The page that shows the code."""
        return self._page("desktop.html")

    def phone(self) -> Document:
        """The page that the code opens; it is the same for every token, which only the page's script reads."""
        return self._page("phone.html")

    def asset(self, name: str) -> Document:
        """A style sheet or module of the pages; NotFound if there is none with that name."""
        text = _assets().get(name)
        if text is None:
            raise NotFound("There is no such asset")
        headers = {"Cache-Control": "public, max-age=300"}
        return Document(text, PAGE_TYPES[Path(name).suffix], headers)

    def _page(self, name: str) -> Document:
        headers = {
            "Content-Security-Policy": self._policy,
            "Permissions-Policy": "camera=(self), geolocation=(), microphone=()",
            "Cross-Origin-Opener-Policy": "same-origin",
        }
        return Document((PAGES / name).read_text("utf-8"), HTML, headers)

    @functools.cached_property
    def _policy(self) -> str:
        storage = " ".join(sorted(self._storage_origins()))
        socket = [_origin(self._socket_url)] if self._socket_url else []
        return "; ".join(
            [
                "default-src 'none'",
                "script-src 'self'",
                "style-src 'self'",
                " ".join(["connect-src 'self'", storage, *socket]),
                f"img-src 'self' data: blob: {storage}",
                "base-uri 'none'",
                "form-action 'none'",
                "frame-ancestors 'none'",
            ]
        )


@functools.cache
def _assets() -> dict[str, str]:
    """Every asset by its name, read once; a requested name never becomes a path."""
    return {path.name: path.read_text("utf-8") for path in PAGES.iterdir() if path.suffix in PAGE_TYPES}


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
