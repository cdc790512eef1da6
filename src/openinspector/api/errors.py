"""What a handler may raise, and the name that the service model has for it.

ApiError                    anything that the caller is told
├── ValidationFailed        ValidationException: the request makes no sense; `reason`, `fields`
├── AccessDenied            AccessDeniedException
├── ResourceNotFound        ResourceNotFoundException
├── Conflict                ConflictException; `resource_id`, `resource_type`
├── QuotaExceeded           ServiceQuotaExceededException; `resource_id`
├── BadRequest              BadRequestException: tags or names that won't do
├── Throttled               ThrottlingException; `retry_after` (seconds)
├── Internal                InternalServerException; `retry_after` (seconds), `cause` (ScanSbom alone knows two)
├── NotAuthenticated        the signature's own codes, which no model lists; `code`
└── NoSuchOperation         UnknownOperationException: no operation lives at this path, or not by this method; `allow`
OutputError                 a handler's answer that the model has no place for: a programming error, never told

Status, members and headers of a modelled exception come from the model (`api/answer.py`); the table here only names it.
"""

from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal

from openinspector.errors import OpenInspectorError

Reason = Literal["CANNOT_PARSE", "FIELD_VALIDATION_FAILED", "OTHER", "UNKNOWN_OPERATION", "UNSUPPORTED_SBOM_TYPE"]
InternalReason = Literal["FAILED_TO_GENERATE_SBOM", "OTHER"]

FORBIDDEN: Final = 403
NOT_FOUND: Final = 404
METHOD_NOT_ALLOWED: Final = 405


@dataclass(frozen=True, slots=True)
class Field:
    """A member that won't do: `filterCriteria.severity.1.member.comparison`, and what it must satisfy."""

    name: str
    message: str


class ApiError(OpenInspectorError):
    """Anything that the caller is told."""

    code: str = ""
    status: ClassVar[int] = 500  # for what no model lists; a modelled exception has its own

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def members(self) -> dict[str, Any]:
        """What the error says, by the model's names."""
        return {"message": self.message}


class ValidationFailed(ApiError):
    """The request makes no sense. `message` is the whole story; `fields` are its parts."""

    code = "ValidationException"

    def __init__(self, message: str, *, reason: Reason = "OTHER", fields: tuple[Field, ...] = ()) -> None:
        super().__init__(message)
        self.reason = reason
        self.fields = fields

    def members(self) -> dict[str, Any]:
        """With the reason, and the fields where there are any."""
        said: dict[str, Any] = {"message": self.message, "reason": self.reason}
        if self.fields:
            said["fields"] = [{"name": field.name, "message": field.message} for field in self.fields]
        return said


def field_failed(name: str, message: str) -> ValidationFailed:
    """One member of the request won't do: for what only a handler can see."""
    return ValidationFailed(message, reason="FIELD_VALIDATION_FAILED", fields=(Field(name, message),))


class AccessDenied(ApiError):
    """The caller may not."""

    code = "AccessDeniedException"


class ResourceNotFound(ApiError):
    """There is no such thing, or the caller may not see it."""

    code = "ResourceNotFoundException"


class Conflict(ApiError):
    """It is as asked already, or being changed by somebody else."""

    code = "ConflictException"

    def __init__(self, message: str, *, resource_id: str, resource_type: str) -> None:
        super().__init__(message)
        self.resource_id = resource_id
        self.resource_type = resource_type

    def members(self) -> dict[str, Any]:
        """With what stands in the way."""
        return {"message": self.message, "resourceId": self.resource_id, "resourceType": self.resource_type}


class QuotaExceeded(ApiError):
    """One more than there may be."""

    code = "ServiceQuotaExceededException"

    def __init__(self, message: str, *, resource_id: str) -> None:
        super().__init__(message)
        self.resource_id = resource_id

    def members(self) -> dict[str, Any]:
        """With what is full."""
        return {"message": self.message, "resourceId": self.resource_id}


class BadRequest(ApiError):
    """Tags or names that won't do."""

    code = "BadRequestException"


class Throttled(ApiError):
    """Too many requests; `retry_after` in whole seconds."""

    code = "ThrottlingException"

    def __init__(self, message: str, *, retry_after: int = 1) -> None:
        super().__init__(message)
        self.retry_after = retry_after

    def members(self) -> dict[str, Any]:
        """With the seconds to wait."""
        return {"message": self.message, "retryAfterSeconds": self.retry_after}


class Internal(ApiError):
    """Our fault. Raise it where the caller can be told something useful; everything unforeseen becomes one anyway."""

    code = "InternalServerException"

    def __init__(self, message: str, *, retry_after: int | None = None, cause: InternalReason = "OTHER") -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.cause = cause

    def members(self) -> dict[str, Any]:
        """With the seconds to wait where they are known, and the reason (which only inspector-scan's model has)."""
        return {"message": self.message, "retryAfterSeconds": self.retry_after, "reason": self.cause}


class NotAuthenticated(ApiError):
    """We don't know who is asking. `code` is AWS's word for why: `InvalidSignatureException`."""

    status = FORBIDDEN

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class NoSuchOperation(ApiError):
    """No operation lives at this path (404), or none by this method (405, with what would do in `allow`)."""

    code = "UnknownOperationException"

    def __init__(self, message: str, *, allow: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.allow = allow


class OutputError(OpenInspectorError):
    """A handler's answer that the model has no place for."""
