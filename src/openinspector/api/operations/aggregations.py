"""ListFindingAggregations: active findings counted by account, package, resource and so on.

Source: Inspector's API reference, AggregationRequest and AggregationResponse. AWS publishes neither that only active
findings count nor the default order (most critical first); both are as its console has them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

from openinspector.api.context import Context, Handler
from openinspector.api.errors import field_failed
from openinspector.api.operations._criteria import criteria_of
from openinspector.api.operations._view import accounts_in_view
from openinspector.model.spelling import runtime_word
from openinspector.render.inspector2_resources import filled
from openinspector.render.moments import moment
from openinspector.store.finding_counts import About, Asked, Group, Position, Sort, count_findings

_Object = dict[str, Any]
_Tell = Callable[[Group, str], _Object]  # the group and the region


@dataclass(frozen=True, slots=True)
class _Kind:
    """One type of aggregation.

    `criteria` are the request's filters that criteria have too, by the criteria's name; `texts` are those that compare
    a column of the grouping. `tells` say what a group is; the severities are told of each.
    """

    member: str
    by: str
    tells: tuple[_Tell, ...]
    criteria: Mapping[str, str] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)


def list_finding_aggregations(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """A page of groups with their counts."""
    kind = _KINDS[given["aggregationType"]]
    union = given.get("aggregationRequest") or {}
    if union and kind.member not in union:
        raise field_failed("aggregationRequest", f"{given['aggregationType']} is asked for by {kind.member}.")
    page = context.page(given)
    accounts = accounts_in_view(context)
    asked = _asked(kind, union.get(kind.member) or {}, given.get("accountIds"), accounts, context.region)
    with context.connect(*accounts) as connection:
        groups, last = count_findings(connection, asked, page.size, cast(Position | None, page.after))
    answer = {
        "aggregationType": given["aggregationType"],
        "responses": [{kind.member: _told(kind, each, context.region)} for each in groups],
    }
    return answer if last is None else answer | {"nextToken": page.token(last)}


def _asked(kind: _Kind, request: _Object, account_ids: Any, accounts: Sequence[str], region: str) -> Asked:
    wanted = {name: _entries(request[key]) for key, name in kind.criteria.items() if request.get(key)}
    if account_ids:
        wanted["awsAccountId"] = account_ids
    return Asked(
        by=kind.by,
        accounts=accounts,
        region=region,
        criteria=criteria_of(wanted, "aggregationRequest"),
        texts={name: _entries(request[key]) for key, name in kind.texts.items() if request.get(key)},
        sort=_SORTS[request.get("sortBy", "CRITICAL")],
        is_descending=request.get("sortOrder", "DESC") == "DESC",
    )


def _entries(value: Any) -> list[_Object]:
    """Filter entries; a word, or a list of words, is what one of them must be equal to."""
    values = value if isinstance(value, list) else [value]
    return [{"comparison": "EQUALS", "value": each} if isinstance(each, str) else each for each in values]


def _told(kind: _Kind, group: Group, region: str) -> _Object:
    told: _Object = {"severityCounts": {word.lower(): count for word, count in group.severities.items()}}
    told["severityCounts"]["all"] = group.all
    for tell in kind.tells:
        told |= tell(group, region)
    return filled(**told)


def _about(group: Group) -> About:
    if group.about is None:
        raise TypeError("this grouping is of no resource")
    return group.about


def _columns(**names: str) -> _Tell:
    """Members and the columns of the grouping that they show."""
    return lambda group, _: {member: group.told[name] for member, name in names.items()}


def _details(**names: str) -> _Tell:
    """Members and the details of the resource that they show."""
    return lambda group, _: {member: _about(group).details.get(name) for member, name in names.items()}


def _moments(**names: str) -> _Tell:
    return lambda group, _: {member: moment(_about(group).details.get(name, "")) for member, name in names.items()}


def _id(group: Group, _: str) -> _Object:
    return {"resourceId": _about(group).id, "accountId": _about(group).account}


def _uses(group: Group, _: str) -> _Object:
    return {"inUseCount": _about(group).details.get("in_use_count", 0)}


def _runtime(group: Group, _: str) -> _Object:
    return {"runtime": runtime_word(_about(group).details.get("runtime", ""))}


def _judged(exploitable: str, fixable: str) -> _Tell:
    return lambda group, _: {exploitable: group.exploitable, fixable: group.fixable}


def _cloud(group: Group, region: str) -> _Object:
    """Where in which cloud; ours is but one."""
    account, partition = (
        (group.about.account, group.about.partition)
        if group.about is not None
        else (group.told["account"], group.told["partition"])
    )
    return {
        "cloudProvider": "AWS",
        "cloudPartition": partition,
        "cloudRegion": region,
        "cloudAccountId": account,
    }


def _instance(group: Group, _: str) -> _Object:
    about = _about(group)
    return {
        "instanceId": about.id,
        "accountId": about.account,
        "operatingSystem": about.platform,
        "instanceTags": dict(about.tags),
        "networkFindings": group.network,
    }


def _vm(group: Group, _: str) -> _Object:
    about = _about(group)
    return {"operatingSystem": about.platform, "tags": dict(about.tags), "networkFindings": group.network}


def _project(group: Group, _: str) -> _Object:
    details = _about(group).details
    return {"projectNames": details.get("project_name") or _about(group).id, "providerType": details.get("provider")}


_SORTS: Final[Mapping[str, Sort]] = {
    "CRITICAL": "CRITICAL",
    "HIGH": "HIGH",
    "ALL": "ALL",
    "NETWORK_FINDINGS": "NETWORK",
    "AFFECTED_IMAGES": "RESOURCES",
    "AFFECTED_INSTANCES": "RESOURCES",
}
_COUNTS: Final = _judged("exploitAvailableCount", "fixAvailableCount")
_ACTIVE_COUNTS: Final = _judged("exploitAvailableActiveFindingsCount", "fixAvailableActiveFindingsCount")
_KIND_OF_FINDING: Final = {"findingType": "findingType", "resourceType": "resourceType"}
_CLOUDS: Final = {
    "cloudProviders": "cloudProvider",
    "cloudRegions": "cloudProviderRegion",
    "cloudAccountIds": "cloudProviderAccountId",
    "cloudOrgIds": "cloudProviderOrgId",
}
_PARTITIONS: Final = {"cloudPartitions": "partition"}
_IMAGE_FILTERS: Final = {
    "resourceIds": "resourceId",
    "repositories": "ecrImageRepositoryName",
    "architectures": "ecrImageArchitecture",
    "imageTags": "ecrImageTags",
    "lastInUseAt": "ecrImageLastInUseAt",
    "inUseCount": "ecrImageInUseCount",
}
_IMAGE_TELLS: Final = (
    _id,
    _details(repository="repository", architecture="architecture", imageTags="tags"),
    _moments(lastInUseAt="last_in_use_at"),
    _uses,
)
_FUNCTION_FILTERS: Final = {
    "resourceIds": "resourceId",
    "functionNames": "lambdaFunctionName",
    "runtimes": "lambdaFunctionRuntime",
    "functionTags": "resourceTags",
}
_FUNCTION_TELLS: Final = (_id, _details(functionName="name"), _runtime, _moments(lastModifiedAt="last_modified_at"))

_KINDS: Final[Mapping[str, _Kind]] = {
    "ACCOUNT": _Kind("accountAggregation", "account", (_columns(accountId="account"), _COUNTS), _KIND_OF_FINDING),
    "FINDING_TYPE": _Kind(
        "findingTypeAggregation", "place", (_columns(accountId="account"), _COUNTS, _cloud), _KIND_OF_FINDING
    ),
    "PACKAGE": _Kind(
        "packageAggregation",
        "package",
        (_columns(packageName="name", accountId="account"),),
        texts={"packageNames": "name"},
    ),
    "TITLE": _Kind(
        "titleAggregation",
        "title",
        (_columns(title="title", vulnerabilityId="vulnerability", accountId="account"),),
        {"titles": "title", "vulnerabilityIds": "vulnerabilityId", **_KIND_OF_FINDING},
    ),
    "REPOSITORY": _Kind(
        "repositoryAggregation",
        "repository",
        (
            _columns(repository="repository", accountId="account"),
            lambda group, _: {"affectedImages": group.resources},
            _cloud,
        ),
        {"repositories": "ecrImageRepositoryName"},
    ),
    "AMI": _Kind(
        "amiAggregation",
        "ami",
        (
            _columns(ami="ami", scanSource="scan", accountId="account"),
            lambda group, _: {"affectedInstances": group.resources if group.told["scan"] == "INSTANCE_SCAN" else 0},
            _cloud,
        ),
        texts={"amis": "ami", "scanSources": "scan"},
    ),
    "AWS_EC2_INSTANCE": _Kind(
        "ec2InstanceAggregation",
        "instance",
        (_instance, _details(ami="image_id")),
        {"amis": "ec2InstanceImageId", "instanceIds": "resourceId", "instanceTags": "resourceTags"},
        {"operatingSystems": "platform"},
    ),
    "AWS_ECR_CONTAINER": _Kind(
        "awsEcrContainerAggregation",
        "image",
        (*_IMAGE_TELLS, _details(imageSha="digest")),
        {"imageShas": "ecrImageHash", **_IMAGE_FILTERS},
    ),
    "IMAGE_LAYER": _Kind(
        "imageLayerAggregation",
        "image layer",
        (_id, _details(repository="repository"), _columns(layerHash="layer"), _cloud),
        {"repositories": "ecrImageRepositoryName", "resourceIds": "resourceId", **_CLOUDS},
        {"layerHashes": "layer", **_PARTITIONS},
    ),
    "AWS_LAMBDA_FUNCTION": _Kind(
        "lambdaFunctionAggregation",
        "function",
        (*_FUNCTION_TELLS, lambda group, _: {"lambdaTags": dict(_about(group).tags)}),
        _FUNCTION_FILTERS,
    ),
    "LAMBDA_LAYER": _Kind(
        "lambdaLayerAggregation",
        "function layer",
        (_id, _details(functionName="name"), _columns(layerArn="layer")),
        {"functionNames": "lambdaFunctionName", "resourceIds": "resourceId"},
        {"layerArns": "layer"},
    ),
    "CODE_REPOSITORY": _Kind(
        "codeRepositoryAggregation",
        "code repository",
        (_id, _project, _ACTIVE_COUNTS),
        {
            "projectNames": "codeRepositoryProjectName",
            "providerTypes": "codeRepositoryProviderType",
            "resourceIds": "resourceId",
        },
    ),
    "VM_INSTANCE": _Kind(
        "vmInstanceAggregation",
        "instance",
        (_id, _vm, _details(vmImageReference="image_id"), _ACTIVE_COUNTS, _cloud),
        {
            "resourceIds": "resourceId",
            "instanceTags": "resourceTags",
            "vmImageReferences": "cloudVmImageReference",
            **_CLOUDS,
        },
        {"operatingSystems": "platform", **_PARTITIONS},
    ),
    "CONTAINER_IMAGE": _Kind(
        "containerImageAggregation",
        "image",
        (*_IMAGE_TELLS, _details(imageDigest="digest", registry="registry"), _ACTIVE_COUNTS, _cloud),
        {"imageDigests": "cloudImageDigest", "registries": "cloudImageRegistry", **_IMAGE_FILTERS, **_CLOUDS},
        _PARTITIONS,
    ),
    "SERVERLESS_FUNCTION": _Kind(
        "serverlessFunctionAggregation",
        "function",
        (*_FUNCTION_TELLS, lambda group, _: {"tags": dict(_about(group).tags)}, _ACTIVE_COUNTS, _cloud),
        {**_FUNCTION_FILTERS, **_CLOUDS},
        _PARTITIONS,
    ),
}

OPERATIONS: Final[Mapping[str, Handler]] = {"ListFindingAggregations": list_finding_aggregations}
