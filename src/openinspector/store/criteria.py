"""Filter criteria as conditions of SQL: what `find/criteria.py` says in memory, for queries over many findings.

    select(finding.c.id).join(resource, resource.c.id == finding.c.resource_id).where(*conditions(criteria))

Both tables go by their own names there. A text that is not there is "", as everywhere in the tables, so that no
condition is NULL where it is negated.
"""

import math
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Double,
    Text,
    and_,
    case,
    cast,
    exists,
    false,
    func,
    not_,
    or_,
    select,
    true,
    type_coerce,
)
from sqlalchemy.sql.selectable import Subquery

from openinspector.find.criteria import compared
from openinspector.model.criteria import (
    Criteria,
    DateFilter,
    MapFilter,
    NumberFilter,
    PackageFilter,
    PortRangeFilter,
    PurlQualifierFilter,
    ReachabilityFilter,
    ReachabilityReasonFilter,
    StringFilter,
)
from openinspector.model.finding import SEVERITIES
from openinspector.model.spelling import RUNTIMES
from openinspector.store.finding_packages import finding_packages
from openinspector.store.tables import WORD, enrichment, finding, resource

_Condition = ColumnElement[bool]
_Expression = ColumnElement[Any]
_Entry = StringFilter | ReachabilityFilter | ReachabilityReasonFilter
_AnyValue = Callable[
    [Callable[[_Expression], _Condition]], _Condition
]  # whether any value of an attribute meets a test
_Asked = Callable[[Sequence[Any]], _Condition]  # the condition that the entries of a field make

_LAST_PORT: Final = 65535
_FIRST_SURROGATE: Final = 0xD800  # what follows is no character before this
_AFTER_SURROGATES: Final = 0xE000
_ARN: Final = re.compile(r"arn:([^:]*):inspector2:([^:]*):([^:]*):finding/([0-9a-f]{32})").fullmatch
_INSTANCE: Final = "AWS_EC2_INSTANCE"
_IMAGE: Final = "AWS_ECR_CONTAINER_IMAGE"
_FUNCTION: Final = "AWS_LAMBDA_FUNCTION"


def conditions(criteria: Criteria) -> list[_Condition]:
    """What a finding and its resource must meet, all of it; nothing for empty criteria."""
    asked = {field: getattr(criteria, field) for field in criteria.__struct_fields__}
    return [_FIELDS[field](entries) for field, entries in asked.items() if entries]


def _texts(entries: Sequence[_Entry], any_value: _AnyValue) -> _Condition:
    storable = [each for each in entries if _is_storable(each.value)]
    equal = [each.value for each in storable if each.comparison == "EQUALS"]
    prefixes = [each.value for each in storable if each.comparison == "PREFIX"]
    different = [each.value for each in storable if each.comparison == "NOT_EQUALS"]
    met: _Condition = true()
    if equal or prefixes:
        met = any_value(lambda value: or_(value.in_(equal), *(_starts(value, each) for each in prefixes)))
    elif any(each.comparison != "NOT_EQUALS" for each in entries):
        met = false()
    return and_(met, not_(any_value(lambda value: value.in_(different)))) if different else met


def _starts(value: _Expression, prefix: str) -> _Condition:
    """A prefix is a range where texts compare by code point: row security keeps LIKE from being one of an index."""
    kept = prefix.rstrip("\U0010ffff")
    if not kept:
        return value.startswith(prefix, autoescape=True)
    after = ord(kept[-1]) + 1
    behind = kept[:-1] + chr(_AFTER_SURROGATES if after == _FIRST_SURROGATE else after)
    return and_(value >= prefix, value < behind)


def _is_storable(value: str) -> bool:
    """Whether the database can hold a text; one that it can't is equal to nothing."""
    try:
        return "\0" not in value and bool(value.encode() or True)
    except UnicodeEncodeError:
        return False


def _text(expression: _Expression) -> _Asked:
    return lambda entries: _texts(entries, lambda test: test(expression))


