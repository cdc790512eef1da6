"""Installed Python packages."""

import importlib.metadata
import sysconfig
from pathlib import Path

import pytest

from openinspector.catalog.contract import File
from openinspector.catalog.formats.pypi_metadata import PLUGIN

METADATA = b"""Metadata-Version: 2.1
Name: requests
Version: 2.31.0
Summary: Python HTTP for Humans.
License: Apache 2.0
Classifier: License :: OSI Approved :: Apache Software License
Requires-Dist: urllib3 (<3,>=1.21.1)

Name: not-this
Version: 9
"""


def read(path, data):
    return PLUGIN.read(File(path=path, data=data))


def named(reading):
    return [(each.name, each.version) for each in reading.packages]


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("usr/lib/python3.11/site-packages/requests-2.31.0.dist-info/METADATA", True),
        ("requests-2.31.0.dist-info/METADATA", True),
        ("usr/lib/python3/dist-packages/six-1.16.0.egg-info/PKG-INFO", True),
        ("usr/lib/python3/dist-packages/six-1.16.0.egg-info", True),
        ("opt/foo-1.0-py3.8.egg/EGG-INFO/PKG-INFO", True),
        ("src/foo-1.0/PKG-INFO", False),
        ("opt/foo.dist-info.d/METADATA", False),
        ("usr/share/METADATA", False),
    ],
)
def test_only_the_metadata_of_installed_packages_is_wanted(path, wanted):
    assert PLUGIN.accepts(path) is wanted


def test_the_head_names_the_package_and_the_description_does_not():
    reading = read("lib/requests-2.31.0.dist-info/METADATA", METADATA)
    assert named(reading) == [("requests", "2.31.0")]
    package = reading.packages[0]
    assert (package.type, package.license, package.format) == ("pypi", "Apache 2.0", "pypi.metadata")
    assert package.location.path == "lib/requests-2.31.0.dist-info/METADATA"
    assert reading.problems == ()


def test_windows_line_ends_and_the_case_of_a_field_do_not_matter():
    data = METADATA.replace(b"\n", b"\r\n").replace(b"Name: r", b"NAME:r")
    assert named(read("requests-2.31.0.dist-info/METADATA", data)) == [("requests", "2.31.0")]


def test_a_description_folded_into_the_head_does_not_rename_the_package():
    data = b"Metadata-Version: 1.1\nName: a\nVersion: 1\nDescription: x\n        Name: b\n        Version: 2\n"
    assert named(read("a.egg-info/PKG-INFO", data)) == [("a", "1")]


@pytest.mark.parametrize(
    ("fields", "license_"),
    [
        (b"License-Expression: MIT OR Apache-2.0\nLicense: whatever\n", "MIT OR Apache-2.0"),
        (b"License: UNKNOWN\nClassifier: License :: OSI Approved :: MIT License\n", "MIT License"),
        (b"License: " + b"x" * 5000 + b"\n", ""),
        (b"Classifier: Programming Language :: Python\n", ""),
    ],
)
def test_the_licence_is_the_expression_or_the_words_or_the_classifiers(fields, license_):
    reading = read("a-1.dist-info/METADATA", b"Name: a\nVersion: 1\n" + fields)
    assert reading.packages[0].license == license_


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("lib/foo_bar-1.2.dist-info/METADATA", ("foo_bar", "1.2")),
        ("lib/foo-1.2-py3.8.egg-info", ("foo", "1.2")),
        ("lib/foo-1.2-py3.8.egg/EGG-INFO/PKG-INFO", ("foo", "1.2")),
    ],
)
def test_an_empty_file_leaves_the_word_to_its_folder_and_says_so(path, expected):
    reading = read(path, b"")
    assert named(reading) == [expected]
    assert reading.problems[0].count == 2
    assert not reading.problems[0].partial


def test_a_package_that_nothing_names_is_a_problem():
    reading = read("src/foo.egg-info/PKG-INFO", b"Metadata-Version: 1.0\n")
    assert reading.packages == ()
    assert reading.problems[0].count == 1


def test_bytes_that_are_no_text_do_not_hide_the_package():
    data = b"Name: a\nVersion: 1\nAuthor: J\xf6rg\n\n\xff\xfe\x00"
    assert named(read("a-1.dist-info/METADATA", memoryview(data))) == [("a", "1")]


def test_our_own_environment_reads_as_importlib_reads_it():
    expected, ours = [], []
    for folder in sorted(Path(sysconfig.get_path("purelib")).glob("*.dist-info")):
        metadata = importlib.metadata.PathDistribution(folder).metadata
        expected.append((metadata["Name"], metadata["Version"]))
        file = folder / "METADATA"
        ours += named(read(str(file), file.read_bytes()))
    assert len(ours) > 5
    assert ours == expected
