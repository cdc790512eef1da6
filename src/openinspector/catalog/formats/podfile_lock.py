"""CocoaPods' lock file.

    PODS:
      - Alamofire (5.8.0)
      - Firebase/Core (10.15.0):
        - FirebaseAnalytics (~> 10.15.0)
    EXTERNAL SOURCES:
      MyPod:
        :path: "../MyPod"

A pod's parts (`Firebase/Core`) are one pod in one version, and are listed once.
Source: https://guides.cocoapods.org/using/using-cocoapods.html#what-is-podfilelock
"""

import re
from typing import Any, Final

from openinspector.catalog import safe_yaml
from openinspector.catalog.contract import MEGABYTE, File, Format, Reading, Wants
from openinspector.catalog.fetched import is_fetched
from openinspector.catalog.unparsed import unparsed
from openinspector.errors import CatalogError
from openinspector.model.package import Location, Package

_POD = re.compile(r"([^\s()]{1,300}) \(([^()\s]{1,200})[^()]{0,300}\)")  # `Name (1.0 from `../x`)` in old files


class PodfileLock:
    """Podfile.lock, and the copy beside the installed pods."""

    name = "cocoapods.lock"
    title = "Podfile.lock"
    type = "cocoapods"
    revision = 2
    wants = Wants(names=("Podfile.lock",), max_size=8 * MEGABYTE)

    def accepts(self, path: str) -> bool:
        """Every file of that name, but none of a fetched package."""
        return not is_fetched(path)

    def read(self, file: File) -> Reading:
        """The locked pods.

        Raises:
            CatalogError: It is no YAML, or not of this shape.
        """
        document = safe_yaml.load_text(file.data)
        if not isinstance(document, dict):
            raise CatalogError("it is no mapping")
        pods = document.get("PODS") or []
        if not isinstance(pods, list):
            raise CatalogError("its PODS are no list")
        packages: dict[tuple[str, str], Package] = {}
        unread: list[str] = []
        for each in pods:
            text = next(iter(each), "") if isinstance(each, dict) else each
            pod = _POD.fullmatch(text) if isinstance(text, str) else None
            if pod is None:
                unread.append(str(text))
                continue
            name, version = pod[1].partition("/")[0], pod[2]
            packages[name, version] = Package(
                type="cocoapods",
                name=name,
                version=version,
                location=Location(path=file.path),
                format=self.name,
                repository=_source(document, name),
            )
        return Reading(
            packages=tuple(packages.values()),
            problems=unparsed(file.path, self.name, "pods without a version", unread),
        )


def _source(document: dict[str, Any], name: str) -> str:
    """Where a pod comes from if not from the trunk: a repository or a folder."""
    sources = document.get("EXTERNAL SOURCES")
    source = sources.get(name) if isinstance(sources, dict) else None
    if not isinstance(source, dict):
        return ""
    return next(
        (value for key in (":git", ":http", ":podspec", ":path") if isinstance(value := source.get(key), str)), ""
    )


PLUGIN: Final[Format] = PodfileLock()