def _elements(array: _Expression, key: str = "") -> _Asked:
    """The texts of a JSON array, or those under a key of the objects in it."""

    def any_value(test: Callable[[_Expression], _Condition]) -> _Condition:
        elements = func.jsonb_array_elements if key else func.jsonb_array_elements_text
        rows = elements(array).table_valued("value")
        value = rows.c.value.op("->>")(key) if key else rows.c.value
        return exists(select(1).select_from(rows).where(test(type_coerce(value, WORD).collate("C"))))

    return lambda entries: _texts(entries, any_value)


def _one_of(*outcomes: tuple[_Condition, tuple[str, ...]]) -> _Asked:
    """An attribute with few values, each told by a condition: they are compared here, and only the outcome is asked."""

    def asked(entries: Sequence[_Entry]) -> _Condition:
        holds = compared(entries)
        return or_(false(), *(condition for condition, values in outcomes if holds(values)))

    return asked


_absent: Final = _one_of((true(), ()))


def _always(value: str) -> _Asked:
    return _one_of((true(), (value,)))


def named_texts(expression: _Expression, entry: StringFilter) -> _Condition:
    """What a text must be by one entry."""
    return _text(expression)([entry])


def epss_within(entries: Sequence[NumberFilter]) -> _Condition:
    """What a row of `enrichment` must be, where a finding's EPSS is asked for."""
    return _numbers(enrichment.c.epss)(entries)


def _within(expression: _Expression, bounds: Iterable[tuple[Any, Any]]) -> _Condition:
    """False or NULL where the attribute is not there."""
    return or_(
        false(),
        *(
            and_(
                expression.is_not(None),
                true() if low is None else expression >= low,
                true() if high is None else expression <= high,
            )
            for low, high in bounds
            # Not a number contains nothing; for PostgreSQL it would be greater than all.
            if not any(isinstance(each, float) and math.isnan(each) for each in (low, high))
        ),
    )


def _dates(expression: _Expression) -> _Asked:
    def asked(entries: Sequence[DateFilter]) -> _Condition:
        return _within(expression, [(each.start_inclusive, each.end_inclusive) for each in entries])

    return asked


def _numbers(expression: _Expression) -> _Asked:
    def asked(entries: Sequence[NumberFilter]) -> _Condition:
        return _within(expression, [(each.lower_inclusive, each.upper_inclusive) for each in entries])

    return asked


def _arn(entries: Sequence[_Entry]) -> _Condition:
    """Whole ARNs are looked up by the parts that they name; only a prefix needs the text."""
    if any(each.comparison == "PREFIX" for each in entries):
        start = func.concat("arn:", resource.c.partition, ":inspector2:", finding.c.region, ":", finding.c.account)
        arn = func.concat(start, ":finding/", func.replace(cast(finding.c.id, Text), "-", ""))
        return _text(type_coerce(arn, WORD).collate("C"))(entries)
    equal = [_named(each.value) for each in entries if each.comparison == "EQUALS"]
    different = [_named(each.value) for each in entries if each.comparison == "NOT_EQUALS"]
    return and_(or_(*equal) if equal else true(), *(not_(each) for each in different))


def _named(arn: str) -> _Condition:
    parts = _ARN(arn)
    if parts is None or not _is_storable(arn):
        return false()
    partition, region, account, digits = parts.groups()
    return and_(
        finding.c.account == account,
        finding.c.region == region,
        finding.c.id == UUID(digits),
        resource.c.partition == partition,
    )


def _tags(entries: Sequence[MapFilter]) -> _Condition:
    return or_(false(), *(_has(resource.c.tags, each) for each in entries))


def _has(values: _Expression, entry: MapFilter | PurlQualifierFilter) -> _Condition:
    if not _is_storable(entry.key) or not _is_storable(entry.value or ""):
        return false()
    if entry.value is None:
        return values.op("?", is_comparison=True)(entry.key)
    return values.op("->>")(entry.key) == entry.value


def _ports(entries: Sequence[PortRangeFilter]) -> _Condition:
    ranges = (
        (each.begin_inclusive or 0, _LAST_PORT if each.end_inclusive is None else each.end_inclusive)
        for each in entries
    )
    overlaps = (
        and_(finding.c.first_port <= last, finding.c.last_port >= first) for first, last in ranges if first <= last
    )
    return or_(false(), *overlaps)


