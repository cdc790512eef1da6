"""The database can work out a finding's ARN, as its docstring says."""

import pytest
from sqlalchemy import text

from openinspector.find.identity import finding_arn
from openinspector.model.resource import Resource

DIGITS = text(
    "SELECT encode(substr(sha256(convert_to(spelt, 'UTF8')), 1, 16), 'hex') FROM ("
    " SELECT string_agg(length(part) || ':' || part, '' ORDER BY place) AS spelt"
    " FROM unnest(CAST(:parts AS text[])) WITH ORDINALITY AS told (part, place)) AS all_parts"
)


@pytest.mark.parametrize(
    "key", ["CVE-2026-1", "", "igw-1/TCP/eni-1/22-22", "\N{SNOWMAN}\N{GRINNING FACE}e\N{COMBINING ACUTE ACCENT}"]
)
def test_sql_gives_the_same_digits(database, key):
    first = "2026-03-01T12:00:00.000000Z"
    place = Resource(account="111122223333", region="eu-central-1", type="AWS_EC2_INSTANCE", id="i-0abc")
    parts = [place.partition, place.region, place.account, place.id, key, first]
    with database.system() as connection:
        digits = connection.execute(DIGITS, {"parts": parts}).scalar_one()
        told = connection.execute(
            text("SELECT to_char(CAST(:first AS timestamptz) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"),
            {"first": first},
        ).scalar_one()
    assert finding_arn(place, key, first).endswith(f":finding/{digits}")
    assert told == first
