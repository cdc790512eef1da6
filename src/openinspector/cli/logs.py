"""The service's log: lines of JSON on standard error."""

import logging
import sys
from datetime import UTC, datetime

import msgspec


def log_as_json() -> None:
    """Has everything that this process logs written so."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs whole addresses, in which there may be secrets
    # What the queue's library tells of each job is told by the worker already.
    logging.getLogger("procrastinate").setLevel(logging.ERROR)


class _JsonLines(logging.Formatter):
    """A log record as a line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        said: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _writable(record.getMessage()),
        }
        more = getattr(record, "request", None)
        if isinstance(more, dict):
            said.update(more)
        elif hasattr(record, "request_id"):
            said["request_id"] = record.request_id
        if record.exc_info:
            said["exception"] = _writable(self.formatException(record.exc_info))
        return msgspec.json.encode(said).decode()


def _writable(text: str) -> str:
    """Text that UTF-8 can hold: an exception may quote half of a surrogate pair that somebody sent."""
    return text.encode("utf-8", "backslashreplace").decode()
