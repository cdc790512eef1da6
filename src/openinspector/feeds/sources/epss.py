"""EPSS: for each CVE, how probable its exploitation within 30 days is.

Three forms are served: since 2022-02 a comment line (`#model_version:…,score_date:…`), a header and three columns;
from 2021-09 without the comment; before that without the percentile too.

Source: https://www.first.org/epss/data_stats
"""

from collections.abc import Iterator
from typing import Final

from openinspector.errors import FeedError
from openinspector.feeds.contract import Document, Feed, Record, Source
from openinspector.feeds.streams import content
from openinspector.model.enrichment import Epss as Probability
from openinspector.model.problem import Problem

_HEADERS: Final = (b"cve,epss,percentile", b"cve,epss")
_MAX_BYTES: Final = 512 << 20


class Epss:
    """The daily file of the Exploit Prediction Scoring System."""

    name = "epss"
    title = "EPSS"
    revision = 1
    repeats: Final = "add"
    sources = (
        Source(
            path="epss/epss_scores-current.csv.gz",
            url="https://epss.empiricalsecurity.com/epss_scores-current.csv.gz",
        ),
        Source(path="epss/epss_scores-*.csv*"),
    )

    def parse(self, document: Document) -> Iterator[Record]:
        """One probability a CVE."""
        lines = content(document, _MAX_BYTES).split(b"\n")
        comment = lines[0].decode("utf-8", "replace").strip() if lines[0].startswith(b"#") else ""
        start = 1 if comment else 0
        if len(lines) <= start or lines[start].strip().lower() not in _HEADERS:
            raise FeedError(f"epss: {document.path}: has no header `cve,epss,percentile`")
        date = _date(comment) or _date_of_name(document.path)
        broken = 0
        for line in lines[start + 1 :]:
            name, _, rest = line.partition(b",")
            score, _, percentile = rest.partition(b",")
            try:
                probability = float(score)
                rank = float(percentile) if percentile else None
                # A comparison with a NaN is false.
                if not (
                    name.startswith(b"CVE-") and 0.0 <= probability <= 1.0 and (rank is None or 0.0 <= rank <= 1.0)
                ):
                    broken += 1
                    continue
                yield Probability(vulnerability=name.decode("ascii"), score=probability, percentile=rank, date=date)
            except ValueError:
                broken += bool(line.strip())
        if broken:
            yield Problem(path=document.path, reason="lines that are no score", format=self.name, count=broken)


def _date(comment: str) -> str:
    """`2026-07-19` of `#model_version:v2025.03.14,score_date:2026-07-19T00:00:00Z`."""
    return comment.partition("score_date:")[2][:10]


def _date_of_name(path: str) -> str:
    """`2021-04-14` of `epss/epss_scores-2021-04-14.csv.gz`; "" where the name has no date."""
    day = path.rpartition("epss_scores-")[2][:10]
    return day if day.replace("-", "").isdigit() and len(day) == 10 else ""


PLUGIN: Final[Feed] = Epss()
