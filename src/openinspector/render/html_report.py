"""A report as one HTML file for people: nothing to load, nothing that runs, good on a screen, a telephone and paper.

Names come from whoever made the artifact: all text is escaped, what nobody can see is shown as a replacement
character, and a content security policy in the page forbids everything but its own style.
"""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from hashlib import sha256
from html import escape
from typing import Final

from openinspector.model.match import SEVERITIES, Finding, Report, SeverityWord
from openinspector.model.package import Package
from openinspector.render.components import components, places, reference, system_name
from openinspector.render.evidence import evidence_line
from openinspector.render.html_style import STYLE
from openinspector.render.statement import statement_line
from openinspector.render.text import cut, one_line, page_of, visible, web_addresses

_MOST_ADDRESSES: Final = 12
_LONGEST: Final = 1500


def render(report: Report) -> str:
    """The page."""
    shown = [each for each in report.findings if not each.suppressed]
    hidden = [each for each in report.findings if each.suppressed]
    name = report.inventory.target.name or report.inventory.target.kind
    policy = f"default-src 'none'; style-src 'sha256-{b64encode(sha256(STYLE.encode()).digest()).decode()}'"
    lines = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        f"<meta http-equiv=\"Content-Security-Policy\" content=\"{policy}; base-uri 'none'; form-action 'none'\">",
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="referrer" content="no-referrer">',
        f"<title>{_text(name)}: vulnerabilities</title>",
        f"<style>{STYLE}</style>",
        "</head>",
        "<body>",
        *_header(report, name, hidden),
        '<main id="main">',
        *_summary(report, shown, hidden),
        *_findings(report, shown),
        *_suppressed(report, hidden),
        *_doubts(report),
        *_inventory(report),
        "</main>",
        *_footer(report),
        "</body>",
        "</html>",
    ]
    return "\n".join(lines) + "\n"


def _text(text: str) -> str:
    """One line of text, harmless everywhere in a page, in attributes too."""
    return escape(visible(one_line(text)))


def _paragraph(text: str) -> str:
    """Text with its line breaks."""
    return escape("\n".join(visible(each) for each in text.strip().splitlines()))


def _header(report: Report, name: str, hidden: Sequence[Finding]) -> Iterable[str]:
    inventory = report.inventory
    target = inventory.target
    said = [target.kind, system_name(inventory.distribution) or "no distribution", target.platform]
    said.append(_many(len(inventory.packages), "package"))
    if target.layers:
        said.append(_many(len(target.layers), "layer"))
    if report.scanned_at:
        said.append(f"scanned {report.scanned_at[:16].replace('T', ' ')} UTC")
    yield '<a class="skip" href="#main">Skip to the report</a>'
    yield "<header>"
    yield f"<h1><bdi>{_text(name)}</bdi></h1>"
    yield f'<p class="quiet">{_text(" · ".join(each for each in said if each))}</p>'
    if target.digest:
        yield f'<p class="quiet small"><code>{_text(target.digest)}</code></p>'
    yield '<nav aria-label="Sections"><ul>'
    yield '<li><a href="#summary">Summary</a></li><li><a href="#findings">Findings</a></li>'
    if hidden:
        yield '<li><a href="#suppressed">Suppressed</a></li>'
    if report.undecided or inventory.problems:
        yield '<li><a href="#doubts">Doubts</a></li>'
    yield '<li><a href="#inventory">Inventory</a></li>'
    yield "</ul></nav>"
    yield "</header>"


