"""RubySec."""

from io import BytesIO
from zipfile import ZipFile

import pytest

from openinspector.errors import FeedError
from openinspector.feeds.contract import Document
from openinspector.feeds.sources.rubysec import PLUGIN
from openinspector.model.advisory import Advisory, Range
from openinspector.model.problem import Problem

RAILS = """---
gem: rails
cve: 2020-8165
ghsa: 2p68-f74v-9wc6
url: https://example.org/announcement
title: Unintended unmarshalling
date: 2020-05-18
description: |
  In ActiveSupport, there is potentially unexpected behaviour.
cvss_v3: 9.8
unaffected_versions:
  - "< 4.0"
patched_versions:
  - "~> 5.2.4, >= 5.2.4.3"
  - ">= 6.0.3.1"
related:
  url:
    - https://example.org/more
"""


def parse(*files):
    """Records of an archive given as (path, text)."""
    stream = BytesIO()
    with ZipFile(stream, "w") as archive:
        for path, text in files:
            archive.writestr(f"ruby-advisory-db-master/{path}", text)
    return list(PLUGIN.parse(Document(path="rubysec/ruby-advisory-db.zip", stream=stream)))


def ranges(text):
    (found,) = parse(("gems/x/CVE-2020-1.yml", f"gem: x\n{text}"))
    return found.affected[0].ranges


def test_what_is_neither_patched_nor_unaffected_is_affected():
    (advisory,) = parse(("gems/rails/CVE-2020-8165.yml", RAILS))
    (affected,) = advisory.affected
    assert (affected.namespace, affected.name) == ("gem", "rails")
    assert affected.ranges == (Range(introduced="4.0", fixed="5.2.4.3"), Range(introduced="5.3.a", fixed="6.0.3.1"))
    assert advisory.id == "gems/rails/CVE-2020-8165"
    assert advisory.vulnerabilities == ("CVE-2020-8165",)
    assert advisory.aliases == ("GHSA-2p68-f74v-9wc6",)
    assert advisory.published == "2020-05-18T00:00:00Z"
    assert advisory.references == ("https://example.org/announcement", "https://example.org/more")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", (Range(),)),
        ("patched_versions: []", (Range(),)),
        ("unaffected_versions: ['< 2']", (Range(introduced="2"),)),
        ("patched_versions: ['> 2']", (Range(last_affected="2"),)),
        ("patched_versions: ['= 2']", (Range(fixed="2"), Range(after="2"))),
    ],
)
def test_requirements_are_complemented(text, expected):
    assert ranges(text) == expected


def test_a_flaw_without_a_cve_goes_by_its_other_ids():
    (ghsa,) = parse(("gems/x/GHSA-1.yml", "gem: x\nghsa: 2222-3333-4444\nosvdb: 108728\n"))
    assert (ghsa.vulnerabilities, ghsa.aliases) == (("GHSA-2222-3333-4444",), ("OSVDB-108728",))
    (nameless,) = parse(("gems/x/1.yml", "gem: x\n"))
    assert (nameless.vulnerabilities, nameless.aliases) == ((), ())


def test_an_engine_is_no_gem():
    (advisory,) = parse(("rubies/ruby/CVE-2025-1.yml", "engine: ruby\ncve: 2025-1\npatched_versions: ['>= 3.4.5']\n"))
    assert (advisory.affected[0].namespace, advisory.affected[0].name) == ("generic", "ruby")


def test_a_platform_is_noted():
    (advisory,) = parse(("gems/x/1.yml", "gem: x\nplatform: jruby\n"))
    assert advisory.affected[0].note == "on jruby only"


def test_other_files_are_no_advisories():
    assert parse(("libraries/x/1.yml", "gem: x\n"), ("README.md", "x"), ("spec.yml", "a: 1")) == []


@pytest.mark.parametrize(
    "text",
    [
        "gem: [",
        "cve: 2020-1",
        "gem: x\npatched_versions: ['newer']",
        "gem: x\npatched_versions: 7",
        "- x",
        "gem: &a x\nb: *a",
    ],
)
def test_a_record_that_makes_no_sense_is_a_problem_and_the_rest_goes_on(text):
    problem, advisory = parse(("gems/x/1.yml", text), ("gems/rails/CVE-2020-8165.yml", RAILS))
    assert isinstance(problem, Problem)
    assert isinstance(advisory, Advisory)


def test_what_is_no_archive_is_an_error():
    with pytest.raises(FeedError):
        list(PLUGIN.parse(Document(path="x", stream=BytesIO(b"x"))))


@pytest.mark.feeds
def test_the_real_archive_is_read_whole(feeds_dir):
    with (feeds_dir / "rubysec/ruby-advisory-db.zip").open("rb") as stream:
        found = list(PLUGIN.parse(Document(path="rubysec/ruby-advisory-db.zip", stream=stream)))
    assert not [each for each in found if isinstance(each, Problem)]
    by_id = {each.id: each for each in found}
    assert len(by_id) == len(found) == 1_379
    assert by_id["gems/nokogiri/CVE-2017-16932"].affected[0].ranges == (Range(fixed="1.8.1"),)
    assert sum(each.affected[0].namespace == "generic" for each in found) == 147
