"""A CIS run as CSV: a row for each check on each instance, written while results come in.

AWS publishes no list of its columns; these are the members of `CisScanResultDetails`, with their names in words.

Source: RFC 4180; Inspector's API reference, CisScanResultDetails.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from openinspector.render.findings_csv import cell

COLUMNS: Final = (
    "Scan ARN",
    "Account Id",
    "Target Resource Id",
    "Platform",
    "Check Id",
    "Title",
    "Level",
    "Status",
    "Status Reason",
    "Check Description",
    "Remediation",
)


def lines(results: Iterable[Mapping[str, str]]) -> Iterator[str]:
    """The header, then a line for each result, which has texts by the columns' names; lines end with CR and LF."""
    writer = csv.writer(_Through())
    yield writer.writerow(COLUMNS)
    for result in results:
        yield writer.writerow([cell(result.get(each, "")) for each in COLUMNS])


class _Through:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text
