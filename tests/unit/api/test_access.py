"""Roles, operation by operation."""

import botocore.loaders
import pytest
from botocore.model import ServiceModel

from openinspector.api import access
from openinspector.api.access import class_of, may, refusal
from openinspector.model.access import ROLES, Caller

SETS = (access.READING, access.SCANNING, access.REPORTING, access.INGESTING, access.CHANGING)


def operations():
    loader = botocore.loaders.Loader()
    for service in ("inspector2", "inspector-scan"):
        yield from ServiceModel(loader.load_service_model(service, "service-2"), service).operation_names


OPERATIONS = sorted({*operations(), "Ingest"})


def test_every_operation_stands_in_exactly_one_set():
    assert sorted(name for names in SETS for name in names) == OPERATIONS


@pytest.mark.parametrize("operation", OPERATIONS)
def test_roles_may_what_their_names_say(operation):
    reads = operation.startswith(("Get", "List", "BatchGet", "Describe", "Search")) or operation == "ScanSbom"
    assert may("admin", operation)
    assert may("reader", operation) is reads
    assert may("ingest", operation) is (operation == "Ingest" or "CisSession" in operation)
    assert (operation in access.MUTATING) is not reads


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("operation", ["", "listFindings", "ListFinding", "DeleteFindings"])
def test_what_is_no_operation_is_refused_to_all(role, operation):
    assert not may(role, operation)


def test_a_refusal_is_worded_as_aws_does():
    caller = Caller(account="123456789012", role="reader", key_id="OIAKX", region="eu-west-1")
    assert refusal(caller, "inspector2", "ListFindings") == ""
    assert refusal(caller, "inspector2", "CreateFilter") == (
        "User: arn:aws:iam::123456789012:user/OIAKX is not authorized to perform: inspector2:CreateFilter"
        " because no identity-based policy allows the inspector2:CreateFilter action"
    )


def test_operations_count_against_the_rate_of_their_cost():
    assert class_of("ListFindings") == "read"
    assert class_of("CreateFilter") == "write"
    assert class_of("ListFindingAggregations") == class_of("ScanSbom") == "heavy"
    assert class_of("Ingest") == class_of("SendCisSessionHealth") == "ingest"
    assert {class_of(operation) for operation in OPERATIONS} == {"read", "write", "heavy", "ingest"}
    assert set(OPERATIONS) >= access.HEAVY
