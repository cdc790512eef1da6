"""Laws of filter criteria and sort keys, on random criteria and findings.

The oracle reads the criteria as the API writes them, and a finding as the API shows it: a filter matches what is seen.
"""

import re

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import fields as struct_fields
from tests.laws.strategies import SPECIAL, criteria_of, entry_of, findings, resources, word
from tests.laws.strategies import TEXT_FIELDS as texts

from openinspector.find.criteria import matches, question
from openinspector.find.order import SORT_FIELDS, sort_key
from openinspector.model.criteria import Criteria, parse_criteria
from openinspector.render import inspector2

# Where the API shows what a field looks at; lists on the way are walked.
SHOWN = {
    "findingArn": "findingArn",
    "awsAccountId": "awsAccountId",
    "findingType": "type",
    "severity": "severity",
    "findingStatus": "status",
    "title": "title",
    "firstObservedAt": "firstObservedAt",
    "lastObservedAt": "lastObservedAt",
    "updatedAt": "updatedAt",
    "inspectorScore": "inspectorScore",
    "epssScore": "epss.score",
    "fixAvailable": "fixAvailable",
    "exploitAvailable": "exploitAvailable",
    "vulnerabilityId": "packageVulnerabilityDetails.vulnerabilityId",
    "vulnerabilitySource": "packageVulnerabilityDetails.source",
    "vendorSeverity": "packageVulnerabilityDetails.vendorSeverity",
    "relatedVulnerabilities": "packageVulnerabilityDetails.relatedVulnerabilities",
    "networkProtocol": "networkReachabilityDetails.protocol",
    "componentId": "networkReachabilityDetails.networkPath.steps.componentId",
    "componentType": "networkReachabilityDetails.networkPath.steps.componentType",
    "codeVulnerabilityDetectorName": "codeVulnerabilityDetails.detectorName",
    "codeVulnerabilityDetectorTags": "codeVulnerabilityDetails.detectorTags",
    "codeVulnerabilityFilePath": "codeVulnerabilityDetails.filePath.filePath",
    "resourceType": "resources.type",
    "resourceId": "resources.id",
    "ec2InstanceImageId": "resources.details.awsEc2Instance.imageId",
    "ec2InstanceVpcId": "resources.details.awsEc2Instance.vpcId",
    "ec2InstanceSubnetId": "resources.details.awsEc2Instance.subnetId",
    "ecrImagePushedAt": "resources.details.awsEcrContainerImage.pushedAt",
    "ecrImageArchitecture": "resources.details.awsEcrContainerImage.architecture",
    "ecrImageRegistry": "resources.details.awsEcrContainerImage.registry",
    "ecrImageRepositoryName": "resources.details.awsEcrContainerImage.repositoryName",
    "ecrImageTags": "resources.details.awsEcrContainerImage.imageTags",
    "ecrImageHash": "resources.details.awsEcrContainerImage.imageHash",
    "ecrImageLastInUseAt": "resources.details.awsEcrContainerImage.lastInUseAt",
    "ecrImageInUseCount": "resources.details.awsEcrContainerImage.inUseCount",
    "lambdaFunctionName": "resources.details.awsLambdaFunction.functionName",
    "lambdaFunctionLayers": "resources.details.awsLambdaFunction.layers",
    "lambdaFunctionRuntime": "resources.details.awsLambdaFunction.runtime",
    "lambdaFunctionLastModifiedAt": "resources.details.awsLambdaFunction.lastModifiedAt",
    "lambdaFunctionExecutionRoleArn": "resources.details.awsLambdaFunction.executionRoleArn",
    "codeRepositoryProjectName": "resources.details.codeRepository.projectName",
    "codeRepositoryProviderType": "resources.details.codeRepository.providerType",
    "machineImageName": "resources.details.machineImage.name",
    "machineImageOwnerAccountId": "resources.details.machineImage.ownerAccountId",
    "cloudProvider": "resources.provider",
    "cloudProviderRegion": "resources.region",
    "cloudProviderAccountId": "resources.providerAccountId",
    "cloudProviderOrgId": "resources.providerOrgId",
    "cloudVmImageReference": "resources.details.vm.vmImageReference",
    "cloudVmNetworkId": "resources.details.vm.networkId",
    "cloudVmSubnetIds": "resources.details.vm.subnetIds",
    "cloudImageRepositoryName": "resources.details.image.repositoryName",
    "cloudImageRegistry": "resources.details.image.registry",
    "cloudImageDigest": "resources.details.image.imageDigest",
    "cloudImageTags": "resources.details.image.imageTags",
    "cloudImagePushedAt": "resources.details.image.pushedAt",
    "cloudImageArchitecture": "resources.details.image.architecture",
    "cloudImageLastInUseAt": "resources.details.image.lastInUseAt",
    "cloudImageInUseCount": "resources.details.image.inUseCount",
    "cloudServerlessFunctionName": "resources.details.serverlessFunction.serverlessFunctionName",
    "cloudServerlessFunctionRuntime": "resources.details.serverlessFunction.runtime",
    "cloudServerlessFunctionLastModifiedAt": "resources.details.serverlessFunction.lastModifiedAt",
    "cloudServerlessFunctionExecutionRole": "resources.details.serverlessFunction.executionRole",
}
# An image of a machine is shown without details, but may be asked for by them; `tests/unit/find` has it.
APART = {"machineImageId", "machineImagePlatform", "resourceTags", "portRange", "vulnerablePackages"}
SHOWN_OF_PACKAGE = {
    "name": "name",
    "version": "version",
    "epoch": "epoch",
    "release": "release",
    "architecture": "arch",
    "sourceLayerHash": "sourceLayerHash",
    "sourceLambdaLayerArn": "sourceLambdaLayerArn",
    "filePath": "filePath",
    "runtimeReachability": "runtimeReachability",
    "runtimeReachabilityReason": "runtimeReachabilityReason",
}


