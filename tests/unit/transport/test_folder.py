"""A folder as a bucket: names, modes, and nothing half-written."""

import pytest

from openinspector.errors import DestinationError
from openinspector.transport.folder import LONGEST_NAME, Folder


@pytest.fixture
def bucket(tmp_path):
    (tmp_path / "ours").mkdir()
    return Folder(tmp_path, "ours")


def names(folder):
    return sorted(str(each.relative_to(folder)) for each in folder.rglob("*") if not each.is_dir())


def test_an_object_is_there_when_it_is_whole(bucket, tmp_path):
    seen = []

    def parts():
        yield b"one "
        seen.append(names(tmp_path))
        yield b"two"

    begun = []
    bucket.write("a/b.csv", "text/csv", parts(), begun.append)
    assert seen == [[f"ours/a/{begun[0]}"]]
    assert names(tmp_path) == ["ours/a/b.csv"]
    assert (tmp_path / "ours/a/b.csv").read_bytes() == b"one two"


def test_what_the_parts_raise_is_raised_and_nothing_is_left(bucket, tmp_path):
    def parts():
        yield b"one"
        raise LookupError("no more")

    with pytest.raises(LookupError):
        bucket.write("b.csv", "text/csv", parts(), lambda _: None)
    assert names(tmp_path) == []


def test_an_object_that_is_there_is_replaced_as_a_whole(bucket, tmp_path):
    for content in (b"long enough", b"short"):
        bucket.write("b.csv", "text/csv", [content], lambda _: None)
    assert (tmp_path / "ours/b.csv").read_bytes() == b"short"


def test_what_somebody_left_is_removed_and_nothing_else(bucket, tmp_path):
    left = f".{'0a' * 16}.part"
    for name in (f"ours/a/{left}", "ours/a/b.csv", f"ours/{left}"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    for name in (left, left, "b.csv", f"../{left}", "../b.csv", "..", ""):  # a second time there is nothing
        bucket.discard("a/b.csv", name)
    assert names(tmp_path) == [f"ours/{left}", "ours/a/b.csv"]


@pytest.mark.parametrize("key", ["../b", "a/../../b", "/b", "a//b", ".", "a/", "", "a\0b"])
def test_no_key_leads_elsewhere(bucket, tmp_path, key):
    with pytest.raises(DestinationError):
        bucket.write(key, "text/csv", [b"x"], lambda _: None)
    assert names(tmp_path) == []


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\0b"])
def test_a_bucket_is_one_folder(tmp_path, name):
    with pytest.raises(ValueError, match="is no name of a folder"):
        Folder(tmp_path, name)


def test_a_name_that_no_file_system_holds_is_shortened_and_stays_single(bucket, tmp_path):
    for letter in "ab":
        bucket.write("é" * 300 + letter + "_SPDX_2_3.json", "application/json", [b"x"], lambda _: None)
    found = names(tmp_path / "ours")
    assert len(found) == 2
    assert all(each.endswith("_SPDX_2_3.json") and len(each.encode()) <= LONGEST_NAME for each in found)


def test_a_folder_that_is_not_there_is_told_from_one_that_is_a_file(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    for name, code in (("none", "BUCKET_NOT_FOUND"), ("file", "INVALID_PERMISSIONS")):
        with pytest.raises(DestinationError) as caught:
            Folder(tmp_path, name).check()
        assert caught.value.code == code


@pytest.mark.parametrize("inner", [False, True], ids=["a folder", "the file"])
def test_a_link_that_somebody_planted_is_not_followed(bucket, tmp_path, inner):
    """To a folder it is an error; in place of the file it is replaced, and what it leads to is left alone."""
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs/b.csv").write_bytes(b"theirs")
    if inner:
        (tmp_path / "ours/b.csv").symlink_to(tmp_path / "theirs/b.csv")
        bucket.write("b.csv", "text/csv", [b"ours"], lambda _: None)
        assert not (tmp_path / "ours/b.csv").is_symlink()
    else:
        (tmp_path / "ours/a").symlink_to(tmp_path / "theirs")
        with pytest.raises(DestinationError) as caught:
            bucket.write("a/b.csv", "text/csv", [b"ours"], lambda _: None)
        assert caught.value.code == "INVALID_PERMISSIONS"
    assert (tmp_path / "theirs/b.csv").read_bytes() == b"theirs"
    assert len(names(tmp_path / "theirs")) == 1
