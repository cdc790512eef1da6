"""Ubuntu's CVE tracker: one text file per CVE, one line per source package and release.

    Candidate: CVE-2023-44487
    PublicDate: 2023-10-10 14:15:00 UTC
    Priority: medium
    CVSS:
     nvd: CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H [7.5 HIGH]

    Patches_dotnet6:
    upstream_dotnet6: released (6.0.23)
    jammy_dotnet6: released (6.0.123-0ubuntu1~22.04.1)
    esm-apps/focal_haproxy: needs-triage

Statements that a package is not affected are most of the tracker, and absence says the same; they are kept for packages
other than kernels of the long-term releases, where people look for them.

Source: https://git.launchpad.net/ubuntu-cve-tracker/tree/README
"""

from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

import msgspec

from openinspector.feeds.contract import Document, Feed, Record, Source
from openinspector.feeds.streams import tar_members
from openinspector.feeds.ubuntu_releases import LONG_TERM, is_left_out, place_of_release
from openinspector.model.advisory import Advisory, Affected, Cvss, Range, State
from openinspector.model.problem import Problem

_MAX_REFERENCES: Final = 20
_PRIORITIES: Final = ("critical", "high", "medium", "low", "negligible")
_STATES: Final[dict[str, State]] = {
    "needed": "affected",
    "active": "affected",
    "needs-triage": "under_investigation",
    "deferred": "deferred",
}
# Why something is ignored that says: nobody looks at it any more.
_ENDED: Final = ("end of", "end-of-life", "superseded", "replaced by", "abandoned", "out of standard support")
_ESM: Final = ("esm-infra", "esm-apps", "esm-infra-legacy")


class UbuntuTracker:
    """Ubuntu; by source package, namespace `ubuntu:22.04`, what needs a subscription with its repository (`fips`)."""

    name = "ubuntu_tracker"
    title = "Ubuntu CVE tracker"
    revision = 2
    repeats: Final = "add"
    sources = (
        Source(
            path="ubuntu/ubuntu-cve-tracker.tar.xz",
            url="https://git.launchpad.net/ubuntu-cve-tracker/snapshot/ubuntu-cve-tracker-master.tar.gz",
            optional=True,  # Ubuntu's OSV records say the same
        ),
    )

    def parse(self, document: Document) -> Iterator[Record]:
        """One advisory per CVE of the tracker's archive."""
        unread: Counter[str] = Counter()
        for path, data in tar_members(document, ""):
            name = path.rpartition("/")[2]
            if name.startswith("CVE-") and "." not in name:
                yield _advisory(name, data.decode("utf-8", "replace"), unread)
        for reason, count in unread.items():
            yield Problem(path=document.path, reason=reason, format=self.name, count=count)


def _advisory(name: str, text: str, unread: Counter[str]) -> Advisory:
    """The advisory of one file; what its lines say and we can't read is counted in `unread`."""
    fields: dict[str, list[str]] = {}
    statements: list[tuple[str, str, str]] = []
    field: list[str] = []
    for line in text.split("\n"):
        if line.endswith(": DNE") or not line:
            continue  # "does not exist", three of five lines
        first = line[0]
        if first in " \t":
            field.append(line.strip())
        elif first != "#":
            head, _, value = line.partition(":")
            release, underscore, package = head.partition("_")
            field = [value.strip()]
            if underscore and (release[:1].islower() or release[:1].isdigit()):
                if release != "upstream" and field[0] and not field[0].startswith("DNE"):
                    statements.append((release, package, field[0]))
            else:
                fields.setdefault(head, field)
    cve = fields.get("Candidate", [""])[0] or name
    description = " ".join(each for each in fields.get("Description", ()) if each)
    priority = _word(fields.get("Priority", ()))
    rejected = description.startswith(("** REJECT **", "Rejected reason"))
    published = _moment(fields.get("PublicDate", ()))
    return Advisory(
        id=cve,
        vulnerabilities=(cve,),
        description=description[:2000],
        severity=priority,
        cvss=_vectors(fields.get("CVSS", ())),
        references=tuple(dict.fromkeys(each for each in fields.get("References", ()) if each))[:_MAX_REFERENCES],
        url=f"https://ubuntu.com/security/{cve}",
        published=published,
        withdrawn=(published or "1970-01-01T00:00:00Z") if rejected else "",
        affected=_affected(statements, _overrides(fields, priority), unread),
    )


def _overrides(fields: dict[str, list[str]], priority: str) -> dict[str, str]:
    """Priorities of single packages, or of one release of a package (`curl_focal`), where they differ."""
    found = {}
    for key, value in fields.items():
        if key.startswith("Priority_") and (word := _word(value)) != priority and word:
            found[key[9:]] = word
    return found


