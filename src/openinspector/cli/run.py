"""Commands, and what their errors look like to a person."""

import sys
from collections.abc import Sequence

from openinspector.cli.arguments import parser
from openinspector.errors import OpenInspectorError, UsageError

USAGE, FAILED = 2, 3


def run(given: Sequence[str]) -> int:
    """Parse the arguments and run their command."""
    chosen = parser(given[0] if given else "").parse_args(given)
    try:
        return int(chosen.command(chosen))
    except UsageError as error:
        _say(str(error))
        return USAGE
    except OpenInspectorError as error:
        _say(str(error))
        return FAILED
    except MemoryError:
        _say("there is not enough memory for this")
        return FAILED
    except BrokenPipeError:
        sys.stderr.close()  # whoever read our output has gone; nothing more can be said
        return FAILED
    except KeyboardInterrupt:
        _say("interrupted")
        return 130


def _say(text: str) -> None:
    """Tell a person; the text may hold words of an artifact or a server, and goes to a terminal."""
    from openinspector.render.text import visible

    print(f"openinspector: {visible(text)}", file=sys.stderr)
