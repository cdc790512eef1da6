"""What somebody else found on a resource is handed in: as an SBOM, or as an inventory of ours.

The document is read in a child process (`pipeline/confined.py`); what comes back is typed, and this process has opened
nothing that a stranger wrote.
"""

from io import BytesIO
from typing import Final, Literal

import msgspec
from msgspec import Struct

from openinspector.acquire.inventory_document import read_inventory
from openinspector.acquire.targets.sbom import UNDERSTOOD, inventory_of, read_bill
from openinspector.errors import AcquireError
from openinspector.model.inventory import Inventory, Target
from openinspector.pipeline.confined import confined
from openinspector.transport.zygote import Function

Kind = Literal["sbom", "inventory"]

MOST_PACKAGES: Final = 200_000


class _Read(Struct, frozen=True, tag="read"):
    inventory: Inventory


class _Refused(Struct, frozen=True, tag="refused"):
    message: str


def read_handed_in(kind: Kind, document: bytes | memoryview, account: str = "") -> Inventory:
    """The inventory of an account's document: the text of a JSON value, a string where an SBOM isn't written in JSON.

    Raises:
        AcquireError: It is no such document, or makes no sense.
        ConfinedError: It can't be read within the bounds.
    """
    told = confined(reading, document, given=kind.encode(), account=account)
    answer = msgspec.msgpack.decode(told, type=_Read | _Refused)
    if isinstance(answer, _Refused):
        raise AcquireError(answer.message)
    return answer.inventory


def reading(given: bytes) -> Function:
    """Reads a document of a kind, in a child."""
    read = _inventory_of_sbom if given == b"sbom" else read_inventory

    def answer(document: bytes) -> bytes:
        said: _Read | _Refused
        try:
            inventory = read(document)
            many = len(inventory.packages) > MOST_PACKAGES
            said = _Refused(f"has more than {MOST_PACKAGES:,} packages") if many else _Read(inventory)
        except AcquireError as error:
            said = _Refused(str(error))
        return msgspec.msgpack.encode(said)

    return answer


def _inventory_of_sbom(document: bytes) -> Inventory:
    if document.lstrip()[:1] == b'"':
        try:
            document = msgspec.json.decode(document, type=str).encode()
        except (msgspec.MsgspecError, UnicodeError) as error:
            raise AcquireError(f"is no text: {error}") from error
    try:
        bill = read_bill(BytesIO(document))
    except AcquireError as error:
        raise AcquireError(f"{error} ({UNDERSTOOD})") from error
    return inventory_of(bill, Target(kind="sbom", name="sbom"), "sbom")
