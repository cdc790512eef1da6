"""What is too large is cut down in an order, as little as will do, and says what is missing."""

import json
from copy import deepcopy

from hypothesis import given
from hypothesis import strategies as st

from openinspector.render.event_size import fitted

LISTS = (("details", "addresses"), ("details", "packages"), ("resources", "tags"))
VALUE = {
    "title": "t",
    "details": {"addresses": ["a" * 50] * 4, "packages": [{"name": "p" * 30}] * 10},
    "resources": [{"id": "i", "tags": {"k": "v" * 40}}],
}


def size(value):
    return len(json.dumps(value))


def test_what_fits_is_left_as_it_is():
    assert fitted(VALUE, LISTS, size, size(VALUE)) == (VALUE, [])


def test_the_first_list_is_shortened_first_and_no_more_than_needed():
    before = deepcopy(VALUE)
    smaller, told = fitted(VALUE, LISTS, size, size(VALUE) - 1)
    assert told == ["details.addresses"]
    assert len(smaller["details"]["addresses"]) == 3
    assert smaller["details"]["packages"] == VALUE["details"]["packages"]
    assert before == VALUE


def test_the_next_list_goes_when_the_first_was_not_enough():
    smaller, told = fitted(VALUE, LISTS, size, 300)
    assert told == ["details.addresses", "details.packages"]
    assert smaller["details"]["addresses"] == []
    assert 0 < len(smaller["details"]["packages"]) < 10
    assert smaller["resources"] == VALUE["resources"]


def test_a_mapping_goes_as_a_whole():
    smaller, told = fitted(VALUE, LISTS, size, 110)
    assert told == ["details.addresses", "details.packages", "resources.tags"]
    assert smaller["resources"] == [{"id": "i", "tags": {}}]


def test_what_can_not_be_cut_further_is_given_as_small_as_it_gets():
    smaller, told = fitted(VALUE, LISTS, size, 1)
    assert told == ["details.addresses", "details.packages", "resources.tags"]
    assert smaller["details"] == {"addresses": [], "packages": []}


def test_paths_that_lead_nowhere_are_passed_over():
    lists = (("nothing",), ("title", "deeper"), ("resources", "id", "deeper"), ("empty", "deeper"))
    value = VALUE | {"empty": []}
    assert fitted(value, lists, size, 1) == (value, [])


@given(st.lists(st.text(), max_size=30), st.lists(st.text(), max_size=30), st.integers(0, 500))
def test_it_fits_wherever_that_can_be_had(first, second, room):
    value = {"a": {"b": first, "c": second}, "d": "x"}
    smaller, _ = fitted(value, (("a", "b"), ("a", "c")), size, room)
    least = size({"a": {"b": [], "c": []}, "d": "x"})
    assert size(smaller) <= max(room, least)
    assert smaller["a"]["b"] == first[: len(smaller["a"]["b"])]
    assert smaller["a"]["c"] == second[: len(smaller["a"]["c"])]
