"""The history of the service's schema, as Alembic revisions. There are no downgrades: restore a backup instead.

To change the schema: change tables.py or account_tables.py, write `versions/revision_NNNN.py` with the next number as
its id, set `HEAD` to it, and run tests/store, where the tables that result are compared with the declared ones, and
every table with an account is looked at for its row security. A revision that reads or writes rows does so after
`SET LOCAL ROLE openinspector_system`: the owner sees none.
"""

from typing import Final

HEAD: Final = "0003"  # ids are numbers of four digits, so that an older program knows a newer schema when it sees one
