"""Access keys in the database. Asked by the system's role: a signature says whose account it is, not before.

The secrets lie here sealed (store/sealing.py); whoever has this table alone can sign nothing.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import insert, select, update

from openinspector.errors import StoreError
from openinspector.model.access import AccessKey, Role
from openinspector.model.moment import moment_text, read_moment
from openinspector.model.resource import AccountId
from openinspector.store.account_tables import access_key as table
from openinspector.store.database import Database
from openinspector.store.keys import NewKey, make_key, secret_of
from openinspector.store.sealing import Sealer

_LOOKED_AT: Final = 100  # keys, until one opens


class DatabaseKeyRing:
    """The access keys of every account of a service (`store.keys.KeyRing`). Safe to use from several threads."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._database = database
        self._sealer = sealer

    def create(
        self, account: AccountId, role: Role, now: datetime, *, lifetime: timedelta | None = None, note: str = ""
    ) -> NewKey:
        """A new key of an account, kept."""
        made = make_key(self._sealer, account, role, now, lifetime=lifetime, note=note)
        key = made.key
        row = {
            "id": key.id,
            "account": key.account,
            "role": key.role,
            "sealed_secret": key.sealed_secret,
            "created_at": read_moment(key.created_at),
            "expires_at": read_moment(key.expires_at) if key.expires_at else None,
            "note": key.note,
        }
        with self._database.system() as connection:
            connection.execute(insert(table).values(row))
        return made

    def lookup(self, key_id: str) -> AccessKey | None:
        """A key by its id, whether it is live or not."""
        with self._database.system() as connection:
            row = connection.execute(select(table).where(table.c.id == key_id)).one_or_none()
        return _key(row) if row is not None else None

    def of_account(self, account: AccountId) -> Sequence[AccessKey]:
        """Every key of an account, oldest first."""
        chosen = select(table).where(table.c.account == account).order_by(table.c.created_at, table.c.id)
        with self._database.system() as connection:
            return [_key(row) for row in connection.execute(chosen)]

    def refuse_other_keys(self, now: datetime) -> None:
        """Looks whether secrets open: where none does, what they were sealed with has been lost or mistaken.

        Raises:
            StoreError: There are live keys, and none of the latest opens.
        """
        live = table.c.disabled_at.is_(None) & (table.c.expires_at.is_(None) | (table.c.expires_at > now))
        latest = select(table).where(live).order_by(table.c.created_at.desc()).limit(_LOOKED_AT)
        with self._database.system() as connection:
            keys = [_key(row) for row in connection.execute(latest)]
        if keys and not any(map(self._opens, keys)):
            raise StoreError(
                f"no access key opens with the sealing keys that are here, {keys[0].id} for one: bring back those that"
                " it was sealed with (sealing.keys in the data folder, or OPENINSPECTOR_SEALING_KEY), or, where they"
                " are lost, end the access keys (`openinspector keys disable`) and make new ones"
            )

    def _opens(self, key: AccessKey) -> bool:
        try:
            secret_of(self._sealer, key)
        except StoreError:
            return False
        return True

    def disable(self, key_id: str, now: datetime) -> bool:
        """Ends a key for good; False where there is none. One that was ended before keeps its time."""
        with self._database.system() as connection:
            ended = connection.execute(
                update(table).where(table.c.id == key_id, table.c.disabled_at.is_(None)).values(disabled_at=now)
            )
            known = connection.execute(select(table.c.id).where(table.c.id == key_id)).one_or_none()
        return bool(ended.rowcount) or known is not None

    def used(self, key_id: str, now: datetime) -> None:
        """Notes that a key signed a request."""
        with self._database.system() as connection:
            connection.execute(update(table).where(table.c.id == key_id).values(last_used_at=now))

    def reseal(self, key_id: str, was: bytes, sealed: bytes) -> bool:
        """Puts a secret sealed anew in the place of `was`; False where another process was first."""
        with self._database.system() as connection:
            changed = connection.execute(
                update(table).where(table.c.id == key_id, table.c.sealed_secret == was).values(sealed_secret=sealed)
            )
        return bool(changed.rowcount)


def _key(row: Any) -> AccessKey:
    if row.role not in ("admin", "reader", "ingest"):
        raise StoreError(f"access key {row.id} has the role {row.role!r}, which this version does not know")
    return AccessKey(
        id=row.id,
        account=AccountId(row.account),
        role=row.role,
        sealed_secret=bytes(row.sealed_secret),
        created_at=moment_text(row.created_at),
        expires_at=moment_text(row.expires_at) if row.expires_at else "",
        disabled_at=moment_text(row.disabled_at) if row.disabled_at else "",
        last_used_at=moment_text(row.last_used_at) if row.last_used_at else "",
        note=row.note,
    )
