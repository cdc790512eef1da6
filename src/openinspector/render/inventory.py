"""An inventory with everything that a scan elsewhere needs, as JSON; `acquire/inventory_document.py` reads it back.

The members are the fields of model/inventory.py and what it holds; those at their default are left out.
docs/inventory-format.md describes them. A change that breaks a reader raises the number in `INVENTORY_FORMAT`.
"""

from typing import Any

import msgspec

from openinspector import __version__
from openinspector.model.inventory import INVENTORY_FORMAT, Inventory
from openinspector.model.match import Report
from openinspector.render.text import json_document, json_line


def render(report: Report) -> str:
    """The document, for people too."""
    return json_document(_document(report.inventory, report.scanned_at))


def document(inventory: Inventory, made_at: str) -> str:
    """The same in one line. `made_at` is ISO 8601 in UTC."""
    return json_line(_document(inventory, made_at))


def _document(inventory: Inventory, made_at: str) -> dict[str, Any]:
    return {
        "format": INVENTORY_FORMAT,
        "tool": {"name": "openinspector", "version": __version__},
        "made_at": made_at,
        "inventory": msgspec.to_builtins(inventory),
    }