def _related(entries: Sequence[_Entry]) -> _Condition:
    def any_value(test: Callable[[_Expression], _Condition]) -> _Condition:
        packages = finding_packages()
        rows = func.unnest(packages.c.related).table_valued("value").render_derived()
        value = type_coerce(rows.c.value, WORD).collate("C")
        return exists(select(1).select_from(packages).join(rows, true()).where(test(value)))

    return _texts(entries, any_value)


def _packages(entries: Sequence[PackageFilter]) -> _Condition:
    """Names are written with the finding; whatever else is asked of a package follows from inventories."""
    named = [each.name for each in entries if each.name is not None and each == PackageFilter(name=each.name)]
    others = [each for each in entries if each.name is None or each != PackageFilter(name=each.name)]
    met: list[_Condition] = []
    if named:
        names = func.unnest(finding.c.package_names).table_valued("name").render_derived()
        name = type_coerce(names.c.name, WORD).collate("C")
        met.append(exists(select(1).select_from(names).where(or_(*(_text(name)([each]) for each in named)))))
    if others:
        packages = finding_packages()
        met.append(exists(select(1).select_from(packages).where(or_(*(_package(each, packages) for each in others)))))
    return or_(*met)


def _package(entry: PackageFilter, packages: Subquery) -> _Condition:
    """As `find.attributes.OF_PACKAGE`."""
    is_layer = packages.c.place.startswith("arn:")
    attributes: dict[str, _Asked] = {
        "name": _text(packages.c.name),
        "version": _text(packages.c.version),
        "epoch": _numbers(packages.c.epoch),
        "release": _text(packages.c.release),
        "architecture": _text(func.upper(packages.c.arch)),
        "source_layer_hash": _text(case((is_layer, ""), else_=packages.c.place)),
        "source_lambda_layer_arn": _text(case((is_layer, packages.c.place), else_="")),
        "file_path": _text(case((packages.c.is_os, ""), else_=packages.c.path)),
        "runtime_reachability": _absent,
        "runtime_reachability_reason": _absent,
    }
    met: list[_Condition] = []
    for field in entry.__struct_fields__:
        asked = getattr(entry, field)
        if isinstance(asked, PurlQualifierFilter):
            met.append(_has(packages.c.qualifiers, asked))
        elif asked is not None:
            met.append(attributes[field]([asked]))
    return and_(true(), *met)


def _of(kind: str, key: str) -> _Expression:
    """A text of a resource's details; "" for other kinds and where it is not there."""
    said = type_coerce(resource.c.details.op("->>")(key), WORD)
    return type_coerce(case((resource.c.type == kind, func.coalesce(said, "")), else_=""), WORD).collate("C")


def _list_of(kind: str, key: str) -> _Expression:
    return case((resource.c.type == kind, resource.c.details.op("->")(key)))


def _moment_of(kind: str, key: str) -> _Expression:
    said = _of(kind, key)
    return case((func.pg_input_is_valid(said, "timestamp with time zone"), cast(said, DateTime(timezone=True))))


def _runtime() -> _Expression:
    """As `model.spelling.runtime_word`; "" for what is no function."""
    name = _of(_FUNCTION, "runtime")
    word = func.upper(func.replace(func.regexp_replace(name, "^([a-z]+)([0-9])", r"\1_\2"), ".", "_"))
    return case((resource.c.type != _FUNCTION, ""), (word.in_(sorted(RUNTIMES)), word), else_="UNSUPPORTED")


_EPSS: Final = (
    select(enrichment.c.epss).where(enrichment.c.vulnerability_id == finding.c.vulnerability_id).scalar_subquery()
)
_USES: Final = case(
    (resource.c.type == _IMAGE, cast(func.coalesce(resource.c.details.op("->>")("in_use_count"), "0"), Double))
)
_PATH: Final = finding.c.details.op("->")("path")
_IMAGE_FIELDS: Final[dict[str, _Asked]] = {
    "pushed_at": _dates(resource.c.pushed_at),
    "architecture": _text(_of(_IMAGE, "architecture")),
    "registry": _text(resource.c.registry),
    "repository_name": _text(resource.c.repository),
    "tags": _elements(_list_of(_IMAGE, "tags")),
    "last_in_use_at": _dates(_moment_of(_IMAGE, "last_in_use_at")),
    "in_use_count": _numbers(_USES),
}
_FUNCTION_FIELDS: Final[dict[str, _Asked]] = {
    "name": _text(_of(_FUNCTION, "name")),
    "runtime": _text(_runtime()),
    "last_modified_at": _dates(_moment_of(_FUNCTION, "last_modified_at")),
}
_MACHINE_IMAGE: Final = resource.c.type == "MACHINE_IMAGE"

