"""RubySec: advisories of gems and of Ruby's implementations, in YAML.

    gem: rails                      # or engine: ruby
    cve: 2022-32224                 # without its prefix; or absent
    ghsa: 3hhc-qp5v-9p2j
    patched_versions: [">= 7.0.3.1", "~> 6.1.6, >= 6.1.6.1"]
    unaffected_versions: ["< 2.0"]

What is neither patched nor unaffected is affected.

Source: https://github.com/rubysec/ruby-advisory-db
"""

from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec import Struct

from openinspector.errors import FeedError, VersionError
from openinspector.feeds.contract import Document, Feed, Record, Source
from openinspector.feeds.intervals import Interval, gem_interval, without
from openinspector.feeds.streams import zip_members
from openinspector.feeds.yaml_records import text_or_nothing, yaml_record
from openinspector.model.advisory import Advisory, Affected, Range
from openinspector.model.problem import Problem

_FOLDERS: Final = ("gems", "rubies")


class _Related(Struct, frozen=True):
    url: list[str] | None = None


class _Record(Struct, frozen=True):
    gem: str | None = None
    engine: str | None = None
    cve: str | None = None
    ghsa: str | None = None
    osvdb: str | None = None
    url: str | None = None
    title: str | None = None
    date: str | None = None
    description: str | None = None
    platform: str | None = None
    patched_versions: list[str] | None = None
    unaffected_versions: list[str] | None = None
    # Scores without a vector say nothing about the environment, so they are left out.
    related: _Related | str | None = None


class RubySec:
    """RubySec's advisories; gems in namespace `gem`, engines (`ruby`, `jruby`, `mruby`) in `generic`."""

    name = "rubysec"
    title = "RubySec advisory database"
    revision = 2
    repeats: Final = "add"
    sources = (
        Source(
            path="rubysec/ruby-advisory-db.zip",
            url="https://github.com/rubysec/ruby-advisory-db/archive/master.zip",
        ),
    )

    def parse(self, document: Document) -> Iterator[Record]:
        """The advisories of the database's archive."""
        for name, data in zip_members(document, ".yml"):
            parts = name.split("/")
            if len(parts) < 3 or parts[-3] not in _FOLDERS:
                continue
            try:
                record = msgspec.convert(yaml_record(data), _Record)
                advisory = _advisory(record, "/".join(parts[-3:]).removesuffix(".yml"))
            except (FeedError, VersionError, msgspec.ValidationError) as error:
                yield Problem(path=document.path, reason=f"{name[:200]}: {error}", format=self.name)
                continue
            if advisory is not None:
                yield advisory


def _advisory(record: _Record, identifier: str) -> Advisory | None:
    """The advisory at a place, `gems/rails/CVE-2022-32224`; None where no version is affected."""
    gem, engine = text_or_nothing(record.gem), text_or_nothing(record.engine)
    if not gem and not engine:
        raise FeedError("neither a gem nor an engine")
    ranges = _ranges(record)
    if ranges is None:
        return None
    cve, ghsa, osvdb = (text_or_nothing(each) for each in (record.cve, record.ghsa, record.osvdb))
    aliases = [f"GHSA-{ghsa}"] if ghsa else []
    if osvdb:
        aliases.append(f"OSVDB-{osvdb}")
    platform = text_or_nothing(record.platform)
    links = record.related.url or [] if isinstance(record.related, _Related) else []
    date = text_or_nothing(record.date)
    return Advisory(
        id=identifier,
        vulnerabilities=(f"CVE-{cve}",) if cve else tuple(aliases[:1]),
        aliases=tuple(aliases if cve else aliases[1:]),
        title=text_or_nothing(record.title),
        description=text_or_nothing(record.description)[:2000],
        references=tuple(dict.fromkeys(each for each in (text_or_nothing(record.url), *links) if each))[:20],
        url=f"https://github.com/rubysec/ruby-advisory-db/blob/master/{identifier}.yml",
        published=f"{date}T00:00:00Z" if len(date) == 10 else "",
        affected=(
            Affected(
                namespace="gem" if gem else "generic",
                name=gem or engine,
                ranges=ranges,
                note=f"on {platform} only" if platform else "",
            ),
        ),
    )


def _ranges(record: _Record) -> tuple[Range, ...] | None:
    from openinspector.versions.order import scheme

    key = scheme("gem").key
    requirements = (*(record.patched_versions or ()), *(record.unaffected_versions or ()))
    return without([Interval()], [gem_interval(each, key) for each in requirements], key)


PLUGIN: Final[Feed] = RubySec()
