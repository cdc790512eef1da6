"""Which Maven artifact an archive without `pom.properties` is, judged by its file name and its manifest."""

import re
from collections.abc import Mapping
from itertools import takewhile

from msgspec import Struct

from openinspector.catalog.java.known_groups import known_group, likely_group

# What may follow the digits of a version behind a hyphen; anything else there is a classifier (`hive-exec-2.3.9-core`).
_QUALIFIER = re.compile(
    r"(?:\d[\w.+]*|(?:alpha|beta|rc|cr|m|b|pre|preview|snapshot|release|final|ga|sp|jre|android|incubating|redhat|fuse"
    r"|build|patch|p|r|rev|jdk|java|hadoop|public|SNAPSHOT)[\d.]*)\Z",
    re.IGNORECASE,
)
_LONGEST = 255  # of a file name; longer ones are not taken apart
_HYPHEN = re.compile(r"-(?=v?\d)")
_BUNDLE = re.compile(r"([^_]+)_(\d+\.\d[\w.-]*)\Z")  # OSGi: `org.apache.commons.io_2.8.0`
_GROUP = re.compile(r"[A-Za-z_][\w-]{0,99}(?:\.[A-Za-z_0-9][\w-]{0,99}){1,20}\Z")
_VERSION = re.compile(r"v?\d[\w.+~-]{0,127}\Z")
_SCALA_SUFFIX = re.compile(r"_(?:2\.1[0-9]|3)\Z")
_OSGI = re.compile(r"(\d+\.\d+\.\d+)\.(?:v?\d{8,}[\w-]*|v\d[\w-]*)\Z")  # a build's time stamp behind the version

# Names of organisations under which many groups live: too little to be a group.
_UMBRELLAS = frozenset(
    {
        "org.apache",
        "com.google",
        "com.sun",
        "com.oracle",
        "com.github",
        "io.github",
        "org.eclipse",
        "com.ibm",
        "org.codehaus",
    }
)
# The files of Apache's server are not called as its artifacts are; its launcher stands for the server as a whole.
_TOMCAT = {
    "bootstrap": "tomcat",
    "catalina": "tomcat-catalina",
    "catalina-ant": "tomcat-catalina-ant",
    "catalina-ha": "tomcat-catalina-ha",
    "catalina-ssi": "tomcat-ssi",
    "catalina-storeconfig": "tomcat-storeconfig",
    "catalina-tribes": "tomcat-tribes",
    "jasper": "tomcat-jasper",
    "jasper-el": "tomcat-jasper-el",
}
_REVERSED = ("com.", "org.", "net.", "io.", "dev.", "de.", "fr.", "ch.", "uk.")


class Artifact(Struct, frozen=True, kw_only=True):
    """Maven coordinates; `group` is "" where it could not be told."""

    group: str
    artifact: str
    version: str

    @property
    def name(self) -> str:
        """`group:artifact`, or the bare artifact."""
        return f"{self.group}:{self.artifact}" if self.group else self.artifact


def split_file_name(stem: str) -> tuple[str, str]:
    """Artifact and version of a file name without its ending; the version is "" where there is none.

    `log4j-1.2-api-2.17.2` is version 2.17.2 of `log4j-1.2-api`: the version starts at the first digit after a hyphen
    behind which nothing but parts of a version follows. `hive-exec-2.3.9-core` has no such place, so what follows the
    number is dropped.
    """
    if len(stem) > _LONGEST:
        return stem, ""
    places = list(_HYPHEN.finditer(stem))
    for place in places:
        version = stem[place.end() :]
        head, *rest = version.split("-")
        if _VERSION.match(head) and all(_QUALIFIER.match(part) for part in rest):
            return stem[: place.start()], version
    for place in places:
        head, *rest = stem[place.end() :].split("-")
        if "." in head and _VERSION.match(head):
            kept = takewhile(_QUALIFIER.match, rest)
            return stem[: place.start()], "-".join((head, *kept))
    bundle = _BUNDLE.match(stem)
    if bundle:
        return bundle.group(1), bundle.group(2)
    return stem, ""


