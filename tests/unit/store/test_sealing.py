"""Secrets at rest: what opens, and what does not."""

import base64
import os
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openinspector.errors import StoreError
from openinspector.store.sealing import FILE, LARGEST_SECRET, Sealer, add_key, open_sealer

OLD, NEW = b"o" * 32, b"n" * 32
SEALER = Sealer([OLD])
KEY = base64.b64encode(OLD).decode()


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch):
    monkeypatch.delenv("OPENINSPECTOR_SEALING_KEY", raising=False)
    monkeypatch.delenv("OPENINSPECTOR_SEALING_KEY_FILE", raising=False)


@given(st.binary(max_size=200), st.lists(st.text(max_size=20), max_size=3))
def test_what_was_sealed_opens_for_the_same_owner(secret, owner):
    sealed = SEALER.seal(secret, *owner)
    assert SEALER.open(sealed, *owner) == secret
    assert len(secret) < 8 or secret not in sealed


def test_sealing_twice_gives_two_texts():
    assert SEALER.seal(b"secret") != SEALER.seal(b"secret")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("OIAK1", "111111111111"), ("OIAK2", "111111111111")),
        (("OIAK1", "111111111111"), ("OIAK1", "222222222222")),
        (("ab", "c"), ("a", "bc")),
        (("ab",), ("ab", "")),
        ((), ("",)),
    ],
)
def test_a_secret_of_another_row_does_not_open(one, other):
    with pytest.raises(StoreError, match="belongs to something else"):
        SEALER.open(SEALER.seal(b"secret", *one), *other)


def test_every_byte_of_a_sealed_secret_counts():
    sealed = SEALER.seal(b"secret", "a")
    for at in range(len(sealed)):
        with pytest.raises(StoreError):
            SEALER.open(sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :], "a")
        with pytest.raises(StoreError):
            SEALER.open(sealed[:at], "a")
    with pytest.raises(StoreError):
        SEALER.open(sealed + b"\0", "a")


@given(st.binary(max_size=200))
def test_noise_does_not_open(noise):
    with pytest.raises(StoreError):
        SEALER.open(noise)


def test_another_key_does_not_open_and_the_error_names_the_one_that_is_missing():
    with pytest.raises(StoreError, match="not among the sealing keys"):
        Sealer([NEW]).open(SEALER.seal(b"secret"))


def test_the_newest_key_seals_and_all_open():
    both = Sealer([OLD, NEW])
    old, new = SEALER.seal(b"secret"), both.seal(b"secret")
    assert both.open(old) == both.open(new) == b"secret"
    assert (both.is_current(old), both.is_current(new), SEALER.is_current(old)) == (False, True, True)
    assert Sealer([NEW]).open(new) == b"secret"


@pytest.mark.parametrize("keys", [[], [b"short"], [OLD, b""]])
def test_sealing_without_a_proper_key_is_refused(keys):
    with pytest.raises(StoreError):
        Sealer(keys)


def test_a_secret_that_is_too_long_is_refused():
    SEALER.open(SEALER.seal(b"x" * LARGEST_SECRET))
    with pytest.raises(StoreError):
        SEALER.seal(b"x" * (LARGEST_SECRET + 1))


# Where the keys lie


def test_the_first_use_makes_a_key_that_only_its_owner_may_read(tmp_path):
    sealer = open_sealer(tmp_path / "data")
    path = tmp_path / "data" / FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [found.name for found in path.parent.iterdir()] == [FILE]
    assert open_sealer(tmp_path / "data").open(sealer.seal(b"secret")) == b"secret"


def test_processes_that_start_at_once_share_one_key(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        sealers = list(pool.map(lambda _: open_sealer(tmp_path), range(16)))
    sealed = [sealer.seal(b"secret") for sealer in sealers]
    assert {sealers[0].open(one) for one in sealed} == {b"secret"}
    assert all(sealers[-1].is_current(one) for one in sealed)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_file_that_others_may_read_is_refused(tmp_path, mode):
    open_sealer(tmp_path)
    (tmp_path / FILE).chmod(mode)
    with pytest.raises(StoreError, match="chmod 600"):
        open_sealer(tmp_path)


def test_a_file_that_the_environment_names_may_be_read_by_a_group(tmp_path, monkeypatch):
    path = tmp_path / "mounted"
    path.write_text(KEY)
    monkeypatch.setenv("OPENINSPECTOR_SEALING_KEY_FILE", str(path))
    path.chmod(0o440)
    assert open_sealer(tmp_path / "data").open(SEALER.seal(b"secret")) == b"secret"
    assert not (tmp_path / "data").exists()
    path.chmod(0o444)
    with pytest.raises(StoreError, match="may be read by others"):
        open_sealer(tmp_path)
    monkeypatch.setenv("OPENINSPECTOR_SEALING_KEY_FILE", str(tmp_path / "none"))
    with pytest.raises(StoreError, match="can't be read"):
        open_sealer(tmp_path)


def test_the_environment_may_hold_the_keys_themselves(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENINSPECTOR_SEALING_KEY", f"{KEY} {base64.b64encode(NEW).decode()}\n")
    sealer = open_sealer(tmp_path)
    assert sealer.open(SEALER.seal(b"secret")) == b"secret"
    assert sealer.is_current(Sealer([NEW]).seal(b""))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("text", ["", "\n\n", "not base64!", KEY[:-4], KEY + "=", "AAAA", "ü" * 44, "A" * 100_000])
def test_a_file_that_holds_no_keys_is_refused(tmp_path, text):
    path = tmp_path / FILE
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(StoreError) as caught:
        open_sealer(tmp_path)
    assert not text.strip() or text.strip() not in str(caught.value)


def test_a_key_that_is_added_seals_and_running_processes_learn_of_it(tmp_path):
    running = open_sealer(tmp_path)
    before = running.seal(b"before")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: add_key(tmp_path / FILE), range(4)))
    assert len((tmp_path / FILE).read_text().split()) == 5
    fresh = open_sealer(tmp_path)
    after = fresh.seal(b"after")
    assert not fresh.is_current(before)
    assert running.open(after) == b"after"
    assert running.is_current(after) and running.open(before) == b"before"


def test_a_key_is_added_after_a_line_without_an_end(tmp_path):
    path = tmp_path / FILE
    path.write_text(KEY)
    path.chmod(0o600)
    add_key(path)
    assert open_sealer(tmp_path).open(SEALER.seal(b"secret")) == b"secret"
    with pytest.raises(StoreError):
        add_key(tmp_path / "none")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_data_folder_that_cannot_be_written_is_named(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(StoreError, match="can't be"):
        open_sealer(tmp_path / "data")


def test_a_data_folder_that_is_a_file_is_named(tmp_path):
    (tmp_path / "data").write_text("")
    with pytest.raises(StoreError, match="can't be"):
        open_sealer(tmp_path / "data")
