"""GitLab's container scanning report, by what its published schema (15.0.7) requires."""

import json
import re

import pytest
from tests.unit.render.sample import EMPTY, REPORT, RULED

from openinspector.render.gitlab import render

NOT_EMPTY = {"type": "string", "minLength": 1}
TOOL = {
    "type": "object",
    "required": ["id", "name", "version", "vendor"],
    "properties": {
        "id": NOT_EMPTY,
        "name": NOT_EMPTY,
        "version": NOT_EMPTY,
        "vendor": {"type": "object", "required": ["name"], "properties": {"name": NOT_EMPTY}},
    },
}
MOMENT = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}$"}
DETAIL = {
    "type": "object",
    "required": ["type", "name"],
    "oneOf": [
        {"properties": {"type": {"const": "text"}, "value": {"type": "string"}}, "required": ["value"]},
        {
            "properties": {
                "type": {"const": "list"},
                "items": {"type": "array", "items": {"type": "object", "required": ["type", "value"]}},
            },
            "required": ["items"],
        },
    ],
}
VULNERABILITY = {
    "type": "object",
    "required": ["id", "identifiers", "location"],
    "properties": {
        "id": NOT_EMPTY,
        "name": {"type": "string", "maxLength": 255},
        "description": {"type": "string", "maxLength": 1048576},
        "severity": {"enum": ["Info", "Unknown", "Low", "Medium", "High", "Critical"]},
        "solution": {"type": "string", "maxLength": 7000},
        "identifiers": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["type", "name", "value"],
                "properties": {
                    "type": NOT_EMPTY,
                    "name": NOT_EMPTY,
                    "value": NOT_EMPTY,
                    "url": {"type": "string", "pattern": "^(https?|ftp)://.+"},
                },
            },
        },
        "cvss_vectors": {
            "type": "array",
            "minItems": 1,
            "maxItems": 10,
            "items": {
                "type": "object",
                "required": ["vendor", "vector"],
                "properties": {
                    "vendor": NOT_EMPTY,
                    "vector": {
                        "type": "string",
                        "maxLength": 128,
                        "pattern": "^(CVSS:3[.][01]/AV:|AV:[NAL]/AC:[LMH]/Au:)",
                    },
                },
            },
        },
        "links": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["url"],
                "properties": {"url": {"type": "string", "pattern": "^(https?|ftp)://.+"}},
            },
        },
        "location": {
            "type": "object",
            "required": ["dependency", "operating_system", "image"],
            "properties": {
                "dependency": {
                    "type": "object",
                    "required": ["package", "version"],
                    "properties": {
                        "package": {"type": "object", "required": ["name"]},
                        "version": {"type": "string"},
                    },
                },
                "operating_system": NOT_EMPTY,
                "image": NOT_EMPTY,
            },
        },
        "details": {"type": "object", "additionalProperties": DETAIL},
    },
}
SCHEMA = {
    "type": "object",
    "required": ["scan", "version", "vulnerabilities"],
    "properties": {
        "version": {"type": "string", "pattern": r"^[0-9]+\.[0-9]+\.[0-9]+$"},
        "scan": {
            "type": "object",
            "required": ["analyzer", "end_time", "scanner", "start_time", "status", "type"],
            "properties": {
                "analyzer": TOOL,
                "scanner": TOOL,
                "start_time": MOMENT,
                "end_time": MOMENT,
                "status": {"enum": ["success", "failure"]},
                "type": {"enum": ["container_scanning"]},
                "messages": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["level", "value"],
                        "properties": {"level": {"enum": ["info", "warn", "fatal"]}, "value": NOT_EMPTY},
                    },
                },
            },
        },
        "vulnerabilities": {"type": "array", "items": VULNERABILITY},
        "remediations": {"type": "array", "maxItems": 0},
    },
}


@pytest.fixture(scope="module")
def document():
    return json.loads(render(REPORT))


def find(document, name):
    return next(each for each in document["vulnerabilities"] if each["identifiers"][0]["value"] == name)


@pytest.mark.parametrize("report", [REPORT, RULED, EMPTY], ids=["rich", "ruled", "empty"])
def test_it_has_what_the_schema_requires(report):
    from jsonschema import Draft7Validator

    errors = list(Draft7Validator(SCHEMA).iter_errors(json.loads(render(report))))
    assert not errors, errors


def test_suppressed_findings_are_left_out(document):
    names = [each["identifiers"][0]["value"] for each in document["vulnerabilities"]]
    assert sorted(names) == ["CVE-2021-23337", "CVE-2021-44228", "CVE-2023-5363", "CVE-2023-5363", "MAL-2024-1"]


def test_ids_are_uuids_that_stay(document):
    ids = [each["id"] for each in document["vulnerabilities"]]
    assert len(ids) == len(set(ids))
    assert all(
        re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", each) for each in ids
    )
    assert render(REPORT) == render(REPORT)


def test_the_chosen_vector_is_the_first_and_unknown_versions_are_left_out(document):
    assert [each["vector"] for each in find(document, "CVE-2023-5363")["cvss_vectors"]] == [
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N",
        "AV:N/AC:L/Au:N/C:P/I:N/A:N",
    ]
    assert "cvss_vectors" not in find(document, "MAL-2024-1")


def test_the_solution_is_an_upgrade_where_there_is_one(document):
    assert find(document, "CVE-2021-23337")["solution"] == "Upgrade lodash to 4.17.21. npm install lodash@4.17.21"
    assert "no fixed version" in find(document, "MAL-2024-1")["solution"]


def test_doubt_is_told_as_messages(document):
    messages = document["scan"]["messages"]
    assert any("lines that make no sense (3 times)" in each["value"] for each in messages)
    assert any("was not judged" in each["value"] for each in messages)
