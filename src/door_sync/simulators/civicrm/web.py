"""HTTP as PHP hands it to CiviCRM: query and form fields, nothing of a JSON body (§1.3)."""

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from email import message_from_bytes
from typing import Any, Final
from urllib.parse import parse_qsl
from uuid import uuid4

from starlette.datastructures import Headers

from door_sync.simulators.civicrm.switches import Cms, Switches
from door_sync.simulators.exchange import SeenRequest

HTML: Final = "text/html; charset=UTF-8"
_COOKIES: Final[Mapping[Cms, str]] = {
    "wordpress": "PHPSESSID",
    "standalone": "SESSCIVISO",
    "drupal": "SESS5f8a",
}


@dataclass(frozen=True)
class WebRequest:
    """One request. Of a field that is given twice the last one counts, as in PHP."""

    method: str
    path: str = field(repr=False)
    query: Mapping[str, str] = field(repr=False)
    form: Mapping[str, str] = field(repr=False)
    headers: Headers = field(repr=False)
    url_length: int = 0

    def value(self, name: str) -> str | None:
        """Return a field of the form, else of the query."""
        return self.form.get(name, self.query.get(name))


@dataclass(frozen=True)
class WebResponse:
    """An answer, before the headers that every page has."""

    status: int
    body: bytes = field(repr=False)
    content_type: str | None = HTML
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    has_session: bool = True

    def raw_headers(self, request: WebRequest, switches: Switches) -> list[tuple[bytes, bytes]]:
        """Return the headers to send; without a length, so that the body goes out in chunks."""
        named = {"vary": "Accept-Encoding"} if switches.front != "php" else {}
        named["cache-control"] = "no-store, no-cache, must-revalidate"
        if self.has_session:
            named["set-cookie"] = f"{_COOKIES[switches.cms]}={uuid4().hex}; path=/"
        if self.content_type is not None:
            named["content-type"] = self.content_type
        if self.is_compressed(request, switches):
            named["content-encoding"] = "gzip"
        named |= {name.lower(): value for name, value in self.headers.items()}
        return [(name.encode(), value.encode()) for name, value in named.items()]

    def sent_body(self, request: WebRequest, switches: Switches) -> bytes:
        """Return the body as it goes over the wire."""
        if request.method == "HEAD":
            return b""
        if self.is_compressed(request, switches):
            return gzip.compress(self.body, compresslevel=1)
        return self.body

    def is_compressed(self, request: WebRequest, switches: Switches) -> bool:
        """Whether the front compresses this answer for this client."""
        return switches.gzip and "gzip" in request.headers.get("accept-encoding", "")


def parse(seen: SeenRequest) -> WebRequest:
    """Read a request; only the body of a POST that is a form is looked at."""
    return WebRequest(
        method=seen.method,
        path=seen.path,
        query=dict(parse_qsl(seen.query, keep_blank_values=True)),
        form=_form(seen) if seen.method == "POST" else {},
        headers=seen.headers,
        url_length=len(seen.path) + len(seen.query),
    )


def _form(seen: SeenRequest) -> dict[str, str]:
    content_type = seen.headers.get("content-type", "")
    match content_type.partition(";")[0].strip().lower():
        case "application/x-www-form-urlencoded":
            return dict(parse_qsl(seen.body.decode("utf-8", "replace"), keep_blank_values=True))
        case "multipart/form-data":
            head = f"Content-Type: {content_type}\r\n\r\n".encode()
            parts = message_from_bytes(head + seen.body).walk()
            named = ((p.get_param("name", header="content-disposition"), p) for p in parts)
            return {
                str(name): bytes(part.get_payload(decode=True)).decode("utf-8", "replace")
                for name, part in named
                if name is not None
            }
        case _:
            return {}


def page(status: int, body: bytes, *, content_type: str | None = HTML) -> WebResponse:
    """An HTML page."""
    return WebResponse(status, body, content_type)


def json_response(document: Any, switches: Switches, *, status: int = 200) -> WebResponse:
    """A JSON answer in this site's spelling (§1 of the versions sheet)."""
    on_new_wordpress = switches.cms == "wordpress" and not switches.is_old
    content_type = "application/json; charset=UTF-8" if on_new_wordpress else "application/json"
    text = json.dumps(document, ensure_ascii=switches.is_old, separators=(",", ":"))
    if switches.is_old:
        text = text.replace("/", "\\/")
    return WebResponse(status, text.encode(), content_type)


def parsed(text: str | None) -> Any:
    """Return what a field holds as JSON; None where it is missing or is no JSON."""
    try:
        return json.loads(text or "null")
    except ValueError:
        return None
