"""Events POSTed to an address of the web, one a request, signed.

    [[sinks]]
    kind = "webhook"
    name = "chat"
    url = "https://hooks.example/inspector"
    secret_file = "/etc/openinspector/hook.key"    # or secret_env = "HOOK_KEY"
    authorization_env = "HOOK_AUTHORIZATION"       # or authorization_file: the value of that header, `Bearer …`
    ca_file = "/etc/openinspector/ca.pem"          # of a server that the system's authorities don't vouch for
    connections = 4                                # requests at once
    timeout = 10                                   # seconds for each step of a request

Signatures are those of Standard Webhooks: `webhook-id` is the event's id, `webhook-timestamp` the time in seconds, and
`webhook-signature` `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`. A secret that begins with `whsec_` is
base64 behind that, any other is its own bytes.

Any answer of 2xx means that the event was taken. 5xx, 408, 425 and a body that doesn't come mean that this one wasn't
for now; 400, 409, 413, 415, 422 and what is left of 4xx that it never will be; 401, 403, 404, 405, 407, 410, 429 and
redirects, which aren't followed, that none is.

Of `url` no more than the host is told to a log or kept with an event: what comes after it is often a secret.

Source: Standard Webhooks specification; RFC 9110 (Retry-After).
"""

import base64
import binascii
import hashlib
import hmac
import ssl
from collections.abc import Iterator, Sequence
from time import monotonic, time
from typing import TYPE_CHECKING, Final

from openinspector.errors import PublishError, UsageError
from openinspector.publish.contract import Later, Message, Outcome, Refused, Sent, Sink, SinkKind, SinkSettings
from openinspector.publish.secrets import check_secret, secret
from openinspector.render.text import json_line
from openinspector.transport.aws import Endpoint

if TYPE_CHECKING:
    import httpx

_MOST: Final = 50
_MOST_CONNECTIONS: Final = 8
_LONGEST_TIMEOUT: Final = 30.0  # seconds; a lane's lease outlasts a request
_LARGEST_ANSWER: Final = 1 << 16  # bytes that are read so that the connection can be used again
_TROUBLES: Final = {
    401: "it wants other credentials",
    403: "it does not let us in",
    404: "there is nothing at this address",
    405: "it takes no POST",
    407: "the proxy wants credentials",
    410: "it is gone for good: take the sink out of the settings, or correct its url",
    429: "it is sent too much",
}
_PASSING: Final = (408, 425)
_GONE_SECONDS: Final = 3600.0


