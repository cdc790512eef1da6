"""Bottlerocket: its update information (BRSA), the packages that its images were built from.

Source: https://github.com/bottlerocket-os/bottlerocket/blob/develop/SECURITY_FEATURES.md,
https://advisories.bottlerocket.aws
"""

from collections.abc import Iterator
from typing import Final

from openinspector.feeds.contract import Document, Feed, Record, Source
from openinspector.feeds.updateinfo import advisory, affected, updates
from openinspector.model.problem import Problem


class Bottlerocket:
    """Bottlerocket has no releases of its own in advisories: one namespace, `bottlerocket`."""

    name = "bottlerocket"
    title = "Bottlerocket"
    revision = 1
    repeats: Final = "add"
    sources = (
        Source(path="bottlerocket/updateinfo.xml.gz", url="https://advisories.bottlerocket.aws/updateinfo.xml.gz"),
    )

    def parse(self, document: Document) -> Iterator[Record]:
        """All advisories."""
        for update in updates(document, self.name):
            if isinstance(update, Problem):
                yield update
                continue
            page = next((each.href for each in update.references if each.id == update.id), "")
            yield advisory(update, affected(update.builds, "bottlerocket"), url=page)


PLUGIN: Final[Feed] = Bottlerocket()
