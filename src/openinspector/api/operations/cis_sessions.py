"""CIS sessions: how the plugin on an instance reports what it checked.

A job's first StartCisSession binds it to a token; after that each call must bring the same. A rule's status becomes the
outcome that results are told in: what neither passed nor failed was skipped. `cisRuleDetails` are free: a JSON object's
texts `title`, `description`, `remediation`, `reason` and `level` are kept under these names, anything else that is text
as the reason.

Source: Inspector's API reference, StartCisSession and its siblings. It doesn't say how a plugin has its job and token,
nor what the details hold.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import msgspec

from openinspector.api.context import Context, Handler
from openinspector.api.errors import AccessDenied, Conflict
from openinspector.store import cis
from openinspector.store.documents import kept

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

_LEVELS: Final = frozenset({"LEVEL_1", "LEVEL_2"})
_TEXTS: Final = ("title", "description", "remediation", "reason")
_ENDS: Final[Mapping[str, tuple[str, str]]] = {
    # The status and the reason of a target, by how its session ended.
    "SUCCESS": ("COMPLETED", ""),
    "FAILED": ("CANCELLED", ""),
    "INTERRUPTED": ("CANCELLED", ""),
    "UNSUPPORTED_OS": ("CANCELLED", "UNSUPPORTED_OS"),
}


def start(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """Begins a session; said again with the same token, it changes nothing."""
    token = given["message"]["sessionToken"]
    with context.connect(context.account_id) as connection:
        target = _target(context, connection, given["scanJobId"])
        if target.token_digest is None:
            cis.start_session(connection, target, token, context.now)
        elif not cis.is_token(target, token):
            raise _conflict(given["scanJobId"], "has a session with another token")
    return {}


def send_telemetry(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """Keeps what rules found; a rule told again replaces what was told before."""
    with context.connect(context.account_id) as connection:
        target = _session(context, connection, given)
        outcomes = [_outcome(message) for message in given["messages"]]
        cis.add_outcomes(connection, target, outcomes, context.now)
    return {}


def send_health(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """Notes that a session is alive."""
    with context.connect(context.account_id) as connection:
        cis.heard(connection, _session(context, connection, given), context.now)
    return {}


def stop(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """Ends a session; the plugin's own counts are kept with it."""
    message = given["message"]
    status, reason = _ENDS[message["status"]]
    system = message.get("computePlatform") or {}
    platform = " ".join(filter(None, (system.get("vendor"), system.get("product"), system.get("version"))))
    with context.connect(context.account_id) as connection:
        target = _session(context, connection, given)
        cis.stop_session(
            connection,
            target,
            context.now,
            status=status,
            reason=reason,
            platform=kept(platform),
            document={"stop": kept(message)},
        )
    return {}


def _session(context: Context, connection: "Connection", given: Mapping[str, Any]) -> "Row[Any]":
    """The target of a running session."""
    target = _target(context, connection, given["scanJobId"])
    if target.token_digest is None:
        raise _conflict(given["scanJobId"], "has no session: start one first")
    if not cis.is_token(target, given["sessionToken"]):
        raise _conflict(given["scanJobId"], "has a session with another token")
    return target


def _target(context: Context, connection: "Connection", job_id: str) -> "Row[Any]":
    """The target of a job that isn't over."""
    target = cis.job(connection, context.account_id, context.region, job_id)
    if target is None:
        raise AccessDenied(f"Account {context.account_id} has no CIS scan job {job_id}.")
    if cis.is_over(target):
        raise _conflict(job_id, "is over")
    return target


def _outcome(message: Mapping[str, Any]) -> cis.CisOutcome:
    said = _details(message["cisRuleDetails"])
    level = said.pop("level", "")
    status = message["status"]
    return cis.CisOutcome(
        check_id=kept(message["ruleId"]),
        status=status if status in ("PASSED", "FAILED") else "SKIPPED",
        level=level if level in _LEVELS else "",
        document=kept({**said, "ruleStatus": status}),
    )


def _details(details: bytes) -> dict[str, str]:
    """What a rule's details say, by name; bytes that are no text say nothing."""
    try:
        read = msgspec.json.decode(details)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        read = None
    if isinstance(read, dict):
        return {name: read[name] for name in (*_TEXTS, "level") if isinstance(read.get(name), str)}
    try:
        text = details.decode().strip()
    except UnicodeDecodeError:
        return {}
    return {"reason": text} if text else {}


def _conflict(job_id: str, what: str) -> Conflict:
    return Conflict(f"CIS scan job {job_id} {what}.", resource_id=job_id, resource_type="CIS_SCAN_JOB")


OPERATIONS: Final[Mapping[str, Handler]] = {
    "StartCisSession": start,
    "SendCisSessionTelemetry": send_telemetry,
    "SendCisSessionHealth": send_health,
    "StopCisSession": stop,
}