def _summary(report: Report, shown: Sequence[Finding], hidden: Sequence[Finding]) -> Iterable[str]:
    counts = {word: sum(1 for each in shown if each.severity == word) for word in SEVERITIES}
    yield '<section aria-labelledby="summary">'
    yield '<h2 id="summary">Summary</h2>'
    yield '<ul class="tiles">'
    for word, count in counts.items():
        yield f'<li class="{word}"><b>{count}</b><span>{word}</span></li>'
    yield "</ul>"
    facts = [
        _many(len({each.vulnerability.id for each in shown}), "vulnerability", "vulnerabilities"),
        f"{sum(1 for each in shown if each.match.fixed_version)} of {len(shown)} findings can be fixed by an update",
    ]
    exploited = len({each.vulnerability.id for each in shown if each.vulnerability.kev is not None})
    if exploited:
        facts.append(f"{exploited} known to be exploited")
    known = sum(1 for each in shown if each.known_since)
    if known:
        facts.append(f"{known} known from the baseline")
    if hidden:
        facts.append(f"{len(hidden)} suppressed")
    yield f'<ul class="facts">{"".join(f"<li>{each}</li>" for each in facts)}</ul>'
    notices = list(report.notes)
    if report.inventory.status != "whole":
        notices.insert(0, f"This is a {report.inventory.status} scan: packages may be missing below.")
    if notices:
        yield f'<div class="notice"><ul>{"".join(f"<li>{_text(each)}</li>" for each in notices)}</ul></div>'
    yield "</section>"


def _findings(report: Report, shown: Sequence[Finding]) -> Iterable[str]:
    groups: dict[str, list[Finding]] = {}
    for each in shown:
        groups.setdefault(reference(each.match.package, report.inventory.distribution), []).append(each)
    yield '<section aria-labelledby="findings">'
    yield '<h2 id="findings">Findings</h2>'
    if not shown:
        yield "<p>No known vulnerabilities.</p>"
    for ref, findings in sorted(groups.items(), key=_worst_first):
        yield from _package(ref, findings)
    yield "</section>"


def _worst_first(group: tuple[str, list[Finding]]) -> tuple[int, int, str]:
    ref, findings = group
    return min(SEVERITIES.index(each.severity) for each in findings), -len(findings), ref


def _package(ref: str, findings: Sequence[Finding]) -> Iterable[str]:
    package = findings[0].match.package
    marks = '<span class="mark calm">development only</span>' if package.dev else ""
    said = [f"<code>{_text(each)}</code>" for each in places(each.match.package for each in findings)]
    if package.source is not None and package.source.name != package.name:
        said.append(f"built from {_text(package.source.name)}")
    if package.owner:
        said.append(f"owned by {_text(package.owner)}")
    yield '<article class="package">'
    version = f'<span class="version"><bdi>{_text(package.version)}</bdi></span>'
    yield f"<h3><bdi>{_text(package.name)}</bdi> {version} {marks}</h3>"
    yield f'<p class="quiet">{" · ".join(dict.fromkeys(said)) or _text(ref)}</p>'
    advice = list(dict.fromkeys(each.remediation for each in findings if each.remediation))
    if advice:
        yield f'<p class="fix">To fix: {", ".join(f"<code>{_text(each)}</code>" for each in advice)}</p>'
    yield '<table class="flaws">'
    yield "<thead><tr>"
    for title in ("Severity", "Vulnerability", "About", "Score", "EPSS", "Fixed in"):
        yield f'<th scope="col" class="{title.lower().replace(" ", "-")}">{title}</th>'
    yield "</tr></thead>"
    yield "<tbody>"
    # The same flaw of the same package in another place says nothing new.
    first: dict[str, Finding] = {}
    for each in findings:
        first.setdefault(each.vulnerability.id, each)
    for each in first.values():
        yield from _row(each)
    yield "</tbody></table>"
    yield "</article>"


