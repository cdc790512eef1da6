"""What needs what."""

from openinspector.catalog.closure import closure, only_for_development

NEEDS = {"a": ["b"], "b": ["c", "a"], "d": ["c", "e"], "x": []}


def needs(name):
    return NEEDS.get(name, ())


def test_everything_that_can_be_reached_and_circles_end():
    assert closure(["a"], needs) == {"a", "b", "c"}


def test_what_both_need_is_not_for_development():
    assert only_for_development(["a"], ["d"], needs) == {"d", "e"}


def test_what_nobody_asks_for_is_not_for_development():
    assert "x" not in only_for_development(["a"], ["d"], needs)
