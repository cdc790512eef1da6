"""ScanSbom's answers: CycloneDX 1.5 with the components that came in, and Inspector's own format.

`INSPECTOR_ALT` is the third that the API names; how the service's differs from `INSPECTOR` is unpublished. Ours is the
same, and `affects[]` names the component by its reference too (`component`): it can be joined with the document.

Source: https://cyclonedx.org/docs/1.5/json/; Inspector's user guide, "Using CycloneDX namespaces with Amazon
Inspector"; published answers of the service.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal

from openinspector.model.enrichment import Epss
from openinspector.render.scanned import (
    Affected,
    Flaw,
    Rating,
    Result,
    Scanned,
    Verdict,
    counts,
    flat,
    flaws,
    priority,
    publisher,
)
from openinspector.render.text import date_time, identity, page_of

OutputFormat = Literal["CYCLONE_DX_1_5", "INSPECTOR", "INSPECTOR_ALT"]
_Object = dict[str, Any]

_OURS: Final = "amazon:inspector:sbom_scanner:"
_GENERATOR: Final = "amazon:inspector:sbom_generator:"
_DOUBT: Final = "openinspector:undecided"

_INFO: Final[dict[Verdict, str]] = {
    "clean": "Component scanned: no vulnerabilities found.",
    "no_rules": "Component skipped: no rules found.",
}
_WARNINGS: Final[dict[Verdict, str]] = {
    "no_purl": "Component skipped: no purl provided.",
    "no_version": "Component skipped: unresolved version provided.",
    "unreadable_purl": "Component skipped: invalid purl provided.",
    "undecided": "Component scanned: some vulnerabilities could not be decided.",
}

# A component's members in version 1.5 of the schema; what else comes in doesn't go out.
_TYPES: Final = frozenset(
    "application framework library container platform operating-system device device-driver firmware file"
    " machine-learning-model data".split()
)
_TEXTS: Final = frozenset("name version group purl cpe description author publisher copyright mime-type".split())
_AS_THEY_CAME: Final = frozenset(
    "supplier hashes licenses swid modified pedigree externalReferences evidence releaseNotes modelCard data scope"
    " signature".split()
)
# EPSS models by the first day of their scores. Source: https://www.first.org/epss/data_stats
_MODELS: Final = (
    ("2025-03-17", "v2025.03.14"),
    ("2023-03-07", "v2023.03.01"),
    ("2022-02-04", "v2022.01.01"),
)


def render(result: Result, output_format: OutputFormat) -> _Object:
    """The document that the API answers as `sbom`."""
    if output_format == "CYCLONE_DX_1_5":
        return _cyclonedx(result)
    return _inspector(result, joinable=output_format == "INSPECTOR_ALT")


def _cyclonedx(result: Result) -> _Object:
    found = flaws(result)
    metadata: _Object = {
        "timestamp": result.scanned_at,
        "tools": {"services": [{"name": "openinspector ScanSbom", "version": result.scanner}]},
        "properties": [
            {"name": f"{_OURS}{severity}_vulnerabilities", "value": str(number)}
            for severity, number in counts(found).items()
        ],
    }
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{_serial(result)}",
        "metadata": metadata,
        "components": [_component(each) for each in result.components],
        "vulnerabilities": [_vulnerability(each, number) for number, each in enumerate(found, 1)],
    }


def _serial(result: Result) -> str:
    said = (f"{each.ref} {each.purl} {each.verdict}" for each in flat(result.components))
    return identity(result.scanner, result.scanned_at, *said)


def _component(each: Scanned) -> _Object:
    """The component as it came, under the reference that vulnerabilities use, with the scanner's properties."""
    raw = each.raw
    kind = raw.get("type")
    made: _Object = {"bom-ref": each.ref, "type": kind if kind in _TYPES else "library", "name": "unknown"}
    made |= {name: value for name, value in raw.items() if name in _TEXTS and isinstance(value, str)}
    made |= {name: value for name, value in raw.items() if name in _AS_THEY_CAME}
    properties = list(_properties(each))
    if properties:
        made["properties"] = properties
    if each.within:
        made["components"] = [_component(child) for child in each.within]
    return made


