"""Documents that the store only keeps and gives back."""

from typing import Any

import msgspec

from openinspector.store.bulk import as_json


def kept(value: Any) -> Any:
    """A value of JSON as PostgreSQL can hold it: what it can't (NUL, halves of surrogate pairs) becomes U+FFFD."""
    return msgspec.json.decode(as_json(value))