def group_of_folder(path: str, artifact: str, version: str) -> str:
    """The group that a repository's folders name, "" if these are no repository.

    Maven keeps archives as `…/repository/org/slf4j/slf4j-api/2.0.7/slf4j-api-2.0.7.jar`, Gradle as
    `…/files-2.1/org.slf4j/slf4j-api/2.0.7/<checksum>/slf4j-api-2.0.7.jar`.
    """
    parts = path.split("/")
    if parts[-3:-1] == [artifact, version]:
        above = parts[:-3]
        for root in ("repository", "maven2", "repo", "maven-repo"):
            if root in above:
                at = len(above) - above[::-1].index(root)
                return ".".join(above[at:])
    if parts[-4:-2] == [artifact, version] and len(parts) >= 5 and "." in parts[-5]:
        return parts[-5]
    return ""


def identify(path: str, manifest: Mapping[str, str]) -> Artifact | None:
    """What the file name and the manifest say together; None where neither has a version.

    The file name comes first: publishers choose it, while manifests are full of titles for people and of versions of
    specifications.
    """
    artifact, version = split_file_name(path.rpartition("/")[2].rpartition(".")[0])
    plugin = manifest.get("short-name", "") if "plugin-version" in manifest else ""  # a Jenkins plug-in
    if plugin:
        artifact = plugin
    version = version or _manifest_version(manifest)
    if manifest.get("implementation-title", "").startswith("Apache Tomcat") and not artifact.startswith("tomcat-"):
        artifact = _TOMCAT.get(artifact, artifact)
    if not artifact or not version:
        return None
    if group := group_of_folder(path, artifact, version):
        return Artifact(group=group, artifact=artifact, version=version)
    return Artifact(group=_group(artifact, version, manifest), artifact=artifact, version=version)


def _manifest_version(manifest: Mapping[str, str]) -> str:
    for key in ("plugin-version", "implementation-version", "bundle-version", "specification-version"):
        value = manifest.get(key, "").strip('"').split(" ")[0]
        if _VERSION.match(value):
            stamp = _OSGI.match(value) if key == "bundle-version" else None
            return stamp.group(1) if stamp else value
    return ""


def _group(artifact: str, version: str, manifest: Mapping[str, str]) -> str:
    if known := known_group(artifact, version):
        return known
    bare = _SCALA_SUFFIX.sub("", artifact)
    for key in ("group-id", "implementation-vendor-id"):
        value = manifest.get(key, "")
        if _GROUP.match(value) and value.lower() not in _UMBRELLAS:
            return value
    if likely := likely_group(artifact):
        return likely
    for key in ("bundle-symbolicname", "automatic-module-name", "extension-name", "implementation-title"):
        value = manifest.get(key, "").partition(";")[0].strip().strip('"')
        if _GROUP.match(value) and (group := _group_of_module(value, bare)):
            return group
    vendor = manifest.get("implementation-vendor", "")
    if _GROUP.match(vendor) and vendor.startswith(_REVERSED) and vendor not in _UMBRELLAS:
        return vendor
    return ""


def _group_of_module(module: str, artifact: str) -> str:
    """The group inside a module's name, where that was made of group and artifact.

    Bundle tools join the two and drop a doubled word: `org.apache.maven` and `maven-core` become
    `org.apache.maven.core`.
    """
    if module.endswith("." + artifact):
        head = module[: -len(artifact) - 1]
        return module if head in _UMBRELLAS or "." not in head else head
    words = re.split(r"[-_.]", artifact)
    parts = module.split(".")
    if len(words) < len(parts) and parts[-len(words) :] == words:
        head_parts = parts[: -len(words)]
        return ".".join(head_parts if words[0] in head_parts else [*head_parts, words[0]]) if len(words) > 1 else ""
    if artifact.startswith((parts[-1] + "-", parts[-1] + "_")) and len(parts) > 1:
        return module
    return ""
