"""Page tokens: only ours, only for the question they came from."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openinspector.api.errors import ValidationFailed
from openinspector.api.model import operations
from openinspector.api.token import LONGEST, Page, Scope, default_size, open_page, seal, unseal

OPERATIONS = operations()
KEY = b"k" * 32
MOMENT = datetime(2024, 5, 15, 21, 11, 8, 602000, tzinfo=UTC)
ASKED = {"filterCriteria": {"severity": [{"comparison": "EQUALS", "value": "HIGH"}]}, "maxResults": 5}
SCOPE = Scope.of(OPERATIONS["ListFindings"], "111122223333", ASKED)
POSITION = (9.8, "arn:aws:inspector2:…/1", MOMENT, 7, None, True, b"\x00")


def refused(scope: Scope, token: str, key: bytes = KEY) -> None:
    with pytest.raises(ValidationFailed) as raised:
        unseal(key, scope, token)
    assert raised.value.reason == "FIELD_VALIDATION_FAILED"
    assert [field.name for field in raised.value.fields] == ["nextToken"]


def test_a_token_gives_back_the_position_it_was_made_of():
    assert unseal(KEY, SCOPE, seal(KEY, SCOPE, POSITION)) == POSITION


def test_a_token_says_nothing_that_a_url_would_have_to_encode():
    token = seal(KEY, SCOPE, POSITION)
    assert token.replace("-", "").replace("_", "").isalnum()


def test_page_size_may_change_on_the_way():
    token = seal(KEY, SCOPE, POSITION)
    other = Scope.of(OPERATIONS["ListFindings"], "111122223333", ASKED | {"maxResults": 50, "nextToken": token})
    assert unseal(KEY, other, token) == POSITION


@pytest.mark.parametrize(
    "scope",
    [
        Scope.of(OPERATIONS["ListCoverage"], "111122223333", ASKED),
        Scope.of(OPERATIONS["ListFindings"], "444455556666", ASKED),
        Scope.of(OPERATIONS["ListFindings"], "111122223333", {}),
        Scope.of(OPERATIONS["ListFindings"], "111122223333", ASKED | {"sortCriteria": {"field": "SEVERITY"}}),
    ],
    ids=["operation", "account", "criteria", "order"],
)
def test_a_token_is_refused_for_another_question(scope):
    refused(scope, seal(KEY, SCOPE, POSITION))


def test_the_order_in_which_criteria_are_given_does_not_matter():
    criteria = {"filterCriteria": {"a": 1, "b": MOMENT}}
    turned = {"filterCriteria": {"b": MOMENT, "a": 1}}
    assert Scope.of(SCOPE.operation, "1", criteria) == Scope.of(SCOPE.operation, "1", turned)


def test_a_token_of_another_installation_is_refused():
    refused(SCOPE, seal(b"other" * 8, SCOPE, POSITION))


def test_a_token_changed_anywhere_is_refused():
    token = seal(KEY, SCOPE, ("a", 1))
    for place, character in enumerate(token):
        for other in "AB_-9+=\n é\0":
            if other != character:
                refused(SCOPE, token[:place] + other + token[place + 1 :])
        refused(SCOPE, token[:place] + token[place + 1 :])
        refused(SCOPE, token[:place] + "A" + token[place:])
    refused(SCOPE, token + "=")


@given(st.text(max_size=80) | st.from_regex(r"[A-Za-z0-9_-]{0,80}", fullmatch=True))
def test_no_text_is_taken_for_a_token(text):
    refused(SCOPE, text)


def test_a_token_longer_than_any_of_ours_is_not_looked_at():
    refused(SCOPE, "A" * 1_000_000)
    with pytest.raises(ValueError, match="where 1024 are allowed"):
        seal(KEY, SCOPE, ("a" * LONGEST,))


def test_a_page_is_the_first_without_a_token_and_leads_to_the_next():
    first = open_page(KEY, SCOPE, ASKED)
    assert first == Page(5, None, SCOPE, KEY)
    second = open_page(KEY, SCOPE, ASKED | {"nextToken": first.token(("a", 1))})
    assert second.after == ("a", 1)
    assert open_page(KEY, SCOPE, {"nextToken": ""}).after is None


def test_every_paged_operation_has_a_size_that_the_model_allows():
    sizes = {name: default_size(operation) for name, operation in OPERATIONS.items() if operation.paged}
    assert len(sizes) == 22
    assert sizes["ListFindings"] == 10
    assert sizes["ListDelegatedAdminAccounts"] == 5
    assert sizes["ListMembers"] == 50
    assert sizes["GetCisScanResultDetails"] == 100
    assert sizes["SearchVulnerabilities"] == 1
