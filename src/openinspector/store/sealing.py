"""Secrets at rest: sealed with a key that lies outside the database, so that a stolen database signs nothing.

A sealed secret is `format (1 byte, 1) · key id (8) · nonce (12) · ciphertext and tag`, AES-256-GCM. What it belongs to
(an access key id and its account, say) is authenticated with it: moved to another row, it does not open.

The keys are texts, the base64 of 32 random bytes each; the last one seals, all of them open. They come from
`OPENINSPECTOR_SEALING_KEY` (the keys themselves, with spaces between them), else from the file that
`OPENINSPECTOR_SEALING_KEY_FILE` names, else from `sealing.keys` in the data folder, made at first use.

To rotate: `add_key`, seal every row anew (`is_current` says which are left), then take the old line out of the file.
A process that meets a key which it does not know reads the file again, so none has to be restarted.

Source: NIST SP 800-38D (GCM; with random nonces a key may seal 2^32 secrets).
"""

import base64
import binascii
import hashlib
import hmac
import os
import secrets
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from openinspector.errors import StoreError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

FILE: Final = "sealing.keys"
LARGEST_SECRET: Final = 64 << 10  # bytes

_FORMAT: Final = b"\x01"
_KEY_ID_SIZE: Final = 8
_NONCE_SIZE: Final = 12
_TAG_SIZE: Final = 16
_HEAD_SIZE: Final = 1 + _KEY_ID_SIZE + _NONCE_SIZE
_KEY_SIZE: Final = 32
_LARGEST_FILE: Final = 64 << 10


class Sealer:
    """Seals with the last of its keys and opens with any of them.

    `reread` gives the keys as they are now; it is asked when a secret names a key that is not here.
    """

    def __init__(self, keys: Sequence[bytes], reread: Callable[[], Sequence[bytes]] | None = None) -> None:
        self._reread = reread
        self._ciphers: dict[bytes, AESGCM] = {}
        self._newest = b""
        self._take(keys)
        self._root = keys[0]

    def seal(self, secret: bytes, *belongs_to: str) -> bytes:
        """A secret, sealed together with what it belongs to.

        Raises:
            StoreError: The secret is longer than `LARGEST_SECRET`.
        """
        if len(secret) > LARGEST_SECRET:
            raise StoreError(f"a secret of {len(secret)} bytes is not sealed: {LARGEST_SECRET} are the most")
        head = _FORMAT + self._newest + secrets.token_bytes(_NONCE_SIZE)
        cipher = self._ciphers[self._newest]
        return head + cipher.encrypt(head[-_NONCE_SIZE:], secret, _associated(head, belongs_to))

    def open(self, sealed: bytes, *belongs_to: str) -> bytes:
        """The secret, where it was sealed with one of the keys and for the same owner.

        Raises:
            StoreError: It was not, or it is damaged.
        """
        from cryptography.exceptions import InvalidTag

        if not _HEAD_SIZE + _TAG_SIZE <= len(sealed) <= _HEAD_SIZE + _TAG_SIZE + LARGEST_SECRET:
            raise StoreError(f"a sealed secret of {len(sealed)} bytes is not whole")
        if sealed[:1] != _FORMAT:
            raise StoreError("a secret is sealed in a form that this version does not know")
        key_id = sealed[1 : 1 + _KEY_ID_SIZE]
        if key_id not in self._ciphers and self._reread is not None:
            self._take(self._reread())
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise StoreError(f"a secret is sealed with key {key_id.hex()}, which is not among the sealing keys")
        head = sealed[:_HEAD_SIZE]
        try:
            return cipher.decrypt(head[-_NONCE_SIZE:], sealed[_HEAD_SIZE:], _associated(head, belongs_to))
        except InvalidTag as error:
            raise StoreError("a sealed secret does not open: it is damaged, or belongs to something else") from error

    def derive(self, purpose: str) -> bytes:
        """32 bytes that only holders of the oldest key can make, for a purpose: to sign page tokens, say."""
        return hmac.new(self._root, f"openinspector {purpose}".encode(), hashlib.sha256).digest()

    def is_current(self, sealed: bytes) -> bool:
        """Whether it is sealed with the newest key."""
        return sealed[: 1 + _KEY_ID_SIZE] == _FORMAT + self._newest

    def _take(self, keys: Sequence[bytes]) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        if not keys or any(len(key) != _KEY_SIZE for key in keys):
            raise StoreError(f"sealing needs keys of {_KEY_SIZE} bytes each")
        # Ciphers first, and never fewer: another thread may be sealing meanwhile.
        self._ciphers = self._ciphers | {_id_of(key): AESGCM(key) for key in keys}
        self._newest = _id_of(keys[-1])


