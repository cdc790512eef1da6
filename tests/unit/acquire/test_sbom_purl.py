"""Package URLs are taken apart as the specification says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packageurl import PackageURL

from openinspector.acquire.sbom.purl import parse


@pytest.mark.parametrize(
    ("text", "type_", "namespace", "name", "version", "subpath"),
    [
        ("pkg:pypi/jinja2@2.10", "pypi", "", "jinja2", "2.10", ""),
        ("pkg:npm/%40babel/core@7.0.0", "npm", "@babel", "core", "7.0.0", ""),
        ("pkg:npm/@babel/core@7.0.0", "npm", "@babel", "core", "7.0.0", ""),
        ("pkg:npm/@babel/core", "npm", "@babel", "core", "", ""),
        ("pkg://PYPI/x@1%2Blocal?a=b", "pypi", "", "x", "1+local", ""),
        ("pkg:golang/google.golang.org/genproto@v0#/googleapis/../api/", "golang", "google.golang.org", "genproto",
         "v0", "googleapis/api"),
        ("pkg:generic/a//b@1@2", "generic", "a", "b@1", "2", ""),
    ],
)  # fmt: skip
def test_the_parts_of_a_purl(text, type_, namespace, name, version, subpath):
    purl = parse(text)
    assert (purl.type, purl.namespace, purl.name, purl.version, purl.subpath) == (
        type_, namespace, name, version, subpath
    )  # fmt: skip


def test_qualifiers_that_make_no_sense_are_passed_over():
    purl = parse("pkg:deb/debian/a@1?arch=amd64&distro=debian-12&nothing&empty=&Upstream=b%40c&=x")
    assert {key: value for key, value in purl.qualifiers.items() if key} == {
        "arch": "amd64", "distro": "debian-12", "upstream": "b@c"
    }  # fmt: skip


@pytest.mark.parametrize("text", ["", "pkg:", "pkg:/", "pkg:pypi", "pkg:pypi/", "pkg:/x@1", "pkg:1x/y", "npm:a", "a@1"])
def test_what_names_no_package_is_none(text):
    assert parse(text) is None


@given(
    st.text(st.characters(codec="utf-8", exclude_characters="/"), min_size=1, max_size=20).filter(str.strip),
    st.text(max_size=20),
    st.dictionaries(st.from_regex(r"[a-z_]{1,8}", fullmatch=True), st.text(min_size=1, max_size=10), max_size=3),
)
def test_what_the_reference_writes_is_read_again(name, version, qualifiers):
    try:
        reference = PackageURL("generic", "a/b", name, version, qualifiers)
        text = reference.to_string()
        PackageURL.from_string(text)
    except ValueError:
        return
    purl = parse(text)
    assert (purl.type, purl.namespace) == ("generic", "a/b")
    assert purl.name == reference.name.strip()
    assert purl.version == (reference.version or "").strip()
    assert {key: value for key, value in purl.qualifiers.items() if value.strip()} == {
        key: value for key, value in (reference.qualifiers or {}).items() if value.strip()
    }


@given(st.text(max_size=100).map(lambda each: f"pkg:{each}"))
def test_any_text_is_read_or_refused(text):
    purl = parse(text)
    assert purl is None or purl.name
