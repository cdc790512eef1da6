"""Fedora: the update information of each release, binary packages.

An update names its flaws in the titles of the bugs that it closes, rarely as references of their own. Only security
updates are read: the others say nothing of flaws.

Source: https://bodhi.fedoraproject.org/docs/user/index.html
"""

from collections.abc import Iterator
from typing import Final

from openinspector.feeds.contract import Document, Feed, Record, Source
from openinspector.feeds.updateinfo import Update, advisory, affected, on_every_architecture, updates
from openinspector.model.problem import Problem

# The project's own servers: a mirror of somebody's could leave updates out, and the information isn't signed.
_LOOKED_AFTER: Final = "https://dl.fedoraproject.org/pub/fedora/linux/updates/{release}/Everything/x86_64"
_PAST: Final = "https://archives.fedoraproject.org/pub/archive/fedora/linux/updates/{release}/Everything/x86_64"
# As of 2026-11. A release moves to the archives some time after its end.
_RELEASES: Final = {
    **dict.fromkeys((40, 41, 42), _PAST),
    **dict.fromkeys((43, 44, 45), _LOOKED_AFTER),
}


class Fedora:
    """Fedora Linux; Extra Packages for Enterprise Linux are in the same kind of document and are left out."""

    name = "fedora"
    title = "Fedora"
    revision = 1
    repeats: Final = "add"
    sources = (
        *(
            Source(
                path=f"fedora/{release}/updateinfo.xml.gz",
                url=place.format(release=release),
                how="yum-repository",
                optional=release != 44,
            )
            for release, place in _RELEASES.items()
        ),
        Source(path="fedora/*/updateinfo.xml*"),
    )

    def parse(self, document: Document) -> Iterator[Record]:
        """The security updates of one release."""
        elsewhere = 0
        for update in updates(document, self.name):
            if isinstance(update, Problem):
                yield update
                continue
            if update.type != "security":
                continue
            release = _release(update)
            if not release:
                elsewhere += 1
            elif not update.builds:
                yield Problem(path=document.path, reason=f"{update.id}: names no packages", format=self.name)
            else:
                # A repository holds the builds of one architecture; the others got the same versions.
                concerned = on_every_architecture(affected(update.builds, f"fedora:{release}"))
                yield advisory(update, concerned, url=f"https://bodhi.fedoraproject.org/updates/{update.id}")
        if elsewhere:
            reason = "updates of other products than a Fedora release"
            yield Problem(path=document.path, reason=reason, format=self.name, count=elsewhere)


def _release(update: Update) -> str:
    """`43` of the package list `F43`, also of the modular one (`F38M`); "" for other products (`EL-9`)."""
    for short in update.collections:
        number = short.removeprefix("F").removesuffix("M")
        if short.startswith("F") and number.isascii() and number.isdigit():
            return number
    return ""


PLUGIN: Final[Feed] = Fedora()
