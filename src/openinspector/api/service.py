"""One request, from who is asking to what is said: authenticate, parse, handle, serialize, and a line in the log.

Synchronous, and runs in a worker thread: `api/app.py` is its HTTP side.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final, cast

from openinspector.api.access import MUTATING
from openinspector.api.answer import Answer, failure, success
from openinspector.api.audit import LONGEST_AGENT, parameters
from openinspector.api.context import Authenticator, Connect, Context, Ingest, Principal, Request
from openinspector.api.errors import AccessDenied, ApiError, Internal, OutputError, ValidationFailed
from openinspector.api.handlers import Offer
from openinspector.api.model import Operation
from openinspector.api.own_operations import all_operations
from openinspector.api.parse import parse
from openinspector.api.router import Route, Router
from openinspector.api.serialize import missing
from openinspector.model.access import AuditEntry, Role
from openinspector.model.moment import moment_text
from openinspector.model.resource import AccountId
from openinspector.pipeline.contract import nobody
from openinspector.pipeline.settings import Settings
from openinspector.transport.telemetry import span

if TYPE_CHECKING:
    from openinspector.store.sealing import Sealer

LOG: Final = logging.getLogger("openinspector.api")


def _kept_by_nobody(_entry: AuditEntry) -> None:
    """Where no log is kept."""


def nobody_first(_request: Request) -> str:
    """Where every body is read before it is asked whose it is."""
    return ""


def unwatched(_operation: str, _status: int, _seconds: float) -> None:
    """Where nobody counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What a service stands on.

    `token_key` signs page tokens: the same for every process of a service, at least 32 random bytes. `clock` gives
    aware UTC moments. `audit` keeps what is told of each call that changes something. `check_output` has every answer
    looked at for required members: tests set it. `sealer` seals the secrets of integrations; without one none is kept.
    `ingest` writes what is handed in; without it nothing is taken. `poke` has a chore of the workers done soon.
    `watch` is told of each answer its operation, status and seconds. `admit` is asked before a large body is read, or
    one that is much work: it refuses strangers, and says whose account it is, which may yet have to be proven.
    """

    authenticator: Authenticator
    connect: Connect
    region: str
    token_key: bytes
    clock: Callable[[], datetime]
    audit: Callable[[AuditEntry], None] = _kept_by_nobody
    check_output: bool = False
    sealer: "Sealer | None" = None
    settings: Settings = Settings()
    poke: Callable[[str], None] = nobody
    ingest: Ingest | None = None
    watch: Callable[[str, int, float], None] = unwatched
    admit: Callable[[Request], str] = nobody_first


class Service:
    """Answers requests. Safe to use from several threads."""

    def __init__(self, offer: Offer, circumstances: Circumstances) -> None:
        self._offer = offer
        self._on = circumstances
        self._router = Router(all_operations().values())
        unknown = sorted((offer.answered.keys() | offer.declined.keys()) - all_operations().keys())
        if unknown:
            # An older botocore; what it doesn't know can't be asked for.
            LOG.warning("operations that this botocore's model lacks", extra={"operations": unknown})

    @property
    def circumstances(self) -> Circumstances:
        """What it stands on."""
        return self._on

    def route(self, method: str, path: str) -> Route:
        """The operation of a request. `path` is as sent.

        Raises:
            NoSuchOperation: None lives there, or none by this method.
            ValidationFailed: A label of the path is not UTF-8.
        """
        return self._router.route(method, path)

    def admit(self, request: Request) -> str:
        """Whose account a request is said to be of, which has no body yet; "" where that isn't asked.

        Raises:
            NotAuthenticated: Nobody whose body is worth reading.
            Internal: It can't be found out.
        """
        try:
            return self._on.admit(request)
        except ApiError:
            raise
        except Exception as error:
            LOG.exception("unforeseen", extra={"request_id": request.request_id, "operation": request.operation.name})
            raise unforeseen(request.request_id) from error

    def answer(self, request: Request) -> Answer:
        """What is said to a request, whatever happens."""
        started = perf_counter()
        operation = request.operation
        principal: Principal | None = None
        given: dict[str, Any] = {}
        with span(operation.name, dict(request.headers)) as told:
            try:
                try:
                    principal = self._on.authenticator.authenticate(request)
                    answer = success(operation, self._output(request, principal, given))
                except ApiError as error:
                    answer = failure(error, operation)
            except Exception:
                # What the caller is told names nothing of ours; the log has it all under the request's id.
                LOG.exception("unforeseen", extra={"request_id": request.request_id, "operation": operation.name})
                answer = failure(unforeseen(request.request_id), operation)
            told(rpc__system="aws-api", rpc__service=operation.service, rpc__method=operation.name)
            told(http__response__status_code=answer.status, aws__request_id=request.request_id, error=answer.error)
        if principal is not None and operation.name in MUTATING:
            self._audit(request, principal, given, answer)
        seconds = perf_counter() - started
        who = {"account_id": principal.account_id, "key_id": principal.key_id} if principal else {}
        size, spent = len(request.body), round(seconds * 1000, 3)
        _log(operation, answer, request.request_id, request.client, **who, bytes_in=size, milliseconds=spent)
        self._on.watch(operation.name, answer.status, seconds)
        return answer

    def refuse(self, error: ApiError, operation: Operation | None, *, request_id: str, client: str) -> Answer:
        """What is said to a request that was never read: no operation, or no body that may be taken."""
        answer = failure(error, operation)
        _log(operation, answer, request_id, client)
        self._on.watch(operation.name if operation else "", answer.status, 0.0)
        return answer

    def _audit(self, request: Request, principal: Principal, given: Mapping[str, Any], answer: Answer) -> None:
        self._on.audit(
            AuditEntry(
                at=moment_text(self._on.clock()),
                account=AccountId(principal.account_id),
                region=self._on.region,
                key_id=principal.key_id,
                role=cast(Role, principal.role),
                service=request.operation.service,
                operation=request.operation.name,
                request_id=request.request_id,
                outcome="done" if answer.status < 400 else "refused" if answer.status < 500 else "failed",
                error=answer.error,
                parameters=parameters(given),
                source=request.client,
                agent=(request.header("user-agent") or "")[:LONGEST_AGENT],
            )
        )

    def _output(self, request: Request, principal: Principal, given: dict[str, Any]) -> Mapping[str, Any]:
        """The handler's answer; `given` is filled with what was asked, for whoever has to tell of it."""
        operation = request.operation
        handler = self._offer.answered.get(operation.name)
        if handler is None:
            raise not_offered(operation, self._offer.reason(operation.name))
        asked = parse(
            operation,
            labels=request.labels,
            query=request.query,
            headers=request.headers,
            body=request.body,
            claim=request.claim,
        )
        given.update(asked)
        context = Context(
            operation=operation,
            principal=principal,
            region=self._on.region,
            request_id=request.request_id,
            now=self._on.clock(),
            connect=self._on.connect,
            token_key=self._on.token_key,
            sealer=self._on.sealer,
            settings=self._on.settings,
            poke=self._on.poke,
            ingest=self._on.ingest,
            origin=f"{request.scheme}://{request.header('host') or ''}",
        )
        output = handler(context, asked)
        if self._on.check_output:
            gone = missing(operation.output, output)
            if gone:
                raise OutputError(f"{operation.name} answers without {', '.join(gone)}")
        return output


def unforeseen(request_id: str) -> Internal:
    """What the caller is told of an error that nobody meant to tell."""
    return Internal(f"An internal error occurred. The log has it under request {request_id}.")


def not_offered(operation: Operation, reason: str) -> ApiError:
    """The answer to an operation without a handler: one that clients don't retry, and that the model has for it."""
    said = f"{operation.name} is not offered by this version of openinspector. {reason}"
    return ValidationFailed(said) if "ValidationException" in operation.modelled else AccessDenied(said)


def _log(operation: Operation | None, answer: Answer, request_id: str, client: str, **more: str | float) -> None:
    """One line for each request: who, what, how it went. Nothing of its content."""
    line = {
        "request_id": request_id,
        "operation": operation.name if operation else "",
        "client": client,
        "status": answer.status,
        "error": answer.error,
        "bytes_out": len(answer.body),
    }
    LOG.info("request", extra={"request": line | more})
