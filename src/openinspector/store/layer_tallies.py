"""How many active findings there are in each layer of an image or a function.

Which layers a finding is in follows from the inventory of its resource, so those who write findings don't count it:
triggers mark the resource (`layer_recount`), and a chore counts the marked ones anew. Until then, who asks counts those
from the findings (see finding_counts.py); nobody is told an old number.
"""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, Integer, cast, func, insert, literal, select, text

from openinspector.store.finding_counts import counted_in_layers, numbers_of
from openinspector.store.tables import WORD, layer_tally
from openinspector.store.tallies import COUNTS

KINDS: Final = {"image layer": "AWS_ECR_CONTAINER_IMAGE", "function layer": "AWS_LAMBDA_FUNCTION"}


def recount_layers(connection: Connection, most: int) -> int:
    """Counts the layers of at most so many marked resources of one account; how many. 0 where none is free.

    Those that are being written are left for later. Belongs in a transaction of the system.
    """
    place = connection.execute(_A_PLACE).one_or_none()
    if place is None:
        return 0
    marked = connection.execute(_MARKED, {"account": place.account, "region": place.region, "most": most})
    mine = connection.execute(_FREE, {"resources": marked.scalars().all()}).scalars().all()
    for statement in (_FORGET, _UNMARK):
        connection.execute(statement, {"resources": mine})
    for by in KINDS:
        _count(connection, by, place.account, place.region, mine)
    return len(mine)


def _count(connection: Connection, by: str, account: str, region: str, resources: Sequence[int]) -> None:
    found = counted_in_layers(by, account, region, resources).subquery("found")
    counts = numbers_of(found)
    values = {
        "resource_id": found.c.resource_id,
        "layer": found.c.layer,
        "type": func.min(found.c.type),
        "account": literal(account, WORD),
        "region": literal(region, WORD),
        "resource_type": literal(KINDS[by], WORD),
        **{name: cast(counts[_NAMES.get(name, name.upper())], Integer) for name in COUNTS},
    }
    rows = select(*(each.label(name) for name, each in values.items())).group_by(found.c.resource_id, found.c.layer)
    connection.execute(insert(layer_tally).from_select(list(values), rows))


_NAMES: Final = {"total": "all", "exploitable": "exploitable", "fixable": "fixable"}
_A_PLACE: Final = text("SELECT account, region FROM layer_recount LIMIT 1")
_MARKED: Final = text(
    "SELECT resource_id FROM layer_recount WHERE account = :account AND region = :region"
    " ORDER BY resource_id LIMIT :most"
)
# Those that are gone have findings no more, and nobody to write any.
_FREE: Final = text(
    "WITH locked AS (SELECT id FROM resource WHERE id = ANY (:resources) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED)"
    " SELECT id FROM locked UNION ALL SELECT marked FROM unnest(CAST(:resources AS bigint[])) AS marked"
    " WHERE NOT EXISTS (SELECT FROM resource r WHERE r.id = marked)"
)
_FORGET: Final = text("DELETE FROM layer_tally WHERE resource_id = ANY (:resources)")
_UNMARK: Final = text("DELETE FROM layer_recount WHERE resource_id = ANY (:resources)")
