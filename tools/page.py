"""A page of the documents that is made from the code: written, or checked to be current."""

import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent.parent / "docs"


def settle(name: str, text: str) -> int:
    """Write a page; with --check among the arguments, say whether it is current. Gives the exit status."""
    page = DOCS / name
    if "--check" not in sys.argv:
        page.write_text(text)
    elif not page.exists() or page.read_text() != text:
        print(f"{page} is not current: run `make docs`", file=sys.stderr)
        return 1
    return 0
