"""What Composer installed.

    vendor/composer/installed.json
    Composer 1:  [{"name": "monolog/monolog", "version": "1.27.1"}, …]
    Composer 2:  {"packages": […], "dev": true, "dev-package-names": ["phpunit/phpunit"]}

Source: https://getcomposer.org/upgrade/UPGRADE-2.0.md
"""

from typing import Final

from msgspec import Raw, Struct, field
from msgspec.json import Decoder

from openinspector.catalog import safe_json
from openinspector.catalog.composer_records import RECORD, package_of
from openinspector.catalog.contract import File, Format, Reading, Wants
from openinspector.catalog.unparsed import unparsed
from openinspector.model.package import Package


class _Installed(Struct, frozen=True):
    packages: list[Raw] = []
    dev_names: frozenset[str] = field(default=frozenset(), name="dev-package-names")


_INSTALLED: Final = Decoder(_Installed | list[Raw])


class ComposerInstalled:
    """installed.json."""

    name = "composer.installed"
    title = "Composer's installed.json"
    type = "composer"
    revision = 1
    wants = Wants(names=("installed.json",))

    def accepts(self, path: str) -> bool:
        """Only in the folder that Composer keeps for itself."""
        return path.endswith("/composer/installed.json") or path == "composer/installed.json"

    def read(self, file: File) -> Reading:
        """The installed packages.

        Raises:
            CatalogError: It is no JSON, or not of this shape.
        """
        installed = safe_json.document(file.data, _INSTALLED)
        if isinstance(installed, list):
            installed = _Installed(packages=installed)
        packages: list[Package] = []
        unread: list[str] = []
        for index, record in safe_json.records(enumerate(installed.packages), RECORD):
            if record is None or not record.name or not record.version:
                unread.append(f"packages[{index}]")
                continue
            dev = record.name in installed.dev_names
            packages.append(package_of(record, path=file.path, format_=self.name, dev=dev))
        return Reading(
            packages=tuple(packages),
            problems=unparsed(file.path, self.name, "packages without name or version", unread),
        )


PLUGIN: Final[Format] = ComposerInstalled()
