"""A mirror's manifest: what is signed, and what is refused."""

import base64
import json
import stat

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from openinspector.errors import FeedError, UsageError
from openinspector.transport.manifest import (
    create_key,
    is_safe,
    load_public,
    read_manifest,
    sign,
    verify,
)

ENTRY = {"size": 1, "sha256": "0" * 64}


def manifest(files, version=1):
    return json.dumps({"version": version, "created": "2026-01-31T04:00:00Z", "files": files}).encode()


@pytest.mark.parametrize(
    "path", ["osv/Red Hat/all.zip", "osv/crates.io/all.zip", "debian/security-tracker/data/DSA/list"]
)
def test_the_layout_has_safe_paths(path):
    assert is_safe(path)
    assert list(read_manifest(manifest({path: ENTRY}), "m").files) == [path]


@pytest.mark.parametrize(
    "path",
    [
        "../secret",
        "osv/../../secret",
        "/etc/passwd",
        "osv//all.zip",
        "osv/./all.zip",
        "",
        "osv/",
        "osv\\..\\x",
        "osv/a\x00b",
        "osv/a\nb",
        ".update/state.json",
        "osv/.hidden",
        "C:/x",
        "osv/all.zip.",
        "osv/all.zip ",
        "osv/é",
        "/".join("a" * 20),
        "a" * 200,
    ],
)
def test_a_path_that_leads_elsewhere_spoils_the_whole_manifest(path):
    assert not is_safe(path)
    with pytest.raises(FeedError, match="no path of the layout"):
        read_manifest(manifest({"kev/a.json": ENTRY, path: ENTRY}), "m")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b"[" * 100_000,
        b"\xff",
        manifest({}, version=0),
        manifest({}, version=-1),
        manifest({}, version=1 << 60),
        manifest({"a": {"size": -1, "sha256": "0" * 64}}),
        manifest({"a": {"size": 1, "sha256": "0" * 63 + "G"}}),
        manifest({"a": {"size": 1}}),
    ],
)
def test_a_manifest_that_makes_no_sense_is_refused(data):
    with pytest.raises(FeedError):
        read_manifest(data, "m")


def test_what_was_signed_is_verified_and_nothing_else(tmp_path):
    public = load_public(create_key(tmp_path / "key"))
    data = manifest({"kev/a.json": ENTRY})
    signature = sign(data, tmp_path / "key")
    verify(data, signature, public, "m")
    other = load_public(create_key(tmp_path / "other"))
    for wrong in ((data + b" ", signature, public), (data, signature[:-1] + b"x", public), (data, b"", public)):
        with pytest.raises(FeedError, match="not that of the mirror's key"):
            verify(*wrong, "m")
    with pytest.raises(FeedError, match="not that of the mirror's key"):
        verify(data, signature, other, "m")


def test_only_its_owner_can_read_a_key(tmp_path):
    path = tmp_path / "key"
    public = create_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(UsageError, match="never written over"):
        create_key(path)
    path.chmod(0o640)
    with pytest.raises(UsageError, match="can be read by others"):
        sign(b"", path)
    assert len(base64.b64decode(public)) == 32


def test_a_public_key_is_told_as_text_or_in_a_file(tmp_path):
    public = create_key(tmp_path / "key")
    (tmp_path / "key.pub").write_text(f"{public}\n")
    assert load_public(public) == load_public(str(tmp_path / "key.pub")) == base64.b64decode(public)


def test_other_keys_are_refused(tmp_path):
    elliptic = generate_private_key(SECP256R1())
    public, private = tmp_path / "ec.pub", tmp_path / "ec"
    public.write_bytes(elliptic.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    private.write_bytes(elliptic.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    private.chmod(0o600)
    with pytest.raises(UsageError, match="another kind"):
        load_public(str(public))
    with pytest.raises(UsageError, match="another kind"):
        sign(b"", private)
    for nonsense in ("AAAA", str(tmp_path / "none"), str(private)):
        with pytest.raises(UsageError):
            load_public(nonsense)


def test_a_key_in_pem_is_read(tmp_path):
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    public = create_key(tmp_path / "key")
    pem = load_pem_private_key((tmp_path / "key").read_bytes(), None).public_key()
    (tmp_path / "pem").write_bytes(pem.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    assert load_public(str(tmp_path / "pem")) == base64.b64decode(public)
