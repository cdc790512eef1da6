"""`openinspector ingest`: what a scan finds on a resource becomes findings, here or at a service elsewhere."""

import argparse
import sys
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from time import sleep
from typing import Any, Final

import msgspec

from openinspector.cli.keys import account_of
from openinspector.cli.output import progress
from openinspector.cli.scan import request_of
from openinspector.cli.service import data_folder, database
from openinspector.errors import AcquireError, UsageError
from openinspector.model.inventory import Inventory
from openinspector.pipeline.named import resource_named
from openinspector.pipeline.scan import read_target

_PARTIAL: Final = 3
_LARGEST: Final = 512 << 20  # bytes of an inventory
_MOST_TAGS, _LONGEST_KEY, _LONGEST_VALUE = 50, 128, 256  # as the service itself takes them
_COUNTS: Final = ("opened", "reopened", "updated", "suppressed", "unsuppressed", "closed")


def run(chosen: argparse.Namespace) -> int:
    """Scan a target, and hand in what was found of it."""
    tags = _tags(chosen.tag)
    if sum(bool(each) for each in (chosen.target, chosen.sbom, chosen.inventory)) != 1:
        raise UsageError("write what is handed in: one of TARGET, --sbom FILE and --inventory FILE")
    return _there(chosen, tags) if chosen.endpoint else _here(chosen, tags)


def _here(chosen: argparse.Namespace, tags: Mapping[str, str]) -> int:
    """Into the database of this machine."""
    from openinspector.pipeline.in_force import advisories_in_force
    from openinspector.pipeline.ingest import ingest
    from openinspector.pipeline.registry import feeds
    from openinspector.pipeline.rematch import rematch
    from openinspector.pipeline.settings import load_settings
    from openinspector.pipeline.worker import chores, poker
    from openinspector.store.kept_generations import KeptGenerations

    if not chosen.account:
        raise UsageError("write whose it is: --account ID (or --endpoint URL, to hand it in to a service elsewhere)")
    resource = resource_named(account_of(chosen.account), chosen.region, chosen.type, chosen.id, tags=tags)
    trial = load_settings(frozenset(feeds())).usage.free_trial
    inventory = _inventory(chosen)
    advisories = advisories_in_force()
    with database(chosen) as found:
        # Else what is known of packages counts, which is what the advisories before this file said.
        matched = rematch(found, advisories, KeptGenerations(data_folder(chosen)), lambda: datetime.now(UTC))
        if not matched.is_in_force:
            print(f"openinspector: matched with the advisories in force: {matched.why}", file=sys.stderr)
        try:
            done = ingest(found, advisories, resource, inventory, datetime.now(UTC), trial=trial)
        finally:  # the advisories in force may have changed, too
            poker(found, chores())("deliver")
    counted = Counter(type(each).__name__.lower() for each in done.changes)
    if chosen.format == "json":
        said = {"resource": resource.id, "status": inventory.status, "changes": counted, "problems": done.problems}
        print(msgspec.json.format(msgspec.json.encode(said)).decode())
    else:
        _tell(resource.id, counted, done.problems, status=inventory.status)
    return 0 if inventory.status == "whole" else _PARTIAL


def _there(chosen: argparse.Namespace, tags: Mapping[str, str]) -> int:
    """To a service."""
    from openinspector.render.inventory import document
    from openinspector.transport.hand_in import check_endpoint, hand_in

    endpoint = check_endpoint(chosen.endpoint, plain_http=chosen.plain_http)
    resource: dict[str, Any] = {"type": chosen.type, "id": chosen.id, "region": chosen.region, "tags": tags}
    asked: dict[str, Any] = {"resource": resource}
    if chosen.account:
        asked["accountId"] = account_of(chosen.account)
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    asked["inventory"] = msgspec.Raw(document(_inventory(chosen), now).encode())

    def pause(seconds: float) -> None:
        print(f"openinspector: {endpoint} doesn't take it yet, and is asked again in {seconds:.0f} s", file=sys.stderr)
        sleep(seconds)

    body = msgspec.json.encode(asked)
    said = hand_in(endpoint, chosen.region, body, ca_bundle=chosen.ca_bundle, profile=chosen.profile, pause=pause)
    if chosen.format == "json":
        print(msgspec.json.format(msgspec.json.encode({"resource": chosen.id, **said})).decode())
    else:
        counts = {each: said.get(each, 0) for each in _COUNTS}
        status, superseded = str(said.get("status", "")), bool(said.get("superseded"))
        _tell(chosen.id, counts, said.get("problems", 0), status=status, superseded=superseded)
    return 0 if said.get("status") == "whole" else _PARTIAL


def _inventory(chosen: argparse.Namespace) -> Inventory:
    """What is handed in."""
    if chosen.inventory:
        return _read_inventory(Path(chosen.inventory))
    if chosen.sbom:
        chosen.target = f"sbom:{chosen.sbom}"
    with progress() as show:
        return read_target(request_of(chosen), show)


def _read_inventory(path: Path) -> Inventory:
    from openinspector.acquire.inventory_document import read_inventory

    try:
        if not path.is_file():
            raise UsageError(f"there is no file {path}")
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except OSError as error:
        raise UsageError(f"{path} can't be read: {error.strerror or error}") from error
    if len(data) > _LARGEST:
        raise AcquireError(f"{path} is larger than {_LARGEST:,} bytes")
    try:
        return read_inventory(data)
    except AcquireError as error:
        raise AcquireError(f"{path} {error}") from error


def _tags(given: list[str]) -> dict[str, str]:
    named = {}
    for each in given:
        key, equals, value = each.partition("=")
        if not key or not equals or not each.isprintable():
            raise UsageError(f"{each!r} is no tag: write --tag name=value")
        if len(key) > _LONGEST_KEY or len(value) > _LONGEST_VALUE:
            raise UsageError(
                f"the tag {key[:_LONGEST_KEY]!r} is too long: its name has {_LONGEST_KEY} characters at most, its value"
                f" {_LONGEST_VALUE}"
            )
        named[key] = value
    if len(named) > _MOST_TAGS:
        raise UsageError(f"a resource has {_MOST_TAGS} tags at most, and not {len(named)}")
    return named


def _tell(
    resource: str, counts: Mapping[str, int], doubts: int, *, status: str = "whole", superseded: bool = False
) -> None:
    words = ", ".join(f"{count} {word}" for word, count in sorted(counts.items()) if count) or "nothing changed"
    if superseded:
        words += "; a later scan of it was handed in meanwhile, which counts"
    if doubts:
        words += f"; {doubts} {'doubt' if doubts == 1 else 'doubts'}"
    if status != "whole":
        words += f"; the scan is {status}, so nothing is closed"
    print(f"{resource}: {words}")
