"""Records become an advisory file that answers what matching asks."""

import os

import pytest

from openinspector.errors import FeedError, StoreError
from openinspector.model.advisory import Advisory, Affected, Range
from openinspector.model.enrichment import Epss
from openinspector.model.problem import Problem
from openinspector.store.advisories import AdvisoryFile
from openinspector.store.aliases import Aliases
from openinspector.store.compile import FeedState, compile_parts
from openinspector.store.part import write_part
from openinspector.versions.order import scheme


def compiled(tmp_path, *records, feed="osv"):
    write_part(tmp_path / "part.sqlite", records)
    state = FeedState(name=feed, revision=1, digest="d", fetched="", parts=(tmp_path / "part.sqlite",))
    compile_parts(tmp_path / "a.sqlite", (state,), {"built": "now"})
    return AdvisoryFile(tmp_path / "a.sqlite")


def said(name="GHSA-1", ranges=(), versions=(), namespace="pypi", package="jinja2", **more):
    entry = Affected(namespace=namespace, name=package, ranges=ranges, versions=versions)
    return Advisory(id=name, affected=(entry,), **more)


def found(file, version, namespace="pypi", name="jinja2", rule="pypi"):
    return [each.advisory for each in file.candidates(namespace, name, scheme(rule).key(version))]


def test_a_range_contains_from_introduced_up_to_fixed(tmp_path):
    file = compiled(tmp_path, said(ranges=(Range(introduced="1.0", fixed="2.0"),)))
    assert [found(file, each) for each in ("0.9", "1.0", "1.9.9", "2.0rc1", "2.0")] == [
        [], ["GHSA-1"], ["GHSA-1"], ["GHSA-1"], []
    ]  # fmt: skip


def test_last_affected_is_inside_and_after_is_outside(tmp_path):
    file = compiled(tmp_path, said(ranges=(Range(after="1.0", last_affected="2.0"),)))
    assert [bool(found(file, each)) for each in ("1.0", "1.0.1", "2.0", "2.0.1")] == [False, True, True, False]


def test_listed_versions_count_beside_ranges(tmp_path):
    file = compiled(tmp_path, said(ranges=(Range(introduced="3.0"),), versions=("1.1", "3.5")))
    assert [bool(found(file, each)) for each in ("1.0", "1.1", "2.0", "3.5")] == [False, True, False, True]


def test_a_bound_that_cannot_be_read_is_given_for_every_version(tmp_path):
    file = compiled(tmp_path, said(ranges=(Range(fixed="not a version"),)))
    (candidate,) = file.candidates("pypi", "jinja2", scheme("pypi").key("1.0"))
    assert candidate.unreadable


def test_names_are_compared_as_their_ecosystem_does(tmp_path):
    file = compiled(tmp_path, said(package="Ruamel_YAML", ranges=(Range(fixed="2"),)))
    assert found(file, "1", name="ruamel-yaml") == ["GHSA-1"]


def test_withdrawn_advisories_are_not_there_and_rejected_ids_are_known(tmp_path):
    file = compiled(tmp_path, said(withdrawn="2024-01-01"), Advisory(id="CVE-2020-1", withdrawn="2024-01-01"))
    assert found(file, "1") == []
    assert file.rejected({"CVE-2020-1", "CVE-2020-2"}) == {"CVE-2020-1"}


def test_aliases_lead_to_the_cve(tmp_path):
    file = compiled(
        tmp_path,
        said("GHSA-1", ranges=(Range(fixed="2"),), aliases=("CVE-2020-1",)),
        said("PYSEC-1", ranges=(Range(fixed="2"),), aliases=("GHSA-1",)),
    )
    candidates = file.candidates("pypi", "jinja2", scheme("pypi").key("1"))
    assert {each.vulnerabilities for each in candidates} == {("CVE-2020-1",)}
    assert file.canonical("PYSEC-1") == "CVE-2020-1"
    assert file.aliases("CVE-2020-1") == ("GHSA-1", "PYSEC-1")


def test_a_record_of_one_flaw_is_another_name_of_it_and_an_update_is_not(tmp_path):
    file = compiled(
        tmp_path,
        said("GHSA-1", ranges=(Range(fixed="2"),), vulnerabilities=("CVE-2020-1",)),
        said("DSA-1", ranges=(Range(fixed="2"),), vulnerabilities=("CVE-2020-1",)),
    )
    assert file.canonical("GHSA-1") == "CVE-2020-1"
    assert file.aliases("CVE-2020-1") == ("GHSA-1",)


def test_two_cves_never_become_one():
    aliases = Aliases()
    aliases.join(("GHSA-1", "CVE-2020-1"))
    aliases.join(("GHSA-1", "CVE-2020-2"))
    assert aliases.canonical("CVE-2020-2") == "CVE-2020-2"


def test_facts_are_there(tmp_path):
    file = compiled(tmp_path, Epss(vulnerability="CVE-2020-1", score=0.5, percentile=0.9, date="2024-01-01"))
    assert file.epss("CVE-2020-1").score == 0.5
    assert file.epss("CVE-2020-2") is None


def test_a_file_that_is_none_is_a_clear_error(tmp_path):
    (tmp_path / "x").write_bytes(b"not sqlite" * 100)
    with pytest.raises(StoreError, match="is not an advisory file"):
        AdvisoryFile(tmp_path / "x")
    with pytest.raises(StoreError, match="db starter"):
        AdvisoryFile(tmp_path / "none")


def test_a_failed_compile_leaves_the_file_that_was_there(tmp_path):
    compiled(tmp_path, said(ranges=(Range(fixed="2"),))).close()
    before = (tmp_path / "a.sqlite").read_bytes()
    (tmp_path / "broken.sqlite").write_bytes(b"x" * 100)
    state = FeedState(name="osv", revision=1, digest="d", fetched="", parts=(tmp_path / "broken.sqlite",))
    with pytest.raises(Exception, match="database"):
        compile_parts(tmp_path / "a.sqlite", (state,), {})
    assert (tmp_path / "a.sqlite").read_bytes() == before


def test_a_device_is_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(StoreError, match="not a file"):
        compile_parts(tmp_path / "pipe", (), {})
    assert (tmp_path / "pipe").is_fifo()


def test_a_document_of_which_nothing_could_be_read_is_a_failure(tmp_path):
    doubt = Problem(path="all.zip", reason="no JSON", count=11)
    with pytest.raises(FeedError, match="no JSON"):
        write_part(tmp_path / "part", [doubt])
    write_part(tmp_path / "part", [doubt, said()])  # one that could be read makes the others doubts
    assert not (tmp_path / "part.new").exists()


def test_whether_any_advisory_names_a_package(tmp_path):
    file = compiled(tmp_path, said(ranges=(Range(fixed="2.0"),)))
    asked = (("pypi", "jinja2"), ("pypi", "other"), ("npm", "jinja2"))
    assert [file.speaks_of(*each) for each in asked] == [True, False, False]