# As `find.attributes.OF_RESOURCE` and `OF_FINDING`.
_FIELDS: Final[dict[str, _Asked]] = {
    "finding_arn": _arn,
    "aws_account_id": _text(finding.c.account),
    "finding_type": _text(finding.c.type),
    "severity": _one_of(*((finding.c.severity == rank, (word,)) for rank, word in enumerate(SEVERITIES))),
    "finding_status": _text(finding.c.status),
    "title": _text(finding.c.title),
    "first_observed_at": _dates(finding.c.first_observed_at),
    "last_observed_at": _dates(finding.c.last_observed_at),
    "updated_at": _dates(finding.c.updated_at),
    "inspector_score": _numbers(finding.c.score),
    "epss_score": _numbers(_EPSS),
    "fix_available": _text(finding.c.fix),
    "exploit_available": _one_of(
        (finding.c.exploit.is_(None), ()),
        (finding.c.exploit.is_(True), ("YES",)),
        (finding.c.exploit.is_(False), ("NO",)),
    ),
    "vulnerability_id": _text(finding.c.vulnerability_id),
    "vulnerability_source": _text(finding.c.vulnerability_source),
    "vendor_severity": _text(finding.c.vendor_severity),
    "related_vulnerabilities": _related,
    "vulnerable_packages": _packages,
    "port_range": _ports,
    "network_protocol": _text(finding.c.protocol),
    "component_id": _elements(_PATH, "component_id"),
    "component_type": _elements(_PATH, "component_type"),
    "code_vulnerability_detector_name": _absent,
    "code_vulnerability_detector_tags": _absent,
    "code_vulnerability_file_path": _absent,
    "resource_type": _text(resource.c.type),
    "resource_id": _text(resource.c.external_id),
    "resource_tags": _tags,
    "ec2_instance_image_id": _text(_of(_INSTANCE, "image_id")),
    "ec2_instance_vpc_id": _text(_of(_INSTANCE, "vpc_id")),
    "ec2_instance_subnet_id": _text(_of(_INSTANCE, "subnet_id")),
    **{f"ecr_image_{name}": asked for name, asked in _IMAGE_FIELDS.items()},
    "ecr_image_hash": _text(_of(_IMAGE, "digest")),
    **{f"lambda_function_{name}": asked for name, asked in _FUNCTION_FIELDS.items()},
    "lambda_function_layers": _elements(_list_of(_FUNCTION, "layers")),
    "lambda_function_execution_role_arn": _text(_of(_FUNCTION, "role_arn")),
    "code_repository_project_name": _absent,
    "code_repository_provider_type": _absent,
    "machine_image_id": _text(case((_MACHINE_IMAGE, resource.c.external_id), else_="")),
    "machine_image_name": _absent,
    "machine_image_owner_account_id": _absent,
    "machine_image_platform": _text(case((_MACHINE_IMAGE, resource.c.platform), else_="")),
    "cloud_provider": _always("AWS"),
    "cloud_provider_region": _text(resource.c.region),
    "cloud_provider_account_id": _text(resource.c.account),
    "cloud_provider_org_id": _absent,
    "cloud_vm_image_reference": _text(_of(_INSTANCE, "image_id")),
    "cloud_vm_network_id": _text(_of(_INSTANCE, "vpc_id")),
    "cloud_vm_subnet_ids": _text(_of(_INSTANCE, "subnet_id")),
    **{f"cloud_image_{name}": asked for name, asked in _IMAGE_FIELDS.items()},
    "cloud_image_digest": _text(_of(_IMAGE, "digest")),
    **{f"cloud_serverless_function_{name}": asked for name, asked in _FUNCTION_FIELDS.items()},
    "cloud_serverless_function_execution_role": _text(_of(_FUNCTION, "role_arn")),
}