class WebhookSettings(SinkSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An address, and what it is to know us by."""

    url: str
    secret_file: str = ""
    secret_env: str = ""
    authorization_file: str = ""
    authorization_env: str = ""
    ca_file: str = ""
    connections: int = 4
    timeout: float = 10


class WebhookKind:
    """POSTs of JSON."""

    name = "webhook"
    source = "aws.inspector2"
    settings = WebhookSettings

    def check(self, settings: WebhookSettings) -> None:
        """Looks whether something could be sent there."""
        import httpx

        from openinspector.transport.http import is_loopback

        try:
            url = httpx.URL(settings.url)
        except (httpx.InvalidURL, ValueError) as error:
            raise UsageError(f"url is no address: {error}") from error
        shown = _shown(settings.url)
        if url.scheme not in ("http", "https") or not url.host:
            raise UsageError(f"url = {shown!r} should begin with https://")
        if url.scheme == "http" and not is_loopback(url.host):
            raise UsageError(f"url = {shown!r} isn't encrypted: only this machine may be spoken to without https")
        if url.userinfo:
            raise UsageError(f"url = {shown!r} holds a password: put it into authorization_file or authorization_env")
        check_secret("secret", settings.secret_file, settings.secret_env)
        check_secret("authorization", settings.authorization_file, settings.authorization_env)
        if not 1 <= settings.connections <= _MOST_CONNECTIONS:
            raise UsageError(f"connections is a number from 1 to {_MOST_CONNECTIONS}")
        if not 0 < settings.timeout <= _LONGEST_TIMEOUT:
            raise UsageError(f"timeout is a number of seconds up to {_LONGEST_TIMEOUT:.0f}")

    def open(self, settings: WebhookSettings, aws: Endpoint) -> Sink:
        """A sink with connections of its own."""
        return _Webhook(settings)


class _Webhook:
    most = _MOST

    def __init__(self, settings: WebhookSettings) -> None:
        import httpx

        from openinspector import __version__

        self.at_once, self._timeout = settings.connections, settings.timeout
        self._url, self._shown = settings.url, _shown(settings.url)
        self._key = _key(secret("secret", settings.secret_file, settings.secret_env))
        headers = {"User-Agent": f"openinspector/{__version__}", "Content-Type": "application/json"}
        authorization = secret("authorization", settings.authorization_file, settings.authorization_env)
        if authorization:
            headers["Authorization"] = _header("authorization", authorization)
        self._client = httpx.Client(
            follow_redirects=False,
            headers=headers,
            timeout=httpx.Timeout(settings.timeout),
            limits=httpx.Limits(max_connections=settings.connections),
            verify=_authorities(settings.ca_file),
        )

    def send(self, messages: Sequence[Message]) -> Iterator[Outcome]:
        for each in messages:
            yield self._post(each)

    def close(self) -> None:
        self._client.close()

    def _post(self, message: Message) -> Outcome:
        import httpx

        body = json_line(message.event).encode()
        try:
            with self._client.stream("POST", self._url, content=body, headers=self._headers(message.id, body)) as got:
                outcome = self._outcome(got)
                _read_a_little(got, self._timeout)
                return outcome
        except httpx.ReadTimeout:
            return Later(f"{self._shown}: no answer in time")
        except httpx.TransportError as error:
            raise PublishError(f"{self._shown}: {str(error) or type(error).__name__}") from error

    def _headers(self, name: str, body: bytes) -> dict[str, str]:
        now = str(int(time()))
        headers = {"webhook-id": name, "webhook-timestamp": now}
        if self._key:
            signed = hmac.digest(self._key, f"{name}.{now}.".encode() + body, hashlib.sha256)
            headers["webhook-signature"] = f"v1,{base64.b64encode(signed).decode()}"
        return headers

    def _outcome(self, response: "httpx.Response") -> Outcome:
        from openinspector.transport.http import retry_after

        status = response.status_code
        said = f"{self._shown}: the server answers {status} {response.reason_phrase}".rstrip()
        if 200 <= status < 300:
            return Sent()
        if status in _PASSING or status >= 500:
            asked = retry_after(response.headers.get("retry-after", ""))
            if asked:
                raise PublishError(said, asked)
            return Later(said)
        if status in _TROUBLES:
            pause = _GONE_SECONDS if status == 410 else retry_after(response.headers.get("retry-after", "")) or 0
            raise PublishError(f"{said}: {_TROUBLES[status]}", pause)
        if status < 400:
            raise PublishError(f"{said}, which isn't followed: correct its url")
        return Refused(said)


def _shown(url: str) -> str:
    """A URL to be told: without what may be a secret in it, which with many receivers its path is."""
    from openinspector.transport.http import without_secrets

    whole = without_secrets(url)
    scheme, slashes, rest = whole.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{slashes}{host}{slash}{'…' if path else ''}"


def _read_a_little(response: "httpx.Response", seconds: float) -> None:
    """Reads a short answer, after which the connection can be used again; a long one, or a slow one, costs it."""
    import httpx

    size, ends = 0, monotonic() + seconds
    try:
        for piece in response.iter_raw():
            size += len(piece)
            if size > _LARGEST_ANSWER or monotonic() > ends:
                return
    except httpx.TransportError:
        return  # the status was said, and that is what counts


def _key(told: str) -> bytes:
    if not told.startswith("whsec_"):
        return told.encode()
    try:
        return base64.b64decode(told.removeprefix("whsec_"), validate=True)
    except binascii.Error as error:
        raise PublishError("the secret begins with whsec_, but what follows is no base64") from error


def _header(what: str, value: str) -> str:
    if not (value.isascii() and value.isprintable()):
        raise PublishError(f"what {what}_file or {what}_env names is no value of a header")
    return value


def _authorities(path: str) -> ssl.SSLContext | bool:
    if not path:
        return True
    try:
        return ssl.create_default_context(cafile=path)
    except OSError as error:
        raise PublishError(f"ca_file = {path!r} holds no certificates that can be read: {error}") from error


PLUGIN: Final[SinkKind] = WebhookKind()
