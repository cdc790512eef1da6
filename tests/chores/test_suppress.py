"""Suppression rules reach the findings that were there before them."""

import threading
from itertools import count
from random import Random
from uuid import UUID

import pytest
from msgspec.structs import replace
from sqlalchemy import delete, func, insert, select, text, update
from tests.chores.findings import NOW, REGION, add_fleet, flaw_id

from openinspector.errors import StoreError
from openinspector.find.suppress import hiding, rules
from openinspector.model.criteria import Filter, parse_criteria
from openinspector.model.moment import moment_text
from openinspector.pipeline.chores import suppress
from openinspector.store import organizations
from openinspector.store.account_tables import delegated_admin, filter_, member
from openinspector.store.filters import add_filter, change_filter, filter_arn, get_filter, remove_filter
from openinspector.store.findings import findings_by_key
from openinspector.store.rows import FindingRow, store_findings
from openinspector.store.suppressing import suppressing_filters
from openinspector.store.tables import enrichment, event, finding, package_vulnerability, resource

ADMIN, OURS, THEIRS = "111122223333", "444455556666", "777788889999"
ORGANIZATION = "o-abcdefghij"
EVERYTHING = {}
_numbers = count(1)


def about(number):
    return {"vulnerabilityId": [{"comparison": "EQUALS", "value": flaw_id(number)}]}


def of_instance(number):
    return {"resourceTags": [{"comparison": "EQUALS", "key": "number", "value": str(number)}]}


def add_rule(database, account, criteria, owner="", region=REGION):
    """Keeps a rule, each newer than the last; its ARN."""
    number = next(_numbers)
    at = moment_text(NOW.replace(microsecond=number))
    arn = filter_arn(region, account, owner or account, f"{number:016x}")
    made = Filter(
        arn=arn,
        owner=owner or account,
        name=f"rule-{number}",
        action="SUPPRESS",
        criteria=parse_criteria(criteria),
        created_at=at,
        updated_at=at,
    )
    with database.transaction(account) as connection:
        add_filter(connection, account, region, made)
    return arn


def change_rule(database, account, arn, **changes):
    with database.transaction(account) as connection:
        was = get_filter(connection, account, REGION, arn)
        change_filter(connection, account, REGION, was, replace(was, **changes))


def remove_rule(database, account, arn):
    with database.transaction(account) as connection:
        assert remove_filter(connection, account, REGION, arn)


def hidden(database, account):
    """What is hidden of an account: {(instance, flaw): the rule that hides it}."""
    with database.system() as connection:
        rows = connection.execute(
            select(resource.c.tags["number"].astext, finding.c.vulnerability_id, finding.c.suppressed_by)
            .join(resource, resource.c.id == finding.c.resource_id)
            .where(finding.c.account == account, finding.c.status == "SUPPRESSED")
        )
        return {(number, flaw): by for number, flaw, by in rows}


def news(database):
    """What the outbox has to tell, which is then forgotten: {change: how often}."""
    with database.system() as connection:
        changes = connection.execute(select(event.c.payload["change"].astext)).scalars().all()
        connection.execute(delete(event))
    return {each: changes.count(each) for each in changes}


def run(work, **more):
    return suppress.PLUGIN.run(work(**more))


def join(database, *accounts, admin=ADMIN):
    with database.system() as connection:
        office = {"account": admin, "region": REGION, "organization_id": ORGANIZATION, "status": "ENABLED"}
        connection.execute(insert(delegated_admin).values(office))
        for each in accounts:
            row = {"account": admin, "region": REGION, "member": each, "status": "ENABLED"}
            connection.execute(insert(member).values(row))


def test_a_new_rule_hides_what_was_there_before_it(database, work, clock):
    add_fleet(database, OURS, instances=3, flaws=2)
    arn = add_rule(database, OURS, about(1))
    assert run(work) == 3
    assert hidden(database, OURS) == {(str(number), flaw_id(1)): arn for number in range(3)}
    assert news(database) == {"Suppressed": 3}
    with database.system() as connection:
        times = select(finding.c.updated_at, finding.c.last_observed_at).where(finding.c.status == "SUPPRESSED")
        assert set(connection.execute(times).all()) == {(clock(), NOW)}
        assert connection.execute(select(filter_.c.applied_at)).scalar_one() == clock()
    clock.forward(hours=1)
    assert run(work) == 0
    assert news(database) == {}


