"""Images in registries: references, the pull half of the distribution protocol, and signing in.

Source: OCI distribution specification 1.1 ("Pull"); Docker registry token authentication specification and its OAuth2
variant; docker's rules for short references (distribution/reference).
"""

import hashlib
import os
import re
import threading
from collections.abc import Callable, Sequence
from urllib.parse import urlencode

import msgspec

from openinspector.errors import AcquireError, UsageError
from openinspector.transport.credentials import Credentials, find_credentials
from openinspector.transport.http import Answer, Client, Reply, is_loopback, same_origin

_INSECURE = "OPENINSPECTOR_INSECURE_REGISTRIES"
_DOCKER_HUB = "registry-1.docker.io"
_LARGEST_TOKEN = 1 << 20
_LARGEST_ERROR = 4096
_LENGTHS = {"sha256": 64, "sha512": 128}  # hexadecimal digits of a digest
_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}))(?::[0-9]{1,5})?")
_NAME = re.compile(r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_PARAMETER = re.compile(r'([A-Za-z]{1,20})="([^"]{0,2000})"')


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """Where an image is: `host` is that of its API; one of `tag` and `digest` is always there, the digest decides."""

    host: str
    name: str
    tag: str = ""
    digest: str = ""


def parse_reference(text: str) -> Reference:
    """Read `[host[:port]/]name[:tag][@digest]`; without a host it is Docker Hub's, without tag and digest `latest`.

    Raises:
        UsageError: It is no reference.
    """
    if "://" in text:
        raise UsageError(f"{text[:200]!r} is not an image reference: write it without {text[:8].partition(':')[0]}://")
    rest, at, digest = text.partition("@")
    if at and not _is_digest(digest):
        raise UsageError(f"{text[:200]!r} is not an image reference: {digest[:80]!r} is not a digest")
    first, slash, path = rest.partition("/")
    has_host = bool(slash) and (first == "localhost" or first.lower() != first or "." in first or ":" in first)
    host, path = (first, path) if has_host else ("docker.io", rest)
    path, colon, tag = path.partition(":")
    if host in ("docker.io", "index.docker.io"):
        host = _DOCKER_HUB
        path = path if "/" in path else f"library/{path}"
    if not _HOST.fullmatch(host):
        raise UsageError(f"{text[:200]!r} is not an image reference: {host[:80]!r} is not a host")
    if len(path) > 255 or not _NAME.fullmatch(path):
        raise UsageError(f"{text[:200]!r} is not an image reference: {path[:80]!r} is not a repository's name")
    if colon and not _TAG.fullmatch(tag):
        raise UsageError(f"{text[:200]!r} is not an image reference: {tag[:80]!r} is not a tag")
    return Reference(host=host, name=path, tag=tag if colon or digest else "latest", digest=digest)


def allows_plain_http(host: str) -> bool:
    """Whether a registry (`host` or `host:port`) is spoken to without TLS: this machine, or named by the user."""
    bare = host if host.endswith("]") else re.sub(r":[0-9]+$", "", host)
    named = [each.strip() for each in os.environ.get(_INSECURE, "").split(",")]
    return is_loopback(bare) or host in named or bare in named


class Sum:
    """The running sum of content that was asked for by digest."""

    def __init__(self, digest: str, what: str) -> None:
        """Raises `AcquireError` for a digest of an unknown kind."""
        if not _is_digest(digest):
            raise AcquireError(f"{what}: {digest[:100]!r} is not a digest")
        self._digest, self._what = digest, what
        self._hash = hashlib.new(digest.partition(":")[0])

    def update(self, data: bytes | memoryview) -> None:
        """More of the content."""
        self._hash.update(data)

    def check(self) -> None:
        """Raises `AcquireError` if the content is not what was asked for."""
        found = f"{self._hash.name}:{self._hash.hexdigest()}"
        if found != self._digest:
            raise AcquireError(f"{self._what}: its content is {found}, not {self._digest}")


class Registry:
    """One repository of a registry. Can be shared by threads.

    Nothing is sent with credentials until the registry asks for them; they are then looked up by `credentials`.
    """

    def __init__(
        self,
        client: Client,
        reference: Reference,
        credentials: Callable[[str], Credentials | None] = find_credentials,
    ) -> None:
        scheme = "http" if allows_plain_http(reference.host) else "https"
        self._client, self._find = client, credentials
        self._host, self._name = reference.host, reference.name
        self._origin = f"{scheme}://{reference.host}"
        self._authorization = ""
        self._turn = threading.Lock()

    def manifest(self, which: str, accept: Sequence[str], largest: int) -> tuple[bytes, str]:
        """The manifest of a tag or digest, and its digest. Checked against `which`, or what the registry says it is.

        Raises:
            AcquireError: There is none, it can't be had, or it isn't what was asked for.
        """
        what = f"{self._host}/{self._name}: the manifest {which}"
        answer = self._document(f"manifests/{which}", what, largest, {"Accept": ", ".join(accept)})
        said = which if _is_digest(which) else answer.headers.get("docker-content-digest", "")
        if not said:
            return answer.body, f"sha256:{hashlib.sha256(answer.body).hexdigest()}"
        _verify(answer.body, said, what)
        return answer.body, said

    def document(self, digest: str, largest: int) -> bytes:
        """A small blob, whole and verified."""
        what = f"{self._host}/{self._name}: the blob {digest}"
        content = Sum(digest, what)  # first, because the digest becomes a part of the URL
        answer = self._document(f"blobs/{digest}", what, largest, {})
        content.update(answer.body)
        content.check()
        return answer.body

    def blob(self, digest: str) -> Reply:
        """A blob as a stream, which the caller verifies and closes."""
        what = f"{self._host}/{self._name}: the blob {digest}"
        if not _is_digest(digest):
            raise AcquireError(f"{what}: this is not a digest")
        url = f"{self._origin}/v2/{self._name}/blobs/{digest}"
        used = self._authorization
        reply = self._client.open(url, _authorized({}, used))
        if self._is_challenge(reply):
            challenge = reply.headers.get("www-authenticate", "")
            reply.close()
            reply = self._client.open(url, _authorized({}, self._sign_in(challenge, used)))
        if reply.status != 200:
            try:
                body = reply.read(_LARGEST_ERROR)
            finally:
                reply.close()
            raise self._refused(what, reply.status, body)
        return reply

    def _document(self, path: str, what: str, largest: int, headers: dict[str, str]) -> Answer:
        url = f"{self._origin}/v2/{self._name}/{path}"
        used = self._authorization
        answer = self._client.get(url, largest, _authorized(headers, used))
        if self._is_challenge(answer):
            authorization = self._sign_in(answer.headers.get("www-authenticate", ""), used)
            answer = self._client.get(url, largest, _authorized(headers, authorization))
        if answer.status != 200:
            raise self._refused(what, answer.status, answer.body)
        return answer

    def _is_challenge(self, answer: Answer | Reply) -> bool:
        """Whether the registry itself, not a store it redirected to, wants to know who we are."""
        return answer.status == 401 and same_origin(answer.url, self._origin)

    def _sign_in(self, challenge: str, used: str) -> str:
        """The Authorization header that a challenge asks for; `used` is the one that was not good enough."""
        with self._turn:
            if self._authorization == used:  # else another thread has signed in meanwhile
                self._authorization = self._answer(challenge)
            return self._authorization

    def _answer(self, challenge: str) -> str:
        scheme = challenge.split(" ", 1)[0].lower()
        credentials = self._find(self._host)
        if scheme == "basic":
            if credentials is None or not credentials.user:
                raise AcquireError(f"{self._host} asks for a user and password: log in with docker login {self._host}")
            return credentials.basic
        if scheme == "bearer":
            said = {name.lower(): value for name, value in _PARAMETER.findall(challenge)}
            return f"Bearer {self._token(said.get('realm', ''), said.get('service', ''), credentials)}"
        raise AcquireError(f"{self._host} asks for an unknown kind of sign-in: {scheme[:40]!r}")

    def _token(self, realm: str, service: str, credentials: Credentials | None) -> str:
        encrypted = realm.lower().startswith("https://")
        # The protocol has credentials go to whom the registry names (Docker Hub's are on another host), but a name
        # out of the network must not get them in the clear.
        exposed = credentials is not None or self._origin.startswith("https:")
        if exposed and not encrypted and not same_origin(realm, self._origin):
            raise AcquireError(f"{self._host} names {realm[:200]!r} to sign in at, which isn't encrypted: refused")
        asked = {"service": service, "scope": f"repository:{self._name}:pull"}
        if credentials is not None and credentials.identity_token:
            form = asked | {
                "grant_type": "refresh_token",
                "client_id": "openinspector",
                "refresh_token": credentials.identity_token,
            }
            answer = self._client.get(realm, _LARGEST_TOKEN, form=form)
        else:
            headers = {"Authorization": credentials.basic} if credentials is not None else {}
            query = "&" if "?" in realm else "?"
            answer = self._client.get(f"{realm}{query}{urlencode(asked)}", _LARGEST_TOKEN, headers)
        if answer.status != 200:
            raise self._refused(f"{self._host}: signing in", answer.status, answer.body)
        try:
            token = msgspec.json.decode(answer.body, type=_Token)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise AcquireError(f"{self._host}: the answer to signing in can't be read: {error}") from error
        value = token.token or token.access_token
        if not value or not value.isascii() or not value.isprintable():
            raise AcquireError(f"{self._host}: signing in gave no token")
        return value

    def _refused(self, what: str, status: int, body: bytes) -> AcquireError:
        try:
            said = "; ".join(
                each.message or each.code for each in msgspec.json.decode(body, type=_Errors).errors if each.code
            )
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            said = ""
        reason = {401: "access denied", 403: "access denied", 404: "not found"}.get(status, "refused")
        hint = f" (log in with docker login {self._host}?)" if status in (401, 403) else ""
        return AcquireError(f"{what}: {reason}: {status}{' ' + said[:300] if said else ''}{hint}")


class _Token(msgspec.Struct, frozen=True):
    token: str = ""
    access_token: str = ""


class _Error(msgspec.Struct, frozen=True):
    code: str = ""
    message: str = ""


class _Errors(msgspec.Struct, frozen=True):
    errors: tuple[_Error, ...] = ()


def _is_digest(text: str) -> bool:
    algorithm, _, value = text.partition(":")
    return len(value) == _LENGTHS.get(algorithm) and not value.strip("0123456789abcdef")


def _verify(data: bytes, digest: str, what: str) -> None:
    content = Sum(digest, what)
    content.update(data)
    content.check()


def _authorized(headers: dict[str, str], authorization: str) -> dict[str, str]:
    return headers | {"Authorization": authorization} if authorization else headers
