"""What a caller is told where the child that was to read a document gave no answer."""

import logging
from typing import Final

from openinspector.api.errors import ApiError, Field, Internal, Throttled, ValidationFailed
from openinspector.errors import ConfinedError

LOG: Final = logging.getLogger("openinspector.api")

_THE_DOCUMENTS: Final = frozenset({"memory", "cpu", "time", "answer", "crashed"})
_WAIT: Final = 5  # seconds


def not_read(error: ConfinedError, member: str) -> ApiError:
    """Whose fault it is: the document's in `member`, or ours."""
    LOG.warning("a document could not be read", extra={"request": {"kind": error.kind, "why": str(error)}})
    if error.kind == "busy":
        return Throttled("Too many documents are being read. Try again.", retry_after=_WAIT)
    if error.kind not in _THE_DOCUMENTS:
        return Internal("The document was not read to its end. Try again.", retry_after=_WAIT)
    why = "an error of the reader, of which the log says more" if error.kind == "crashed" else f"it takes {error}"
    said = f"The document can't be read: {why}. Hand it in in parts, or made by another tool."
    return ValidationFailed(said, reason="CANNOT_PARSE", fields=(Field(member, said),))
