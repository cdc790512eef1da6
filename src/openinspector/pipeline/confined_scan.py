"""An inventory is matched in a child process, as `pipeline/scan.py` does it here."""

import os
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from openinspector.model.inventory import Inventory
from openinspector.model.match import Finding, Report, Undecided, Vulnerability
from openinspector.pipeline.confined import confined
from openinspector.pipeline.scan import scan
from openinspector.store.advisories import AdvisoryFile
from openinspector.transport.zygote import Function


class _Seen(Struct, frozen=True, array_like=True):
    """A report without its inventory, and with what is told of each vulnerability once."""

    findings: tuple[Finding, ...]  # of each vulnerability only its number among the following
    vulnerabilities: tuple[Vulnerability, ...]
    undecided: tuple[Undecided, ...]
    notes: tuple[str, ...]
    database: tuple[tuple[str, str], ...]
    scanned_at: str
    tool_version: str


def scan_confined(inventory: Inventory, advisories: AdvisoryFile, account: str = "") -> Report:
    """What `scan` says of an account's inventory. `advisories` are opened anew, by their path.

    Raises:
        ConfinedError: It can't be matched within the bounds.
    """
    document = msgspec.msgpack.encode(inventory)
    answer = confined(scanning, document, given=os.fsencode(advisories.path.absolute()), account=account)
    seen = msgspec.msgpack.decode(answer, type=_Seen)
    told = {str(number): each for number, each in enumerate(seen.vulnerabilities)}
    return Report(
        inventory=inventory,
        findings=tuple(replace(each, vulnerability=told[each.vulnerability.id]) for each in seen.findings),
        undecided=seen.undecided,
        notes=seen.notes,
        database=seen.database,
        scanned_at=seen.scanned_at,
        tool_version=seen.tool_version,
    )


def scanning(given: bytes) -> Function:
    """Matches an inventory against the advisory file whose path is given, in a child."""
    advisories = AdvisoryFile(Path(os.fsdecode(given)))

    def answer(document: bytes) -> bytes:
        report = scan(msgspec.msgpack.decode(document, type=Inventory), advisories)
        told = {id(each.vulnerability): each.vulnerability for each in report.findings}
        numbers = {each: Vulnerability(id=str(number)) for number, each in enumerate(told)}
        seen = _Seen(
            findings=tuple(replace(each, vulnerability=numbers[id(each.vulnerability)]) for each in report.findings),
            vulnerabilities=tuple(told.values()),
            undecided=report.undecided,
            notes=report.notes,
            database=report.database,
            scanned_at=report.scanned_at,
            tool_version=report.tool_version,
        )
        return msgspec.msgpack.encode(seen)

    return answer
