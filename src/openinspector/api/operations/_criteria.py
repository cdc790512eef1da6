"""Filter criteria of a request."""

from collections.abc import Mapping
from typing import Any

from openinspector.api.errors import ValidationFailed, field_failed
from openinspector.errors import UsageError
from openinspector.model.criteria import Criteria, parse_criteria


def criteria_of(given: Mapping[str, Any], name: str = "filterCriteria") -> Criteria:
    """Criteria as they were parsed from the member `name`.

    Raises:
        ValidationFailed: They make no sense.
    """
    try:
        return parse_criteria(given)
    except UsageError as error:
        raise _refused(name, error) from error


def _refused(name: str, error: UsageError) -> ValidationFailed:
    said = str(error)
    return field_failed(name, f"{said[0].upper()}{said[1:]}.")
