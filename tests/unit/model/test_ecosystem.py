"""Names and schemes of package universes."""

import pytest

from openinspector.model.ecosystem import ECOSYSTEMS, canonical_name, scheme_of
from openinspector.versions.order import schemes


@pytest.mark.parametrize(
    ("namespace", "name", "scheme"),
    [
        ("generic", "node", "npm"),
        ("generic", "ruby", "gem"),
        ("generic", "jruby", "gem"),
        ("generic", "mruby", "gem"),
        ("generic", "rbx", "gem"),
        ("generic", "python", ""),
        ("generic", "", ""),
        ("golang", "stdlib", "gotoolchain"),
        ("golang", "golang.org/x/net", "go"),
        ("debian:12", "openssl", "deb"),
        ("nowhere", "x", ""),
    ],
)
def test_each_package_has_the_scheme_of_its_universe(namespace, name, scheme):
    assert scheme_of(namespace, name) == scheme


def test_every_scheme_is_there():
    assert {each.scheme for each in ECOSYSTEMS.values() if each.scheme} <= set(schemes())


@pytest.mark.parametrize(
    ("type_", "name", "canonical"),
    [
        ("generic", "nodejs", "node"),
        ("generic", "Node.js", "node"),
        ("generic", "rubinius", "rbx"),
        ("generic", "ruby", "ruby"),
        ("pypi", "Foo_Bar", "foo-bar"),
        ("swift", "https://github.com/A/B.git", "github.com/a/b"),
    ],
)
def test_two_names_of_one_package_are_looked_up_as_one(type_, name, canonical):
    assert canonical_name(type_, name) == canonical
