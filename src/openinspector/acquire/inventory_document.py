"""An inventory as `openinspector sbom TARGET --format inventory` writes it, read back: everything that a scan needs.

    {"format": "openinspector-inventory/1", "tool": {…}, "made_at": "…", "inventory": {"target": {…}, "packages": […]}}

`render/inventory.py` writes it; docs/inventory-format.md describes it. A document of a later `/1` may have members that
this version doesn't know: they are passed over.
"""

from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from openinspector.acquire.sbom.record import MOST, TEXT_AT_MOST
from openinspector.errors import AcquireError
from openinspector.model.distro import FAMILIES, Distribution
from openinspector.model.inventory import INVENTORY_FORMAT, Inventory
from openinspector.model.package import Package

_MOST_PROBLEMS: Final = 100_000
_MOST_LAYERS: Final = 10_000
_HIGHEST_COUNT: Final = (1 << 31) - 1


class _Document(Struct, frozen=True):
    """The members that are looked at first."""

    format: Any = None
    schema_version: Any = None  # of a scan's report
    bom_format: Any = msgspec.field(name="bomFormat", default=None)
    inventory: msgspec.Raw = msgspec.Raw()


def read_inventory(data: bytes) -> Inventory:
    """The inventory of a document.

    Raises:
        AcquireError: It is none, of another version, or makes no sense.
    """
    if data.count(b",") + data.count(b"[") + data.count(b"{") > MOST:
        raise AcquireError(f"has more than {MOST:,} values")
    try:
        document = msgspec.json.decode(data, type=_Document)
        _check_format(document)
        inventory = msgspec.json.decode(document.inventory, type=Inventory)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise AcquireError(f"is no inventory that makes sense: {error}") from error
    _check(inventory)
    if inventory.status == "whole" and any(each.partial for each in inventory.problems):
        return replace(inventory, status="partial")
    return inventory


def _check_format(document: _Document) -> None:
    if document.format == INVENTORY_FORMAT:
        return
    hint = "write one with `openinspector sbom TARGET --format inventory`"
    if document.schema_version is not None:
        raise AcquireError(f"is a scan's report, which names only the packages with findings: {hint}")
    if document.bom_format is not None:
        raise AcquireError(f"is an SBOM, which is handed in as one, or {hint}")
    if isinstance(document.format, str) and document.format.startswith(INVENTORY_FORMAT.partition("/")[0]):
        raise AcquireError(f"is {document.format[:64]!r}, and this version reads {INVENTORY_FORMAT}")
    raise AcquireError(f"is no {INVENTORY_FORMAT}: {hint}")


def _check(inventory: Inventory) -> None:
    """What the types don't tell."""
    if inventory.distribution is not None:
        _check_distribution(inventory.distribution)
    if len(inventory.problems) > _MOST_PROBLEMS:
        raise AcquireError(f"has more than {_MOST_PROBLEMS:,} problems")
    if len(inventory.target.layers) > _MOST_LAYERS:
        raise AcquireError(f"has more than {_MOST_LAYERS:,} layers")
    for problem in inventory.problems:
        if not 1 <= problem.count <= _HIGHEST_COUNT:
            raise AcquireError(f"has a problem with the count {problem.count}")
    for package in inventory.packages:
        _check_package(package)


def _check_distribution(distribution: Distribution) -> None:
    """That its advisories are those of a family that we know, if of any."""
    family, namespace = distribution.family, distribution.namespace
    if family and family not in FAMILIES:
        raise AcquireError(f"is of the family {family[:64]!r}, which this version doesn't know")
    if namespace and namespace.partition(":")[0] != family:
        raise AcquireError(f"has the namespace {namespace[:64]!r}, which is none of the family {family!r}")


def _check_package(package: Package) -> None:
    source = package.source
    named = (package.type, package.name, package.version, *((source.name, source.version) if source else ()))
    if not package.type or not package.name:
        raise AcquireError("has a package without a type or a name")
    if max(map(len, (*named, package.location.path))) > TEXT_AT_MOST:
        raise AcquireError(f"has a package with a name, version or path of more than {TEXT_AT_MOST:,} characters")