def values(document, path):
    found = [document]
    for name in path.split("."):
        inner = [each[name] for each in found if name in each]
        found = [one for each in inner for one in (each if isinstance(each, list) else [each])]
    return found


def meets(entry, found):
    """Whether one entry, as the API has it, is met by the values that are shown."""
    if "comparison" in entry:
        pattern = re.escape(entry["value"]) + (".*" if entry["comparison"] == "PREFIX" else "")
        equal = any(re.fullmatch(pattern, each, re.S) for each in found)
        return not equal if entry["comparison"] == "NOT_EQUALS" else equal
    low = entry.get("startInclusive", entry.get("lowerInclusive"))
    high = entry.get("endInclusive", entry.get("upperInclusive"))
    return any(not (low is not None and each < low) and not (high is not None and each > high) for each in found)


def expected(parsed, document):
    """Whether a finding as the API shows it meets criteria as the API has them."""
    for field, entries in parsed.items():
        if field == "resourceTags":
            tags = document["resources"][0]["tags"]
            if not any(tags.get(each["key"]) == each.get("value", tags.get(each["key"], 0)) for each in entries):
                return False
        elif field == "portRange":
            shown = document.get("networkReachabilityDetails", {}).get("openPortRange")
            ports = set(range(shown["begin"], shown["end"] + 1)) if shown else set()
            asked = [range(each.get("beginInclusive", 0), each.get("endInclusive", 65535) + 1) for each in entries]
            if not any(port in each for port in ports for each in asked):
                return False
        elif field == "vulnerablePackages":
            shown = document.get("packageVulnerabilityDetails", {}).get("vulnerablePackages", [])
            if not any(
                all(meets(part, values(package, SHOWN_OF_PACKAGE[name])) for name, part in each.items())
                for package in shown
                for each in entries
            ):
                return False
        else:
            found = values(document, SHOWN[field])
            said_not = [each for each in entries if each.get("comparison") == "NOT_EQUALS"]
            said = [each for each in entries if each not in said_not]
            if said and not any(meets(each, found) for each in said):
                return False
            if not all(meets(each, found) for each in said_not):
                return False
    return True


