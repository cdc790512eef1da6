"""conda environments."""

import json

import pytest

from openinspector.catalog.contract import File
from openinspector.catalog.formats.conda_meta import PLUGIN
from openinspector.errors import CatalogError

RECORD = {
    "build": "h7f8727e_2",
    "build_number": 2,
    "channel": "https://example.org/pkgs/main/linux-64",
    "files": ["lib/libssl.so.3"] * 50,
    "license": "Apache-2.0",
    "md5": "00",
    "name": "openssl",
    "sha256": "ab",
    "subdir": "linux-64",
    "version": "3.0.10",
}


def read(value):
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return PLUGIN.read(File(path="opt/conda/conda-meta/openssl-3.0.10-h7f8727e_2.json", data=data))


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("conda-meta/a-1-0.json", True),
        ("opt/conda/conda-meta/a-1-0.json", True),
        ("opt/conda/pkgs/a-1-0/info/index.json", False),
        ("opt/not-conda-meta/a.json", False),
        ("opt/conda-meta/deeper/a.json", False),
    ],
)
def test_only_the_records_of_an_environment_are_wanted(path, wanted):
    assert PLUGIN.accepts(path) is wanted


def test_a_record_is_a_package_with_conda_s_qualifiers():
    package = read(RECORD).packages[0]
    assert (package.type, package.name, package.version, package.license) == (
        "conda",
        "openssl",
        "3.0.10",
        "Apache-2.0",
    )
    assert package.qualifiers == (("build", "h7f8727e_2"), ("channel", "pkgs/main"), ("subdir", "linux-64"))
    assert package.digest == "sha256:ab"


def test_an_older_record_with_less_is_read():
    package = read({"name": "a", "version": "1", "channel": {"name": "x"}, "md5": "ff", "license": None}).packages[0]
    assert (package.qualifiers, package.digest, package.license) == ((), "md5:ff", "")


@pytest.mark.parametrize("value", [b"", b"{", {}, {"name": "a"}, {"name": 1, "version": "1"}, [], b"[" * 200_000])
def test_what_names_no_package_is_refused(value):
    with pytest.raises(CatalogError):
        read(value)