def test_what_a_deleted_rule_hid_is_shown(database, work, clock):
    add_fleet(database, OURS, instances=2, flaws=2)
    arn = add_rule(database, OURS, EVERYTHING)
    run(work)
    news(database)
    remove_rule(database, OURS, arn)
    clock.forward(hours=1)
    assert run(work) == 4
    assert hidden(database, OURS) == {}
    assert news(database) == {"Unsuppressed": 4}
    with database.system() as connection:
        assert set(connection.execute(select(finding.c.suppressed_by, finding.c.status))) == {("", "ACTIVE")}


def test_a_changed_rule_hides_what_it_is_about_now(database, work):
    add_fleet(database, OURS, instances=2, flaws=3)
    arn = add_rule(database, OURS, about(0))
    run(work)
    news(database)
    change_rule(database, OURS, arn, criteria=parse_criteria(of_instance(1)))
    assert run(work) == 3
    assert set(hidden(database, OURS)) == {("1", flaw_id(number)) for number in range(3)}
    assert news(database) == {"Suppressed": 2, "Unsuppressed": 1}


def test_a_rule_that_becomes_a_view_shows_what_it_hid(database, work):
    add_fleet(database, OURS, instances=2, flaws=1)
    arn = add_rule(database, OURS, EVERYTHING)
    run(work)
    change_rule(database, OURS, arn, action="NONE")
    assert run(work) == 2
    assert hidden(database, OURS) == {}
    with database.system() as connection:
        assert connection.execute(select(filter_.c.applied_at)).scalar_one() is not None


def test_where_another_rule_takes_over_nothing_is_news(database, work, clock):
    add_fleet(database, OURS, instances=1, flaws=1)
    older = add_rule(database, OURS, EVERYTHING)
    younger = add_rule(database, OURS, about(0))
    run(work)
    assert set(hidden(database, OURS).values()) == {older}
    news(database)
    hidden_at = clock()
    clock.forward(hours=1)
    remove_rule(database, OURS, older)
    assert run(work) == 1
    assert set(hidden(database, OURS).values()) == {younger}
    assert news(database) == {}
    with database.system() as connection:
        assert connection.execute(select(finding.c.updated_at)).scalar_one() == hidden_at


def test_a_rule_hides_the_findings_of_its_account_alone(database, work):
    for account in (OURS, THEIRS):
        add_fleet(database, account, instances=1, flaws=1)
    add_rule(database, OURS, EVERYTHING)
    assert run(work) == 1
    assert (len(hidden(database, OURS)), len(hidden(database, THEIRS))) == (1, 0)


def test_an_organizations_rule_hides_those_of_all_members(database, work):
    for account in (ADMIN, OURS, THEIRS):
        add_fleet(database, account, instances=1, flaws=2)
    join(database, OURS)
    arn = add_rule(database, ADMIN, about(1), owner=ORGANIZATION)
    assert run(work) == 2
    for account in (ADMIN, OURS):
        assert hidden(database, account) == {("0", flaw_id(1)): arn}
    assert hidden(database, THEIRS) == {}


def test_who_joins_comes_under_the_rules_and_who_leaves_from_under_them(database, work):
    add_fleet(database, OURS, instances=1, flaws=2)
    join(database)
    arn = add_rule(database, ADMIN, about(1), owner=ORGANIZATION)
    assert run(work) == 0
    with database.system() as connection:
        row = {"account": ADMIN, "region": REGION, "member": OURS, "status": "ENABLED"}
        connection.execute(insert(member).values(row))
    assert run(work) == 1
    assert hidden(database, OURS) == {("0", flaw_id(1)): arn}
    assert run(work) == 0
    with database.system() as connection:
        connection.execute(update(member).values(status="REMOVED"))
    assert run(work) == 1
    assert hidden(database, OURS) == {}
    assert news(database) == {"Suppressed": 1, "Unsuppressed": 1}


