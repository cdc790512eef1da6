"""`openinspector organization`: the accounts that belong together, declared, shown, and read from AWS."""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from openinspector.cli.service import database

if TYPE_CHECKING:
    from openinspector.pipeline.organization import Registered
    from openinspector.store.organization_facts import KnownOrganization


def declare_command(chosen: argparse.Namespace) -> int:
    """Make known the organization that a file declares, or what has changed about it."""
    from openinspector.pipeline.organization import read_declaration, register
    from openinspector.pipeline.registry import feeds
    from openinspector.pipeline.settings import load_settings

    told = read_declaration(Path(chosen.file))
    trial = load_settings(frozenset(feeds())).usage.free_trial
    with database(chosen) as found:
        _tell(register(found, told, chosen.region, datetime.now(UTC), trial), chosen)
    return 0


def sync_command(chosen: argparse.Namespace) -> int:
    """Bring the organization up to date with AWS Organizations."""
    from openinspector.pipeline.organization import synchronize
    from openinspector.pipeline.registry import feeds
    from openinspector.pipeline.settings import load_settings

    settings = load_settings(frozenset(feeds()))
    with database(chosen) as found:
        _tell(synchronize(found, settings, chosen.region, datetime.now(UTC)), chosen)
    return 0


def show_command(chosen: argparse.Namespace) -> int:
    """Show the organizations that are known, with their accounts."""
    from openinspector.store.organization_facts import known_organizations

    with database(chosen) as found, found.system() as connection:
        known = known_organizations(connection)
    if chosen.format == "json":
        _print([_told(each) for each in known])
        return 0
    for each in known:
        _table(each)
    if not known:
        print("There is no organization: declare one, or have it read from AWS.", file=sys.stderr)
    return 0


def _tell(done: "Registered", chosen: argparse.Namespace) -> None:
    if chosen.format == "json":
        said = {"Joined": done.joined, "Left": done.left, "Changed": done.changed}
        _print({"OrganizationId": done.id, "Accounts": done.accounts, **said})
        return
    counts = f"{len(done.joined)} joined, {len(done.left)} left, {len(done.changed)} with another status"
    print(f"{done.id}: {done.accounts} accounts, {counts}")


def _told(known: "KnownOrganization") -> dict[str, object]:
    return {
        "OrganizationId": known.id,
        "ManagementAccount": known.management,
        "DelegatedAdministrators": known.admins,
        "Accounts": [
            {
                "Account": each.id,
                "Name": each.name,
                "Email": each.email,
                "Status": each.status,
                "Joined": each.joined_at,
                "Relationships": {region: of[each.id] for region, of in known.members.items() if each.id in of},
            }
            for each in known.accounts
        ],
    }


def _table(known: "KnownOrganization") -> None:
    from openinspector.render.text import visible

    print(f"organization {known.id}, managed by {known.management}")
    for region, admin in sorted(known.admins.items()):
        print(f"  administered by {admin} in {region}")
    print(f"  {'ACCOUNT':<14}{'STATUS':<17}{'MEMBER':<21}NAME")
    for each in known.accounts:
        relations = sorted({of[each.id] for of in known.members.values() if each.id in of})
        line = f"  {each.id:<14}{each.status:<17}{', '.join(relations) or '-':<21}{visible(each.name)}"
        print(line.rstrip())


def _print(said: object) -> None:
    print(msgspec.json.format(msgspec.json.encode(said)).decode())
