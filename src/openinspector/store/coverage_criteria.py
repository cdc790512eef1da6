"""Coverage filter criteria as conditions of SQL, over `coverage` joined with `resource`.

How entries mix is as for findings (find/criteria.py): fields *and*, entries of one field *or*, but what differs has to
differ from every NOT_EQUALS entry; what lacks an attribute differs from everything and lies in no range. A resource of
ours is described in the words of its own kind and in those that every cloud has.

Source: Inspector's API reference, CoverageFilterCriteria.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Float,
    Text,
    and_,
    case,
    cast,
    false,
    func,
    literal,
    not_,
    or_,
    true,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import array

from openinspector.errors import UsageError
from openinspector.model.spelling import RUNTIMES
from openinspector.store.listing import Entries, text_holds
from openinspector.store.tables import WORD, coverage, resource

_Condition = ColumnElement[bool]
_Asked = Callable[[Entries], _Condition]
_Expression = ColumnElement[Any]

_INSTANCE: Final = "AWS_EC2_INSTANCE"
_IMAGE: Final = "AWS_ECR_CONTAINER_IMAGE"
_REPOSITORY: Final = "AWS_ECR_REPOSITORY"
_FUNCTION: Final = "AWS_LAMBDA_FUNCTION"
_MACHINE_IMAGE: Final = "MACHINE_IMAGE"
_CODE: Final = "CODE_REPOSITORY"


def coverage_conditions(criteria: Mapping[str, Entries]) -> list[_Condition]:
    """What a row must meet, all of it; nothing for empty criteria. `criteria` are the API's, moments are aware.

    Raises:
        UsageError: A field that we don't know.
    """
    unknown = sorted(criteria.keys() - _FIELDS.keys())
    if unknown:
        raise UsageError(f"coverage filter criteria: unknown field {unknown[0]}")
    return [_FIELDS[field](entries) for field, entries in criteria.items() if entries]


def _text(expression: _Expression) -> _Asked:
    return lambda entries: text_holds(expression, entries)


def _elements(values: _Expression) -> _Asked:
    """Of a JSON array of texts; NULL for what has none."""

    def asked(entries: Entries) -> _Condition:
        equal, different = _compared(entries)
        met = func.coalesce(values.has_any(array(equal)), false()) if equal else true()
        if not different:
            return met
        return and_(met, not_(func.coalesce(values.has_any(array(different)), false())))

    return asked


def _compared(entries: Entries) -> tuple[list[str], list[str]]:
    equal = [each["value"] for each in entries if each["comparison"] == "EQUALS"]
    return equal, [each["value"] for each in entries if each["comparison"] == "NOT_EQUALS"]


def _tags_of(kind: str) -> _Asked:
    def asked(entries: Entries) -> _Condition:
        return and_(resource.c.type == kind, or_(false(), *map(_has_tag, entries)))

    return asked


def _has_tag(entry: Mapping[str, Any]) -> _Condition:
    key, value, tags = entry["key"], entry.get("value"), resource.c.tags
    met: _Condition = tags.op("?", is_comparison=True)(key) if value is None else tags.op("->>")(key) == value
    return met


def _within(expression: _Expression, low: str, high: str) -> _Asked:
    """Whether a moment or a number lies between two members of an entry; never NULL."""

    def asked(entries: Entries) -> _Condition:
        ranges = ((each.get(low), each.get(high)) for each in entries)
        met = (
            and_(
                true() if lower is None else expression >= lower,
                true() if upper is None else expression <= upper,
            )
            for lower, upper in ranges
        )
        return and_(expression.is_not(None), or_(false(), *met))

    return asked


def _dates(expression: _Expression) -> _Asked:
    return _within(expression, "startInclusive", "endInclusive")


def _numbers(expression: _Expression) -> _Asked:
    return _within(expression, "lowerInclusive", "upperInclusive")


def _constant(value: str) -> _Asked:
    return _text(type_coerce(literal(value), WORD))


def _said(document: _Expression, kind: str, key: str) -> _Expression:
    """A text of a JSON object; "" for other kinds of resources, and where it is not there."""
    said = func.coalesce(document.op("->>")(key), "")
    return type_coerce(case((resource.c.type == kind, said), else_=""), Text).collate("C")


def _details(kind: str, key: str) -> _Expression:
    return _said(resource.c.details, kind, key)


def _code(key: str) -> _Expression:
    return _said(coverage.c.metadata, _CODE, key)


def _runtime() -> _Expression:
    """As `model.spelling.runtime_word`; "" for what is no function."""
    name = _details(_FUNCTION, "runtime")
    word = func.upper(func.replace(func.regexp_replace(name, "^([a-z]+)([0-9])", r"\1_\2"), ".", "_"))
    return case((resource.c.type != _FUNCTION, ""), (word.in_(sorted(RUNTIMES)), word), else_="UNSUPPORTED")


def _last_use() -> _Expression:
    said = _details(_IMAGE, "last_in_use_at")
    return case((func.pg_input_is_valid(said, "timestamp with time zone"), cast(said, DateTime(timezone=True))))


_USES: Final = case(
    (resource.c.type == _IMAGE, cast(func.coalesce(resource.c.details.op("->>")("in_use_count"), "0"), Float))
)
_IMAGE_TAGS: Final = case((resource.c.type == _IMAGE, resource.c.details["tags"]))

# Of an image its repository's, of a repository its own; "" of all else.
REPOSITORY_NAME: Final = case(
    (resource.c.type == _IMAGE, resource.c.repository), else_=_said(coverage.c.metadata, _REPOSITORY, "name")
)

_FIELDS: Final[Mapping[str, _Asked]] = {
    "scanStatusCode": _text(coverage.c.status),
    "scanStatusReason": _text(coverage.c.reason),
    "accountId": _text(coverage.c.account),
    "resourceId": _text(resource.c.external_id),
    "resourceType": _text(resource.c.type),
    "scanType": _text(coverage.c.scan_type),
    "scanMode": _text(coverage.c.scan_mode),
    "lastScannedAt": _dates(coverage.c.last_scanned_at),
    "imagePulledAt": _dates(coverage.c.image_pulled_at),
    "ec2InstanceTags": _tags_of(_INSTANCE),
    "ecrRepositoryName": _text(REPOSITORY_NAME),
    "ecrImageTags": _elements(_IMAGE_TAGS),
    "ecrImageLastInUseAt": _dates(_last_use()),
    "ecrImageInUseCount": _numbers(_USES),
    "lambdaFunctionName": _text(_details(_FUNCTION, "name")),
    "lambdaFunctionRuntime": _text(_runtime()),
    "lambdaFunctionTags": _tags_of(_FUNCTION),
    "machineImageTags": _tags_of(_MACHINE_IMAGE),
    "codeRepositoryProjectName": _text(_code("project_name")),
    "codeRepositoryProviderType": _text(_code("provider")),
    "codeRepositoryProviderTypeVisibility": _text(_code("visibility")),
    "lastScannedCommitId": _text(_code("last_scanned_commit")),
    "cloudProvider": _constant("AWS"),
    "cloudProviderAccountId": _text(coverage.c.account),
    "cloudProviderRegion": _text(coverage.c.region),
    "cloudProviderOrgId": _constant(""),
    "cloudVmInstanceTags": _tags_of(_INSTANCE),
    "cloudContainerImageTags": _elements(_IMAGE_TAGS),
    "cloudContainerRepositoryName": _text(REPOSITORY_NAME),
    "cloudContainerRegistryName": _text(resource.c.registry),
    "cloudServerlessFunctionName": _text(_details(_FUNCTION, "name")),
    "cloudServerlessFunctionRuntime": _text(_runtime()),
    "cloudServerlessFunctionTags": _tags_of(_FUNCTION),
}
