"""Dart's lock file.

    packages:
      http:
        dependency: "direct main"           # or "direct dev", "direct overridden", transitive
        description: {name: http, sha256: "5895…", url: "https://pub.dev"}
        source: hosted                      # or git, path, sdk
        version: "1.1.0"

Source: https://dart.dev/tools/pub/glossary#lockfile
"""

from typing import Final

from openinspector.catalog import safe_yaml
from openinspector.catalog.contract import MEGABYTE, File, Format, Reading, Wants
from openinspector.catalog.fetched import is_fetched
from openinspector.catalog.unparsed import unparsed
from openinspector.errors import CatalogError
from openinspector.model.package import Location, Package

_PUB = ("https://pub.dev", "https://pub.dartlang.org", "")


class PubspecLock:
    """pubspec.lock."""

    name = "pub.lock"
    title = "pubspec.lock"
    type = "pub"
    revision = 2
    wants = Wants(names=("pubspec.lock",), max_size=8 * MEGABYTE)

    def accepts(self, path: str) -> bool:
        """Every file of that name, but none of a fetched package."""
        return not is_fetched(path)

    def read(self, file: File) -> Reading:
        """The locked packages; parts of the SDK and the project's own folders are left out.

        Raises:
            CatalogError: It is no YAML, or not of this shape.
        """
        document = safe_yaml.load_text(file.data)
        entries = document.get("packages") if isinstance(document, dict) else None
        if not isinstance(entries, dict):
            if isinstance(document, dict) and not entries:
                return Reading()
            raise CatalogError("it has no mapping of packages")
        packages: list[Package] = []
        unread: list[str] = []
        for name, entry in entries.items():
            version = entry.get("version") if isinstance(entry, dict) else None
            if not isinstance(entry, dict) or not isinstance(version, str) or not version or not name:
                unread.append(name)
                continue
            if entry.get("source") in ("sdk", "path"):
                continue
            description = entry.get("description")
            about = description if isinstance(description, dict) else {}
            url, checksum = about.get("url"), about.get("sha256")
            packages.append(
                Package(
                    type="pub",
                    name=name,
                    version=version,
                    location=Location(path=file.path),
                    format=self.name,
                    dev=entry.get("dependency") == "direct dev",
                    repository=url if isinstance(url, str) and url.rstrip("/") not in _PUB else "",
                    digest=f"sha256:{checksum}" if isinstance(checksum, str) and len(checksum) == 64 else "",
                )
            )
        return Reading(
            packages=tuple(packages), problems=unparsed(file.path, self.name, "packages without a version", unread)
        )


PLUGIN: Final[Format] = PubspecLock()
