"""A service with handlers of a test's own, on a loopback port, and boto3 clients that talk to it."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import boto3
import uvicorn
from botocore.config import Config

from openinspector.api.app import create_app
from openinspector.api.context import Handler, Principal, Request
from openinspector.api.handlers import Offer
from openinspector.api.service import Circumstances, Service

ACCOUNT = "111122223333"
NOW = datetime(2024, 5, 15, 21, 11, 8, tzinfo=UTC)


class AllowAll:
    """Lets everybody in, as an admin of one account."""

    def authenticate(self, request: Request) -> Principal:
        return Principal(account_id=ACCOUNT, key_id="AKIATEST", role="admin")


@contextmanager
def no_database(_account: str, *_others: str) -> Iterator[Any]:
    raise AssertionError("these tests have no database")
    yield


def service_of(
    handlers: dict[str, Handler], authenticator: Any = None, declined: dict[str, str] | None = None, **more: Any
):
    return Service(
        Offer(handlers, declined or {}),
        Circumstances(
            authenticator=authenticator or AllowAll(),
            connect=no_database,
            region="us-east-1",
            token_key=b"k" * 32,
            clock=lambda: NOW,
            check_output=True,
            **more,
        ),
    )


@contextmanager
def serving(service: Service, *, threads: int = 4) -> Iterator[str]:
    """The address of a real server."""
    config = uvicorn.Config(create_app(service, lambda: "", threads=threads), port=0, log_config=None, ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.005)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


def client_of(address: str, service: str = "inspector2") -> Any:
    """A boto3 client that does not try twice."""
    return boto3.client(
        service,
        region_name="us-east-1",
        endpoint_url=address,
        aws_access_key_id="AKIATEST",
        aws_secret_access_key="secret",
        config=Config(retries={"total_max_attempts": 1}, read_timeout=120),
    )
