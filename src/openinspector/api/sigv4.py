"""Who signed a request: AWS Signature Version 4, in a header or in the query of a presigned URL.

Pure: the request, the secret and the time are arguments. A key that nobody has and a signature that is wrong take the
same steps and end in the same words, so an answer tells nobody which access keys exist.

What AWS leaves open is decided so:

- The body is always signed: `UNSIGNED-PAYLOAD` and the streaming forms are refused, over TLS too. No client of these
  services sends them, and a proxy that ends TLS could change such a body.
- The query is taken as it stands (botocore signs it so) or encoded anew (others sign it so, and send `+` for a space).
  Whoever reads its parameters has to read `+` as a space.
- `content-type` may stay unsigned, as with AWS: bodies are JSON whatever it says.
- A path is signed without its dot segments and empty segments, so a router has to match what was sent, not rewrite it.
- Signing keys are not cached: four HMACs cost microseconds, and a cache would answer faster for keys that exist.

Source: AWS IAM User Guide, "Create a signed AWS API request" and "Troubleshoot Signature Version 4 signing"; the common
errors of the API references; RFC 3986 §5.2.4.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import quote_from_bytes, unquote_to_bytes

from msgspec import Struct

from openinspector.errors import OpenInspectorError

SERVICES: Final = ("inspector2", "inspector-scan")
WINDOW: Final = timedelta(minutes=5)  # how far the clocks of client and server may be apart
LONGEST_PRESIGNED: Final = 7 * 24 * 3600  # seconds
LARGEST_TOKEN: Final = 4096  # bytes of a session token

_ALGORITHM: Final = b"AWS4-HMAC-SHA256"
_TERMINATOR: Final = "aws4_request"
_KEY_ID: Final = re.compile(r"[A-Za-z0-9_]{16,128}")
_MOMENT: Final = re.compile(rb"[0-9]{8}T[0-9]{6}Z")
_HEADER_NAME: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9a-z-]{1,256}")
_LARGEST_TARGET: Final = 64 << 10  # bytes of a path or query
_LARGEST_AUTHORIZATION: Final = 16 << 10
_MOST_HEADERS: Final = 256
# Two values of one of these would leave open which one the rest of the service goes by.
_SINGLE: Final = (
    b"authorization",
    b"date",
    b"host",
    b"x-amz-content-sha256",
    b"x-amz-date",
    b"x-amz-security-token",
)
_NOBODY: Final = secrets.token_bytes(40)  # what a key that does not exist is checked against; as long as a real secret

_MISMATCH: Final = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key"
    " and signing method. Consult the service documentation for details."
)

_Pairs = list[tuple[bytes, bytes]]


class SignatureRefused(OpenInspectorError):
    """A request that is not, or not validly, signed. `code` is AWS's name of the error, `status` the answer's."""

    status: Final = 403

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class SignedRequest(Struct, frozen=True, kw_only=True):
    """A request as it came over the wire, before anything was decoded: what ASGI calls `raw_path`, `query_string`.

    `headers` are in the order they came in; `body_sha256` is the hex digest of the body that really arrived.
    """

    method: str
    path: bytes
    query: bytes
    headers: Sequence[tuple[bytes, bytes]]
    body_sha256: str


class Verified(Struct, frozen=True, kw_only=True):
    """Who signed, and for what. `session_token` is "" where the key is a lasting one."""

    key_id: str
    region: str
    service: str
    signed_at: datetime
    is_presigned: bool
    session_token: str = ""


class _Claim(Struct, frozen=True, kw_only=True):
    """What a request says of its own signature. `expires` is in seconds, and only of presigned URLs."""

    credential: tuple[str, str, str, str, str]  # key id, date, region, service, terminator
    signed_headers: tuple[bytes, ...]
    signature: bytes
    moment: bytes  # `20260131T040000Z`
    token: str
    expires: int | None = None


def no_sessions(_key_id: str, _token: str) -> bytes | None:
    """The secret of a session where there are none."""
    return None


def verify(
    request: SignedRequest,
    secret_of: Callable[[str], bytes | None],
    now: datetime,
    *,
    regions: Collection[str],
    services: Collection[str] = SERVICES,
    session_secret_of: Callable[[str, str], bytes | None] = no_sessions,
) -> Verified:
    """Who signed a request.

    `secret_of` gives the secret of an access key id, `session_secret_of` that of an access key id and session token;
    both are asked once at most, and answer None for what they do not know. `now` has a time zone.

    Raises:
        SignatureRefused: It is not signed, or not for here and now, or not by that key.
    """
    fields, pairs, claim, signed_at = _checked(request, now, regions, services)
    _check_payload(fields, request.body_sha256)

    key_id, date, region, service, _ = claim.credential
    secret = None
    if _KEY_ID.fullmatch(key_id):
        secret = session_secret_of(key_id, claim.token) if claim.token else secret_of(key_id)
    key = _signing_key(_NOBODY if secret is None else secret, date, region, service)
    scope = "/".join(claim.credential[1:]).encode()
    matches = False
    for canonical in _canonical_requests(request, fields, pairs, claim.signed_headers):
        digest = hashlib.sha256(canonical).hexdigest().encode()
        text = b"\n".join((_ALGORITHM, claim.moment, scope, digest))
        expected = hmac.digest(key, text, "sha256").hex().encode()
        matches |= hmac.compare_digest(expected, claim.signature)
    if secret is None or not matches:
        raise _invalid(_MISMATCH)
    return Verified(
        key_id=key_id,
        region=region,
        service=service,
        signed_at=signed_at,
        is_presigned=claim.expires is not None,
        session_token=claim.token,
    )


def claimed(
    request: SignedRequest, now: datetime, *, regions: Collection[str], services: Collection[str] = SERVICES
) -> tuple[str, str]:
    """The access key id and the session token ("" for none) that a request says it is signed with.

    Nothing is checked for which its body is needed; that is not read.

    Raises:
        SignatureRefused: It is not signed, or not for here and now.
    """
    _, _, claim, _ = _checked(request, now, regions, services)
    return claim.credential[0], claim.token


def _checked(
    request: SignedRequest, now: datetime, regions: Collection[str], services: Collection[str]
) -> "tuple[dict[bytes, list[bytes]], _Pairs, _Claim, datetime]":
    """Headers, query, what the request says of its signature and when it was made: for here and now."""
    fields = _fields(request.headers)
    pairs = _pairs(request.query)
    claim = _claim(fields, pairs)
    signed_at = _moment(claim.moment)
    _check_scope(claim, regions, services)
    _check_clock(claim, signed_at, now)
    _check_signed_headers(claim, fields)
    return fields, pairs, claim, signed_at


def canonical_path(path: bytes) -> bytes:
    """A path as it is signed: without dot and empty segments, and encoded once more than it was sent.

    `/tags/arn%3Aaws` is signed as `/tags/arn%253Aaws`, `/a//./b/../c/` as `/a/c/`.
    """
    kept: list[bytes] = []
    for segment in path.split(b"/"):
        if segment == b"..":
            del kept[-1:]
        elif segment not in (b"", b"."):
            kept.append(segment)
    # A path may lack its first slash; it keeps the last one, unless nothing else is left.
    joined = (
        (b"/" if path[:1] in (b"/", b"") else b"") + b"/".join(kept) + (b"/" if kept and path[-1:] == b"/" else b"")
    )
    return quote_from_bytes(joined, safe="/~").encode()


def _canonical_requests(
    request: SignedRequest, fields: dict[bytes, list[bytes]], pairs: _Pairs, signed_headers: tuple[bytes, ...]
) -> Iterator[bytes]:
    """What the client may have signed, by how it read its own query."""
    method = request.method.upper().encode("ascii", "backslashreplace")
    path = canonical_path(request.path)
    headers = b"".join(
        name + b":" + b",".join(b" ".join(value.split()) for value in fields[name]) + b"\n" for name in signed_headers
    )
    tail = (headers, b";".join(signed_headers), request.body_sha256.encode("ascii", "backslashreplace"))
    pairs = [pair for pair in pairs if pair[0] != b"X-Amz-Signature"]
    as_sent = _joined(pairs)
    yield b"\n".join((method, path, as_sent, *tail))
    encoded_anew = _joined([(_encoded_anew(name), _encoded_anew(value)) for name, value in pairs])
    if encoded_anew != as_sent:
        yield b"\n".join((method, path, encoded_anew, *tail))


def _joined(pairs: _Pairs) -> bytes:
    return b"&".join(name + b"=" + value for name, value in sorted(pairs))


def _encoded_anew(text: bytes) -> bytes:
    return quote_from_bytes(unquote_to_bytes(text.replace(b"+", b" ")), safe="~").encode()


def _signing_key(secret: bytes, date: str, region: str, service: str) -> bytes:
    key = b"AWS4" + secret
    for part in (date, region, service, _TERMINATOR):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def _fields(headers: Sequence[tuple[bytes, bytes]]) -> dict[bytes, list[bytes]]:
    """The values of each header, by its name in lower case."""
    if len(headers) > _MOST_HEADERS:
        raise _incomplete(f"A request may have {_MOST_HEADERS} headers at most.")
    fields: dict[bytes, list[bytes]] = {}
    for name, value in headers:
        fields.setdefault(name.strip().lower(), []).append(value)
    for name in _SINGLE:
        if len(fields.get(name, ())) > 1:
            raise _incomplete(f"'{name.decode()}' must appear only once.")
    return fields


def _pairs(query: bytes) -> _Pairs:
    """Names and values of a query, still encoded, in their order."""
    if len(query) > _LARGEST_TARGET:
        raise _incomplete(f"A query may have {_LARGEST_TARGET} bytes at most.")
    if not query:
        return []
    return [(name, value) for name, _, value in (pair.partition(b"=") for pair in query.split(b"&"))]


def _claim(fields: dict[bytes, list[bytes]], pairs: _Pairs) -> _Claim:
    is_presigned = any(name in (b"X-Amz-Algorithm", b"X-Amz-Signature") for name, _ in pairs)
    authorization = fields.get(b"authorization")
    if authorization and is_presigned:
        raise _incomplete("Only one auth mechanism allowed; only the query or the Authorization header may be signed.")
    if authorization:
        return _claim_of_header(authorization[0], fields)
    if is_presigned:
        return _claim_of_query(pairs, fields)
    raise SignatureRefused("MissingAuthenticationTokenException", "Missing Authentication Token")


def _claim_of_header(authorization: bytes, fields: dict[bytes, list[bytes]]) -> _Claim:
    if len(authorization) > _LARGEST_AUTHORIZATION:
        raise _incomplete(f"Authorization header may have {_LARGEST_AUTHORIZATION} bytes at most.")
    algorithm, _, rest = authorization.strip().partition(b" ")
    if algorithm != _ALGORITHM:
        raise _incomplete("Unsupported AWS 'algorithm': Authorization header requires 'AWS4-HMAC-SHA256'.")
    parameters: dict[bytes, bytes] = {}
    for part in rest.split(b","):
        name, _, value = part.strip().partition(b"=")
        if name in parameters:
            raise _incomplete("Authorization header has a parameter twice.")
        parameters[name] = value
    missing = [name for name in ("Credential", "Signature", "SignedHeaders") if not parameters.get(name.encode())]
    if missing:
        raise _incomplete(" ".join(f"Authorization header requires '{name}' parameter." for name in missing))
    if len(parameters) > 3:
        raise _incomplete("Authorization header has more parameters than 'Credential', 'Signature', 'SignedHeaders'.")
    return _Claim(
        credential=_credential(parameters[b"Credential"]),
        signed_headers=_signed_headers(parameters[b"SignedHeaders"]),
        signature=parameters[b"Signature"],
        moment=_moment_of_headers(fields),
        token=_token(fields.get(b"x-amz-security-token", [b""])[0]),
    )


def _claim_of_query(pairs: _Pairs, fields: dict[bytes, list[bytes]]) -> _Claim:
    parameters: dict[bytes, bytes] = {}
    for name, value in pairs:
        if name.startswith(b"X-Amz-"):
            if name in parameters:
                raise _incomplete("A parameter of the signature appears twice in the query.")
            parameters[name] = unquote_to_bytes(value)
    missing = [
        name
        for name in ("Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature")
        if not parameters.get(b"X-Amz-" + name.encode())
    ]
    if missing:
        raise _incomplete(" ".join(f"AWS query-string parameters must include 'X-Amz-{name}'." for name in missing))
    if parameters[b"X-Amz-Algorithm"] != _ALGORITHM:
        raise _incomplete("Unsupported AWS 'algorithm': X-Amz-Algorithm only supports 'AWS4-HMAC-SHA256'.")
    lifetime = parameters[b"X-Amz-Expires"]
    expires = int(lifetime) if re.fullmatch(rb"[0-9]{1,6}", lifetime) else 0
    if not 1 <= expires <= LONGEST_PRESIGNED:
        raise _incomplete(f"X-Amz-Expires must be a number of seconds between 1 and {LONGEST_PRESIGNED}.")
    token = parameters.get(b"X-Amz-Security-Token") or fields.get(b"x-amz-security-token", [b""])[0]
    return _Claim(
        credential=_credential(parameters[b"X-Amz-Credential"]),
        signed_headers=_signed_headers(parameters[b"X-Amz-SignedHeaders"]),
        signature=parameters[b"X-Amz-Signature"],
        moment=parameters[b"X-Amz-Date"],
        token=_token(token),
        expires=expires,
    )


def _credential(text: bytes) -> tuple[str, str, str, str, str]:
    parts = text.decode("ascii", "replace").split("/")
    if len(parts) != 5:
        raise _incomplete(
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term."
        )
    return (parts[0], parts[1], parts[2], parts[3], parts[4])


def _signed_headers(text: bytes) -> tuple[bytes, ...]:
    names = tuple(text.split(b";"))
    if list(names) != sorted(set(names)) or not all(_HEADER_NAME.fullmatch(name) for name in names):
        raise _incomplete("SignedHeaders must be names in lower case, each once, in alphabetical order.")
    return names


def _token(text: bytes) -> str:
    if len(text) > LARGEST_TOKEN:
        raise SignatureRefused("UnrecognizedClientException", "The security token included in the request is invalid.")
    return text.strip().decode("ascii", "replace")


def _moment_of_headers(fields: dict[bytes, list[bytes]]) -> bytes:
    """X-Amz-Date, or Date in its place, as the string to sign has it."""
    if b"x-amz-date" in fields:
        return fields[b"x-amz-date"][0].strip()
    if b"date" not in fields:
        raise _incomplete("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
    from email.utils import parsedate_to_datetime  # few clients send it: not worth its time at every start

    date = fields[b"date"][0]
    try:
        read = parsedate_to_datetime(date[:64].decode("ascii", "replace"))
        read = read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)  # `-0000` has none
    except (ValueError, TypeError, IndexError, OverflowError) as error:
        raise _incomplete("Date must be as in 'Sat, 31 Jan 2026 04:00:00 GMT'.") from error
    return read.strftime("%Y%m%dT%H%M%SZ").encode()


def _moment(text: bytes) -> datetime:
    """`20260131T040000Z`, read."""
    try:
        if _MOMENT.fullmatch(text):
            return datetime(
                int(text[:4]), int(text[4:6]), int(text[6:8]), int(text[9:11]), int(text[11:13]), int(text[13:15]),
                tzinfo=UTC,
            )  # fmt: skip
    except ValueError:
        pass  # a 13th month is no date either
    raise _incomplete("Date must be in ISO-8601 'basic format', as in '20260131T040000Z'.")


def _check_scope(claim: _Claim, regions: Collection[str], services: Collection[str]) -> None:
    _, date, region, service, terminator = claim.credential
    if terminator != _TERMINATOR:
        raise _invalid(f"Credential should be scoped with a valid terminator: '{_TERMINATOR}'.")
    if service not in services:
        correct = " or ".join(f"'{name}'" for name in sorted(services))
        raise _invalid(f"Credential should be scoped to correct service: {correct}.")
    if region not in regions:
        raise _invalid(f"Credential should be scoped to a valid region, not '{region[:64]}'.")
    if date.encode() != claim.moment[:8]:
        raise _invalid("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP.")


def _check_clock(claim: _Claim, signed_at: datetime, now: datetime) -> None:
    moment = claim.moment.decode()
    if signed_at > now + WINDOW:
        raise _invalid(f"Signature not yet current: {moment} is still later than {_basic(now + WINDOW)}.")
    if claim.expires is None:
        if signed_at < now - WINDOW:
            raise _invalid(f"Signature expired: {moment} is now earlier than {_basic(now - WINDOW)}.")
    elif now - signed_at > timedelta(seconds=claim.expires):
        raise SignatureRefused("RequestExpired", f"Request has expired: {moment} and {claim.expires} seconds are over.")


def _check_signed_headers(claim: _Claim, fields: dict[bytes, list[bytes]]) -> None:
    """What decides what a request means is signed: the host, the time, and all that AWS's own headers say."""
    signed = set(claim.signed_headers)
    if b"host" not in signed:
        raise _invalid("'Host' must be a 'SignedHeader' in the AWS Authorization.")
    if claim.expires is None and not signed & {b"x-amz-date", b"date"}:
        raise _invalid("'X-Amz-Date' must be a 'SignedHeader' in the AWS Authorization.")
    unsigned = sorted(name for name in fields.keys() - signed if name.startswith(b"x-amz-"))
    if unsigned:
        names = ", ".join(f"'{name[:64].decode('ascii', 'replace')}'" for name in unsigned[:8])
        raise _invalid(f"There were headers present in the request which were not signed: {names}.")
    if signed - fields.keys():
        raise _invalid("A header of SignedHeaders is not in the request.")


def _check_payload(fields: dict[bytes, list[bytes]], body_sha256: str) -> None:
    declared = fields.get(b"x-amz-content-sha256")
    if declared and declared[0].strip() != body_sha256.encode("ascii", "backslashreplace"):
        raise _invalid(
            "The provided 'x-amz-content-sha256' header does not match what was computed: the payload must be signed."
        )


def _basic(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _incomplete(message: str) -> SignatureRefused:
    return SignatureRefused("IncompleteSignatureException", message)


def _invalid(message: str) -> SignatureRefused:
    return SignatureRefused("InvalidSignatureException", message)
