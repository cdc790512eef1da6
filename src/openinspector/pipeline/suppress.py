"""VEX documents, an ignore file and a baseline are read, and what they say is put on the findings.

What each of them came to is told: how many entries concerned a finding, which did not, which have expired, what could
not be read. A document that can't be read at all ends the scan: it was asked for, and must not be passed over.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from openinspector.acquire.detect import detect
from openinspector.catalog.safe_toml import MAX_SIZE as LARGEST_TOML
from openinspector.catalog.safe_toml import load
from openinspector.errors import CatalogError, UsageError
from openinspector.feeds.vex.contract import VexDocument
from openinspector.match.baseline import Baseline, known_since, read_baseline
from openinspector.match.ignore import Entries, Entry, read_entries
from openinspector.match.product import Scanned
from openinspector.match.vex import Ruling, Statements
from openinspector.model.inventory import Inventory
from openinspector.model.match import Finding, Report
from openinspector.model.package import Package
from openinspector.model.suppression import Given
from openinspector.model.vex import Statement

LARGEST_REPORT: Final = 512 << 20  # bytes; a report of 100,000 findings has some 300 MB
_NAMED: Final = 20  # entries that concern nothing, by name
_SHOWN: Final = 3


class Policy(Struct, frozen=True, kw_only=True):
    """What may overrule a scan. `ignore_path` is "" without an ignore file; `found` says that nobody named it."""

    documents: tuple[VexDocument, ...] = ()
    entries: tuple[Entry, ...] = ()
    ignore_path: str = ""
    found: bool = False
    baseline: Baseline | None = None


def read_policy(
    target: str, vex: Sequence[Path] = (), ignore: Path | None = None, baseline: Path | None = None
) -> Policy:
    """What VEX documents, an ignore file and a baseline say.

    `target` is what is to be scanned: BOM-Links may lead into an SBOM that is.

    Raises:
        UsageError: A file isn't there, or the ignore file or the baseline isn't one.
        FeedError: A VEX document can't be read.
    """
    documents: tuple[VexDocument, ...] = ()
    if vex:
        from openinspector.feeds.vex.read import read_documents

        choice = detect(target)
        documents = read_documents(vex, (Path(choice.name),) if choice.kind == "sbom" else ())
    return Policy(
        documents=documents,
        entries=_read_ignore(ignore) if ignore is not None else (),
        ignore_path=str(ignore) if ignore is not None else "",
        baseline=read_baseline(_bytes(baseline, LARGEST_REPORT), str(baseline)) if baseline is not None else None,
    )


def _read_ignore(file: Path) -> tuple[Entry, ...]:
    try:
        document = load(_bytes(file, LARGEST_TOML))
    except CatalogError as error:
        raise UsageError(f"{file} is no ignore file: {error}") from error
    return read_entries(document, str(file))


def _bytes(file: Path, limit: int) -> bytes:
    try:
        with file.open("rb") as stream:
            data = stream.read(limit + 1)
    except OSError as error:
        raise UsageError(f"{file} can't be read: {error.strerror or error}") from error
    if len(data) > limit:
        raise UsageError(f"{file} is larger than {limit >> 20} MB")
    return data


def overrule(report: Report, policy: Policy) -> Report:
    """The report with everything that a policy says put on its findings; entries expire by the day of the scan."""
    today = date.fromisoformat(report.scanned_at[:10])
    return Overruler(policy, report.inventory, today).overrule(report)


class Overruler:
    """Applies a policy to one inventory, on one day."""

    def __init__(self, policy: Policy, inventory: Inventory, today: date) -> None:
        self._policy = policy
        self._inventory = inventory
        statements = [each for document in policy.documents for each in document.statements]
        self._statements = Statements(statements, Scanned(inventory))
        self._entries = Entries(policy.entries, policy.ignore_path, today)

    def judge(self, names: Sequence[str], package: Package) -> Ruling:
        """What is said of a package's vulnerability, which has these names.

        A publisher's word that the flaw isn't there comes before anybody's acceptance of it.
        """
        ruling = self._statements.ruling(names, package)
        ignored = self._entries.suppression(names, package, self._inventory.distribution)
        return ruling if ruling.suppression is not None or ignored is None else replace(ruling, suppression=ignored)

    def overrule(self, report: Report) -> Report:
        """The report with everything said on its findings, and what each file came to."""
        baseline = self._policy.baseline
        findings = tuple(self._finding(each, baseline) for each in report.findings)
        given = tuple(self._given(findings))
        return replace(report, findings=findings, given=given, notes=(*report.notes, *self._notes(given)))

    def _finding(self, finding: Finding, baseline: Baseline | None) -> Finding:
        about = finding.vulnerability
        ruling = self.judge((about.id, *about.aliases), finding.match.package)
        since = known_since(finding, baseline) if baseline is not None else ""
        if not ruling.statements and ruling.suppression is None and not since:
            return finding
        return replace(finding, suppressed=ruling.suppression, vex=ruling.statements, known_since=since)

    def _given(self, findings: Sequence[Finding]) -> Iterable[Given]:
        hidden: dict[tuple[str, str], int] = {}
        for each in findings:
            if each.suppressed is not None:
                key = each.suppressed.kind, each.suppressed.source
                hidden[key] = hidden.get(key, 0) + 1
        start = 0
        for document in self._policy.documents:
            numbers = range(start, start + len(document.statements))
            start = numbers.stop
            matched = self._statements.matched
            unmatched = [each for each in numbers if each not in matched]
            yield Given(
                kind="vex",
                path=document.path,
                format=document.format,
                entries=len(numbers),
                matched=len(numbers) - len(unmatched),
                hidden=hidden.get(("vex", document.path), 0),
                unmatched=tuple(_statement(self._statements.all[each]) for each in unmatched[:_NAMED]),
                problems=document.problems,
            )
        policy = self._policy
        if policy.ignore_path:
            entries = self._entries
            rest = [each for at, each in enumerate(entries.all) if at not in entries.matched]
            yield Given(
                kind="ignore",
                path=policy.ignore_path,
                entries=len(entries.all),
                matched=len(entries.matched),
                hidden=hidden.get(("ignore", policy.ignore_path), 0),
                unmatched=tuple(str(each) for each in rest[:_NAMED]),
                expired=tuple(f"{entries.all[at]} ({entries.all[at].expires})" for at in sorted(entries.expired)),
            )
        if policy.baseline is not None:
            known = sum(1 for each in findings if each.known_since and each.suppressed is None)
            yield Given(kind="baseline", path=policy.baseline.path, entries=policy.baseline.count, hidden=known)

    def _notes(self, given: Iterable[Given]) -> Iterable[str]:
        for each in given:
            if each.kind == "baseline":
                yield from self._notes_of_baseline(each)
            else:
                yield from self._notes_of(each)

    def _notes_of(self, each: Given) -> Iterable[str]:
        rest = each.entries - each.matched
        unmatched = f"; {rest} of them matched nothing{_examples(each.unmatched, rest)}" if rest else ""
        hidden = _many(each.hidden, "finding")
        if each.kind == "vex":
            yield f"{each.path} suppresses {hidden} by {_many(each.entries, f'{each.format} statement')}{unmatched}."
        else:
            found = " was found in the working directory and" if self._policy.found else ""
            entries = _many(each.entries, "entry", "entries")
            yield f"The ignore file {each.path}{found} suppresses {hidden} by {entries}{unmatched}."
            if each.expired:
                count = len(each.expired)
                expired = _many(count, "entry", "entries")
                yield f"{expired} of {each.path} expired, no longer in force{_examples(each.expired, count)}."
        for problem in each.problems:
            times = f" ({problem.count} times)" if problem.count > 1 else ""
            yield f"{each.path}: {problem.reason}{times}."

    def _notes_of_baseline(self, each: Given) -> Iterable[str]:
        baseline, target = self._policy.baseline, self._inventory.target
        if baseline is None:
            return
        since = baseline.scanned_at
        yield f"Known from the baseline {each.path} of {since}: {_many(each.hidden, 'finding')}; the rest is new."
        if baseline.target != f"{target.kind} {target.name}":
            yield f"The baseline is a report about {baseline.target}, this is one about {target.kind} {target.name}."


def _statement(said: Statement) -> str:
    about = said.product.id
    if said.components:
        about = f"{', '.join(each.id for each in said.components[:2])} in {about}"
    return f"{said.vulnerabilities[0]} of {about}"[:300]


def _many(count: int, one: str, many: str = "") -> str:
    return f"{count} {one if count == 1 else many or f'{one}s'}"


def _examples(texts: Sequence[str], count: int) -> str:
    if not texts:
        return ""
    more = f" and {count - _SHOWN} more" if count > _SHOWN else ""
    return f": {', '.join(texts[:_SHOWN])}{more}"
