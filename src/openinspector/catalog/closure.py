"""What a set of packages needs, by the dependencies that a lock file lists."""

from collections.abc import Callable, Iterable
from typing import TypeVar

Node = TypeVar("Node")


def closure(roots: Iterable[Node], needs: Callable[[Node], Iterable[Node]]) -> set[Node]:
    """Everything that can be reached from `roots`, themselves included; each node is asked once."""
    reached = set(roots)
    waiting = list(reached)
    while waiting:
        for node in needs(waiting.pop()):
            if node not in reached:
                reached.add(node)
                waiting.append(node)
    return reached


def only_for_development(
    used: Iterable[Node], developing: Iterable[Node], needs: Callable[[Node], Iterable[Node]]
) -> set[Node]:
    """What is needed by the roots `developing` and by none of the roots `used`.

    What neither reaches is not in it: where a file does not say who needs a package, it may be the program itself.
    """
    running = closure(used, needs)
    return closure(developing, needs).difference(running)
