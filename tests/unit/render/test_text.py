"""Text in documents: what can't be written is replaced, what mustn't be followed is no address."""

import json
from xml.etree.ElementTree import fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openinspector.render import text


@given(st.text(st.characters(codec=None)))
def test_any_text_is_valid_in_xml(said):
    document = f'<a b="{text.xml_text(said)}">{text.xml_text(said)}</a>'
    assert fromstring(document.encode()).tag == "a"


@given(st.text(st.characters(codec=None)))
def test_any_text_is_valid_in_json(said):
    assert list(json.loads(text.json_document({said: [said]}).encode()).values())[0][0] is not None


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "https://",
        "https://a b",
        'https://a"b',
        "https://a<b",
        "https://a\nb",
        "ftp://a",
        "",
        "//a",
    ],
)
def test_this_is_no_address(address):
    assert not text.web_address(address)


@pytest.mark.parametrize("address", ["https://example.org/a?b=c&d#e", "http://[::1]/", "https://example.org/ü"])
def test_this_is_an_address(address):
    assert text.web_address(address)


def test_an_identity_depends_on_the_parts_and_their_borders():
    assert text.identity("a", "b") == text.identity("a", "b")
    assert text.identity("ab", "c") != text.identity("a", "bc")
    assert text.identity("\ud800")


def test_a_cut_text_keeps_to_its_limit():
    assert text.cut("abc", 3) == "abc"
    assert text.cut("abcd", 3) == "ab…"


def test_the_page_of_a_vulnerability_is_its_publishers_where_known():
    assert text.page_of("CVE-2023-1", "https://example.org/x") == "https://example.org/x"
    assert text.page_of("CVE-2023-1", "javascript:x") == "https://nvd.nist.gov/vuln/detail/CVE-2023-1"
    assert text.page_of("GHSA-a") == "https://github.com/advisories/GHSA-a"
    assert text.page_of("RUSTSEC-1/..") == "https://osv.dev/vulnerability/RUSTSEC-1%2F.."
    assert text.page_of("") == ""