def _properties(each: Scanned) -> Iterable[_Object]:
    came = each.raw.get("properties")
    for item in came if isinstance(came, list) else ():
        name, value = (item.get("name"), item.get("value")) if isinstance(item, dict) else (None, None)
        # A scanner's property that comes in is somebody else's word: it must not look like ours.
        if isinstance(name, str) and isinstance(value, str) and not name.startswith(_OURS):
            yield {"name": _renamed(name), "value": value}
    if each.end_of_life:
        yield {"name": f"{_OURS}end_of_life", "value": each.end_of_life}
    if each.verdict in _INFO:
        yield {"name": f"{_OURS}info", "value": _INFO[each.verdict]}
    if each.verdict in _WARNINGS:
        yield {"name": f"{_OURS}warning", "value": _WARNINGS[each.verdict]}
    for doubt in each.doubts:
        yield {"name": _DOUBT, "value": doubt}


def _renamed(name: str) -> str:
    """`…:sbom_generator:source_path` becomes `…:sbom_scanner:path`; others keep their last part."""
    if not name.startswith(_GENERATOR):
        return name
    rest = name.removeprefix(_GENERATOR)
    return f"{_OURS}{'path' if rest == 'source_path' else rest}"


def _vulnerability(flaw: Flaw, number: int) -> _Object:
    entry: _Object = {
        "bom-ref": f"vuln-{number}",
        "id": flaw.id,
        "source": _source(flaw.source, flaw.url),
        "references": [{"id": each, "source": _source(publisher(each), page_of(each))} for each in flaw.related],
        "ratings": [_rating(each) for each in (*flaw.ratings, *_epss(flaw))],
        "cwes": list(flaw.cwes),
        "description": flaw.description,
        "advisories": [{"url": each} for each in flaw.references],
        "created": flaw.published,
        "published": flaw.published,
        "updated": flaw.updated,
        "affects": [{"ref": each.component.ref} for each in flaw.affected],
        "analysis": {"state": "exploitable" if flaw.exploited else "in_triage"},
        "properties": [{"name": f"{_OURS}{name}", "value": value} for name, value in _facts(flaw)],
    }
    return {name: value for name, value in entry.items() if value}


def _source(name: str, url: str) -> _Object:
    return {"name": name, "url": url} if url else {"name": name}


def _rating(rating: Rating) -> _Object:
    entry: _Object = {"source": _source(rating.source, rating.url)}
    if rating.score is not None:
        entry["score"] = rating.score
    entry |= {"severity": rating.severity, "method": rating.method}
    if rating.vector:
        entry["vector"] = rating.vector
    return entry


def _epss(flaw: Flaw) -> Iterable[Rating]:
    epss = flaw.about.epss if flaw.about else None
    if epss is not None:
        yield Rating(
            source="EPSS",
            severity="none",
            url=f"https://api.first.org/data/v1/epss?cve={epss.vulnerability}",
            score=epss.score,
            vector=_model(epss),
        )


def _model(epss: Epss) -> str:
    """`model:v2025.03.14,date:2026-01-02T00:00:00+0000`; the model follows from the day."""
    day = epss.date[:10]
    if not day:
        return ""
    model = next((name for since, name in _MODELS if day >= since), "")
    return f"{f'model:{model},' if model else ''}date:{day}T00:00:00+0000"


