"""Sockets of servers: bound first, so that an address that can't be had is told before anything else is begun."""

import contextlib
import errno
import os
import socket
from collections.abc import Iterator
from typing import Any, Final

from openinspector.errors import UsageError

_LAST_PORT: Final = 65535
_BACKLOG: Final = 2048
# Of several addresses of a name: `localhost` may be ::1 too, where the machine has no IPv6.
_OTHERS_WILL_DO: Final = frozenset({errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.EPROTONOSUPPORT})


@contextlib.contextmanager
def bound(host: str, port: int) -> Iterator[list[socket.socket]]:
    """Sockets for every address of a host, on which nobody can connect before `listen`. Port 0 is a free one.

    Raises:
        UsageError: There is no such host or port, it is another machine's, it is taken, or only root may have it.
    """
    if not 0 <= port <= _LAST_PORT:
        raise UsageError(f"{port} is no port: 0 to {_LAST_PORT}")
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UsageError(f"{host} is no address to listen at: {why}") from error
    with contextlib.ExitStack() as open_until_then:
        sockets: list[socket.socket] = []
        refused: list[OSError] = []
        for family, kind, protocol, _, address in dict.fromkeys(found):
            try:
                sockets.append(open_until_then.enter_context(_bound(family, kind, protocol, address)))
            except OSError as error:
                if error.errno not in _OTHERS_WILL_DO:
                    raise _refused(host, port, error) from error
                refused.append(error)
        if not sockets:
            raise _refused(host, port, refused[0]) from refused[0]
        yield sockets


def _bound(family: int, kind: int, protocol: int, address: Any) -> socket.socket:
    made = socket.socket(family, kind, protocol)
    try:
        if os.name == "posix":
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # what a former server left is no obstacle
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)  # IPv4 has a socket of its own
        made.bind(address)
    except OSError:
        made.close()
        raise
    return made


def listen(sockets: list[socket.socket]) -> int:
    """Lets callers connect; gives the port.

    Raises:
        UsageError: Somebody else was quicker.
    """
    for each in sockets:
        host, port = each.getsockname()[:2]
        try:
            each.listen(_BACKLOG)
        except OSError as error:  # two may be bound to one port as long as neither listens
            raise _refused(host, port, error) from error
    return int(sockets[0].getsockname()[1])


def _refused(host: str, port: int, error: OSError) -> UsageError:
    why = os.strerror(error.errno) if error.errno else str(error)
    return UsageError(f"nobody can listen at port {port} of {host}: {why}; give another one, or end what has it")
