"""`openinspector serve`: Inspector's API over PostgreSQL."""

import argparse
import logging
import ssl
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from openinspector.cli.service import data_folder, database
from openinspector.errors import UsageError

if TYPE_CHECKING:
    from openinspector.api.service import Service
    from openinspector.store.database import Database

_DRAIN_SECONDS = 30  # that requests in flight have when the service is asked to stop


def run(chosen: argparse.Namespace) -> int:
    """Serve until told to stop."""
    import uvicorn

    from openinspector.api.app import create_app

    if bool(chosen.tls_certificate) != bool(chosen.tls_key):
        raise UsageError("--tls-certificate and --tls-key go together")
    _log_as_json()
    with database(chosen) as found:
        app = create_app(service_of(found, data_folder(chosen), chosen.region), lambda: readiness(found))
        config = uvicorn.Config(
            app,
            host=chosen.host,
            port=chosen.port,
            ssl_certfile=chosen.tls_certificate,
            ssl_keyfile=chosen.tls_key,
            log_config=None,
            access_log=False,
            server_header=False,
            ws="none",
            timeout_graceful_shutdown=_DRAIN_SECONDS,
        )
        _check_tls(config)
        scheme = "https" if chosen.tls_certificate else "http"
        print(f"openinspector: serving {chosen.region} at {scheme}://{chosen.host}:{chosen.port}", file=sys.stderr)
        uvicorn.Server(config).run()
    return 0


def service_of(found: "Database", data: Path, region: str) -> "Service":
    """The service over a database."""
    from openinspector.api import operations
    from openinspector.api.gate import Doorkeeper, Gate
    from openinspector.api.handlers import discover
    from openinspector.api.service import Circumstances, Service
    from openinspector.api.throttle import Throttle
    from openinspector.store.audit import record
    from openinspector.store.key_ring import DatabaseKeyRing
    from openinspector.store.sealing import open_sealer

    def now() -> datetime:
        return datetime.now(UTC)

    sealer = open_sealer(data)
    doorkeeper = Doorkeeper(DatabaseKeyRing(found, sealer), sealer)
    gate = Gate(doorkeeper, Throttle(), regions=(region,), clock=now, ticks=time.monotonic)
    return Service(
        discover(operations),
        Circumstances(
            authenticator=gate,
            connect=found.transaction,
            region=region,
            token_key=sealer.derive("page tokens"),
            clock=now,
            audit=lambda entry: record(found, entry),
            sealer=sealer,
        ),
    )


def readiness(found: "Database") -> str:
    """Why the service can't answer now, or ""."""
    from sqlalchemy.exc import SQLAlchemyError

    try:
        with found.system(seconds=2) as connection:
            connection.exec_driver_sql("SELECT 1")
    except SQLAlchemyError:
        return "the database does not answer"
    return ""


def _check_tls(config: Any) -> None:
    """Load the certificate now, so that a wrong one is told in a sentence."""
    try:
        config.load()
    except (OSError, ssl.SSLError) as error:
        raise UsageError(f"the certificate can't be used: {error}") from error


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
        request = getattr(record, "request", None)
        if isinstance(request, dict):
            said.update(request)
        elif hasattr(record, "request_id"):
            said["request_id"] = record.request_id
        if record.exc_info:
            said["exception"] = _writable(self.formatException(record.exc_info))
        return msgspec.json.encode(said).decode()


def _writable(text: str) -> str:
    """Text that UTF-8 can hold: an exception may quote half of a surrogate pair that somebody sent."""
    return text.encode("utf-8", "backslashreplace").decode()


def _log_as_json() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
