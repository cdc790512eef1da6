"""Every operation of both models: what is valid is answered; what is not, or is not the caller's, changes nothing."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch
from urllib.parse import quote, urlencode

import pytest
from tests.service import requests as prepared
from tests.service.requests import CASES, DENIED, EMPTY, FAILED, NONE, UNKNOWN
from tests.service.world import (
    ADMIN,
    AMI,
    JOINER,
    MANAGER,
    MEMBER,
    OWNER,
    STRANGER,
    Message,
    Said,
    World,
    disabled_key,
    expired_key,
    operation,
    world_on,
)
from tests.unit.api.shape_values import maximal, spoiled, violations
from tests.unit.api.wire import OPERATIONS

from openinspector.api.access import MUTATING, READING, REPORTING, ROLE_OPERATIONS
from openinspector.api.model import Operation
from openinspector.api.serialize import missing
from openinspector.api.shapes import Boolean, Integer, Text

NAMES = sorted(each.name for each in OPERATIONS)
LARGEST = 100_000  # characters of a spoiled member: longer ones don't fit into a body
DELEGATION = ("DisableDelegatedAdminAccount", "EnableDelegatedAdminAccount")
FAILURES = {"failedAccounts", "failedAccountIds", "failedAssociations", "errors"}
RESULTS = {
    "accounts", "accountIds", "successfulAssociations", "findingDetails", "codeSnippetResults", "cluster",
}  # fmt: skip
# Operations whose answer has to hold something of the estate.
LISTS = sorted(
    each.name for each in OPERATIONS
    if each.name.startswith(("List", "Search")) and each.name != "ListTagsForResource"
)  # fmt: skip


@pytest.fixture(scope="module")
def world(postgres, tmp_path_factory):
    with world_on(postgres, "every_operation", tmp_path_factory.mktemp("advisories")) as made:
        yield made


def is_offered(world: World, name: str) -> bool:
    return name in world.offer.answered


def make(world: World, name: str) -> dict[str, Any]:
    """A valid request's parameters. Of what is not offered nothing can be prepared, and any that fit will do."""
    if is_offered(world, name):
        return CASES[name].make(world)
    return SUBSTITUTES.get(name) or CASES[name].make(world)


ANY = "01234567-89ab-cdef-0123-456789abcdef"
SUBSTITUTES: dict[str, dict[str, Any]] = {
    name: {"reportId": ANY} for name in NAMES if name.startswith(("Cancel", "GetFindingsReport", "GetSbom"))
} | {"CreateFindingsReport": {"reportFormat": "JSON", "s3Destination": prepared.BUCKET}}


def put_right(world: World, name: str) -> None:
    if name in DELEGATION:
        prepared.appointed(world)


def assert_modelled(each: Operation, said: Said) -> None:
    """An error as the model has it, or one of what no model lists: who may not."""
    kind = said.headers["x-amzn-errortype"]
    assert kind == said.code
    assert said.headers["x-amzn-requestid"]
    assert said.message
    if kind in each.errors:
        assert said.status == each.errors[kind].status
        assert not missing(each.errors[kind].structure, json.loads(said.body))
    else:
        assert said.status in (403, 404, 405)


def differences(before: dict[str, str], after: dict[str, str]) -> list[str]:
    return [name for name in before if before[name] != after[name]]


def test_every_operation_of_the_models_has_a_request():
    assert CASES.keys() == set(NAMES)


# ---------------------------------------------------------------- what is valid


@pytest.mark.parametrize("name", NAMES)
def test_a_valid_request_is_answered_as_the_model_says(world, name):
    each, case = operation(name), CASES[name]
    said = world.ask(each, world.message(each, make(world, name)), case.who)
    if not is_offered(world, name):
        assert_modelled(each, said)
        assert f"{name} is not offered by this version of openinspector" in said.message
        return
    put_right(world, name)
    assert said.status == each.status, said.body
    assert said.headers["content-type"] == "application/json"
    told = {key: value for key, value in said.parsed.items() if key != "ResponseMetadata"}
    assert not missing(each.output, told)
    for failures in FAILURES & told.keys():
        assert told[failures] == []
    for member in each.output.members:
        if name in LISTS and isinstance(told.get(member), list):
            assert told[member], f"{member} should hold something of the account's estate"


