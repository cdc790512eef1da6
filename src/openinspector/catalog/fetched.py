"""What a package manager fetched is a package, not a project.

A lock file, or any other list of what a project needs, says what is used where the project is built. Packages carry
such files along from their own development: `node_modules/uri-js/yarn.lock` lists 320 packages of which none is
installed. So the readers of projects' files leave alone what lies in a folder of fetched packages; what is installed
there is read from the packages themselves. Documentation is left alone in the same way.
"""

import re
from functools import cache


def is_fetched(path: str) -> bool:
    """Whether a file belongs to a fetched package or to documentation."""
    return _pattern().search(path) is not None


@cache
def _pattern() -> re.Pattern[str]:
    return re.compile(
        r"(?:^|/)(?:"
        r"(?:node_modules|bower_components|site-packages|dist-packages|Pods)/"
        r"|pkg/mod/[^@]+@v"  # Go's module cache: pkg/mod/golang.org/x/net@v0.17.0/go.mod
        r"|(?:registry/src|git/checkouts)/[^/]+-[0-9a-f]{16}/"  # Cargo: registry/src/index.crates.io-6f17d22bba15001f/
        r"|gems/[^/]+-\d[^/]*/"  # gems/rack-2.2.7/Gemfile.lock
        r"|\.(?:pub-cache|m2|gradle|nuget)/"
        r"|(?:\.build|SourcePackages)/checkouts/"  # Swift's
        r"|vendor/[^/]+/[^/]+/composer\.lock\Z"
        r"|deps/[^/]+/mix\.lock\Z"
        r"|usr/share/(?:doc|cargo/registry)/"
        r")"
    )