FIELDS = sorted({*SHOWN, *SPECIAL})
TEXT_FIELDS = [each for each in texts if each in SHOWN]
fields = st.sampled_from(FIELDS)
field_entries = fields.flatmap(
    lambda field: st.tuples(st.just(field), st.lists(entry_of(field), min_size=1, max_size=3))
)
criteria = criteria_of(FIELDS)


def holds(parsed, resource, finding):
    return matches(parse_criteria(parsed), resource, finding)


def test_the_oracle_knows_every_field():
    assert {each.encode_name for each in struct_fields(Criteria)} == SHOWN.keys() | APART


@settings(max_examples=1000)
@given(criteria, resources, findings)
def test_a_filter_matches_what_is_shown(parsed, resource, finding):
    assert holds(parsed, resource, finding) is expected(parsed, inspector2.finding(resource, finding))


@settings(max_examples=600)
@given(fields.flatmap(lambda field: st.tuples(st.just(field), entry_of(field))), resources, findings)
def test_each_field_alone_matches_what_is_shown(entry, resource, finding):
    field, asked = entry
    assert holds({field: [asked]}, resource, finding) is expected(
        {field: [asked]}, inspector2.finding(resource, finding)
    )


@given(resources, findings)
def test_no_criteria_match_everything(resource, finding):
    assert holds({}, resource, finding)


@settings(max_examples=300)
@given(criteria, criteria, resources, findings)
def test_fields_are_and(one, other, resource, finding):
    if not one.keys() & other.keys():
        both = holds(one, resource, finding) and holds(other, resource, finding)
        assert holds(one | other, resource, finding) is both


@settings(max_examples=300)
@given(field_entries, resources, findings)
def test_entries_are_or_and_their_order_is_nothing(entries, resource, finding):
    field, asked = entries
    asked = [each for each in asked if each.get("comparison") != "NOT_EQUALS"]
    if asked:
        any_of = any(holds({field: [each]}, resource, finding) for each in asked)
        assert holds({field: asked}, resource, finding) is any_of
        assert holds({field: asked[::-1]}, resource, finding) is any_of


@settings(max_examples=300)
@given(st.sampled_from(TEXT_FIELDS), word, word, resources, findings)
def test_different_from_both_is_equal_to_neither(field, one, other, resource, finding):
    equal = [{"comparison": "EQUALS", "value": each} for each in (one, other)]
    different = [{"comparison": "NOT_EQUALS", "value": each} for each in (one, other)]
    assert holds({field: different}, resource, finding) is not holds({field: equal}, resource, finding)
    separately = all(holds({field: [each]}, resource, finding) for each in different)
    assert holds({field: different}, resource, finding) is separately


@settings(max_examples=200)
@given(st.sampled_from(TEXT_FIELDS), word, resources, findings)
def test_what_is_equal_begins_so(field, value, resource, finding):
    if holds({field: [{"comparison": "EQUALS", "value": value}]}, resource, finding):
        assert holds({field: [{"comparison": "PREFIX", "value": value}]}, resource, finding)


@settings(max_examples=200)
@given(criteria, resources, findings)
def test_a_resource_that_is_not_concerned_has_no_finding_that_matches(parsed, resource, finding):
    asked = question(parse_criteria(parsed))
    assert matches(parse_criteria(parsed), resource, finding) is (asked.concerns(resource) and asked.holds(finding))


@settings(max_examples=200)
@given(st.sampled_from(sorted(SORT_FIELDS)), st.lists(st.tuples(resources, findings), max_size=6), st.randoms())
def test_a_sort_field_orders_findings_in_one_way(field, pairs, random):
    pairs = list({finding.arn: (resource, finding) for resource, finding in pairs}.values())
    key = sort_key(field)
    ordered = sorted(pairs, key=lambda pair: key(*pair))
    random.shuffle(pairs)
    assert sorted(pairs, key=lambda pair: key(*pair)) == ordered
    assert sorted(pairs, key=lambda pair: key(*pair), reverse=True) == ordered[::-1]
