"""The benchmarks' bulk loader writes what `ingest` writes."""

import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from openinspector.pipeline.ingest import ingest
from openinspector.store.database import connect_embedded
from openinspector.store.tallies import fold

BENCH = str(Path(__file__).parents[2] / "bench")

# Each without its own ids and what the clock says, told by what the other side calls the same.
VIEWS = {
    "package": "SELECT (to_jsonb(t) - 'id')::text FROM package t",
    "inventory": "SELECT (to_jsonb(t) - 'id' - 'created_at')::text FROM inventory t",
    "inventory_package": """
        SELECT (to_jsonb(t) - 'inventory_id' - 'package_id')::text || i.digest::text || p.digest::text
        FROM inventory_package t JOIN inventory i ON i.id = t.inventory_id JOIN package p ON p.id = t.package_id""",
    "vulnerability": "SELECT to_jsonb(t)::text FROM vulnerability t",
    "enrichment": "SELECT to_jsonb(t)::text FROM enrichment t",
    "package_vulnerability": """
        SELECT (to_jsonb(t) - 'package_id')::text || p.digest::text
        FROM package_vulnerability t JOIN package p ON p.id = t.package_id""",
    "resource": """
        SELECT (to_jsonb(t) - 'id' - 'inventory_id')::text || i.digest::text
        FROM resource t JOIN inventory i ON i.id = t.inventory_id""",
    "coverage": """
        SELECT (to_jsonb(t) - 'resource_id')::text || r.external_id
        FROM coverage t JOIN resource r ON r.id = t.resource_id""",
    "finding": """
        SELECT (to_jsonb(t) - 'resource_id')::text || r.external_id
        FROM finding t JOIN resource r ON r.id = t.resource_id""",
    "resource_tally": """
        SELECT (to_jsonb(t) - 'resource_id')::text || r.external_id
        FROM resource_tally t JOIN resource r ON r.id = t.resource_id""",
    "covered_period": """
        SELECT (to_jsonb(t) - 'id' - 'resource_id')::text || r.external_id
        FROM covered_period t JOIN resource r ON r.id = t.resource_id""",
    "flaw_tally": "SELECT to_jsonb(t)::text FROM flaw_tally t",
    "package_tally": "SELECT to_jsonb(t)::text FROM package_tally t",
    "generation": "SELECT (to_jsonb(t) - 'installed_at')::text FROM generation t",
}


def described(database):
    with database.system() as connection:
        return {name: sorted(connection.execute(text(view)).scalars()) for name, view in VIEWS.items()}


@pytest.fixture
def modules(monkeypatch):
    monkeypatch.syspath_prepend(BENCH)
    yield
    for name in ("fleet", "fleet_load"):
        sys.modules.pop(name, None)


def test_a_loaded_fleet_is_the_one_that_is_ingested(postgres, template, modules, tmp_path):
    from fleet import Fleet
    from fleet_load import compile_fleet, load

    fleet = Fleet(24, seed=3)
    advisories = compile_fleet(fleet, tmp_path)
    for name in ("bulk_loaded", "bulk_ingested"):
        postgres.make_database(name, template)
    with connect_embedded(postgres, database="bulk_ingested", pool=1) as database:
        for place in fleet.places():
            ingest(database, advisories, place.resource, fleet.inventory(place.key), place.at)
        with database.system() as connection:
            fold(connection, 1_000_000)
        ingested = described(database)
    load(postgres, "bulk_loaded", fleet, advisories)
    with connect_embedded(postgres, database="bulk_loaded", pool=1) as database:
        loaded = described(database)
    advisories.close()
    for name in VIEWS:
        assert loaded[name] == ingested[name], name
    assert len(loaded["finding"]) > 1500
