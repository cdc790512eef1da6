"""Lambda packages: functions and their layers."""

import zipfile

import pytest

from openinspector.acquire.contract import Reader
from openinspector.acquire.limits import Limits
from openinspector.acquire.targets.lambda_zip import read_lambda
from openinspector.errors import AcquireError
from openinspector.pipeline.registry import formats

METADATA = "Metadata-Version: 2.1\nName: requests\nVersion: {}\n"


def package(path, members, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def read(code, *layers, **limits):
    return read_lambda(Reader(formats(), Limits(**limits), None), code, layers)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_packages_lie_where_they_lie_in_the_function(tmp_path, method):
    code = package(tmp_path / "f.zip", {"requests-2.0.dist-info/METADATA": METADATA.format("2.0")}, method)
    inventory = read(code)
    assert [(each.name, each.location.path) for each in inventory.packages] == [
        ("requests", "var/task/requests-2.0.dist-info/METADATA")
    ]
    assert (inventory.status, inventory.problems) == ("whole", ())


def test_a_later_layer_lies_over_an_earlier_one(tmp_path):
    name = "python/requests.dist-info/METADATA"
    first = package(tmp_path / "1.zip", {name: METADATA.format("1.0")})
    second = package(tmp_path / "2.zip", {name: METADATA.format("2.0")})
    inventory = read(package(tmp_path / "f.zip", {"a.py": ""}), first, second)
    assert [(each.version, each.location.layer) for each in inventory.packages] == [("2.0", "2.zip")]


def test_a_member_that_is_damaged_is_partial_and_the_others_are_read(tmp_path):
    code = package(tmp_path / "f.zip", {"a/requirements.txt": "a==1\n", "b/requirements.txt": "b==1\n"}, 0)
    code.write_bytes(code.read_bytes().replace(b"a==1", b"a==2"))
    inventory = read(code)
    assert [each.name for each in inventory.packages] == ["b"]
    assert [(each.path, each.partial) for each in inventory.problems] == [("var/task/a/requirements.txt", True)]
    assert "checksum" in inventory.problems[0].reason


def test_what_is_no_zip_is_an_error(tmp_path):
    for data in (b"", b"PK\x03\x04", b"x" * 100):
        (tmp_path / "f.zip").write_bytes(data)
        with pytest.raises(AcquireError, match=r"f\.zip can't be read as a zip"):
            read(tmp_path / "f.zip")


def test_too_many_members_end_in_a_partial_inventory(tmp_path):
    code = package(tmp_path / "f.zip", {"requirements.txt": "a==1\n", **{str(at): "" for at in range(20)}})
    inventory = read(code, entries=10)
    assert [each.name for each in inventory.packages] == ["a"]
    assert inventory.status == "partial"
