"""VEX statements and findings: which statements concern a finding, and which of them decide.

A statement concerns a finding when it names the vulnerability by any of its names, and

- its product is the finding's package, or
- its product is what was scanned, or the distribution (of whose own packages it then speaks), or a package that holds
  the finding's package (an archive around it, the OS package that owns its files), and its components, if it has any,
  name the finding's package.

Of one author's statements about a finding the latest counts; of two at the same moment the more careful one. What is
stated of the scanned target counts before what is stated of packages wherever they are. Then `affected`, from anybody
left, keeps a finding; else `not_affected` or `fixed` suppresses it. `affected` and `under_investigation` are shown.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct

from openinspector.match.product import Scanned
from openinspector.match.purl import Key, key_of, keys_of
from openinspector.model.package import OS_TYPES, Package
from openinspector.model.suppression import Suppression
from openinspector.model.vex import Statement, VexStatus

# Later is more careful.
_CARE: Final[tuple[VexStatus, ...]] = ("fixed", "not_affected", "under_investigation", "affected")
_WORDS: Final = {"not_affected": "not affected", "fixed": "fixed"}


class Ruling(Struct, frozen=True, kw_only=True):
    """What the statements come to for one finding: those that count, the deciding ones first."""

    statements: tuple[Statement, ...] = ()
    suppression: Suppression | None = None


class Statements:
    """All statements that a scan was given, by vulnerability; remembers which of them concerned anything."""

    def __init__(self, statements: Sequence[Statement], scanned: Scanned) -> None:
        self.all = statements
        self.matched: set[int] = set()
        self._scanned = scanned
        self._by_name: dict[str, dict[Key | None, list[int]]] = {}
        for at, statement in enumerate(statements):
            keys = _keys(statement)
            for name in statement.vulnerabilities:
                places = self._by_name.setdefault(name.upper(), {})
                for key in keys:
                    places.setdefault(key, []).append(at)

    def ruling(self, names: Iterable[str], package: Package) -> Ruling:
        """The ruling on a package's vulnerability, which has these names."""
        asked = [places for name in names if (places := self._by_name.get(name.upper())) is not None]
        if not asked:
            return Ruling()
        holders = self._scanned.holders(package)
        keys = {None, *(key for each in (package, *holders) for key in keys_of(each))}
        found = {at for places in asked for key in keys for at in places.get(key, ())}
        of_target: list[Statement] = []
        of_package: list[Statement] = []
        for at in sorted(found):
            statement = self.all[at]
            reach = self._reach(statement, package, holders)
            if reach:
                self.matched.add(at)
                (of_target if reach == "target" else of_package).append(statement)
        return _rule(_latest(of_target), _latest(of_package))

    def _reach(self, statement: Statement, package: Package, holders: Iterable[Package]) -> str:
        """`target` or `package`, by what a statement concerns the package as; "" where it doesn't."""
        scanned, product, components = self._scanned, statement.product, statement.components
        if scanned.is_package(product, package):
            return "package"
        if components and not any(scanned.is_package(each, package) for each in components):
            return ""
        if scanned.is_target(product):
            return "target"
        if scanned.is_system(product) and package.type in OS_TYPES:
            return "package"
        return "package" if any(scanned.is_package(product, each) for each in holders) else ""


def _keys(statement: Statement) -> set[Key | None]:
    """What the packages that a statement may concern are called; None where it may be any."""
    keys: set[Key | None] = set()
    for each in (statement.product, *statement.components):
        if each.purl is not None and each.purl.type not in ("oci", "docker"):
            keys.add(key_of(each.purl))
        elif each is not statement.product or not statement.components:
            keys.add(None)
    return keys


def _latest(statements: Iterable[Statement]) -> list[Statement]:
    """The latest statement of each author; who has no name is told apart by the document."""
    latest: dict[str, Statement] = {}
    for each in statements:
        author = each.author.strip().lower() or f"{each.document} {each.file}"
        before = latest.get(author)
        if before is None or _weight(each) >= _weight(before):
            latest[author] = each
    return list(latest.values())


def _weight(statement: Statement) -> tuple[str, int]:
    return statement.timestamp, _CARE.index(statement.status)


def _rule(of_target: Sequence[Statement], of_package: Sequence[Statement]) -> Ruling:
    deciding = of_target or of_package
    if not deciding:
        return Ruling()
    ordered = sorted(deciding, key=lambda each: _CARE.index(each.status), reverse=True)
    if ordered[0].status != "affected":
        ordered.sort(key=lambda each: each.status not in _WORDS)
    counting = tuple(dict.fromkeys((*ordered, *(of_package if of_target else ()))))
    first = counting[0]
    return Ruling(statements=counting, suppression=_suppression(first) if first.status in _WORDS else None)


def _suppression(statement: Statement) -> Suppression:
    reason = _WORDS[statement.status]
    if statement.justification:
        reason += f", {statement.justification.replace('_', ' ')}"
    if statement.impact:
        reason += f": {statement.impact}"
    if statement.author:
        reason += f" (says {statement.author})"
    return Suppression(
        kind="vex",
        reason=reason,
        status="fixed" if statement.status == "fixed" else "not_affected",
        justification=statement.justification,
        owner=statement.author,
        source=statement.file,
    )