@pytest.mark.parametrize("name", sorted(READING))
def test_a_reader_may_ask_and_nothing_changes_by_it(world, name):
    each, case = operation(name), CASES[name]
    asked = world.message(each, make(world, name))
    before = world.digest()
    said = world.ask(each, asked, case.who, "reader")
    assert said.status == each.status or not is_offered(world, name)
    assert differences(before, world.digest()) == []


# ---------------------------------------------------------------- what is not


def spoiled_bodies(each: Operation, asked: Message, whole: dict[str, Any]) -> Iterator[tuple[str, Message, str]]:
    """Every kind of violation in a body that is as large as can be, and the field that the answer has to name."""
    seen = set()
    for what, steps, wrong, field in violations(each.input, whole):
        if what not in seen and not (isinstance(wrong, str) and len(wrong) > LARGEST):
            seen.add(what)
            yield what, asked.with_body(spoiled(whole, steps, wrong)), field


def spoiled_queries(each: Operation, asked: Message) -> Iterator[tuple[str, Message, str]]:
    """The same for what travels in a query string."""
    given = dict(pair.split("=", 1) for pair in asked.path.partition("?")[2].split("&") if pair)
    for member in each.input.members.values():
        if member.location != "querystring":
            continue
        if member.name == "nextToken":
            yield "unknown token", asked.with_query(urlencode(given | {member.wire_name: "bm90IG91cnM"})), "nextToken"
            continue
        wire, shape = member.wire_name, member.shape
        rest = "&".join(f"{name}={value}" for name, value in given.items() if name != wire)
        if member.name in each.input.required:
            yield f"{wire}: required", asked.with_query(rest), wire
        wrongs: list[str] = []
        if isinstance(shape, Integer):
            wrongs += ["x", "", "1.5", "1e3", "9" * 400]
            wrongs += [str(shape.minimum - 1)] if shape.minimum is not None else []
            wrongs += [str(shape.maximum + 1)] if shape.maximum is not None else []
        elif isinstance(shape, Text):
            wrongs += ["NONE_OF_THESE"] if shape.choices else ["\0"]
            wrongs += ["x" * (shape.maximum + 1)] if shape.maximum and shape.maximum < 4000 else []
        elif isinstance(shape, Boolean):
            wrongs += ["yes"]
        else:
            wrongs += ["x" * 129]  # of a list of tag keys
        for wrong in wrongs:
            query = "&".join(filter(None, (rest, urlencode({wire: wrong}))))
            yield f"{wire}: {wrong[:20]!r}", asked.with_query(query), wire


def spoiled_labels(each: Operation, asked: Message) -> Iterator[tuple[str, Message, str]]:
    for member in each.input.members.values():
        if member.location == "uri":
            for wrong in ("x", "a" * 2000, "arn:aws:s3:::bucket", "arn:aws:inspector2:\0"):
                path = each.path.replace(f"{{{member.wire_name}}}", quote(wrong, safe=""))
                query = asked.path.partition("?")[2]
                message = Message(asked.method, path + (f"?{query}" if query else ""), asked.headers, asked.body)
                yield f"{member.name}: {wrong[:20]!r}", message, member.name


def unreadable(each: Operation, asked: Message) -> Iterator[tuple[str, Message, str]]:
    """Bodies that nobody can read."""
    first = next(member.wire_name for member in each.input.members.values() if member.location == "body")
    for what, body in {
        "no JSON": b"{",
        "two values": b"{}{}",
        "a list": b"[]",
        "a text": b'"x"',
        "not UTF-8": json.dumps({first: "?"}).encode().replace(b"?", b"\xff"),
        "half a pair": b'{"a": "\\ud800',
        "nested": b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        "cut short": asked.body[:-1],
    }.items():
        yield what, asked.with_body(body), ""
    yield "of another type", asked.with_body(asked.body, "application/x-www-form-urlencoded"), ""
    compressed = Message(asked.method, asked.path, (*asked.headers, ("content-encoding", "gzip")), asked.body)
    yield "compressed", compressed, ""
    long = Message(asked.method, asked.path, (*asked.headers, ("content-length", str((10 << 20) + 1))))
    yield "too long", long, ""


