"""`openinspector ingest`: what a scan finds on a resource is handed to the service's database, and becomes findings."""

import argparse
import re
from collections import Counter
from datetime import UTC, datetime
from typing import Final

import msgspec

from openinspector.cli.keys import account_of
from openinspector.cli.output import progress
from openinspector.cli.scan import request_of
from openinspector.cli.service import database
from openinspector.errors import UsageError
from openinspector.model.resource import AccountId, EcrImage, Resource, ResourceType
from openinspector.pipeline.in_force import advisories_in_force
from openinspector.pipeline.scan import read_target

_PARTIAL: Final = 3
_IMAGE: Final = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):ecr:(?P<region>[a-z0-9-]+):(?P<account>\d{12})"
    r":repository/(?P<repository>[^:]+)/(?P<digest>sha256:[0-9a-f]{64})"
)


def run(chosen: argparse.Namespace) -> int:
    """Scan a target, and keep what was found of it."""
    from openinspector.pipeline.ingest import ingest

    resource = resource_of(account_of(chosen.account), chosen.region, chosen.type, chosen.id, chosen.tag)
    with progress() as show:
        inventory = read_target(request_of(chosen), show)
    with database(chosen) as found:
        done = ingest(found, advisories_in_force(), resource, inventory, datetime.now(UTC))
    counted = Counter(type(each).__name__.lower() for each in done.changes)
    if chosen.format == "json":
        said = {"resource": resource.id, "status": inventory.status, "changes": counted, "problems": done.problems}
        print(msgspec.json.format(msgspec.json.encode(said)).decode())
    else:
        words = ", ".join(f"{count} {word}" for word, count in sorted(counted.items())) or "nothing changed"
        print(f"{resource.id}: {words}" + (f"; {done.problems} doubts" if done.problems else ""))
    return 0 if inventory.status == "whole" else _PARTIAL


def resource_of(account: AccountId, region: str, kind: ResourceType, identity: str, tags: list[str]) -> Resource:
    """The resource that the arguments name.

    Raises:
        UsageError: A tag without a name, or an image whose ARN is none or is somebody else's.
    """
    named = {}
    for each in tags:
        key, equals, value = each.partition("=")
        if not key or not equals:
            raise UsageError(f"{each!r} is no tag: write --tag name=value")
        named[key] = value
    details = None
    if kind == "AWS_ECR_CONTAINER_IMAGE":
        found = _IMAGE.fullmatch(identity)
        if found is None or found["account"] != account or found["region"] != region:
            raise UsageError(
                f"{identity!r} is no image of account {account} in {region}:"
                " write arn:aws:ecr:REGION:ACCOUNT:repository/NAME/sha256:…"
            )
        details = EcrImage(repository=found["repository"], digest=found["digest"], registry=account)
    return Resource(account=account, region=region, type=kind, id=identity, tags=named, details=details)
