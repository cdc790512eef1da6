"""Reports of CIS runs, at addresses that GetCisScanReport gives away: `/cis-reports/<token>`.

A token says which run's results whose eyes may see and until when, with a signature of ours over it; who has the
address has the report, as with a presigned address of S3. It is signed, not secret: put nothing in it that the caller
may not see. What the caller may see is looked up again when the report is fetched.
"""

import binascii
import hmac
import logging
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
from anyio import CapacityLimiter, to_thread
from msgspec import Struct
from starlette.requests import Request as HttpRequest
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from openinspector.api.cis_report_files import Reported, csv_pieces, pdf_file, pieces
from openinspector.api.context import Connect
from openinspector.api.service import Circumstances
from openinspector.store.cis_reports import accounts_of_scan
from openinspector.store.organizations import member_ids

LOG: Final = logging.getLogger("openinspector.api")
VALID: Final = timedelta(minutes=15)
PATH: Final = "/cis-reports/"
PDF, CSV = "PDF", "CSV"

_LONGEST: Final = 1024  # characters of a token
_SIGNATURE: Final = 32  # bytes of HMAC-SHA256
_HEADERS: Final = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


class Grant(Struct, frozen=True, kw_only=True, array_like=True):
    """What a token allows: to fetch the results of a run, as `account` sees them, until `expires` (epoch seconds).

    `target` is the one account whose results are wanted, "" for all; `form` is `PDF` or `CSV`.
    """

    expires: int
    account: str
    region: str
    scan_arn: str
    target: str = ""
    form: str = CSV


def seal(token_key: bytes, grant: Grant) -> str:
    """The token for a grant."""
    payload = msgspec.msgpack.encode(grant)
    return urlsafe_b64encode(_signature(token_key, payload) + payload).rstrip(b"=").decode("ascii")


def unseal(token_key: bytes, token: str, now: datetime) -> Grant | None:
    """What a token allows; None where it isn't ours or its time is over."""
    if len(token) > _LONGEST:
        return None
    try:
        data = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
    except (binascii.Error, ValueError):
        return None
    signature, payload = data[:_SIGNATURE], data[_SIGNATURE:]
    if not hmac.compare_digest(signature, _signature(token_key, payload)):
        return None
    grant = msgspec.msgpack.decode(payload, type=Grant)
    return grant if now < datetime.fromtimestamp(grant.expires, UTC) else None


def cis_report_route(on: Circumstances) -> Route:
    """The route of the reports."""
    # A PDF keeps a processor busy, for 20 s where a run has 100,000 results: other requests are not to starve.
    one_at_a_time = CapacityLimiter(1)

    async def fetch(request: HttpRequest) -> Response:
        grant = unseal(on.token_key, request.path_params["token"], on.clock())
        if grant is None or grant.region != on.region:
            said = "This address is not valid, or not any more: ask GetCisScanReport for another one.\n"
            return PlainTextResponse(said, 403, headers=_HEADERS)
        accounts = await to_thread.run_sync(_accounts, on.connect, grant)
        LOG.info("cis report", extra={"request": {"account_id": grant.account, "scan": grant.scan_arn}})
        of = Reported(viewer=grant.account, accounts=accounts, region=grant.region, scan_arn=grant.scan_arn)
        headers = _HEADERS | {
            "content-disposition": f'attachment; filename="cis-scan-{of.scan_id}.{grant.form.lower()}"'
        }
        if grant.form == PDF:
            file = await to_thread.run_sync(pdf_file, on.connect, of, on.clock(), limiter=one_at_a_time)
            return StreamingResponse(pieces(file), media_type="application/pdf", headers=headers)
        return StreamingResponse(csv_pieces(on.connect, of), media_type="text/csv; charset=utf-8", headers=headers)

    return Route(f"{PATH}{{token}}", fetch)


def _accounts(connect: Connect, grant: Grant) -> list[str]:
    """The accounts whose results the report has: those in the run, of those that the caller sees now."""
    with connect(grant.account) as connection:
        seen = (grant.account, *member_ids(connection, grant.region, grant.account))
    with connect(*dict.fromkeys(seen)) as connection:
        accounts = accounts_of_scan(connection, grant.region, grant.scan_arn.rpartition("/")[2])
    return [each for each in accounts if grant.target in ("", each)]


def _signature(token_key: bytes, payload: bytes) -> bytes:
    # Of a key of its own, so that no page token is ever taken for one of these.
    key = hmac.digest(token_key, b"openinspector cis reports", "sha256")
    return hmac.digest(key, payload, "sha256")