@pytest.mark.parametrize("name", NAMES)
def test_what_is_invalid_is_told_and_changes_nothing(world, name):
    each, case = operation(name), CASES[name]
    asked = world.message(each, make(world, name))
    has_body = any(member.location == "body" for member in each.input.members.values())
    cases = [*spoiled_queries(each, asked), *spoiled_labels(each, asked)]
    if has_body:
        largest = world.message(each, maximal(each.input) | make(world, name))
        whole = json.loads(largest.body)
        cases += [*spoiled_bodies(each, asked, whole), *unreadable(each, asked)]
        if each.paged and each.input.members["nextToken"].location == "body":
            valid = json.loads(asked.body or b"{}")
            for token in ("bm90IG91cnM", "AQ", "x" * 1024, "é"):
                if token != "x" * 1024 or "Connector" not in name:
                    cases.append(("unknown token", asked.with_body(valid | {"nextToken": token}), "nextToken"))
    if has_body or each.method != "POST":
        cases.append(("another method", Message("PATCH", asked.path, asked.headers, asked.body), ""))
    before = world.digest()
    wrong = []
    for what, message, field in cases:
        said = world.ask(each, message, case.who)
        try:
            assert_modelled(each, said)
            if what == "another method":
                assert (said.status, said.code) == (405, "UnknownOperationException")
            elif not is_offered(world, name) and "not offered" in said.message:
                assert said.status in (400, 403)
            elif what.startswith("resourceArn: 'arn:"):  # an ARN, of nothing that has tags
                assert said.code in ("ValidationException", UNKNOWN)
            else:
                assert (said.status, said.code) == (400, "ValidationException")
                told = json.loads(said.body)
                if field:
                    assert told["reason"] == "FIELD_VALIDATION_FAILED"
                    assert any(one["name"].startswith(field) for one in told["fields"])
                elif what != "not UTF-8":  # a document is told of by its member
                    assert told["reason"] == "CANNOT_PARSE"
        except (AssertionError, KeyError) as error:
            wrong.append((what, said.status, said.body[:300], str(error)[:80]))
    assert wrong == []
    assert differences(before, world.digest()) == []


# ---------------------------------------------------------------- who may not


def at(moment: datetime):
    """Signatures of another moment."""
    return patch("botocore.auth.get_current_datetime", lambda **_: moment)


@pytest.mark.parametrize("name", NAMES)
def test_who_may_not_gets_nothing_and_changes_nothing(world, name, keys_that_are_over):
    each, case = operation(name), CASES[name]
    asked = world.message(each, make(world, name))
    key, service = world.key(case.who), each.service
    other = "inspector-scan" if service == "inspector2" else "inspector2"
    now = datetime.now(UTC)
    with at(now - timedelta(minutes=20)):
        old = world.signed(asked, key, service=service)
    with at(now + timedelta(minutes=20)):
        early = world.signed(asked, key, service=service)
    tried = {
        "unsigned": (asked, "MissingAuthenticationTokenException"),
        "a wrong secret": (
            world.signed(asked, key, service=service, secret="x" * 40),
            "InvalidSignatureException",
        ),
        "signed long ago": (old, "InvalidSignatureException"),
        "signed in times to come": (early, "InvalidSignatureException"),
        "for another region": (
            world.signed(asked, key, service=service, region="eu-west-1"),
            "InvalidSignatureException",
        ),
        "for another service": (world.signed(asked, key, service=other), "InvalidSignatureException"),
        "for S3": (world.signed(asked, key, service="s3"), "InvalidSignatureException"),
    }
    signed = world.signed(asked, key, service=service)
    altered = Message(signed.method, signed.path, signed.headers, signed.body + b" ")
    tried["altered on the way"] = (altered, "InvalidSignatureException")
    longer = Message(
        signed.method, f"{signed.path}{'&' if '?' in signed.path else '?'}x=y", signed.headers, signed.body
    )
    tried["asked for more on the way"] = (longer, "InvalidSignatureException")
    for what, over in keys_that_are_over[case.who].items():
        tried[what] = (world.signed(asked, over, service=service), "UnrecognizedClientException")
    for role in ("reader", "ingest"):
        if name not in ROLE_OPERATIONS[role]:
            tried[role] = (world.signed(asked, world.key(case.who, role), service=service), DENIED)
    assert "reader" in tried or name not in MUTATING
    assert "ingest" in tried or name in REPORTING
    before = world.digest()
    answers = {what: world.send(each, message) for what, (message, _) in tried.items()}
    assert {what: (said.status, said.code) for what, said in answers.items()} == {
        what: (403, code) for what, (_, code) in tried.items()
    }
    for said in answers.values():
        assert_modelled(each, said)
    assert differences(before, world.digest()) == []


