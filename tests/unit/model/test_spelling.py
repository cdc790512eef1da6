"""The service's spelling of versions, runtimes and titles."""

import botocore.session
import pytest

from openinspector.model.package import Location, Package
from openinspector.model.spelling import RUNTIMES, package_title, runtime_word, split_version
from openinspector.render import inspector_words


def package(type_, version, name="x"):
    return Package(type=type_, name=name, version=version, location=Location(path="p"))


VERSIONS = [
    ("rpm", "1:2.4-3.amzn2", (1, "2.4", "3.amzn2")),
    ("rpm", "5.10.118-111.515.amzn2", (0, "5.10.118", "111.515.amzn2")),
    ("deb", "7.88.1-10+deb12u5", (0, "7.88.1", "10+deb12u5")),
    ("deb", "1:2:3-4-5", (1, "2:3-4", "5")),
    ("apk", "3.1.4-r5", (0, "3.1.4", "r5")),
    ("deb", "1.0", (0, "1.0", "")),
    ("deb", "-1", (0, "-1", "")),
    ("deb", "", (0, "", "")),
    ("rpm", "9999999999:1-1", (0, "9999999999:1", "1")),
    ("npm", "1.0.0-rc.1", (0, "1.0.0-rc.1", "")),
    ("pypi", "1!2.0", (0, "1!2.0", "")),
]


@pytest.mark.parametrize(("type_", "version", "parts"), VERSIONS)
def test_a_distributions_version_has_parts(type_, version, parts):
    assert split_version(package(type_, version)) == parts


@pytest.mark.parametrize(("type_", "version", "parts"), VERSIONS)
def test_filters_see_the_parts_that_are_shown(type_, version, parts):
    assert inspector_words.split_version(package(type_, version)) == parts


@pytest.mark.parametrize(
    ("runtime", "word"),
    [
        ("python3.12", "PYTHON_3_12"),
        ("nodejs18.x", "NODEJS_18_X"),
        ("nodejs", "NODEJS"),
        ("java8.al2", "JAVA_8_AL2"),
        ("dotnetcore3.1", "DOTNETCORE_3_1"),
        ("go1.x", "GO_1_X"),
        ("provided.al2023", "UNSUPPORTED"),
        ("python2.7", "UNSUPPORTED"),
        ("", "UNSUPPORTED"),
    ],
)
def test_a_lambda_runtime_has_a_word(runtime, word):
    assert runtime_word(runtime) == word


def test_the_words_of_runtimes_are_the_models():
    model = botocore.session.get_session().get_service_model("inspector2")
    assert {*RUNTIMES, "UNSUPPORTED"} == set(model.shape_for("Runtime").enum)


@pytest.mark.parametrize("names", [[], ["a"], ["a", "a"], ["a", "b"], ["a", "b", "c", "d"], [" a\n b "], ["x" * 2000]])
def test_a_title_is_the_one_that_is_rendered(names):
    packages = [package("npm", "1", name) for name in names]
    assert package_title("CVE-2026-1", names) == inspector_words.title("CVE-2026-1", packages)
