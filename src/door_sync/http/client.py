"""Sends requests to one host: sure of whom it talks to, paced, patient, and never for ever."""

import contextlib
import http.cookiejar
import itertools
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Self

import httpx2

from door_sync import __version__
from door_sync.http import retrying
from door_sync.http.allowance import Allowance
from door_sync.http.body import ACCEPTED_CODINGS, whole_body
from door_sync.http.errors import HttpError
from door_sync.http.messages import Reply, Request, Upload
from door_sync.http.tls import AuthorityTls, PlainHttp, Tls, certificate_end, tls_context
from door_sync.http.translation import FOREIGN, translated
from door_sync.http.transport import Attempt, DeadlineTransport
from door_sync.ports import Clock
from door_sync.settings.addresses import HostAddress, host_address, is_loopback

for _library in ("httpx2", "httpcore2"):
    # They log URLs with their query, and headers with their cookies (P12).
    logging.getLogger(_library).setLevel(logging.CRITICAL + 1)


@dataclass(frozen=True, slots=True)
class Counters:
    """How much a client did so far: calls of `send`, and tries beyond the first of each."""

    requests: int
    retries: int


class HttpClient:
    """A connection pool to `base_url`, `https://HOST[:PORT]` without a path.

    `headers` go with every request. `timeout_seconds` is the limit of each whole try, from the
    connection to the last byte of the reply. A connection alone gets a third of it for each of
    the host's addresses. `write_interval_seconds` lie at least between the end of one write and
    the start of the next; writes never overlap. Environment proxies are used with AuthorityTls
    only, and only if they are trusted. Redirects are never followed, cookies never kept.
    `after_try` is called after each try, whatever came of it, by the thread that made it.

    May be used by several threads at once. Raises ValueError for arguments that make no sense
    (among them plain HTTP to another machine), Unreachable for a proxy that cannot be used,
    UntrustedCertificate for an unusable file of authorities.
    """

    def __init__(
        self,
        base_url: str,
        *,
        headers: Mapping[str, str],
        tls: Tls,
        timeout_seconds: float,
        clock: Clock,
        attempts: int = 3,
        max_body_bytes: int = 32 * 2**20,
        write_interval_seconds: float = 0.0,
        trust_environment_proxies: bool,
        after_try: Callable[[], None] = lambda: None,
    ) -> None:
        address = host_address(base_url)
        _check_scheme(address, tls)
        _check_headers(headers)
        self._base_url = address.url
        self._clock = clock
        self._after_try = after_try
        self._timeout_seconds = timeout_seconds
        self._max_body_bytes = max_body_bytes
        self._pacing = _Pacing(clock, write_interval_seconds)
        self._repeater = retrying.repeater(attempts)
        self._counting = threading.Lock()
        self._counters = Counters(requests=0, retries=0)
        self._allowance: Allowance | None = None
        proxied = trust_environment_proxies and isinstance(tls, AuthorityTls)
        self._client = httpx2.Client(
            headers={
                "User-Agent": f"door-sync/{__version__}",
                "Accept-Encoding": ACCEPTED_CODINGS,
                **headers,
            },
            cookies=_no_cookies(),
            timeout=httpx2.Timeout(timeout_seconds, connect=timeout_seconds / 3),
            follow_redirects=False,
            trust_env=False,
            transport=DeadlineTransport(address, tls_context(tls, address.url), proxied=proxied),
        )

    def send(self, request: Request) -> Reply:
        """Send the request, repeat it as its retry class allows, and return the reply.

        A reply of any status is returned, a 5xx or 429 after the tries are used up. Raise
        HttpError where there is none.
        """
        self._count(requests=1)
        tries = itertools.count()

        def one_try() -> Reply:
            if next(tries):
                self._count(retries=1)
            with self._pacing.turn() if request.is_write else contextlib.nullcontext():
                try:
                    reply = self._try(request)
                finally:
                    self._after_try()
            if retrying.is_unsettled(reply):
                raise retrying.Unsettled(reply, host=self._base_url)
            return reply

        try:
            return self._repeater(retrying.judge(request.retry, self._clock), one_try)
        except retrying.Unsettled as unsettled:
            return unsettled.reply

    def reading(self) -> contextlib.AbstractContextManager[None]:
        """Take all that is sent inside for one reading, which may cost so much and no more.

        `send` raises TooMuch as soon as the time or the bytes of an Allowance are used up. Inside
        another reading it changes nothing. For reads alone: a write's reply is never refused.
        """
        return self._one_reading()

    @contextlib.contextmanager
    def _one_reading(self) -> Iterator[None]:
        if self._allowance is not None:
            yield
            return
        self._allowance = Allowance(self._clock, self._base_url)
        try:
            yield
        finally:
            self._allowance = None

    @property
    def counters(self) -> Counters:
        """What was done so far."""
        with self._counting:
            return self._counters

    def close(self) -> None:
        """Close all connections. The client cannot be used again."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"HttpClient({self._base_url})"

    def _try(self, request: Request) -> Reply:
        allowance = None if request.is_write else self._allowance
        seconds = self._timeout_seconds
        if allowance is not None:
            seconds = min(seconds, allowance.seconds_left())
        attempt = Attempt(self._clock, seconds)
        failure: HttpError
        try:
            with attempt.running(), self._opened(request) as response:
                headers = _headers(response)
                ends = _certificate_end(response)
                body = whole_body(
                    response.iter_raw(),
                    headers.get("content-encoding", ""),
                    limit_bytes=self._max_body_bytes,
                    host=self._base_url,
                )
                if allowance is not None:
                    allowance.spend(body)
                return Reply(response.status_code, headers, body, ends)
        except FOREIGN as error:
            failure = translated(error, attempt, host=self._base_url, seconds=seconds)
        raise failure  # out here, so that no foreign exception hangs behind it

    @contextlib.contextmanager
    def _opened(self, request: Request) -> Iterator[httpx2.Response]:
        url = self._base_url + request.target
        match request.body:
            case Upload(field, filename, content, content_type):
                files = {field: (filename, content, content_type)}
                built = self._client.build_request(request.method, url, files=files)
            case None:
                built = self._client.build_request(request.method, url)
            case body:
                kind, content = body.encoded()
                headers = {"Content-Type": kind}
                built = self._client.build_request(
                    request.method, url, content=content, headers=headers
                )
        response = self._client.send(built, stream=True)
        try:
            yield response
        finally:
            response.close()

    def _count(self, *, requests: int = 0, retries: int = 0) -> None:
        with self._counting:
            so_far = self._counters
            self._counters = Counters(so_far.requests + requests, so_far.retries + retries)


class _Pacing:
    """Lets one write through at a time, each a while after the end of the last."""

    def __init__(self, clock: Clock, interval_seconds: float) -> None:
        self._clock = clock
        self._interval_seconds = interval_seconds
        self._lock = threading.Lock()
        self._free_at: float | None = None

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        with self._lock:
            if self._free_at is not None:
                wait = self._free_at - self._clock.monotonic()
                if wait > 0:
                    self._clock.sleep(wait)
            try:
                yield
            finally:
                self._free_at = self._clock.monotonic() + self._interval_seconds


def _check_scheme(address: HostAddress, tls: Tls) -> None:
    if isinstance(tls, PlainHttp) != (address.scheme == "http"):
        raise ValueError("PlainHttp is for http:// addresses, the other two are for https://")
    if isinstance(tls, PlainHttp) and not is_loopback(address.host):
        raise ValueError("without TLS only this machine itself may be asked")


def _check_headers(headers: Mapping[str, str]) -> None:
    for name, value in headers.items():
        if not value.isascii() or not value.isprintable() or value != value.strip():
            raise ValueError(f"the value of {name} has characters that HTTP does not allow")


def _certificate_end(response: httpx2.Response) -> datetime | None:
    return certificate_end(response.extensions["network_stream"].get_extra_info("ssl_object"))


def _headers(response: httpx2.Response) -> dict[str, str]:
    joined: dict[str, str] = {}
    for raw_name, raw_value in response.headers.raw:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        joined[name] = f"{joined[name]}, {value}" if name in joined else value
    return joined


def _no_cookies() -> http.cookiejar.CookieJar:
    return http.cookiejar.CookieJar(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
