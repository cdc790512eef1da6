"""What a Python project asks for."""

import pytest

from openinspector.catalog.python_projects import load_lock, named_in_url, requirement_name, roots


def test_every_way_to_ask_is_understood():
    asked = roots(b"""
[project]
dependencies = ["Requests[socks]>=2; python_version > '3'", "idna"]
[project.optional-dependencies]
s3 = ["boto3"]
[dependency-groups]
test = ["pytest", {include-group = "lint"}]
lint = ["Ruff"]
[tool.poetry.dependencies]
python = "^3.8"
Flask_Thing = "^1"
[tool.poetry.dev-dependencies]
black = "*"
[tool.poetry.group.docs.dependencies]
sphinx = "*"
[tool.uv]
dev-dependencies = ["mypy"]
""")
    assert asked.used == {"requests", "idna", "boto3", "python", "flask-thing"}
    assert asked.developing == {"pytest", "ruff", "black", "sphinx", "mypy"}
    assert asked.groups == {"test", "lint", "docs", "dev"}


def test_a_group_that_everybody_gets_is_used():
    assert roots(b'[tool.poetry.group.main.dependencies]\na = "1"\n').used == {"a"}


def test_wrong_types_ask_for_nothing():
    asked = roots(b"project = 1\ndependency-groups = []\ntool = {poetry = {group = {a = 1, b = {dependencies = 3}}}}\n")
    assert (asked.used, asked.developing) == (frozenset(), frozenset())


@pytest.mark.parametrize(("text", "name"), [("A.b_C[x] >=1", "a-b-c"), (" a;x", "a"), ("-e .", ""), (3, ""), ("", "")])
def test_the_name_of_a_requirement(text, name):
    assert requirement_name(text) == name


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("https://example.org/a_b-1.0-py3-none-any.whl#sha256=00", ("a_b", "1.0")),
        ("https://example.org/a-1.0-1-py3-none-any.whl", ("a", "1.0")),
        ("https://example.org/a-b-1.0.tar.gz?x=1", ("a-b", "1.0")),
        ("https://example.org/archive/main.zip", ("", "")),
        ("https://example.org/x.whl", ("", "")),
        ("git+https://example.org/x.git", ("", "")),
        ("https://example.org/" + "a" * 5000 + "-1.tar.gz", ("", "")),
    ],
)
def test_the_name_and_version_in_an_address(url, named):
    assert named_in_url(url) == named


def test_long_lists_of_archives_are_cut_and_short_ones_kept():
    two = b"wheels = [\n    { hash = 'a' },\n    { hash = 'b' },\n]\n"
    assert load_lock(two) == {"wheels": [{}, {}]}
    assert load_lock(two.replace(b"    { hash = 'b' },\n", b"")) == {"wheels": [{"hash": "a"}]}
