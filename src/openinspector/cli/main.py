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
    _import_lean()
    from openinspector.cli.run import run

    return run(given)


def _import_lean() -> None:
    """Import msgspec without what it can do without.

    It takes `typing_extensions` where that is installed, though `typing` has the same names since Python 3.11.
    Importing that, with `inspect`, would be a tenth of a scan that knows every layer.
    """
    name = "typing_extensions"
    if name in sys.modules or "msgspec" in sys.modules:
        return
    sys.modules[name] = None  # type: ignore[assignment]  # importing it fails, as where it is missing
    try:
        import msgspec  # noqa: F401
    finally:
        del sys.modules[name]
