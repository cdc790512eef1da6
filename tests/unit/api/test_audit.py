"""What the audit log keeps of parameters."""

import json
from datetime import UTC, datetime

import botocore.loaders
from botocore.model import ServiceModel
from hypothesis import given, settings
from hypothesis import strategies as st

from openinspector.api.audit import LARGEST_PARAMETERS, SENSITIVE, parameters


def sensitive(shape, seen=frozenset()):
    """Names of the members that the model marks as sensitive."""
    if shape.name in seen:
        return
    seen |= {shape.name}
    match shape.type_name:
        case "structure":
            for name, member in shape.members.items():
                if member.metadata.get("sensitive"):
                    yield name
                yield from sensitive(member, seen)
        case "list":
            yield from sensitive(shape.member, seen)
        case "map":
            yield from sensitive(shape.value, seen)


def test_whatever_the_model_calls_sensitive_is_hidden():
    loader = botocore.loaders.Loader()
    names = set()
    for service in ("inspector2", "inspector-scan"):
        model = ServiceModel(loader.load_service_model(service, "service-2"), service)
        for operation in model.operation_names:
            shape = model.operation_model(operation).input_shape
            names |= set(sensitive(shape)) if shape else set()
    assert names == SENSITIVE


def test_parameters_are_shown_and_secrets_are_not():
    given = {
        "name": "x",
        "details": {"gitlabSelfManaged": {"accessToken": "glpat-secret", "instanceUrl": "https://git.example"}},
        "since": datetime(2026, 1, 31, 4, tzinfo=UTC),
        "document": b"\x00" * 9,
        "ids": ["a", "b"],
        "count": 5,
        "on": None,
    }
    assert json.loads(parameters(given)) == {
        "name": "x",
        "details": {"gitlabSelfManaged": {"accessToken": "***", "instanceUrl": "***"}},
        "since": "2026-01-31T04:00:00.000000Z",
        "document": "(9 bytes)",
        "ids": ["a", "b"],
        "count": 5,
        "on": None,
    }


def test_long_parameters_are_cut_and_say_so():
    shown = json.loads(parameters({"text": "x" * 1000, "many": list(range(60))}))
    assert shown["text"].endswith("… (1000 characters)") and len(shown["text"]) < 600
    assert shown["many"][-1] == "… (60 items)" and len(shown["many"]) == 51
    assert json.loads(parameters({str(i): "x" * 500 for i in range(40)}))["cut"] > LARGEST_PARAMETERS


TEXT = st.text(st.characters(), max_size=40).flatmap(lambda text: st.sampled_from([text, text * 40, "\ud800"]))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT | st.binary(max_size=5) | st.datetimes(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXT, inner, max_size=5),
    max_leaves=8,
)


@settings(max_examples=60)
@given(st.dictionaries(TEXT, VALUES, max_size=8), st.integers(1, 60))
def test_any_parameters_become_json_of_a_bounded_size(given, times):
    text = parameters({name * times: [value] * times for name, value in given.items()})
    assert isinstance(json.loads(text), dict)
    assert len(text) <= LARGEST_PARAMETERS


def test_the_names_of_parameters_are_bounded_too():
    assert len(parameters({f"{i}" + "\x00" * 500: "x" for i in range(1000)})) <= LARGEST_PARAMETERS


def test_a_deep_document_is_cut():
    deep = {}
    for _ in range(100_000):
        deep = {"a": deep}
    assert "…" in parameters(deep)


def test_the_token_of_a_cis_session_is_hidden():
    told = parameters({"scanJobId": "job", "message": {"sessionToken": "f00d"}, "sessionToken": "f00d"})
    assert "f00d" not in told
    assert json.loads(told)["scanJobId"] == "job"
