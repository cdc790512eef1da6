"""HTTP, as everything here uses it: one small seam over httpx.

What httpx leaves to its user is decided here: how long to wait, what to try again, how much to read, and where a
redirect may lead. Bodies are never decompressed on the way (`Accept-Encoding: identity`), so a size that was read is
a size that was sent.

Importing this module imports httpx: import it where a request is about to be made.

Source: RFC 9110 (redirects, Retry-After); AWS EC2 user guide, "Instance metadata service" (its two addresses).
"""

import socket
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from ipaddress import IPv6Address, ip_address, ip_network
from time import monotonic, sleep
from types import TracebackType
from typing import Self

import httpx
from msgspec import Struct

from openinspector import __version__
from openinspector.errors import OpenInspectorError

_TIMEOUT = httpx.Timeout(30, connect=10)  # seconds; of one read or write, not of the whole
_DOCUMENT_SECONDS = 120  # for a whole document, so that one sent a byte at a time ends too
_ATTEMPTS = 4
_FIRST_PAUSE = 0.5  # seconds; doubles
_LONGEST_PAUSE = 60  # seconds; a server that asks for more is told to the user instead
_REDIRECTS_AT_MOST = 5
_REDIRECT = (301, 302, 303, 307, 308)
_PASSING = (429, 500, 502, 503, 504)
_SECRET_HEADERS = ("authorization", "cookie", "proxy-authorization")
_FORBIDDEN = tuple(ip_network(each) for each in ("169.254.0.0/16", "fe80::/10", "fd00:ec2::254/128"))


