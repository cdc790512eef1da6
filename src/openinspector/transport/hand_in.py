"""A request to a service of our own, signed as AWS's clients do it, with the credentials that boto3 would find.

Importing this module imports botocore: import it where a request is about to be made.

Source: RFC 9110 (Retry-After); botocore's credential chain (environment, profiles, SSO, container, instance).
"""

import gzip
import hashlib
from collections.abc import Callable
from pathlib import Path
from time import sleep
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError, SSLError
from botocore.httpsession import URLLib3Session
from botocore.session import Session
from botocore.utils import get_environ_proxies

from openinspector import __version__
from openinspector.errors import RefusedError, UsageError
from openinspector.transport.http import is_loopback

_SERVICE: Final = "inspector2"
_ATTEMPTS: Final = 5
_FIRST_PAUSE: Final = 1.0  # seconds; doubles
_LONGEST_PAUSE: Final = 60.0
_TIMEOUTS: Final = (10, 300)  # seconds to connect, and for an answer: findings are written before it comes
_PASSING: Final = frozenset({429, 500, 502, 503, 504})


def check_endpoint(endpoint: str, *, plain_http: bool) -> str:
    """An address of a service, without a slash at its end.

    Raises:
        UsageError: It is none, or isn't encrypted though it is another machine's.
    """
    try:
        parts = urlsplit(endpoint)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise UsageError(f"{endpoint!r} is no address: {error}") from error
    if (
        parts.scheme not in ("http", "https")
        or not host
        or parts.query
        or parts.fragment
        or parts.username
        or port == 0
    ):
        raise UsageError(f"{endpoint!r} is no address of a service: write https://HOST[:PORT]")
    if parts.scheme == "http" and not (plain_http or is_loopback(host)):
        raise UsageError(
            f"{endpoint} isn't encrypted, and what is handed in would be read on the way:"
            " write https://, or --plain-http where something else protects it"
        )
    return endpoint.rstrip("/")


def hand_in(
    endpoint: str,
    region: str,
    body: bytes,
    *,
    ca_bundle: str | None = None,
    profile: str | None = None,
    pause: Callable[[float], None] = sleep,
) -> dict[str, Any]:
    """Post a body to `/ingest`, compressed; the answer as it came.

    What is busy or broken for the moment is asked again, each time with a new signature; handing in the same twice
    changes nothing.

    Raises:
        UsageError: There are no credentials, or the certificates can't be read.
        RefusedError: The service refuses, or doesn't answer.
    """
    session = Session(profile=profile)
    try:
        credentials = session.get_credentials()
    except BotoCoreError as error:
        raise UsageError(f"the credentials can't be read: {error}") from error
    if credentials is None:
        raise UsageError(
            "there are no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to those of a key that"
            " `openinspector keys create --role ingest` has made, or name a profile with --profile"
        )
    url = f"{endpoint}/ingest"
    verify = ca_bundle or session.get_config_variable("ca_bundle") or True
    if isinstance(verify, str) and not Path(verify).is_file():
        raise UsageError(f"there are no certificates at {verify}")
    try:
        http = URLLib3Session(verify=verify, proxies=get_environ_proxies(url), timeout=_TIMEOUTS)
    except (BotoCoreError, OSError) as error:
        raise UsageError(f"the certificates can't be used: {error}") from error
    headers = {
        "Content-Type": "application/json",
        "Content-Encoding": "gzip",
        "User-Agent": f"openinspector/{__version__}",
    }
    packed = gzip.compress(body, 6, mtime=0)
    # With it the service can check the signature before it takes the body.
    headers["X-Amz-Content-SHA256"] = hashlib.sha256(packed).hexdigest()
    try:
        for attempt in range(1, _ATTEMPTS + 1):
            request = AWSRequest("POST", url, headers=dict(headers), data=packed)
            SigV4Auth(credentials.get_frozen_credentials(), _SERVICE, region).add_auth(request)
            wait = _FIRST_PAUSE * 2 ** (attempt - 1)
            try:
                response = http.send(request.prepare())
            except SSLError as error:
                raise RefusedError("", f"{endpoint} is not who it should be: {error} (--ca-bundle)") from error
            except (BotoCoreError, OSError) as error:
                if attempt == _ATTEMPTS:
                    raise RefusedError("", f"{endpoint} does not answer: {error} (tried {attempt} times)") from error
            else:
                if response.status_code not in _PASSING or attempt == _ATTEMPTS:
                    return _answer(endpoint, response.status_code, response.headers, response.content)
                wait = max(wait, _retry_after(response.headers))
            pause(min(wait, _LONGEST_PAUSE))
    except BotoCoreError as error:
        raise RefusedError("", f"the request could not be signed or sent: {error}") from error
    finally:
        http.close()
    raise AssertionError("unreachable")


def _answer(endpoint: str, status: int, headers: Any, content: bytes) -> dict[str, Any]:
    try:
        said = msgspec.json.decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise RefusedError("", f"{endpoint} answers {status} with what is no JSON: is it an openinspector service?")
    if status == 200:
        return said
    code = str(headers.get("x-amzn-errortype", "")).partition(":")[0]
    message = str(said.get("message") or said.get("Message") or "without a reason")
    raise RefusedError(code, f"{endpoint} refuses ({status}{' ' + code if code else ''}): {message}{_hint(code)}")


def _hint(code: str) -> str:
    """What to do about it."""
    match code:
        case "AccessDeniedException":
            return " Make a key with the role ingest for this account: `openinspector keys create`."
        case "InvalidSignatureException" | "UnrecognizedClientException" | "SignatureDoesNotMatch":
            return " Look at the key, at --region, and at this machine's clock."
        case "UnknownOperationException":
            return " The service is older than this program."
        case _:
            return ""


def _retry_after(headers: Any) -> float:
    text = str(headers.get("retry-after", ""))
    return float(text[:6]) if text.isascii() and text.isdigit() else 0.0
