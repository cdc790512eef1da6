"""What the command line understands; the commands themselves are imported when they run."""

import argparse
from collections.abc import Callable
from importlib import import_module
from typing import Any


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = argparse.ArgumentParser(prog="openinspector", description="Finds vulnerabilities, and says why.")
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    scan = commands.add_parser("scan")
    scan.add_argument("target")
    scan.add_argument("--db")
    scan.add_argument("--platform", default="")
    scan.set_defaults(command=_later("scan"))
    return top


def _later(module: str) -> Callable[[argparse.Namespace], int]:
    def command(chosen: argparse.Namespace) -> int:
        run: Any = import_module(f"openinspector.cli.{module}").run
        return int(run(chosen))

    return command