def is_loopback(host: str) -> bool:
    """Whether a host, without its port, is this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def host_of(url: str) -> str:
    """`host`, or `host:port` where a port is named; "" for what is no URL."""
    try:
        return httpx.URL(url).netloc.decode()
    except (httpx.InvalidURL, ValueError):
        return ""


def without_secrets(url: str) -> str:
    """A URL to be shown or kept: without its user and query, where passwords and signatures are."""
    try:
        return _shown(url)
    except (httpx.InvalidURL, ValueError):
        return "(what is no URL)"


def same_origin(first: str, second: str) -> bool:
    """Whether two URLs have the scheme, host and port in common, however they are spelled; False for what is no URL."""
    try:
        return _origin(httpx.URL(first)) == _origin(httpx.URL(second))
    except (httpx.InvalidURL, ValueError):
        return False


class Answer(Struct, frozen=True, kw_only=True):
    """A whole answer; header names are lower case, `url` is where it came from after redirects."""

    status: int
    url: str
    headers: dict[str, str]
    body: bytes


class Reply:
    """An answer whose body is still to be read. Whoever has it closes it."""

    def __init__(self, response: httpx.Response, error: type[OpenInspectorError]) -> None:
        self.status = response.status_code
        self.url = str(response.url)
        self.headers = {name.lower(): value for name, value in response.headers.items()}
        self._response, self._error = response, error
        self.pieces = response.iter_raw()  # what is left, as it comes; raises httpx's own errors
        self._rest = b""

    def read(self, size: int = -1) -> bytes:
        """The next bytes, at most `size` of them if that isn't negative; b"" at the end.

        Raises:
            OpenInspectorError: The client's own; the body breaks off or stalls.
        """
        try:
            data = self._rest or next(self.pieces, b"")
        except httpx.HTTPError as error:
            raise self._error(f"{_shown(self._response.url)}: the transfer broke off: {_said(error)}") from error
        if 0 <= size < len(data):
            data, self._rest = data[:size], data[size:]
        else:
            self._rest = b""
        return data

    def close(self) -> None:
        """Lets go of the connection."""
        self._response.close()


class Client:
    """Makes requests; use as a context manager. Can be shared by threads.

    Every error it raises is of the class `error`: `FeedError` where a feed is fetched, `AcquireError` for an image.
    `plain_http` says whether a `host` or `host:port` may be spoken to without TLS. A host that gave no answer at all
    to `patience` requests (0: any number) isn't asked again: where many documents lie on one that is down, waiting
    for each would take hours.
    """

    def __init__(
        self,
        error: type[OpenInspectorError],
        plain_http: Callable[[str], bool] = is_loopback,
        pause: Callable[[float], None] = sleep,
        patience: int = 0,
    ) -> None:
        self._error, self._plain_http, self._pause = error, plain_http, pause
        self._patience = patience
        self._silent: Counter[tuple[str, str, int | None]] = Counter()
        headers = {"User-Agent": f"openinspector/{__version__}", "Accept-Encoding": "identity"}
        self._client = httpx.Client(follow_redirects=False, timeout=_TIMEOUT, headers=headers)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def open(self, url: str, headers: Mapping[str, str] | None = None, form: Mapping[str, str] | None = None) -> Reply:
        """GET a URL, or POST a form to it, and follow its redirects.

        Any status but those of redirects and passing troubles is an answer, which the caller judges. Credentials in
        `headers` are dropped at the first redirect to another host; a form, which may hold some, is never redirected.

        Raises:
            OpenInspectorError: The client's own; no answer after several tries, or an address that isn't allowed.
        """
        here = self._url(url)
        sent = dict(headers or {})
        for _ in range(_REDIRECTS_AT_MOST + 1):
            self._refuse_forbidden(here)
            response = self._send(here, sent, form)
            if response.status_code not in _REDIRECT:
                return Reply(response, self._error)
            response.close()
            there = self._redirected(here, response.headers.get("location", ""))
            if form is not None:
                raise self._error(f"{_shown(here)} redirects a form to {_shown(there)}: not followed")
            if _origin(there) != _origin(here):
                sent = {name: value for name, value in sent.items() if name.lower() not in _SECRET_HEADERS}
            here = there
        raise self._error(f"{_shown(self._url(url))}: more than {_REDIRECTS_AT_MOST} redirects")

    def get(
        self,
        url: str,
        largest: int,
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
    ) -> Answer:
        """A whole document of at most `largest` bytes; as `open`, but a transfer that breaks off is tried again.

        Raises:
            OpenInspectorError: As for `open`, and for a document that is too large, too slow, or breaks off each time.
        """
        ends = monotonic() + _DOCUMENT_SECONDS
        attempt = 1
        while True:
            reply = self.open(url, headers, form)
            try:
                body = self._whole(reply, largest, ends)
            except httpx.HTTPError as error:
                if attempt == _ATTEMPTS or monotonic() > ends:
                    raise self._error(f"{_shown(reply.url)}: the transfer broke off: {_said(error)}") from error
                self._pause(_FIRST_PAUSE * 2 ** (attempt - 1))
                attempt += 1
            else:
                return Answer(status=reply.status, url=reply.url, headers=reply.headers, body=body)
            finally:
                reply.close()

    def _whole(self, reply: Reply, largest: int, ends: float) -> bytes:
        body = bytearray()
        for piece in reply.pieces:
            body += piece
            if len(body) > largest:
                raise self._error(f"{_shown(reply.url)} is larger than {largest:,} bytes")
            if monotonic() > ends:
                raise self._error(f"{_shown(reply.url)} took longer than {_DOCUMENT_SECONDS} seconds")
        return bytes(body)

    def _send(self, url: httpx.URL, headers: Mapping[str, str], form: Mapping[str, str] | None) -> httpx.Response:
        failure = ""
        silent = False
        tried = 0
        pause = 0.0
        if self._patience and self._silent[_origin(url)] >= self._patience:
            raise self._error(f"{_shown(url)}: the host has not answered before and is not asked again")
        while tried < _ATTEMPTS and pause <= _LONGEST_PAUSE:
            if tried:
                self._pause(pause)
            pause = _FIRST_PAUSE * 2**tried
            tried += 1
            request = self._client.build_request("GET" if form is None else "POST", url, headers=headers, data=form)
            try:
                response = self._client.send(request, stream=True)
            except httpx.TransportError as error:
                failure = _said(error)
                silent = True
                continue
            except (httpx.InvalidURL, ValueError) as error:  # httpx looks at where a redirect leads, unasked
                raise self._error(f"{_shown(url)} redirects to what is not a URL: {error}") from error
            if response.status_code not in _PASSING:
                self._silent.pop(_origin(url), None)
                return response
            response.close()
            silent = False
            failure = f"the server answers {response.status_code} {response.reason_phrase}".rstrip()
            asked = retry_after(response.headers.get("retry-after", ""))
            if asked is not None:
                pause = asked
        self._silent[_origin(url)] += silent
        wish = f", which asks to wait {pause:.0f} seconds" if pause > _LONGEST_PAUSE else ""
        raise self._error(f"{_shown(url)}: {failure}{wish} (tried {tried} times)")

    def _url(self, text: str) -> httpx.URL:
        try:
            return httpx.URL(text)
        except (httpx.InvalidURL, ValueError) as error:
            raise self._error(f"{text[:200]!r} is not a URL: {error}") from error

    def _redirected(self, here: httpx.URL, location: str) -> httpx.URL:
        if not location:
            raise self._error(f"{_shown(here)} redirects to nowhere")
        try:
            there = here.join(location)
        except (httpx.InvalidURL, ValueError) as error:
            raise self._error(f"{_shown(here)} redirects to {location[:200]!r}, which is not a URL") from error
        if here.scheme == "https" and there.scheme != "https":
            raise self._error(f"{_shown(here)} redirects to {_shown(there)}, which isn't encrypted: not followed")
        return there

    def _refuse_forbidden(self, url: httpx.URL) -> None:
        if url.scheme not in ("http", "https") or not url.host or not 0 < (url.port or 443) < 65536:
            raise self._error(f"{_shown(url)} is not an address of the web")
        if url.scheme == "http" and not (self._plain_http(url.host) or self._plain_http(url.netloc.decode())):
            raise self._error(
                f"{_shown(url)} isn't encrypted, and plain HTTP is not allowed for this host: write https://"
            )
        try:
            # Names and odd spellings (0xa9fea9fe) too: what counts is where the connection would go.
            found = socket.getaddrinfo(url.host, None, type=socket.SOCK_STREAM)
        except ValueError as error:  # a label too long for the encoding of names, say
            raise self._error(f"{_shown(url)} is not an address of the web: {error}") from error
        except OSError:
            return  # the connection says it better, or a proxy knows the name
        if any(_is_forbidden(str(address[0])) for *_, address in found):
            raise self._error(f"{_shown(url)} is a link-local or metadata address: refused")


def _is_forbidden(text: str) -> bool:
    address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in network for network in _FORBIDDEN)


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def retry_after(text: str) -> float | None:
    """Seconds to wait, from a Retry-After header in either form; None where it says nothing."""
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        when = parsedate_to_datetime(text)
    except ValueError:
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return max(0.0, (when - datetime.now(UTC)).total_seconds())


def _shown(url: httpx.URL | str) -> str:
    """A URL for people: without its query and user, where signatures and secrets are."""
    url = httpx.URL(url)
    return f"{url.scheme}://{url.netloc.decode()}{url.path}"


def _said(error: httpx.HTTPError) -> str:
    return str(error) or type(error).__name__
