"""What a worker that has ended had is anybody's; what a living one has is not."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select
from tests.chores.outbox import World
from tests.store.fleet import OURS, REGION

from openinspector.model.report import Destination, Report
from openinspector.store import outbox, reports
from openinspector.store.account_tables import report
from openinspector.store.holders import give_back, new_holder, new_token

NOW = datetime(2026, 3, 2, tzinfo=UTC)
DAY = 86_400


@pytest.fixture
def waiting(database):
    """Events of several lanes that wait for a sink, and reports that wait for a worker."""
    World(database).many(4, 1)
    with database.system() as connection:
        outbox.register(connection, [("log", "file")], NOW)
        outbox.hand_out(connection, NOW, 100)
        for _ in range(2):
            asked = Report(
                account=OURS,
                region=REGION,
                id=str(uuid4()),
                kind="SBOM",
                format="SPDX_2_3",
                destination=Destination(bucket_name="b", kms_key_arn="k"),
                criteria={},
            )
            assert reports.add_sbom_export(connection, asked, NOW)
    return database


def take(connection, holder):
    """A lane and a report."""
    lane = outbox.claim(connection, "log", NOW, DAY, holder)
    return lane, reports.claim_next(connection, REGION, new_token(holder), NOW)


def test_what_an_ended_worker_had_is_free_and_what_others_have_is_theirs(waiting):
    gone, alive = new_holder(), new_holder()
    with waiting.system() as connection:
        lane, held = take(connection, gone)
        other_lane, other_report = take(connection, alive)
        assert reports.claim_next(connection, REGION, new_token(alive), NOW) is None
        assert reports.begin_closing(connection, held, NOW)
        assert give_back(connection, [new_holder(), gone]) == 2
        assert not outbox.renew(connection, lane, DAY)
        assert not reports.renew(connection, held, NOW)
        assert outbox.renew(connection, other_lane, DAY)
        assert reports.renew(connection, other_report, NOW)
        again = reports.claim_next(connection, REGION, new_token(alive), NOW)
        assert (again.report.id, again.attempts) == (held.report.id, 2)
        lanes = set()
        while (each := outbox.claim(connection, "log", NOW, DAY, alive)) is not None:
            lanes.add(each.lane)
        assert lane.lane in lanes
        assert other_lane.lane not in lanes
        assert give_back(connection, [gone]) == 0


def test_what_has_ended_is_not_given_back(waiting):
    holder = new_holder()
    with waiting.system() as connection:
        _, held = take(connection, holder)
        assert reports.finish(connection, held, "SUCCEEDED", NOW + timedelta(minutes=1), code=None, message="")
        before = connection.execute(select(report)).all()
        assert give_back(connection, [holder]) == 1  # the lane
        assert connection.execute(select(report)).all() == before


@pytest.mark.parametrize("holder", [0, 1, (1 << 64) - 1])
def test_tokens_of_a_holder_are_told_by_its_number(waiting, holder):
    with waiting.system() as connection:
        lane, _ = take(connection, holder)
        others = {abs(holder - 1), (holder + 1) % (1 << 64)} - {holder}
        assert give_back(connection, others) == 0
        assert outbox.renew(connection, lane, DAY)
        assert give_back(connection, [holder]) == 2