def _row(finding: Finding) -> Iterable[str]:
    match, about = finding.match, finding.vulnerability
    score = f"{finding.score:.1f}" if finding.score is not None else ""
    epss = f"{about.epss.score:.1%}" if about.epss is not None else ""
    fixed = _text(match.fixed_version or {"affected": "no fix yet"}.get(match.state, match.state.replace("_", " ")))
    yield "<tr>"
    yield f'<td class="severity">{_badge(finding.severity)}</td>'
    yield f'<td class="identity">{_link(about.id, about.url)}</td>'
    yield f"<td>{_about(finding)}</td>"
    yield f'<td class="number" data-label="Score">{score}</td>'
    yield f'<td class="number" data-label="EPSS">{epss}</td>'
    yield f'<td data-label="Fixed in"><bdi>{fixed}</bdi></td>'
    yield "</tr>"


def _badge(severity: SeverityWord) -> str:
    return f'<span class="badge {severity}">{severity}</span>'


def _link(vulnerability: str, address: str = "") -> str:
    page = page_of(vulnerability, address)
    if not page:
        return _text(vulnerability)
    return f'<a href="{escape(page)}" rel="noopener noreferrer">{_text(vulnerability)}</a>'


def _about(finding: Finding) -> str:
    """The title, what marks the flaw, and why we think the package has it."""
    about = finding.vulnerability
    parts = [f"<bdi>{_text(cut(about.title or about.description, 200))}</bdi>"]
    if about.malicious:
        parts.append('<span class="mark">malware</span>')
    if about.kev is not None:
        parts.append('<span class="mark">known to be exploited</span>')
    elif about.exploits:
        parts.append('<span class="mark">public exploit</span>')
    if about.nickname:
        parts.append(f'<span class="mark calm">{_text(about.nickname)}</span>')
    if finding.known_since:
        parts.append(f'<span class="mark calm">known since {_text(finding.known_since[:10])}</span>')
    if finding.vex:
        parts.append(f'<span class="mark calm">VEX: {_text(finding.vex[0].status.replace("_", " "))}</span>')
    return " ".join(parts) + "<details><summary>Why</summary>" + _why(finding) + "</details>"


def _why(finding: Finding) -> str:
    match, about = finding.match, finding.vulnerability
    said = [("Compared", "<br>".join(_text(evidence_line(each)) for each in match.evidence))]
    if finding.vex:
        said.append(("VEX", "<br>".join(_text(statement_line(each)) for each in finding.vex)))
    whose = f"{finding.severity}, {_by(finding.severity_source)}"
    said.append(("Severity", _text(whose)))
    if finding.score is not None:
        said.append(
            ("Score", f"{finding.score:.1f}, {_text(_by(finding.score_source))}, <code>{_text(finding.vector)}</code>")
        )
    if about.epss is not None and about.epss.percentile is not None:
        likelihood = f"{about.epss.score:.2%} within 30 days, more than {about.epss.percentile:.2%} of all"
        said.append(("Likelihood", f"{likelihood} ({_text(about.epss.date)})" if about.epss.date else likelihood))
    if about.kev is not None:
        said.append(("Exploited", _text(f"since {about.kev.date_added}. {about.kev.required_action}")))
    if about.exploits:
        said.append(("Exploits", _text("; ".join(f"{each.source} {' '.join(each.ids)}" for each in about.exploits))))
    names = [*about.aliases, *(each for each in match.related if each not in about.aliases)]
    if names:
        said.append(("Also", _text(", ".join(names))))
    if about.cwes:
        said.append(("Weakness", _text(", ".join(about.cwes))))
    if about.published:
        said.append(("Published", _text(about.published[:10])))
    addresses = web_addresses(about.references)[:_MOST_ADDRESSES]
    if addresses:
        links = (f'<a href="{escape(each)}" rel="noopener noreferrer">{_text(each)}</a>' for each in addresses)
        said.append(("References", "<br>".join(links)))
    text = f'<p class="text">{_paragraph(cut(about.description, _LONGEST))}</p>' if about.description else ""
    return text + "<dl>" + "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in said) + "</dl>"


def _by(source: str) -> str:
    return {"CVSS": "by the score", "malware": "because it is malware", "": "nobody's word"}.get(source, f"by {source}")


