"""Commands, and what their errors look like to a person."""

import sys
from collections.abc import Sequence

from openinspector.cli.arguments import parser
from openinspector.errors import OpenInspectorError, UsageError

USAGE, FAILED = 2, 3


def run(given: Sequence[str]) -> int:
    """Parse the arguments and run their command."""
    chosen = parser().parse_args(given)
    try:
        return int(chosen.command(chosen))
    except UsageError as error:
        print(f"openinspector: {error}", file=sys.stderr)
        return USAGE
    except OpenInspectorError as error:
        print(f"openinspector: {error}", file=sys.stderr)
        return FAILED
    except BrokenPipeError:
        sys.stderr.close()  # whoever read our output has gone; nothing more can be said
        return FAILED
    except KeyboardInterrupt:
        print("openinspector: interrupted", file=sys.stderr)
        return 130
