"""The HTML report: harmless whatever is in it, whole, and well-formed."""

import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser

import pytest
from tests.unit.render.sample import EMPTY, HOSTILE, INVENTORY, REPORT, RULED

from openinspector.model.match import Report
from openinspector.render.html_report import render

VOID = {"meta", "br"}


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.open, self.words = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def page():
    return Page(render(REPORT))


@pytest.mark.parametrize(
    "report",
    [REPORT, RULED, EMPTY, Report(inventory=INVENTORY)],
    ids=["rich", "ruled", "empty", "inventory"],
)
def test_every_tag_is_closed(report):
    assert Page(render(report)).open == []


def test_nothing_runs_and_nothing_is_loaded(page):
    tags = {name for name, _ in page.tags}
    assert not tags & {"script", "img", "link", "iframe", "object", "embed", "form", "svg", "base"}
    for _, attributes in page.tags:
        assert not any(name.startswith("on") or name in ("style", "src", "srcset") for name in attributes)
    assert "url(" not in render(REPORT).partition("</style>")[0]


def test_links_lead_to_the_web_or_stay_in_the_page(page):
    addresses = [each["href"] for each in page.all("a")]
    assert any(each.startswith("https://") for each in addresses)
    assert all(each.startswith(("https://", "#")) for each in addresses)
    identities = {each["id"] for _, each in page.tags if "id" in each}
    assert {each[1:] for each in addresses if each.startswith("#")} <= identities


def test_the_policy_allows_its_own_style_only(page):
    style = re.search("<style>(.*?)</style>", render(REPORT), re.DOTALL)[1]
    policy = next(each["content"] for each in page.all("meta") if each.get("http-equiv") == "Content-Security-Policy")
    assert "default-src 'none'" in policy
    assert f"'sha256-{b64encode(sha256(style.encode()).digest()).decode()}'" in policy


def test_hostile_names_are_shown_not_obeyed(page):
    text = render(REPORT)
    text.encode()
    assert HOSTILE not in text
    assert not {"\x00", "\x1b", "\u202e"} & set(text)
    assert any("<script>alert('x')</script>" in each for each in page.words)


def test_all_sections_are_there(page):
    words = " ".join(page.words)
    for wanted in (
        "Summary",
        "known to be exploited",
        "To fix:",
        "npm install lodash@4.17.21",
        "3.0.0-1 <= 3.0.9-1 < 3.0.11-1~deb12u2",
        "Suppressed",
        "VEX: not affected",
        "That is no clean bill.",
        "lines that make no sense",
        "This is a partial scan",
        "@babel/traverse",
    ):
        assert wanted in words


def test_statements_and_what_was_known_are_shown():
    page = render(RULED)
    assert "VEX: under investigation" in page
    assert "known since 2024-12-01" in page
    assert "VEX: not affected, the vulnerable code is not in the execute path" in page


def test_the_worst_package_comes_first(page):
    titles = re.findall(r"<h3><bdi>(.*?)</bdi>", render(REPORT))
    assert titles[0] == "org.apache.logging.log4j:log4j-core"
    assert titles[-1] == "openssl"


def test_tables_have_headers_for_people_who_listen(page):
    assert all(each.get("scope") == "col" for each in page.all("th"))
    assert page.all("html")[0]["lang"] == "en"


def test_an_empty_report_says_so():
    words = " ".join(Page(render(EMPTY)).words)
    assert "No known vulnerabilities." in words
    assert "No packages were found." in words
