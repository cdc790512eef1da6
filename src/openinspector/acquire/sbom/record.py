"""What every kind of SBOM document is read into, before anything is made of it.

To add a kind of document: write a reader in this folder that gives a `Bill`, and name it in `acquire/targets/sbom.py`.
Two encodings of one document must give equal bills.
"""

from typing import Final

from msgspec import Struct

from openinspector.errors import AcquireError
from openinspector.model.problem import Problem

LARGEST: Final = 512 << 20  # bytes of a document
MOST: Final = 10_000_000  # values of a JSON document, elements of an XML one
COMPONENTS: Final = 1_000_000  # of a document
DEEPEST: Final = 64  # components within components
TEXT_AT_MOST: Final = 1 << 16  # characters of one text; what is longer is cut, and no name that anybody uses

# Software bills list what is no software, too; without a package URL such entries are nothing to judge.
NO_SOFTWARE: Final = frozenset(
    "container cryptographic-asset data device file machine-learning-model operating-system".split()
)


class Component(Struct, frozen=True, kw_only=True):
    """One entry of a document.

    `kind` is CycloneDX's type, or SPDX's purpose in the same words. `places` are paths in the tree that the document
    is about, each with the OS package that owns the file, "" for none. `properties` are other tools' own facts
    (`syft:distro:id`); `origin` is SPDX's text on where a package comes from.
    """

    name: str
    group: str = ""
    version: str = ""
    purls: tuple[str, ...] = ()
    cpe: str = ""
    kind: str = "library"
    description: str = ""
    supplier: str = ""
    license: str = ""
    digest: str = ""
    development: bool = False  # not there when the software runs
    aggregate: bool = False  # a lock file or the like, that only holds others
    owner: str = ""
    origin: str = ""
    places: tuple[tuple[str, str], ...] = ()
    properties: tuple[tuple[str, str], ...] = ()

    @property
    def full_name(self) -> str:
        """With the group, as npm writes it."""
        return f"{self.group}/{self.name}" if self.group else self.name


class Bill(Struct, frozen=True, kw_only=True):
    """One document: its entries, and what it is about, if it says so."""

    components: tuple[Component, ...]
    subject: Component | None = None
    problems: tuple[Problem, ...] = ()


def cut(value: object) -> str:
    """A text of bounded length; "" for what is no text."""
    return value[:TEXT_AT_MOST].strip() if isinstance(value, str) else ""


def check_count(components: int) -> None:
    """Whether a document may have so many components.

    Raises:
        AcquireError: It may not.
    """
    if components > COMPONENTS:
        raise AcquireError(f"has more than {COMPONENTS:,} components")