def open_sealer(data: Path) -> Sealer:
    """The sealer of this installation, with the keys that the environment or the data folder names.

    Raises:
        StoreError: The keys can't be read, make no sense, or lie open to others.
    """
    given = os.environ.get("OPENINSPECTOR_SEALING_KEY", "")
    if given.strip():
        return Sealer(_read_keys(given, "OPENINSPECTOR_SEALING_KEY"))
    named = os.environ.get("OPENINSPECTOR_SEALING_KEY_FILE")
    if named:
        # A group may read it: mounted secrets belong to root and to the service's group.
        return _of_file(Path(named), stat.S_IRWXO)
    path = data / FILE
    _make_if_missing(path)
    return _of_file(path, stat.S_IRWXG | stat.S_IRWXO)


def add_key(path: Path) -> None:
    """A new key at the end of a file of keys: from now on it seals.

    Raises:
        StoreError: The file can't be written.
    """
    # One write at the end: two that rotate at once lose no key. The empty line mends a file without a last line end.
    _write(path, b"\n" + _new_key(), os.O_WRONLY | os.O_APPEND)


def _of_file(path: Path, forbidden: int) -> Sealer:
    def read() -> list[bytes]:
        return _read_file(path, forbidden)

    return Sealer(read(), read)


def _make_if_missing(path: Path) -> None:
    """A file with one new key, whole or not at all; of several processes that make it at once one wins."""
    if path.exists():
        return
    partial = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise StoreError(f"{path.parent} can't be made: {error.strerror or error}") from error
    try:
        _write(partial, _new_key(), os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        os.link(partial, path)
    except FileExistsError:
        pass  # another process was first: its key is as good
    except OSError as error:
        raise StoreError(f"{path} can't be made: {error.strerror or error}") from error
    finally:
        partial.unlink(missing_ok=True)


def _write(path: Path, text: bytes, flags: int) -> None:
    try:
        file = os.open(path, flags | os.O_CLOEXEC, 0o600)
        try:
            written = os.write(file, text)
            os.fsync(file)
        finally:
            os.close(file)
    except OSError as error:
        raise StoreError(f"{path} can't be written: {error.strerror or error}") from error
    if written != len(text):
        raise StoreError(f"{path} can't be written: the disk took {written} of {len(text)} bytes")


def _read_file(path: Path, forbidden: int) -> list[bytes]:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            text = file.read(_LARGEST_FILE + 1)
    except OSError as error:
        raise StoreError(f"{path} can't be read: {error.strerror or error}") from error
    if mode & forbidden:
        raise StoreError(
            f"{path} holds the sealing keys and may be read by others (mode {stat.S_IMODE(mode):04o}): chmod 600 it"
        )
    if len(text) > _LARGEST_FILE:
        raise StoreError(f"{path} is too large for a file of sealing keys")
    return _read_keys(text.decode("ascii", "replace"), str(path))


def _read_keys(text: str, where: str) -> list[bytes]:
    keys = []
    for number, word in enumerate(text.split(), 1):
        try:
            key = base64.b64decode(word, validate=True)
        except (binascii.Error, ValueError) as error:
            raise StoreError(f"{where}: sealing key {number} is not base64") from error
        if len(key) != _KEY_SIZE:
            raise StoreError(f"{where}: sealing key {number} has {len(key)} bytes, not {_KEY_SIZE}")
        keys.append(key)
    if not keys:
        raise StoreError(f"{where}: holds no sealing key")
    return keys


def _new_key() -> bytes:
    return base64.b64encode(secrets.token_bytes(_KEY_SIZE)) + b"\n"


def _id_of(key: bytes) -> bytes:
    """What names a key without telling it."""
    return hashlib.sha256(b"openinspector sealing key id" + key).digest()[:_KEY_ID_SIZE]


def _associated(head: bytes, belongs_to: Sequence[str]) -> bytes:
    """All that is authenticated beside the secret; lengths keep `ab·c` and `a·bc` apart."""
    parts = [text.encode() for text in belongs_to]
    return head + b"".join(len(part).to_bytes(4, "big") + part for part in parts)
