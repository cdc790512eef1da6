"""Amazon Linux: the update information of each repository (ALAS), binary packages.

The repositories of Amazon Linux 2's extras and of kernel live patches are apart from core: what they fix is meant for
the packages that came from them, so that such entries name the topic as their repository (`docker`,
`kernel-livepatch`).

Source: https://alas.aws.amazon.com, https://docs.aws.amazon.com/linux/al2/ug/al2-extras.html
"""

from collections.abc import Iterator
from typing import Final

from openinspector.errors import FeedError
from openinspector.feeds.contract import Document, Feed, Record, Source
from openinspector.feeds.updateinfo import advisory, affected, updates
from openinspector.model.problem import Problem

_CDN: Final = "https://cdn.amazonlinux.com"

# The topics of Amazon Linux 2's extras that have published security updates.
# Source: https://docs.aws.amazon.com/linux/al2/release-notes (as of 2025-01)
_TOPICS: Final = (
    "GraphicsMagick1.3",
    "R3.4",
    "R4",
    "ansible2",
    "aws-nitro-enclaves-cli",
    "corretto8",
    "dnsmasq",
    "docker",
    "ecs",
    "firefox",
    "golang1.19",
    "haproxy2",
    "httpd_modules",
    "java-openjdk11",
    "kernel-5.10",
    "kernel-5.15",
    "kernel-5.4",
    "libreoffice",
    "livepatch",
    "lynis",
    "mariadb10.5",
    "mate-desktop1.x",
    "mono",
    "nginx1",
    "php8.0",
    "php8.1",
    "php8.2",
    "postgresql11",
    "postgresql12",
    "postgresql13",
    "postgresql14",
    "python3.8",
    "redis6",
    "ruby2.6",
    "ruby3.0",
    "selinux-ng",
    "squid4",
    "tomcat8.5",
    "tomcat9",
    "unbound1.13",
    "unbound1.17",
)

_RELEASES: Final = {"al1": "amazon:1", "al2": "amazon:2", "al2022": "amazon:2022", "al2023": "amazon:2023"}
_BASE_REPOSITORIES: Final = ("main", "updates", "core")
_PAGES: Final = {"amazon:1": "", "amazon:2": "AL2/", "amazon:2022": "AL2022/", "amazon:2023": "AL2023/"}


def _source(path: str, mirrors: str) -> Source:
    # Old releases go away some day, and a topic's repository need not have update information.
    optional = not path.startswith(("al2/core", "al2023/"))
    return Source(path=f"amazon/{path}/updateinfo.xml.gz", url=mirrors, how="yum-mirrorlist", optional=optional)


class Amazon:
    """Amazon Linux 1, 2, 2022 and 2023."""

    name = "amazon"
    title = "Amazon Linux"
    revision = 1
    repeats: Final = "add"
    sources = (
        # The mirror list of Amazon Linux 1 was never served over TLS.
        _source("al1/updates", "http://repo.us-west-2.amazonaws.com/2018.03/updates/x86_64/mirror.list"),
        _source("al2/core", f"{_CDN}/2/core/latest/x86_64/mirror.list"),
        _source("al2022/core", f"{_CDN}/al2022/core/mirrors/latest/x86_64/mirror.list"),
        _source("al2023/core", f"{_CDN}/al2023/core/mirrors/latest/x86_64/mirror.list"),
        _source("al2023/kernel-livepatch", f"{_CDN}/al2023/kernel-livepatch/mirrors/latest/x86_64/mirror.list"),
        *(_source(f"al2/extras/{topic}", f"{_CDN}/2/extras/{topic}/latest/x86_64/mirror.list") for topic in _TOPICS),
        Source(path="amazon/al2/extras/*/updateinfo.xml.gz"),
        Source(path="amazon/al2023/*/updateinfo.xml.gz"),
    )

    def parse(self, document: Document) -> Iterator[Record]:
        """Advisories of one repository."""
        namespace, repository = _place(document.path)
        for update in updates(document, self.name):
            if isinstance(update, Problem):
                yield update
                continue
            yield advisory(
                update,
                affected(update.builds, namespace, repository),
                url=f"https://alas.aws.amazon.com/{_PAGES[namespace]}{update.id}.html",
            )


def _place(path: str) -> tuple[str, str]:
    """The namespace and repository of a document's path in the layout.

    `amazon/al2/extras/docker/updateinfo.xml.gz` → `amazon:2`, `docker`; `amazon/al2023/core/…` → `amazon:2023`, "".
    """
    parts = path.split("/")
    if len(parts) < 4 or parts[0] != "amazon" or parts[1] not in _RELEASES:
        raise FeedError(f"amazon: {path}: not the path of a repository that we know")
    repository = parts[-2]
    return _RELEASES[parts[1]], "" if repository in _BASE_REPOSITORIES else repository


PLUGIN: Final[Feed] = Amazon()