def _suppressed(report: Report, hidden: Sequence[Finding]) -> Iterable[str]:
    if not hidden:
        return
    yield '<section aria-labelledby="suppressed">'
    yield '<h2 id="suppressed">Suppressed</h2>'
    rows = (
        (
            _badge(each.severity),
            _link(each.vulnerability.id, each.vulnerability.url),
            f"<bdi>{_text(each.match.package.name)} {_text(each.match.package.version)}</bdi>",
            _text(str(each.suppressed)),
        )
        for each in hidden
    )
    yield from _table(("Severity", "Vulnerability", "Package", "Reason"), rows)
    yield "</section>"


def _doubts(report: Report) -> Iterable[str]:
    problems = report.inventory.problems
    if not report.undecided and not problems:
        return
    yield '<section aria-labelledby="doubts">'
    yield '<h2 id="doubts">Doubts</h2>'
    if report.undecided:
        yield f"<p>{_many(len(report.undecided), 'question')} could not be decided. That is no clean bill.</p>"
        rows = (
            (
                f"<bdi>{_text(f'{each.package.name or each.package.location.path} {each.package.version}')}</bdi>",
                _link(each.vulnerability) if each.vulnerability else "all",
                _text(each.reason),
            )
            for each in report.undecided
        )
        yield from _table(("Package", "Vulnerability", "Reason"), rows)
    if problems:
        count = sum(each.count for each in problems)
        yield f"<p>{_many(count, 'line or file', 'lines or files')} could not be read.</p>"
        rows_of_problems = (
            (
                f"<code>{_text(each.path)}</code>",
                _text(each.reason),
                str(each.count),
                "packages may be missing" if each.partial else "",
            )
            for each in problems
        )
        yield from _table(("File", "Reason", "Times", "Means"), rows_of_problems)
    yield "</section>"


def _inventory(report: Report) -> Iterable[str]:
    known = components(report)
    counts: dict[str, int] = {}
    for packages in known.values():
        counts[packages[0].type] = counts.get(packages[0].type, 0) + 1
    yield '<section aria-labelledby="inventory">'
    yield '<h2 id="inventory">Inventory</h2>'
    if counts:
        yield f"<p>{_text(', '.join(f'{count} {kind}' for kind, count in sorted(counts.items())))}</p>"
        yield "<details><summary>All packages</summary>"
        ordered = sorted(known.values(), key=lambda each: (each[0].type, each[0].name.lower(), each[0].version))
        yield from _table(("Package", "Version", "Type", "Found in"), map(_entry, ordered))
        yield "</details>"
    else:
        yield "<p>No packages were found.</p>"
    yield "</section>"


def _entry(packages: Sequence[Package]) -> tuple[str, ...]:
    first = packages[0]
    paths = places(packages)
    more = f" and {len(paths) - 3} more" if len(paths) > 3 else ""
    return (
        f"<bdi>{_text(first.name) or '(no name)'}</bdi>",
        f"<bdi>{_text(first.version)}</bdi>",
        _text(first.type),
        "<br>".join(f"<code>{_text(each)}</code>" for each in paths[:3]) + more,
    )


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterable[str]:
    """A table of cells that are markup already."""
    yield "<table><thead><tr>" + "".join(f'<th scope="col">{each}</th>' for each in titles) + "</tr></thead><tbody>"
    for row in rows:
        cells = (f'<td data-label="{title}">{cell}</td>' for title, cell in zip(titles, row, strict=True))
        yield "<tr>" + "".join(cells) + "</tr>"
    yield "</tbody></table>"


def _footer(report: Report) -> Iterable[str]:
    said = [f"openinspector {report.tool_version}".strip()]
    said += [f"{name} {value}" for name, value in report.database]
    yield f"<footer><p>{_text(' · '.join(said))}</p></footer>"


def _many(count: int, one: str, many: str = "") -> str:
    return f"{count} {one if count == 1 else many or f'{one}s'}"
