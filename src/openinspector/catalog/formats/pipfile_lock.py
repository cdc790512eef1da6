"""Pipenv's lock file.

    {"_meta": {…}, "default": {"requests": {"version": "==2.31.0", "hashes": ["sha256:…"]}}, "develop": {…}}

Source: https://github.com/pypa/pipfile#pipfilelock
"""

from typing import Final

from msgspec import Raw, Struct
from msgspec.json import Decoder

from openinspector.catalog import safe_json
from openinspector.catalog.contract import File, Format, Reading, Wants
from openinspector.catalog.fetched import is_fetched
from openinspector.catalog.python_projects import is_for_development, only_hash
from openinspector.catalog.unparsed import unparsed
from openinspector.model.package import Location, Package


class _Entry(Struct, frozen=True):
    version: str = ""
    hashes: tuple[str, ...] = ()


_LOCK: Final = Decoder(dict[str, Raw])
_CATEGORY: Final = Decoder(dict[str, Raw])
_ENTRY: Final = Decoder(_Entry)


class PipfileLock:
    """Pipfile.lock."""

    name = "pypi.pipfile-lock"
    title = "Pipfile.lock"
    type = "pypi"
    revision = 2
    wants = Wants(names=("Pipfile.lock",))

    def accepts(self, path: str) -> bool:
        """Every file of that name, but none of a fetched package."""
        return not is_fetched(path)

    def read(self, file: File) -> Reading:
        """The packages of every category; `develop` and its like are for development.

        Raises:
            CatalogError: It is no JSON object of objects.
        """
        packages: dict[tuple[str, str], Package] = {}
        unread: list[str] = []
        for category, raw in safe_json.document(file.data, _LOCK).items():
            if category == "_meta":
                continue
            dev = is_for_development(category)
            entries = safe_json.document(bytes(raw), _CATEGORY)
            for name, entry in safe_json.records(entries.items(), _ENTRY):
                version = entry.version.lstrip("=").strip() if entry else ""
                # Repositories and local folders have no version there.
                if entry is None or not version or not name:
                    unread.append(name)
                    continue
                known = packages.get((name, version))
                if known is None or (known.dev and not dev):
                    packages[name, version] = Package(
                        type="pypi",
                        name=name,
                        version=version,
                        location=Location(path=file.path),
                        format=self.name,
                        dev=dev,
                        digest=only_hash(entry.hashes),
                    )
        return Reading(
            packages=tuple(packages.values()),
            problems=unparsed(file.path, self.name, "entries without an exact version", unread),
        )


PLUGIN: Final[Format] = PipfileLock()
