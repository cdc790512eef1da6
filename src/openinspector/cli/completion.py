"""`openinspector completion`."""

import argparse
import sys


def run(chosen: argparse.Namespace) -> int:
    """Print the completion script of a shell."""
    import shtab

    from openinspector.cli.arguments import parser

    sys.stdout.write(shtab.complete(parser(), shell=chosen.shell) + "\n")
    return 0
