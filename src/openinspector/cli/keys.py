"""`openinspector keys`: access keys of accounts, made, listed and ended."""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from openinspector.cli.service import data_folder, database
from openinspector.errors import UsageError
from openinspector.model.access import AccessKey
from openinspector.model.resource import AccountId

_DIGITS = 12
_MOST_DAYS = 36500


def create_command(chosen: argparse.Namespace) -> int:
    """Make a key, and show its secret for the only time."""
    from openinspector.store.key_ring import DatabaseKeyRing
    from openinspector.store.sealing import open_sealer

    account = account_of(chosen.account)
    if chosen.days is not None and not 1 <= chosen.days <= _MOST_DAYS:
        raise UsageError(f"--days is 1 to {_MOST_DAYS}; without it the key does not expire")
    if not chosen.note.isprintable():
        raise UsageError("--note is a line of text, without control characters")
    lifetime = timedelta(days=chosen.days) if chosen.days is not None else None
    with database(chosen) as found:
        ring = DatabaseKeyRing(found, open_sealer(data_folder(chosen)))
        ring.refuse_other_keys(datetime.now(UTC))
        made = ring.create(account, chosen.role, datetime.now(UTC), lifetime=lifetime, note=chosen.note)
    if chosen.format == "json":
        said = {"AccessKeyId": made.key.id, "SecretAccessKey": made.secret, "Account": account, "Role": chosen.role}
        _print(said)
        return 0
    print(f"AWS_ACCESS_KEY_ID={made.key.id}\nAWS_SECRET_ACCESS_KEY={made.secret}")
    print(f"The secret is not shown again. Role {chosen.role} of account {account}.", file=sys.stderr)
    return 0


def list_command(chosen: argparse.Namespace) -> int:
    """List an account's keys, without their secrets."""
    from openinspector.store.key_ring import DatabaseKeyRing
    from openinspector.store.sealing import open_sealer

    with database(chosen) as found:
        keys = DatabaseKeyRing(found, open_sealer(data_folder(chosen))).of_account(account_of(chosen.account))
    if chosen.format == "json":
        _print([_told(key) for key in keys])
        return 0
    _table(keys)
    return 0


def disable_command(chosen: argparse.Namespace) -> int:
    """End a key for good."""
    from openinspector.store.key_ring import DatabaseKeyRing
    from openinspector.store.sealing import open_sealer

    with database(chosen) as found:
        ring = DatabaseKeyRing(found, open_sealer(data_folder(chosen)))
        if not ring.disable(chosen.key, datetime.now(UTC)):
            raise UsageError(f"there is no access key {chosen.key}")
    return 0


def account_of(text: str) -> AccountId:
    """An account id.

    Raises:
        UsageError: It is none.
    """
    if len(text) != _DIGITS or not (text.isascii() and text.isdigit()):
        raise UsageError(f"{text!r} is no account id: {_DIGITS} digits")
    return AccountId(text)


def _told(key: AccessKey) -> dict[str, str]:
    return {
        "AccessKeyId": key.id,
        "Role": key.role,
        "Created": key.created_at,
        "Expires": key.expires_at,
        "Disabled": key.disabled_at,
        "LastUsed": key.last_used_at,
        "Note": key.note,
    }


def _table(keys: Sequence[AccessKey]) -> None:
    from openinspector.render.text import visible

    print(f"{'KEY':<22}{'ROLE':<8}{'CREATED':<12}{'LAST USED':<12}{'STATE':<12}NOTE")
    now = datetime.now(UTC).isoformat()
    for key in keys:
        state = "disabled" if key.disabled_at else "live" if key.is_live(now) else "expired"
        print(
            f"{key.id:<22}{key.role:<8}{key.created_at[:10]:<12}{key.last_used_at[:10]:<12}{state:<12}{visible(key.note)}".rstrip()
        )


def _print(said: object) -> None:
    print(msgspec.json.format(msgspec.json.encode(said)).decode())