def test_rules_that_an_administrator_has_left_count_again_in_its_next_term(database, work, clock):
    manager = "100000000001"
    of = organizations.Organization(id=ORGANIZATION, management=manager, accounts={manager: "ACTIVE", ADMIN: "ACTIVE"})
    add_fleet(database, ADMIN, instances=1, flaws=1)
    with database.system() as connection:
        organizations.register_organization(connection, ORGANIZATION, manager, of.accounts, clock())
        organizations.appoint(connection, REGION, of, ADMIN, clock())
    add_rule(database, ADMIN, EVERYTHING, owner=ORGANIZATION)
    assert run(work) == 1
    with database.system() as connection:
        organizations.dismiss(connection, REGION, of, ADMIN, clock())
    assert run(work) == 1
    assert hidden(database, ADMIN) == {}
    with database.system() as connection:
        organizations.appoint(connection, REGION, of, ADMIN, clock())
    assert run(work) == 1
    assert len(hidden(database, ADMIN)) == 1


def test_who_is_associated_again_comes_under_the_rules_again(database, work, clock):
    add_fleet(database, OURS, instances=1, flaws=1)
    join(database, OURS)
    add_rule(database, ADMIN, EVERYTHING, owner=ORGANIZATION)
    assert run(work) == 1
    with database.system() as connection:
        organizations.disassociate(connection, REGION, ADMIN, OURS, clock())
    assert run(work) == 1
    with database.system() as connection:
        office = organizations.read_admin(connection, REGION, ADMIN)
        organizations.associate(connection, REGION, office, OURS, clock())
    assert run(work) == 1
    assert len(hidden(database, OURS)) == 1


def test_rules_have_the_arns_of_their_partition(database, work):
    with database.system() as connection:
        values = {"account": OURS, "region": "cn-north-1", "type": "AWS_EC2_INSTANCE", "external_id": "i-1"}
        values["partition"] = "aws-cn"
        place = connection.execute(insert(resource).values(values).returning(resource.c.id))
        store_findings(connection, [made_row(place.scalar_one(), "cn-north-1")])
    arn = add_rule(database, OURS, EVERYTHING, region="cn-north-1")
    assert arn.startswith("arn:aws-cn:")
    assert run(work) == 1
    assert run(work) == 0


def made_row(resource_id, region=REGION, flaw="CVE-2030-00000", status="ACTIVE"):
    return FindingRow(
        account=OURS,
        region=region,
        id=UUID(int=next(_numbers)),
        resource_id=resource_id,
        key=flaw,
        type="PACKAGE_VULNERABILITY",
        status=status,
        severity=4,
        first_observed_at=NOW,
        last_observed_at=NOW,
        updated_at=NOW,
        vulnerability_id=flaw,
        title=flaw,
    )


def test_closed_findings_stay_as_they_are(database, work):
    add_fleet(database, OURS, instances=1, flaws=2, status="CLOSED")
    add_rule(database, OURS, EVERYTHING)
    assert run(work) == 0


@pytest.mark.parametrize("batches", [1, 2, 3])
def test_what_was_broken_off_is_done_another_time_and_nothing_twice(database, work, monkeypatch, batches):
    monkeypatch.setattr(suppress, "AT_ONCE", 4)
    add_fleet(database, OURS, instances=5, flaws=3)
    add_rule(database, OURS, EVERYTHING)
    asked = count(1)
    assert run(work, stopping=lambda: next(asked) > batches) == 4 * batches
    with database.system() as connection:
        assert connection.execute(select(filter_.c.applied_at)).scalar_one() is None
    assert run(work) == 15 - 4 * batches
    assert len(hidden(database, OURS)) == 15
    assert news(database) == {"Suppressed": 15}


def test_a_rule_that_changes_while_it_is_applied_is_applied_again(database, work, clock):
    add_fleet(database, OURS, instances=1, flaws=2)
    arn = add_rule(database, OURS, about(0))
    changes = [lambda: change_rule(database, OURS, arn, criteria=parse_criteria(about(1)))]

    def changing():
        if changes:
            changes.pop()()
        return clock.now

    run(work, clock=changing)
    with database.system() as connection:
        assert connection.execute(select(filter_.c.applied_at)).scalar_one() is None
    run(work)
    assert set(hidden(database, OURS)) == {("0", flaw_id(1))}


