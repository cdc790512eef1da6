"""Findings imported into AWS Security Hub, in its format; a finding that is imported again is updated.

    [[sinks]]
    kind = "securityhub"
    name = "hub"
    region = "eu-west-1"
    role_arn = "arn:aws:iam::{account}:role/openinspector-hub"
    product_arn = "arn:aws:securityhub:{region}:{account}:product/{account}/default"

The hub takes findings of the account that calls it, so either `accounts` names one, or `role_arn` has `{account}` in
it. What is closed or suppressed is archived there. The hub leaves alone what it has with a later `UpdatedAt`, so an
event that comes twice or late spoils nothing. Events about scans and coverage are not for it.

Source: Security Hub API reference, BatchImportFindings; partner guide, "Guidelines" (100 findings and 6 MB in a call,
240 KB a finding); user guide, "Using BatchImportFindings" (which account; what an update leaves alone).
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from openinspector.errors import UsageError
from openinspector.publish.aws import AwsSinkSettings, Clients, Misformed, called, check_aws
from openinspector.publish.contract import Later, Message, Outcome, Refused, Sent, Sink, SinkKind
from openinspector.render.asff_findings import CUT, security_finding
from openinspector.render.event_size import fitted
from openinspector.render.text import json_line
from openinspector.transport.aws import Endpoint

_Finding = dict[str, Any]

_MOST: Final = 100
_LARGEST_CALL: Final = 6_000_000 - 100_000  # bytes, with room for the names around the findings
_LARGEST: Final = 240_000 - 2_000
_DEFAULT_PRODUCT: Final = "arn:{partition}:securityhub:{region}:{account}:product/{account}/default"


class SecurityHubSettings(AwsSinkSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A hub; in `product_arn` stand `{partition}`, `{region}` and `{account}` for the finding's own."""

    product_arn: str = _DEFAULT_PRODUCT


class SecurityHubKind:
    """BatchImportFindings."""

    name = "securityhub"
    source = "openinspector"
    settings = SecurityHubSettings

    def check(self, settings: SecurityHubSettings) -> None:
        """Looks whether there could be such a hub."""
        check_aws(settings)
        try:
            product = settings.product_arn.format(partition="aws", region="us-east-1", account="111122223333")
        except (KeyError, IndexError, ValueError) as error:
            raise UsageError(
                f"product_arn = {settings.product_arn!r}: only partition, region and account stand in braces"
            ) from error
        if not product.startswith("arn:aws"):
            raise UsageError(f"product_arn = {settings.product_arn!r} is no ARN")

    def open(self, settings: SecurityHubSettings, aws: Endpoint) -> Sink:
        """A sink; clients are made when they are needed."""
        return _SecurityHub(settings, aws)


class _SecurityHub:
    most = _MOST
    at_once = 1  # ten calls a second are allowed, and each may hold a hundred findings

    def __init__(self, settings: SecurityHubSettings, aws: Endpoint) -> None:
        self._clients = Clients("securityhub", settings, aws)
        self._product = settings.product_arn

    def send(self, messages: Sequence[Message]) -> Iterator[Outcome]:
        call: list[tuple[str, _Finding | None]] = []
        size = 0
        for each in messages:
            said = self._finding(each)
            owner = self._clients.owner(each)
            more = len(json_line(said).encode()) if said is not None else 0
            if call and (size + more > _LARGEST_CALL or call[0][0] != owner):
                yield from self._import(call)
                call, size = [], 0
            call.append((owner, said))
            size += more
        if call:
            yield from self._import(call)

    def close(self) -> None:
        self._clients.close()

    def _finding(self, message: Message) -> _Finding | None:
        if message.finding is None:
            return None
        about = message.resource
        product = self._product.format(partition=about.partition, region=about.region, account=about.account)
        said = security_finding(about, message.finding, product, message.id)
        return fitted(said, CUT, lambda each: len(json_line(each).encode()), _LARGEST)[0]

    def _import(self, call: Sequence[tuple[str, _Finding | None]]) -> Iterator[Outcome]:
        findings = [said for _, said in call if said is not None]
        failed: dict[str, str] = {}
        if findings:
            client = self._clients.of(call[0][0])
            try:
                answer = called("BatchImportFindings", lambda: client.batch_import_findings(Findings=findings))
            except Misformed as error:
                if len(call) == 1:
                    yield Refused(str(error))
                    return
                for each in call:
                    yield from self._import([each])
                return
            for each in answer.get("FailedFindings", ()):
                said = f"BatchImportFindings: {each.get('ErrorCode', '')}: {each.get('ErrorMessage', '')}"
                failed[each.get("Id", "")] = said
            if answer.get("FailedCount", 0) > len(failed):  # it doesn't say of which
                failed = {each["Id"]: "BatchImportFindings: failed without a reason" for each in findings}
        for _, finding in call:
            reason = failed.get(finding["Id"]) if finding is not None else None
            if reason is None:
                yield Sent()
            else:
                yield Refused(reason) if ": InvalidInput" in reason else Later(reason)


PLUGIN: Final[SinkKind] = SecurityHubKind()
