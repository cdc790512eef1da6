"""The findings report as JSON: `{"findings": [ … ]}` in the API's field names, written while findings come in.

Times are ISO 8601 in UTC, other than in the API's answers.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from openinspector.render.text import json_line


def parts(findings: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """The document in parts, a finding each; put together they are one JSON object.

    `findings` have the API's shape, as handlers answer it: times are aware datetimes.
    """
    yield '{"findings": ['
    between = "\n"
    for finding in findings:
        yield between + json_line(finding)
        between = ",\n"
    yield "\n]}\n"
