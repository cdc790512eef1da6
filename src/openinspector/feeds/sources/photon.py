"""Photon OS: for each release, which version of a package fixed which CVE.

A row names a package without saying whether it is a source or a binary package: old rows name source packages only,
newer ones list the binary packages too (`curl`, `curl-libs`). A row is therefore said of both.

Source: https://github.com/vmware/photon/wiki/Security-Advisories,
https://github.com/vmware/photon/issues/1638
"""

from collections.abc import Iterator
from typing import Final, Literal

import msgspec
from msgspec import Struct

from openinspector.errors import FeedError
from openinspector.feeds.contract import Document, Feed, Record, Source
from openinspector.feeds.streams import UNREADABLE_JSON, content
from openinspector.feeds.text import is_cve, shown, without_zero_epoch
from openinspector.model.advisory import Advisory, Affected, Range, State
from openinspector.model.problem import Problem

# Since March 2026 the publisher has had a folder of documents that name no release, without these, and old mirrors of
# them are no longer brought up to date.
_BASE: Final = "https://packages.broadcom.com/photon/photon_cve_metadata/"
_KINDS: Final[tuple[Literal["source", "binary"], ...]] = ("source", "binary")
_NONE: Final = ("", "NA", "N/A")


class _Row(Struct):
    cve_id: str
    pkg: str
    aff_ver: str = ""
    res_ver: str = ""
    status: str = ""


class Photon:
    """Photon OS, a document a release."""

    name = "photon"
    title = "Photon OS"
    revision = 1
    repeats: Final = "add"
    sources = (
        *(
            Source(
                path=f"photon/cve_data_photon{release}.json",
                url=f"{_BASE}cve_data_photon{release}.json",
                optional=True,
            )
            for release in ("1.0", "2.0", "3.0", "4.0", "5.0")
        ),
        Source(path="photon/cve_data_photon*.json"),
    )

    def parse(self, document: Document) -> Iterator[Record]:
        """One advisory a CVE of the release."""
        release = document.path.rpartition("cve_data_photon")[2].removesuffix(".json")
        if not release.replace(".", "", 1).isdigit():
            raise FeedError(f"photon: {document.path}: its name has no release (cve_data_photon5.0.json)")
        namespace = f"photon:{release}"
        try:
            rows = msgspec.json.decode(content(document), type=list[msgspec.Raw])
        except UNREADABLE_JSON as error:
            raise FeedError(f"photon: {document.path}: {error}") from error
        decoder = msgspec.json.Decoder(_Row)
        concerned: dict[str, dict[Affected, None]] = {}
        for raw in rows:
            try:
                row = decoder.decode(raw)
                state, ranges = _judgement(row)
            except (*UNREADABLE_JSON, ValueError) as error:
                yield Problem(path=document.path, reason=str(error), format=self.name)
                continue
            for kind in _KINDS:
                affected = Affected(namespace=namespace, name=row.pkg, kind=kind, ranges=ranges, state=state)
                concerned.setdefault(row.cve_id, {})[affected] = None
        for cve, affected_packages in concerned.items():
            # A publisher's name for this statement doesn't exist, and the same CVE stands in each release's document.
            yield Advisory(
                id=f"PHOTON-{release}-{cve}",
                vulnerabilities=(cve,),
                url="https://github.com/vmware/photon/wiki/Security-Advisories",
                affected=tuple(affected_packages),
            )


def _judgement(row: _Row) -> tuple[State, tuple[Range, ...]]:
    """What a row says of its package.

    Raises:
        ValueError: It says nothing that makes sense.
    """
    if not is_cve(row.cve_id) or not row.pkg:
        raise ValueError(f"a row of the CVE {shown(row.cve_id)} and the package {shown(row.pkg)}")
    status = row.status.strip().lower()
    if status == "not affected":
        return "not_affected", ()
    if row.res_ver not in _NONE:
        return "affected", (Range(fixed=without_zero_epoch(row.res_ver)),)
    if status == "fixed" or row.aff_ver in _NONE:
        raise ValueError(f"{row.cve_id}: {row.pkg}: neither an affected nor a fixed version")
    return "affected", ()


PLUGIN: Final[Feed] = Photon()
