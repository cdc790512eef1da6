"""Two generations are compared by what they say."""

from openinspector.model.advisory import Advisory, Affected, Range
from openinspector.store.compile import FeedState, compile_parts
from openinspector.store.diff import diff
from openinspector.store.part import write_part


def generation(tmp_path, name, *records):
    part = tmp_path / f"{name}-part.sqlite"
    write_part(part, records)
    compile_parts(tmp_path / name, (FeedState(name="f", revision=1, digest=name, fetched="", parts=(part,)),), {})
    return tmp_path / name


def said(identity, package, fixed, namespace="pypi", kind="binary"):
    entry = Affected(namespace=namespace, name=package, kind=kind, ranges=(Range(fixed=fixed),))
    return Advisory(id=identity, affected=(entry,))


def test_the_same_records_in_another_order_differ_in_nothing(tmp_path):
    one, two = said("A", "x", "1"), said("B", "y", "2")
    assert diff(generation(tmp_path, "a", one, two), generation(tmp_path, "b", two, one)) == []


def test_what_is_new_gone_or_changed_is_named(tmp_path):
    older = generation(tmp_path, "a", said("A", "same", "1"), said("B", "changed", "1"), said("C", "gone", "1"))
    newer = generation(
        tmp_path, "b", said("A", "same", "1"), said("B", "changed", "2"), said("D", "new", "1", "debian:12", "source")
    )
    assert diff(older, newer) == [
        ("debian:12", "new", "source"), ("pypi", "changed", "binary"), ("pypi", "gone", "binary")
    ]  # fmt: skip