def _facts(flaw: Flaw) -> Iterable[tuple[str, str]]:
    about = flaw.about
    if flaw.exploited:
        yield "exploit_available", "true"
        if flaw.last_exploited:
            yield "exploit_last_seen_in_public", flaw.last_exploited
    if about is not None and about.kev is not None:
        yield from _kev(flaw)
    for each in flaw.affected:
        if each.fixed:
            yield f"fixed_version:{each.component.ref}", each.fixed
    urgency, intelligence = priority(flaw)
    yield "priority", urgency
    yield "priority_intelligence", intelligence
    if about is not None and about.malicious:
        yield "is_malicious", "true"


def _kev(flaw: Flaw) -> Iterable[tuple[str, str]]:
    kev = flaw.about.kev if flaw.about else None
    if kev is not None:
        for name, day in (("cisa_kev_date_added", kev.date_added), ("cisa_kev_date_due", kev.due_date)):
            moment = f"{day[:10]}T00:00:00Z"
            if date_time(moment):
                yield name, moment


def _inspector(result: Result, *, joinable: bool) -> _Object:
    found = flaws(result)
    return {
        "messages": [message for each in flat(result.components) for message in _messages(each)],
        "vulnerability_count": counts(found),
        "vulnerabilities": [_entry(each, joinable=joinable) for each in found],
    }


def _messages(each: Scanned) -> Iterable[_Object]:
    """What there is to say of a component without a vulnerability, and every doubt."""
    name = each.raw.get("name")
    who = {"purl": each.purl} if each.purl else {"name": name if isinstance(name, str) else "unknown"}
    said = _INFO.get(each.verdict) or _WARNINGS.get(each.verdict)
    for text in (*([said] if said else ()), *each.doubts):
        yield who | {"info_message": text}


def _entry(flaw: Flaw, *, joinable: bool) -> _Object:
    urgency, intelligence = priority(flaw)
    entry: _Object = {
        "id": flaw.id,
        "severity": flaw.severity,
        "source": flaw.url,
        "related": list(flaw.related),
        "description": flaw.description,
        "references": list(flaw.references),
        "created": flaw.published,
        "updated": flaw.updated,
        "published": flaw.published,
        "priority": urgency,
        "priority_intelligence": intelligence,
    }
    entry = {name: value for name, value in entry.items() if value}
    entry["properties"] = _facts_of_entry(flaw)
    entry["affects"] = [_affected(each, joinable=joinable) for each in flaw.affected]
    return entry


def _facts_of_entry(flaw: Flaw) -> _Object:
    facts: _Object = {"cvss": _scores(flaw.ratings), "cwes": list(flaw.cwes)}
    facts = {name: value for name, value in facts.items() if value}
    if flaw.about is not None and flaw.about.epss is not None:
        facts["epss"] = flaw.about.epss.score
    if flaw.exploited:
        facts["exploit_available"] = True
        if flaw.last_exploited:
            facts["exploit_last_seen_in_public"] = flaw.last_exploited
    return facts | dict(_kev(flaw))


def _scores(ratings: Sequence[Rating]) -> list[_Object]:
    """One entry for each source; its first vector of a version counts, its first word is the severity."""
    found: dict[str, _Object] = {}
    for each in ratings:
        entry = found.setdefault(each.source, {"source": each.source, "severity": each.severity})
        if each.url:
            entry.setdefault("url", each.url)
        version = {"CVSSv2": "2", "CVSSv31": "3", "CVSSv4": "4"}.get(each.method)
        if version and f"cvss_{version}_base_vector" not in entry:
            entry[f"cvss_{version}_base_vector"] = each.vector
            if each.score is not None:
                entry[f"cvss_{version}_base_score"] = each.score
    return list(found.values())


def _affected(each: Affected, *, joinable: bool) -> _Object:
    component = each.component
    name, version = component.raw.get("name"), component.raw.get("version")
    if each.lines:
        said = {"file": str(name), "lines": each.lines}
    else:
        said = {
            "installed_version": component.purl or f"{name} {version}",
            "fixed_version": each.fixed,
            "path": component.path,
        }
    if joinable:
        said["component"] = component.ref
    return {key: value for key, value in said.items() if value}
