"""Lines and records that a reader could not use, counted."""

from collections.abc import Sequence

from openinspector.model.problem import Problem

_NAMED = 3
_NAME_LENGTH = 60


def unparsed(path: str, format_: str, reason: str, what: Sequence[str]) -> tuple[Problem, ...]:
    """One problem for all of them, which names the first three; none where there are none."""
    if not what:
        return ()
    named = ", ".join(" ".join(each[:_NAME_LENGTH].split()) for each in what[:_NAMED])
    more = f" and {len(what) - _NAMED} more" if len(what) > _NAMED else ""
    return (Problem(path=path, format=format_, reason=f"{reason}: {named}{more}", count=len(what)),)