def test_who_writes_findings_by_the_rules_of_before_is_waited_for(database, work):
    (place,) = add_fleet(database, OURS, instances=1, flaws=1)
    worker = threading.Thread(target=run, args=(work,))
    with database.system() as connection:
        # As an ingest does it: the resource, the rules, the findings.
        connection.execute(text("SELECT FROM resource WHERE id = :id FOR UPDATE"), {"id": place})
        assert suppressing_filters(connection, OURS, REGION).filters == ()
        add_rule(database, OURS, EVERYTHING)
        worker.start()
        waiting = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        while not connection.execute(waiting).scalar_one():
            assert worker.is_alive()
        store_findings(connection, [made_row(place, flaw="CVE-2031-00001")])
    worker.join(300)
    assert set(hidden(database, OURS)) == {("0", flaw_id(0)), ("0", "CVE-2031-00001")}


def test_rules_that_can_not_be_read_leave_their_account_alone_and_are_told(database, work):
    for account in (OURS, THEIRS):
        add_fleet(database, account, instances=1, flaws=1)
        add_rule(database, account, EVERYTHING)
    with database.system() as connection:
        broken = {"nonsense": [1]}
        connection.execute(update(filter_).where(filter_.c.account == OURS).values(criteria=broken))
    with pytest.raises(StoreError, match=f"of 1 accounts could not be applied.*of {OURS} in {REGION}"):
        run(work)
    assert (len(hidden(database, OURS)), len(hidden(database, THEIRS))) == (0, 1)
    with database.system() as connection:
        applied = connection.execute(select(filter_.c.account).where(filter_.c.applied_at.is_not(None))).scalars()
        assert applied.all() == [THEIRS]


def text_of(value, comparison="EQUALS"):
    return [{"comparison": comparison, "value": value}]


CRITERIA = [
    about(0),
    about(2) | of_instance(1),
    of_instance(0),
    {"vulnerabilityId": text_of("CVE-2030-0000", "PREFIX")},
    {"findingStatus": text_of("ACTIVE"), "severity": text_of("LOW")},
    {"findingStatus": text_of("SUPPRESSED")},
    {"findingStatus": text_of("CLOSED", "NOT_EQUALS"), "severity": text_of("CRITICAL")},
    {"updatedAt": [{"endInclusive": NOW}], "vulnerabilityId": text_of(flaw_id(1))},
    {"updatedAt": [{"startInclusive": NOW.replace(year=2027)}]},
    {"vulnerablePackages": [{"name": {"comparison": "EQUALS", "value": "lib3"}}]},
    {"epssScore": [{"lowerInclusive": 0.5}]},
    {"title": text_of(flaw_id(2), "PREFIX")},
]


@pytest.mark.parametrize("seed", range(8))
def test_it_hides_what_the_rules_of_memory_hide(database, work, clock, seed):
    chance = Random(seed)
    add_fleet(database, OURS, instances=3, flaws=5)
    with database.system() as connection:
        known = connection.execute(select(finding.c.id)).scalars().all()
        for each in known:
            connection.execute(update(finding).where(finding.c.id == each).values(severity=chance.randrange(6)))
        scores = [{"vulnerability_id": flaw_id(number), "epss": number / 4} for number in range(5)]
        connection.execute(insert(enrichment), scores)
        connection.execute(update(package_vulnerability).values(severity="high"))
    mine = []
    for _ in range(6):
        clock.forward(hours=1)
        if mine and chance.random() < 0.6:
            one = mine[chance.randrange(len(mine))]
            if chance.random() < 0.5:
                remove_rule(database, OURS, one)
                mine.remove(one)
            else:
                change_rule(database, OURS, one, criteria=parse_criteria(chance.choice(CRITERIA)))
        else:
            mine.append(add_rule(database, OURS, chance.choice(CRITERIA)))
        run(work)
        with database.system() as connection:
            ready = rules(suppressing_filters(connection, OURS, REGION).filters)
            rows = findings_by_key(connection, [(OURS, REGION, each) for each in known])
        for place, each in rows.values():
            by = hiding(ready, place)(each)
            assert each.life.suppressed_by == (by.arn if by else "")
            assert each.life.status == ("SUPPRESSED" if by else "ACTIVE")


def test_hundreds_of_rules_about_a_flaw_each_are_applied_together(database, work):
    add_fleet(database, OURS, instances=2, flaws=40)
    arns = {number: add_rule(database, OURS, about(number)) for number in range(40)}
    assert run(work) == 80
    assert set(hidden(database, OURS).values()) == set(arns.values())
    with database.system() as connection:
        assert connection.execute(select(func.count()).where(filter_.c.applied_at.is_(None))).scalar_one() == 0
