"""Writes docs/commands.md from the command line as it is; with --check, says whether the page is current."""

import argparse
from collections.abc import Iterator

from page import settle

from openinspector.cli.arguments import parser


def page() -> str:
    """The reference page."""
    lines = ["# Commands", "", "This page is made from the code by `make docs`. What the environment sets is in"]
    lines += ["[settings.md](settings.md)."]
    for command in _commands(parser()):
        lines += ["", f"## {command.prog}", "", *_about(command)]
    return "\n".join(lines) + "\n"


def _commands(top: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """Every command that does something, in the order of `--help`."""
    below = [each for each in top._actions if isinstance(each, argparse._SubParsersAction)]  # noqa: SLF001  no public way
    if not below:
        yield top
    for action in below:
        for command in action.choices.values():
            yield from _commands(command)


def _about(command: argparse.ArgumentParser) -> Iterator[str]:
    yield command.description or ""
    yield ""
    for action in command._actions:  # noqa: SLF001
        if action.help == argparse.SUPPRESS or "--help" in action.option_strings:
            continue
        yield f"- `{_form(action)}`{_meaning(action)}"
    if command.epilog:
        yield ""
        yield "```text"
        yield command.epilog.rstrip()
        yield "```"


def _form(action: argparse.Action) -> str:
    """`--format table|json`, `TARGET`."""
    value = "|".join(str(each) for each in action.choices) if action.choices else str(action.metavar or "")
    if not action.option_strings:
        return value or action.dest
    names = ", ".join(action.option_strings)
    return names if action.nargs == 0 else f"{names} {value or action.dest.upper()}"


def _meaning(action: argparse.Action) -> str:
    said = (action.help or "").replace("%%", "%")
    if action.required and action.option_strings:
        said = f"{said} (required)".strip()
    return f": {said}" if said else ""


if __name__ == "__main__":
    raise SystemExit(settle("commands.md", page()))