def _affected(
    statements: list[tuple[str, str, str]], overrides: dict[str, str], unread: Counter[str]
) -> tuple[Affected, ...]:
    unfixed: list[Affected] = []
    unaffected: dict[tuple[str, str], str] = {}
    fixed_there: set[tuple[str, str]] = set()
    found: list[Affected] = []
    for release, package, value in statements:
        place = place_of_release(release)
        if place is None:
            if not is_left_out(release):
                unread[f"unknown release {release[:40]!r}"] += 1
            continue
        namespace, repository = place
        said = _said(value)
        if isinstance(said, str):
            unread[said] += 1
            continue
        state, ranges, note = said
        if state == "not_affected":
            if repository in _ESM:
                unaffected[namespace, package] = _version(note)
            if repository or package.startswith("linux") or namespace not in LONG_TERM:
                continue
        severity = ""
        if overrides:
            severity = overrides.get(f"{package}_{release}", "") or overrides.get(package, "")
        one = Affected(
            namespace=namespace,
            name=package,
            kind="source",
            ranges=ranges,
            state=state,
            repository=repository,
            severity=severity,
            note=note,
        )
        if repository in _ESM and ranges:
            fixed_there.add((namespace, package))
        if not (repository or ranges) and state != "not_affected":
            unfixed.append(one)
        else:
            found.append(one)
    for one in unfixed:
        # What has a fix in an archive of Ubuntu Pro is stated with that fix, which says more than "none here".
        if (one.namespace, one.name) in fixed_there:
            continue
        if one.state != "end_of_life":
            found.append(one)
        elif (exact := _corrected(one, unaffected.get((one.namespace, one.name)))) is not None:
            found.append(exact)
    return tuple(found)


@lru_cache(maxsize=1 << 16)
def _said(value: str) -> tuple[State, tuple[Range, ...], str] | str:
    """What a statement says, `released (7.81.0-1)`: state, fix and remark; or, as a text, why it can't be used.

    A fix that is pending is in no archive yet, but whoever has it has the flaw no more.
    """
    status, _, note = value.partition(" ")
    note = note.strip()
    if note.startswith("("):
        note = note[1:].removesuffix(")")
    note = note[:200]
    if status in ("released", "pending"):
        if version := _version(note):
            return "affected", (Range(fixed=version),), "" if status == "released" else "pending"
        return "released without a version" if status == "released" else ("affected", (), "pending")
    if status == "not-affected":
        return "not_affected", (), note
    if status == "ignored":
        return ("end_of_life" if any(each in note for each in _ENDED) else "will_not_fix"), (), note
    state = _STATES.get(status)
    return (state, (), note if state == "deferred" else "") if state else f"unknown status {status[:40]!r}"


def _version(note: str) -> str:
    """The version that a note consists of; "" where it is a remark."""
    return note if note[:1].isdigit() and " " not in note and "," not in note else ""


def _corrected(ended: Affected, unaffected_since: str | None) -> Affected | None:
    """A statement that merely says that a release's support ended, made exact by what its ESM archive says.

    That archive's packages begin as the release's own: where it says "not affected", neither is the release, from the
    version on that it names, unless that version is to be had there only.
    """
    if unaffected_since is None or "esm" in unaffected_since:
        return ended
    if not unaffected_since:
        return None
    fixed = (Range(fixed=unaffected_since),)
    return msgspec.structs.replace(ended, ranges=fixed, state="affected", note="")


def _word(values: list[str] | tuple[()]) -> str:
    """The priority that a field begins with; "" for `untriaged` and where the reason alone is given."""
    word = values[0].split(" ")[0] if values else ""
    return word if word in _PRIORITIES else ""


def _moment(values: list[str] | tuple[()]) -> str:
    """`2023-10-10 14:15:00 UTC` or `2017-09-26` as a time in UTC; "" for `unknown` and the like."""
    text = values[0] if values else ""
    if len(text) < 10 or text[4] != "-" or text[7] != "-" or not text[:4].isdigit():
        return ""
    clock = text[11:19] if len(text) >= 19 and text[13] == ":" else "00:00:00"
    return f"{text[:10]}T{clock}Z"


def _vectors(lines: list[str] | tuple[()]) -> tuple[Cvss, ...]:
    """`nvd: CVSS:3.1/AV:N/… [7.5 HIGH]` as vector, source and score."""
    found: dict[Cvss, None] = {}
    for line in lines[:20]:
        source, _, rest = line.partition(": ")
        vector, _, rating = rest.strip().partition(" ")
        if not vector.startswith("CVSS:"):
            continue
        number = rating.strip("[] ").split(" ")[0]
        score = float(number) if number.replace(".", "", 1).isdecimal() and len(number) < 5 else None
        found[Cvss(vector=vector, source=source, score=score)] = None
    return tuple(found)


PLUGIN: Final[Feed] = UbuntuTracker()
