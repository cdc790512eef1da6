"""What a mirror holds, and who vouches for it: `manifest.json`, signed in `manifest.json.sig` (ed25519).

    {"version": 12, "created": "2026-01-31T04:00:00Z", "files": {"osv/PyPI/all.zip": {"size": 1, "sha256": "…"}}}

The signature is the 64 bytes over the very bytes of the manifest. A public key is written as base64 of its 32 bytes; a
private one is a PEM file. A manifest whose signature is wrong, or that names a path which leads elsewhere, is refused
as a whole.

Source: RFC 8032 (Ed25519).
"""

import base64
import binascii
import hashlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from openinspector.errors import FeedError, UsageError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

MANIFEST = "manifest.json"
SIGNATURE = "manifest.json.sig"
SIGNATURE_SIZE = 64
LARGEST_MANIFEST = 32 << 20
_MOST_FILES = 200_000
_LARGEST_KEY_FILE = 64 << 10
_HIGHEST_VERSION = 1 << 53
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._ +~@=-]{0,127}")  # of a path; no dot at the front, nothing that leads out
_PARTS_AT_MOST = 12
_DIGEST = re.compile(r"[0-9a-f]{64}")


class Entry(Struct, frozen=True, kw_only=True):
    """One document of a mirror."""

    size: int
    sha256: str


class Manifest(Struct, frozen=True, kw_only=True):
    """Everything a mirror holds, by its path in the layout. Versions of one key only grow."""

    version: int
    created: str
    files: dict[str, Entry]


def is_safe(path: str) -> bool:
    """Whether a path of a manifest stays inside its folder, whatever the system."""
    parts = path.split("/")
    return len(parts) <= _PARTS_AT_MOST and all(
        _PART.fullmatch(part) and not part.endswith((" ", ".")) for part in parts
    )


def read_manifest(data: bytes, where: str) -> Manifest:
    """A manifest, checked in itself.

    Raises:
        FeedError: It makes no sense, or names a path that leads elsewhere.
    """
    try:
        manifest = msgspec.json.decode(data, type=Manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise FeedError(f"{where}: is no manifest: {error}") from error
    if not 0 < manifest.version < _HIGHEST_VERSION or len(manifest.files) > _MOST_FILES:
        raise FeedError(f"{where}: its version is not a positive number, or it names too many files")
    for path, entry in manifest.files.items():
        if not is_safe(path):
            raise FeedError(f"{where}: names {path[:200]!r}, which is no path of the layout: the manifest is refused")
        if entry.size < 0 or not _DIGEST.fullmatch(entry.sha256):
            raise FeedError(f"{where}: size or digest of {path} make no sense: the manifest is refused")
    return manifest


def verify(data: bytes, signature: bytes, key: bytes, where: str) -> None:
    """Check a manifest's signature by a public key of 32 bytes.

    Raises:
        FeedError: The key's owner did not sign these bytes.
    """
    from cryptography.exceptions import InvalidSignature

    try:
        _public(key).verify(signature, data)
    except InvalidSignature as error:
        raise FeedError(f"{where}: the signature is not that of the mirror's key: nothing of it is used") from error


def key_name(key: bytes) -> str:
    """A short name of a public key."""
    return hashlib.sha256(key).hexdigest()[:16]


def load_public(given: str) -> bytes:
    """A public key from its base64, or from a file that holds that or PEM.

    Raises:
        UsageError: It is neither.
    """
    text = given.strip()
    if not _is_base64_key(text):
        try:
            with Path(given).open("rb") as file:
                text = file.read(_LARGEST_KEY_FILE).decode("ascii").strip()
        except (OSError, ValueError) as error:
            raise UsageError(f"{given[:200]!r} is neither a public key in base64 nor a file with one") from error
    if _is_base64_key(text):
        return base64.b64decode(text)
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(text.encode())
    except (ValueError, TypeError) as error:
        raise UsageError(f"{given[:200]!r} holds no public key") from error
    if not isinstance(key, Ed25519PublicKey):
        raise UsageError(f"{given[:200]!r} holds a public key of another kind than ed25519")
    return key.public_bytes_raw()


def create_key(path: Path) -> str:
    """Make a key: the private one in a file that only its owner can read; gives the public one in base64.

    Raises:
        UsageError: The file is there already or can't be written.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o600)
    except FileExistsError as error:
        raise UsageError(f"{path} is there already: a key is never written over") from error
    except OSError as error:
        raise UsageError(f"{path} can't be written: {error.strerror or error}") from error
    with os.fdopen(handle, "wb") as file:
        file.write(pem)
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


def sign(data: bytes, private: Path) -> bytes:
    """The signature of a manifest's bytes by the key in a PEM file.

    Raises:
        UsageError: The file holds no such key, or others can read it.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        if private.stat().st_mode & 0o077 and b"PRIVATE" in private.read_bytes()[:_LARGEST_KEY_FILE]:
            raise UsageError(f"{private} can be read by others: `chmod 600` it, if nobody has")
        with private.open("rb") as file:
            key = load_pem_private_key(file.read(_LARGEST_KEY_FILE), password=None)
    except OSError as error:
        raise UsageError(f"{private} can't be read: {error.strerror or error}") from error
    except (ValueError, TypeError) as error:
        raise UsageError(f"{private} holds no private key without a password") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise UsageError(f"{private} holds a key of another kind than ed25519")
    return key.sign(data)


def _public(key: bytes) -> "Ed25519PublicKey":
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    return Ed25519PublicKey.from_public_bytes(key)


def _is_base64_key(text: str) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) == 32
    except (binascii.Error, ValueError):
        return False
