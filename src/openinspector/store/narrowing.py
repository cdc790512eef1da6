"""Criteria as conditions by which PostgreSQL finds the few rows that there are.

What its resource is like, what packages a finding has, and how its flaw scores, is not written with it (see
findings.py): asked of one finding after another, a rare package would be sought through all of them. The resources and
flaws that can be meant are read first, and an index has the findings of each; told as values they also show the planner
how many there will be.
"""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, any_, bindparam, cast, func, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import BigInteger

from openinspector.find.criteria import compared
from openinspector.model.criteria import Criteria, PackageFilter
from openinspector.store.criteria import conditions, epss_within, named_texts
from openinspector.store.tables import WORDS, enrichment, finding, package, package_vulnerability, resource

MOST: Final = 5_000  # flaws; where more can be meant, findings that have one of them are not far to seek
MOST_RESOURCES: Final = 2_000  # the same of resources

_FEW_ACCOUNTS: Final = 4  # whose resources are gone through; of more of them only where an index has those
_FEW_RESOURCES: Final = 150  # whose findings are all read and sorted; of more, those in the order of a walk are met
_FEW_FINDINGS: Final = 3_000
_OF_FEW: Final = (
    *("finding_arn", "title", "resource_id", "component_id", "related_vulnerabilities", "vulnerable_packages"),
)
_INDEXED: Final = ("resource_id", "ecr_image_repository_name", "cloud_image_repository_name")
_OF_RESOURCE: Final = (
    *("resource_id", "resource_tags", "ec2_", "ecr_", "lambda_", "machine_"),
    *("cloud_vm_", "cloud_image_", "cloud_serverless_"),
)


def accounts_meant(accounts: Sequence[str], criteria: Criteria) -> list[str]:
    """Those of the accounts whose findings can meet the criteria."""
    asked = [compared(each) for each in (criteria.aws_account_id, criteria.cloud_provider_account_id) if each]
    return [account for account in accounts if all(holds((account,)) for holds in asked)]


class Narrowing:
    """The conditions that findings meet, as far as they can be told by values."""

    def __init__(self, connection: Connection, criteria: Criteria, region: str) -> None:
        self._connection = connection
        self._region = region
        asked = {name: each for name in criteria.__struct_fields__ if (each := getattr(criteria, name))}
        of_resource = {name: asked.pop(name) for name in list(asked) if name.startswith(_OF_RESOURCE)}
        self._of_resource = conditions(Criteria(**of_resource))
        self._is_indexed = any(each.comparison == "EQUALS" for name in _INDEXED for each in of_resource.get(name, ()))
        self._resources: dict[tuple[str, ...], tuple[list[str], list[ColumnElement[bool]]]] = {}
        self._is_of_few = any(name in asked or name in of_resource for name in _OF_FEW)
        self._flaws = [each.value for each in criteria.vulnerability_id or () if each.comparison == "EQUALS"]
        also: list[ColumnElement[bool]] = []
        if (flaws := _of_packages(connection, criteria.vulnerable_packages or ())) is not None:
            # What is closed has the packages that it had then, whatever is known of them today; others may keep some.
            keeps = and_(finding.c.status != "CLOSED", finding.c.details.has_key("packages"))
            also.append(or_(finding.c.status == "CLOSED", keeps, _among(flaws)))
        if criteria.epss_score:
            scored = select(enrichment.c.vulnerability_id).where(epss_within(criteria.epss_score))
            if (flaws := _read(connection, scored)) is not None:
                del asked["epss_score"]
                also.append(_among(flaws))
        self.met = [*conditions(Criteria(**asked)), *also]

    def is_of_few(self, accounts: Sequence[str]) -> bool:
        """Whether the findings of these accounts that can be meant are few enough to be read and sorted."""
        if self._is_of_few or not self._flaws:
            return self._is_of_few
        mine = finding.c.account == any_(cast(list(accounts), WORDS)), finding.c.region == self._region
        some = select(1).select_from(finding).where(*mine, _among(self._flaws)).limit(_FEW_FINDINGS + 1).subquery()
        return bool(self._connection.execute(select(func.count()).select_from(some)).scalar_one() <= _FEW_FINDINGS)

    def of_resources(self, accounts: Sequence[str]) -> tuple[list[str], list[ColumnElement[bool]]]:
        """What findings of these accounts meet besides, and whose alone can, where few resources are meant."""
        if not self._of_resource or not (self._is_indexed or len(accounts) <= _FEW_ACCOUNTS):
            return list(accounts), self._of_resource
        key = tuple(accounts)
        if key not in self._resources:
            self._resources[key] = self._read_resources(key)
        return self._resources[key]

    def _read_resources(self, accounts: Sequence[str]) -> tuple[list[str], list[ColumnElement[bool]]]:
        mine = resource.c.account.in_(accounts), resource.c.region == self._region
        asked = select(resource.c.id, resource.c.account).where(*mine, *self._of_resource).limit(MOST_RESOURCES + 1)
        found = self._connection.execute(asked).all()
        if len(found) > MOST_RESOURCES:
            return list(accounts), self._of_resource
        concerned = {row.account for row in found}
        ids = cast(bindparam(None, [row.id for row in found], type_=_NUMBERS), _NUMBERS)
        # The planner thinks that an account has far fewer of their findings than it has, and would sort them all.
        number: Any = finding.c.resource_id if len(found) <= _FEW_RESOURCES else finding.c.resource_id + 0
        return [each for each in accounts if each in concerned], [number == any_(ids)]


def _of_packages(connection: Connection, entries: Sequence[PackageFilter]) -> list[str] | None:
    """The flaws of the packages that one of the entries names; None where an entry names none, or too many."""
    names = [each.name for each in entries if each.name is not None and each.name.comparison != "NOT_EQUALS"]
    if not names or len(names) < len(entries):
        return None
    named = or_(*(named_texts(package.c.name, each) for each in names))
    with_flaws = package.join(package_vulnerability, package_vulnerability.c.package_id == package.c.id)
    return _read(connection, select(package_vulnerability.c.vulnerability_id).select_from(with_flaws).where(named))


def _read(connection: Connection, flaws: Any) -> list[str] | None:
    found = flaws.subquery("flaws")
    rows = connection.execute(select(found.c.vulnerability_id).distinct().limit(MOST + 1)).scalars().all()
    return list(rows) if len(rows) <= MOST else None


def _among(flaws: list[str]) -> ColumnElement[bool]:
    values = cast(bindparam(None, flaws, type_=WORDS), WORDS)
    return finding.c.vulnerability_id == any_(values)


_NUMBERS: Final = ARRAY(BigInteger)
