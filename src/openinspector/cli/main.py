"""The command line: arguments in, exit status out. Only the module of the command that was given is imported."""

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; gives the exit status (0 clean, 1 the gate was hit, 2 usage, 3 partial or failed)."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given in (["--version"], ["-V"]):
        from openinspector import __version__

        print(f"openinspector {__version__}")
        return 0
    from openinspector.cli.run import run

    return run(given)