@pytest.fixture(scope="module")
def keys_that_are_over(world):
    return {
        account: {"disabled": disabled_key(world, account), "expired": expired_key(world, account)}
        for account in (OWNER, ADMIN, MEMBER, MANAGER)
    }


# ---------------------------------------------------------------- whose it is


@pytest.mark.parametrize("name", NAMES)
def test_what_is_anothers_is_as_if_it_were_not_there(world, name):
    each, case = operation(name), CASES[name]
    params = make(world, name)
    asked = world.message(each, params)
    before = world.digest(but=STRANGER)
    said = world.ask(each, asked, STRANGER)
    assert differences(before, world.digest(but=STRANGER)) == []
    body = said.body.decode()
    sent = (asked.path + asked.body.decode()).replace("%3A", ":").replace("%2F", "/")
    for account in (ADMIN, MEMBER, OWNER, MANAGER, JOINER):
        names = world.estates[account].names() if account in world.estates else (account,)
        assert [one for one in names if one in body and one not in sent] == []
    if not is_offered(world, name):
        return
    failures = [said.parsed[member] for member in FAILURES & said.parsed.keys()]
    results = [said.parsed[member] for member in RESULTS & said.parsed.keys()]
    if case.foreign == NONE:
        assert said.status == each.status, body
    elif case.foreign == FAILED:
        assert (said.status, results) == (each.status, [[]]), body
        assert failures != [[]]
    elif case.foreign == EMPTY:
        assert (said.status, results) == (each.status, [[]]), body
    else:
        assert said.code == case.foreign, body
        assert_modelled(each, said)
    put_right(world, name)


@pytest.mark.parametrize("name", [name for name in NAMES if operation(name).paged])
def test_a_page_is_for_who_asked_for_it(world, name):
    each, case = operation(name), CASES[name]
    params = make(world, name)
    if "maxResults" not in each.input.members:
        pytest.skip("its pages are longer than what there is")
    first = world.ask(each, world.message(each, params | {"maxResults": 1}), case.who)
    token = first.parsed.get("nextToken")
    if token is None:
        return  # one row, or none
    more = world.message(each, params | {"maxResults": 1, "nextToken": token})
    assert world.ask(each, more, case.who).status == each.status
    refused = world.ask(each, more, STRANGER)
    assert refused.code in ("ValidationException", case.foreign)


# ---------------------------------------------------------------- administrators and members

SEEN_BY_ADMINISTRATOR = {
    "ListFindings": {},
    "ListFindingAggregations": {"aggregationType": "ACCOUNT"},
    "ListCoverage": {},
    "ListUsageTotals": {},
    "ListCisScanConfigurations": {},
    "ListCisScans": {},
    "ListMembers": {},
    "ListConnectors": {},
    "BatchGetAccountStatus": {"accountIds": [MEMBER]},
    "BatchGetFreeTrialInfo": {"accountIds": [MEMBER]},
    "BatchGetMemberEc2DeepInspectionStatus": {"accountIds": [MEMBER]},
    "GetMember": {"accountId": MEMBER},
}


@pytest.mark.parametrize("name", SEEN_BY_ADMINISTRATOR)
def test_an_administrator_sees_its_members_and_no_strangers(world, name):
    if name == "ListConnectors":
        detail = {"azure": prepared.AZURE}
        world.client(MEMBER).create_connector(name=prepared.name(), provider="AZURE", providerDetail=detail)
    each = operation(name)
    said = world.ask(each, world.message(each, SEEN_BY_ADMINISTRATOR[name]), ADMIN)
    assert said.status == each.status
    assert [said.parsed[member] for member in FAILURES & said.parsed.keys()] in ([], [[]])
    assert MEMBER in said.body.decode()
    for account in (OWNER, STRANGER):
        assert account not in said.body.decode()


def test_an_administrator_reads_what_its_members_have(world):
    admin, theirs = world.client(ADMIN), world.estates[MEMBER]
    assert admin.batch_get_finding_details(findingArns=[theirs.finding])["findingDetails"]
    assert admin.get_clusters_for_image(filter={"resourceId": theirs.image})["cluster"]
    assert admin.get_configuration(accountId=MEMBER)["ecrConfiguration"]
    assert admin.list_usage_totals(accountIds=[MEMBER])["totals"][0]["usage"]
    about = {"scanArn": theirs.cis_scan}
    assert admin.list_cis_scan_results_aggregated_by_checks(**about)["checkAggregations"]
    assert admin.list_cis_scan_results_aggregated_by_target_resource(**about)["targetResourceAggregations"]
    one = about | {"accountId": MEMBER, "targetResourceId": theirs.instance}
    assert admin.get_cis_scan_result_details(**one)["scanResultDetails"]
    (group,) = admin.list_coverage_statistics(
        groupBy="ACCOUNT_ID", filterCriteria={"accountId": [{"comparison": "EQUALS", "value": MEMBER}]}
    )["countsByGroup"]
    assert group == {"groupKey": MEMBER, "count": 2}
    assert admin.batch_get_code_snippet(findingArns=[theirs.code_finding])["errors"][0]["errorCode"] == "ACCESS_DENIED"


