"""Composer's lock file.

    {"packages": [{"name": "monolog/monolog", "version": "3.4.0", "license": ["MIT"], "dist": {"shasum": "…"}}],
     "packages-dev": […]}

Source: https://getcomposer.org/doc/01-basic-usage.md#commit-your-composer-lock-file-to-version-control
"""

from typing import Final

from msgspec import Raw, Struct, field
from msgspec.json import Decoder

from openinspector.catalog import safe_json
from openinspector.catalog.composer_records import RECORD, package_of
from openinspector.catalog.contract import File, Format, Reading, Wants
from openinspector.catalog.fetched import is_fetched
from openinspector.catalog.unparsed import unparsed
from openinspector.model.package import Package


class _Lock(Struct, frozen=True):
    packages: list[Raw] | None = None
    dev: list[Raw] | None = field(default=None, name="packages-dev")


_LOCK: Final = Decoder(_Lock)


class ComposerLock:
    """composer.lock."""

    name = "composer.lock"
    title = "composer.lock"
    type = "composer"
    revision = 2
    wants = Wants(names=("composer.lock",))

    def accepts(self, path: str) -> bool:
        """Every file of that name, but none of a fetched package."""
        return not is_fetched(path)

    def read(self, file: File) -> Reading:
        """The locked packages.

        Raises:
            CatalogError: It is no JSON, or not of this shape.
        """
        lock = safe_json.document(file.data, _LOCK)
        packages: list[Package] = []
        unread: list[str] = []
        for section, records, dev in (("packages", lock.packages, False), ("packages-dev", lock.dev, True)):
            for index, record in safe_json.records(enumerate(records or ()), RECORD):
                if record is None or not record.name or not record.version:
                    unread.append(f"{section}[{index}]")
                    continue
                packages.append(package_of(record, path=file.path, format_=self.name, dev=dev))
        return Reading(
            packages=tuple(packages),
            problems=unparsed(file.path, self.name, "packages without name or version", unread),
        )


PLUGIN: Final[Format] = ComposerLock()
