"""What tags are of, and changing them: filters, configurations, integrations, connectors. See arn_tags.py too."""

import re
from collections.abc import Collection, Mapping
from typing import Final, NamedTuple

from sqlalchemy import Connection, Select, Table, delete, select
from sqlalchemy.dialects.postgresql import insert

from openinspector.model.arn import parse_arn
from openinspector.store.account_tables import (
    cis_scan_configuration,
    code_security_configuration,
    code_security_integration,
    connector,
    filter_,
    tag,
)

MOST_TAGS: Final = 50  # of one thing

_OWNED: Final[Mapping[str, Table]] = {
    "filter": filter_,
    "cis-configuration": cis_scan_configuration,
    "codesecurity-configuration": code_security_configuration,
}
_PLAIN: Final[Mapping[str, Table]] = {"codesecurity-integration": code_security_integration, "connector": connector}
_OWNER: Final = re.compile(r"owner/(\d{12}|o-[a-z0-9]{10,32})/([a-z-]+)/([0-9a-f-]+)", re.ASCII)
_ITSELF: Final = re.compile(r"([a-z-]+)/(?:aws-service-connector/[^/]+/)?([0-9a-f-]+)", re.ASCII)
_LETTERS: Final = re.compile(r"[\w .:/=+\-@]*")


class Holder(NamedTuple):
    """What a tag is of. `owner` is "" for a kind without one."""

    arn: str
    account: str
    region: str
    kind: str
    owner: str
    id: str

    @property
    def is_of_organization(self) -> bool:
        """Whether it belongs to a whole organization, and so to no account's tags; filters may be tagged still."""
        return self.kind != "filter" and self.owner.startswith("o-")


def holder_of(arn: str) -> Holder | None:
    """What an ARN names; None where that is nothing that has tags, whether it exists or not."""
    parts = parse_arn(arn)
    if parts is None:
        return None
    owned = _OWNER.fullmatch(parts.resource)
    if owned and owned[2] in _OWNED:
        return Holder(arn, parts.account, parts.region, owned[2], owned[1], owned[3])
    plain = _ITSELF.fullmatch(parts.resource)
    if plain and plain[1] in _PLAIN:
        return Holder(arn, parts.account, parts.region, plain[1], "", plain[2])
    return None


def unfit(tags: Mapping[str, str], kept: Collection[str] = ()) -> str:
    """Why tags won't do beside those of the keys `kept`, in a sentence; "" where they do."""
    for key, value in tags.items():
        if key.lower().startswith("aws:"):
            return "Tag keys that start with aws: are reserved."
        if not (_LETTERS.fullmatch(key) and _LETTERS.fullmatch(value)):
            return "Tag keys and values hold letters, digits, spaces and the characters _ . : / = + - @ only."
    if len(tags.keys() | set(kept)) > MOST_TAGS:
        return f"A resource has at most {MOST_TAGS} tags."
    return ""


def lock_holder(connection: Connection, held: Holder) -> bool:
    """Whether it exists; it then does until the end of the transaction."""
    return connection.execute(_looked_up(held).with_for_update()).scalar_one_or_none() is not None


def holder_exists(connection: Connection, held: Holder) -> bool:
    """Whether it exists just now."""
    return connection.execute(_looked_up(held)).scalar_one_or_none() is not None


def _looked_up(held: Holder) -> Select[tuple[str]]:
    table = _OWNED[held.kind] if held.owner else _PLAIN[held.kind]
    asked = select(table.c.id).where(
        table.c.account == held.account, table.c.region == held.region, table.c.id == held.id
    )
    return asked.where(table.c.owner_id == held.owner) if held.owner else asked


def set_tags(connection: Connection, account: str, region: str, arn: str, tags: Mapping[str, str]) -> None:
    """Adds tags, and gives those that are there their new values."""
    if not tags:
        return
    rows = [{"account": account, "region": region, "arn": arn, "key": key, "value": tags[key]} for key in sorted(tags)]
    adding = insert(tag).values(rows)
    keys = [tag.c.account, tag.c.region, tag.c.arn, tag.c.key]
    connection.execute(adding.on_conflict_do_update(index_elements=keys, set_={"value": adding.excluded.value}))


def remove_tags(connection: Connection, account: str, region: str, arn: str, keys: Collection[str]) -> None:
    """Takes tags away; keys that are not there don't matter."""
    of_it = (tag.c.account == account, tag.c.region == region, tag.c.arn == arn)
    connection.execute(delete(tag).where(*of_it, tag.c.key.in_(list(keys))))
