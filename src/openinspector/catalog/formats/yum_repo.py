"""Where packages came from, as yum and dnf remember it, and which extras topics Amazon Linux 2 has enabled.

The fact `from_repo` maps a package (`catalog/repositories.py` knows how it is written) to the id of its repository; the
fact `repositories` has the enabled topics (`docker`) and the ids of their repositories (`amzn2extra-docker`).
"""

import re
from typing import Final

from openinspector.catalog.contract import MEGABYTE, File, Format, Reading, Wants
from openinspector.catalog.rpm import sqlite
from openinspector.model.problem import Problem

_YUMDB = "var/lib/yum/yumdb/"
_EXTRAS = "etc/yum.repos.d/amzn2-extras.repo"
_HISTORY = "var/lib/dnf/history.sqlite"
_LAST_USE = """
    SELECT rpm.name, rpm.epoch, rpm.version, rpm.release, rpm.arch, repo.repoid
    FROM trans_item JOIN rpm ON rpm.item_id = trans_item.item_id JOIN repo ON repo.id = trans_item.repo_id
    ORDER BY trans_item.id
"""


class FromRepo:
    """yum's notes, one folder a package: `yumdb/d/<checksum>-docker-20.10.7-1.amzn2-x86_64/from_repo`."""

    name = "yum.from_repo"
    title = "yum's notes of repositories"
    type = ""
    revision = 1
    wants = Wants(names=("from_repo",), max_size=MEGABYTE)

    def accepts(self, path: str) -> bool:
        """The notes of yum only."""
        return path.startswith(_YUMDB)

    def read(self, file: File) -> Reading:
        """One package and its repository."""
        folder = file.path.split("/")[-2]
        package = folder.partition("-")[2]
        repository = file.text()[:1000].strip()
        return Reading(facts=(("from_repo", {package: repository}),) if package and repository else ())


class AmazonExtras:
    """The sections of `amzn2-extras.repo` that are enabled."""

    name = "yum.amazon-extras"
    title = "Amazon Linux 2 extras topics"
    type = ""
    revision = 1
    wants = Wants(paths=(_EXTRAS,), max_size=MEGABYTE)

    def accepts(self, path: str) -> bool:
        """The one file."""
        return path == _EXTRAS

    def read(self, file: File) -> Reading:
        """The enabled topics; the sections of sources and debug information are no topics."""
        topics = {}
        section = ""
        for line in file.text().splitlines():
            if match := re.match(r"\[([^\]]+)\]", line):
                section = match[1]
            elif re.match(r"enabled\s*=\s*(1|true|yes)\s*$", line, re.IGNORECASE) and section.startswith("amzn2extra-"):
                topic = section.removeprefix("amzn2extra-")
                if not topic.endswith(("-source", "-debuginfo")):
                    topics[topic] = section
        return Reading(facts=(("repositories", topics),) if topics else ())


class DnfHistory:
    """dnf's history: the repository of each package in the last transaction that touched it."""

    name = "dnf.history"
    title = "dnf history"
    type = ""
    revision = 1
    wants = Wants(paths=(_HISTORY,), beside=("history.sqlite-wal",))

    def accepts(self, path: str) -> bool:
        """The one file."""
        return path == _HISTORY

    def read(self, file: File) -> Reading:
        """Each package's repository; a broken history costs no package, and is told as a small problem."""
        damage: list[str] = []
        found = {}
        wal = file.beside.get("history.sqlite-wal", b"")
        for name, epoch, version, release, arch, repository in sqlite.rows(
            file.data, wal, _LAST_USE, ("trans_item", "rpm", "repo"), damage
        ):
            prefix = f"{epoch}:" if epoch else ""
            found[f"{name}-{prefix}{version}-{release}.{arch}"] = str(repository)
        problems = tuple(Problem(path=file.path, reason=reason, format=self.name) for reason in damage)
        return Reading(facts=(("from_repo", found),) if found else (), problems=problems)


PLUGINS: Final[tuple[Format, ...]] = (FromRepo(), AmazonExtras(), DnfHistory())
