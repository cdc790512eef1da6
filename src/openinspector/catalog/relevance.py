"""Which files of an OS package matter: those that could say something about language packages.

A package manager lists every file it owns, a few hundred thousand on a large system. All but a few (manual pages,
headers, translations) can never be read as a language package, so the lists are cut down to names that some format
might want: manifests and lock files, archives, libraries, and programs (names without an extension or with a number
for one: `docker`, `python3.11`). The rule errs on the side of keeping.

Every reader of file lists shares this module, so that the answer is the same for dpkg, rpm and apk.
"""

import re
from collections.abc import Iterable
from functools import cache

NAMES = (
    "METADATA", "PKG-INFO", "package.json", "installed.json", "composer.json", "composer.lock", "pom.xml",
    "pom.properties", "package-lock.json", ".package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml",
    "bun.lock", "go.mod", "Cargo.lock", "Gemfile.lock", "requirements.txt", "Pipfile.lock", "poetry.lock", "uv.lock",
    "pdm.lock", "pylock.toml", "gradle.lockfile", "packages.lock.json", "packages.config", "project.assets.json",
    "pubspec.lock", "mix.lock", "Package.resolved", "Podfile.lock", "conan.lock", "rbconfig.rb",
)  # fmt: skip
SUFFIXES = (
    ".jar", ".war", ".ear", ".par", ".sar", ".nar", ".kar", ".rar", ".hpi", ".jpi", ".lpkg", ".egg", ".egg-info",
    ".whl", ".gemspec", ".deps.json", ".dll", ".exe", ".node", ".nupkg", ".nuspec", ".bin", ".real", ".lockfile",
)  # fmt: skip

_NAMES = frozenset(name.encode() for name in NAMES)
_SUFFIXES = tuple(suffix.encode() for suffix in SUFFIXES)
_ENDINGS_OF_NAMES = frozenset(
    name.rpartition(b".")[2] for name in _NAMES if b"." in name
)  # json, txt: mostly other files
_ENDINGS = _ENDINGS_OF_NAMES | {suffix.rpartition(b".")[2] for suffix in _SUFFIXES} | {b"so"}

# Names without an extension are plentiful here and never programs (copyright, Berlin, xterm …).
_NO_PROGRAMS = (
    "usr/share/doc/", "usr/share/man/", "usr/share/info/", "usr/share/licenses/", "usr/share/locale/",
    "usr/share/zoneinfo/", "usr/share/terminfo/", "lib/terminfo/", "usr/share/lintian/", "usr/share/icons/",
    "usr/share/common-licenses/", "usr/share/bash-completion/", "usr/share/X11/", "usr/share/i18n/",
    "usr/share/keymaps/", "usr/lib/.build-id/", "etc/",
)  # fmt: skip
# Where /usr is merged these are links to usr/…, and the package's list may name either.
_MERGED = ("bin/", "sbin/", "lib/", "lib32/", "lib64/", "libx32/")


def relevant_lines(listing: bytes) -> tuple[str, ...]:
    """The paths of a list that matter, without leading slash; each line of the list is a path with one.

    A directory (a line that the next one continues) is left out. A path in `/bin`, `/lib` … is also given as
    `usr/bin/…`: with a merged /usr the two are one file, and without it nothing else would be called that.
    """
    if listing and not listing.endswith(b"\n"):
        listing += b"\n"
    length = len(listing)
    found = []
    # Backwards, a line starts with the end of its name, and one look at that settles most lines. Forwards, a search
    # has to try every slash, and takes ten times as long.
    for match in _pattern().finditer(listing[::-1]):
        path = match[1][::-1]
        if not listing.startswith(path + b"/", length - match.start()):
            found.append(path.removeprefix(b"/").decode("utf-8", "replace"))
    found.reverse()
    return paths_to_keep(found)


def relevant_places(names: list[bytes]) -> list[int]:
    """Which of these base names may matter, by their place in the list.

    `paths_to_keep` has the last word, once the folders are known.
    """
    # The same rule as the pattern below; a set of endings is the faster way where the names are apart already.
    return [
        place
        for place, name in enumerate(names)
        if ((end := name.rpartition(b".")[2]) in _ENDINGS or end == name or end.isdigit())
        and (end not in _ENDINGS_OF_NAMES or name in _NAMES or name.endswith(_SUFFIXES))
    ]


def paths_to_keep(paths: Iterable[str]) -> tuple[str, ...]:
    """Those of the paths with a name that matters that also lie where it matters, as a merged /usr has them, too."""
    kept = []
    for path in paths:
        if path.startswith(_NO_PROGRAMS) and "." not in path[path.rfind("/") + 1 :]:
            continue
        kept.append(path)
        if path.startswith(_MERGED):
            kept.append("usr/" + path)
    return tuple(kept)


@cache
def _pattern() -> re.Pattern[bytes]:
    """A name that may matter at the end of a reversed line; the group is the whole line."""
    endings = [name[::-1] + "/" for name in NAMES] + [suffix[::-1] for suffix in SUFFIXES]
    # No extension; a library, with or without numbers; a number for an extension.
    return re.compile(rf"\n((?:[^./\n]+/|[.0-9]*os\.|[0-9]+\.|{_any_of(endings)})[^\n]*)".encode())


def _any_of(words: list[str]) -> str:
    """A pattern for any of the words that never looks at a character twice."""
    rests: dict[str, list[str]] = {}
    for word in words:
        if word:
            rests.setdefault(word[0], []).append(word[1:])
    if not rests:
        return ""
    branches = "|".join(re.escape(first) + _any_of(rest) for first, rest in rests.items())
    return f"(?:{branches})?" if "" in words else f"(?:{branches})"