def test_a_member_is_told_nothing_of_its_administrator(world):
    for name, params in SEEN_BY_ADMINISTRATOR.items():
        each = operation(name)
        of_admin = {"accountIds": [ADMIN], "accountId": ADMIN}
        asked = world.message(each, {key: of_admin.get(key, value) for key, value in params.items()})
        said = world.ask(each, asked, MEMBER)
        told = said.parsed
        if name in ("BatchGetAccountStatus", "BatchGetFreeTrialInfo"):
            assert told["accounts"] == []
        elif said.status < 300:
            assert ADMIN not in said.body.decode()
        else:
            assert said.code == DENIED


FORBIDDEN_TO_MEMBERS = {
    "CreateFilter": {"name": "n-of-member", "action": "NONE", "filterCriteria": prepared.ACTIVE},
    "UpdateConfiguration": {"ecrConfiguration": {"rescanDuration": "DAYS_30"}},
    "UpdateEc2DeepInspectionConfiguration": {"activateDeepInspection": False},
    "UpdateOrgEc2DeepInspectionConfiguration": {"orgPackagePaths": ["/opt"]},
    "UpdateOrganizationConfiguration": {"autoEnable": {"ec2": True, "ecr": True}},
    "DescribeOrganizationConfiguration": {},
    "AssociateMember": {"accountId": JOINER},
    "DisassociateMember": {"accountId": MEMBER},
    "ListMembers": {},
    "ListDelegatedAdminAccounts": {},
    "EnableDelegatedAdminAccount": {"delegatedAdminAccountId": MEMBER},
    "DisableDelegatedAdminAccount": {"delegatedAdminAccountId": ADMIN},
    "BatchUpdateMemberEc2DeepInspectionStatus": prepared.deep(SimpleNamespace()),
}


@pytest.mark.parametrize("name", FORBIDDEN_TO_MEMBERS)
def test_a_member_may_not_what_is_its_administrators_to_do(world, name):
    prepared.appointed(world)
    each = operation(name)
    before = world.digest()
    said = world.ask(each, world.message(each, FORBIDDEN_TO_MEMBERS[name]), MEMBER)
    assert (said.status, said.code) == (403, DENIED), said.body
    assert differences(before, world.digest()) == []


def test_a_member_does_not_switch_off_what_its_administrator_wants(world):
    prepared.appointed(world)
    before = world.digest()
    answer = world.client(MEMBER).disable(resourceTypes=["EC2"])
    assert [each["errorCode"] for each in answer["failedAccounts"]] == ["ACCESS_DENIED"]
    assert answer["accounts"] == []
    assert differences(before, world.digest()) == []


def test_an_administrators_rule_is_about_its_members_and_is_not_theirs(world):
    admin, member = world.client(ADMIN), world.client(MEMBER)
    arn = admin.create_filter(name=prepared.name(), action="NONE", filterCriteria=prepared.ACTIVE)["arn"]
    assert ":owner/o-abcdefghij/filter/" in arn
    for call, given in (
        (member.update_filter, {"filterArn": arn, "reason": "x"}),
        (member.delete_filter, {"arn": arn}),
    ):
        with pytest.raises(member.exceptions.ClientError, match="AccessDeniedException|ResourceNotFoundException"):
            call(**given)
    assert arn not in json.dumps(member.list_filters(), default=str)
    admin.delete_filter(arn=arn)


def test_a_scan_of_a_machine_image_is_its_accounts_alone(world):
    ours = world.client(OWNER).list_on_demand_scans(resourceId=AMI, resourceType="AMI")["items"]
    theirs = world.client(STRANGER).list_on_demand_scans(resourceId=AMI, resourceType="AMI")["items"]
    assert not {each["scanId"] for each in ours} & {each["scanId"] for each in theirs}
