"""What the arguments say about findings that need no action; nothing is imported where they say nothing."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from openinspector.pipeline.suppress import Policy

IGNORE_FILE: Final = ".openinspector-ignore.toml"


def policy_of(chosen: argparse.Namespace) -> "Policy | None":
    """The files that were named, and the ignore file of the working directory where none was; None without any.

    Raises:
        UsageError: A file isn't there, or the ignore file or the baseline isn't one.
        FeedError: A VEX document can't be read.
    """
    baseline = getattr(chosen, "baseline", None)
    found = chosen.ignore_file is None and Path(IGNORE_FILE).is_file()
    ignore = IGNORE_FILE if found else chosen.ignore_file
    if not chosen.vex and ignore is None and baseline is None:
        return None
    from openinspector.pipeline.suppress import read_policy

    policy = read_policy(
        chosen.target,
        tuple(Path(each) for each in chosen.vex),
        Path(ignore) if ignore is not None else None,
        Path(baseline) if baseline is not None else None,
    )
    if not found:
        return policy
    from msgspec.structs import replace

    return replace(policy, found=True)
