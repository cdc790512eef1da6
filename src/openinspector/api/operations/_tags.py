"""The tags that something is made with."""

from collections.abc import Mapping
from typing import Any

from openinspector.api.errors import field_failed
from openinspector.store.tags import unfit


def tags_of_new(given: Mapping[str, Any]) -> dict[str, str]:
    """The `tags` of a request.

    Raises:
        ValidationFailed: They won't do.
    """
    tags: dict[str, str] = given.get("tags") or {}
    reason = unfit(tags)
    if reason:
        raise field_failed("tags", reason)
    return tags
