"""Where the peers are wrong, and we are to be right: one table.

Each case is an artifact (`artifacts.py`), what we find in it, and what the peers were seen to find: Syft 1.18.1 and
Trivy 0.59.1, November 2026. `tests/labels/test_packages.py` checks our column on every run, and the peers' columns
where `SYFT` and `TRIVY` name their binaries, so that the table says what is and not what was once.

Ours are written `type name version`, with `dev` for what is needed for development only and `of` for the OS package
that owns the files. The peers' are the package URLs in their CycloneDX without qualifiers; None where theirs could not
be checked by this artifact (`note` says what was seen by another).
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tests.labels import artifacts


@dataclass(frozen=True, kw_only=True)
class Case:
    """One artifact, and who finds what in it.

    `trivy_by` is the command that reads such an artifact: `rootfs` for systems, `fs` for projects (with
    `--include-dev-deps`), `image` for archives. A string instead of a list is what an error says.
    """

    claim: str
    build: Callable[[Path], Path]
    ours: list[str]
    syft: list[str] | str | None
    trivy: list[str] | str | None
    trivy_by: Literal["rootfs", "fs", "image"] = "fs"
    java_db: bool = True  # whether Trivy has its second database (an empty one)
    note: str = ""


CASES = (
    Case(
        claim="a removed deb whose configuration was left is not installed",
        build=artifacts.removed_deb,
        ours=["deb bash 5.2.15-2+b2"],
        syft=["deb/debian/bash@5.2.15-2%2Bb2", "deb/debian/nano@7.2-1"],
        trivy=["deb/debian/bash@5.2.15-2%2Bb2"],
        trivy_by="rootfs",
    ),
    Case(
        claim="a Debian that only os-release names is read",
        build=artifacts.debian_without_debian_version,
        ours=["deb openssl 3.0.9-1"],
        syft=["deb/debian/openssl@3.0.9-1"],
        trivy=[],
        trivy_by="rootfs",
        note="Trivy warns of an unsupported os `none` and exits with 0; whether the package is judged: test_judged.py",
    ),
    Case(
        claim="a Red Hat system that only os-release names is read",
        build=artifacts.redhat_without_redhat_release,
        ours=["rpm bash 5.1.8-4.el9"],
        syft=["rpm/redhat/bash@5.1.8-4.el9"],
        trivy=[],
        trivy_by="rootfs",
    ),
    Case(
        claim="Fedora is read",
        build=artifacts.fedora,
        ours=["rpm curl 8.6.0-1.fc40"],
        syft=["rpm/fedora/curl@8.6.0-1.fc40"],
        trivy=["rpm/fedora/curl@8.6.0-1.fc40"],
        trivy_by="rootfs",
        note="Trivy lists it and judges nothing: it warns of an unsupported os and exits with 0",
    ),
    Case(
        claim="an OCI archive is read",
        build=artifacts.oci_archive,
        ours=["deb bash 5.2.15-2"],
        syft=["deb/debian/bash@5.2.15-2"],
        trivy="file manifest.json not found in tar",
        trivy_by="image",
    ),
    Case(
        claim="a yarn.lock with package.json keeps optional dependencies",
        build=artifacts.yarn_with_optional,
        ours=["npm chokidar 3.5.3", "npm fsevents 2.3.2", "npm ms 2.1.2", "npm normalize-path 3.0.0"],
        syft=["npm/chokidar@3.5.3", "npm/fsevents@2.3.2", "npm/ms@2.1.2", "npm/normalize-path@3.0.0"],
        trivy=["npm/chokidar@3.5.3", "npm/ms@2.1.2", "npm/normalize-path@3.0.0"],
    ),
    Case(
        claim="development dependencies of pnpm 6 are kept and marked",
        build=artifacts.pnpm_6,
        ours=["npm ms 2.1.2", "npm pg 8.11.0", "npm pg-pool 3.6.0", "npm rimraf 3.0.2 dev"],
        syft=["npm/ms@2.1.2", "npm/pg-pool@3.6.0_pg%408.11.0", "npm/pg@8.11.0", "npm/rimraf@3.0.2"],
        trivy=["npm/ms@2.1.2", "npm/pg-pool@3.6.0", "npm/pg@8.11.0"],
        note="Syft takes the peer that pg-pool was resolved for into the name or version",
    ),
    Case(
        claim="development dependencies of version 6 of pnpm's format are kept and marked",
        build=artifacts.pnpm_lock_6,
        ours=["npm ms 2.1.2", "npm rimraf 3.0.2 dev"],
        syft=["npm/ms@2.1.2", "npm/rimraf@3.0.2"],
        trivy=["npm/ms@2.1.2"],
    ),
    Case(
        claim="npm's development dependencies are listed and marked",
        build=artifacts.npm_with_dev,
        ours=["npm ms 2.1.2", "npm rimraf 3.0.2 dev"],
        syft=["npm/app@1.0.0", "npm/ms@2.1.2"],
        trivy=["npm/ms@2.1.2", "npm/rimraf@3.0.2"],
    ),
    Case(
        claim="name===1.0 pins version 1.0",
        build=artifacts.triple_equals,
        ours=["pypi idna 3.4", "pypi requests 2.19.0"],
        syft=["pypi/idna@3.4", "pypi/requests@=2.19.0"],
        trivy=["pypi/idna@3.4"],
    ),
    Case(
        claim="a go.mod's exclude does not take away the required version",
        build=artifacts.go_mod_with_exclude,
        ours=["golang golang.org/x/net v0.17.0", "golang golang.org/x/text v0.13.0"],
        syft=["golang/golang.org/x/text@v0.13.0"],
        trivy=["golang/example.org/tool", "golang/golang.org/x/net@v0.17.0", "golang/golang.org/x/text@v0.13.0"],
    ),
    Case(
        claim="a pom's [3.2.1] is version 3.2.1",
        build=artifacts.pom_with_exact_range,
        ours=["maven commons-collections:commons-collections 3.2.1"],
        syft=["maven/commons-collections/commons-collections@[3.2.1]", "maven/org.example/app@1.0"],
        trivy=["maven/commons-collections/commons-collections@3.2.1", "maven/org.example/app@1.0"],
    ),
    Case(
        claim="a jar is not listed again under an invented name",
        build=artifacts.jar_under_another_name,
        ours=["maven org.apache.commons:commons-text 1.9"],
        syft=["maven/org.apache.commons/commons-text@1.9", "maven/text-utils/text-utils@1.9-shaded"],
        trivy=["maven/org.apache.commons/commons-text@1.9"],
        trivy_by="rootfs",
    ),
    Case(
        claim="a zipped egg is read",
        build=artifacts.zipped_egg,
        ours=["pypi Jinja2 2.10"],
        syft=[],
        trivy=["pypi/jinja2@2.10"],
        trivy_by="rootfs",
    ),
    Case(
        claim="requirements in UTF-16 are read",
        build=artifacts.utf16_requirements,
        ours=["pypi idna 3.4", "pypi requests 2.19.0"],
        syft=[],
        trivy=["pypi/idna@3.4", "pypi/requests@2.19.0"],
    ),
    Case(
        claim="Go and Rust programs without the executable bit are read",
        build=artifacts.programs_without_executable_bit,
        ours=[
            "cargo smallvec 1.6.0",
            "cargo tool 0.1.0",
            "golang example.org/tool v1.2.3",
            "golang golang.org/x/net v0.17.0",
            "golang stdlib 1.21.3",
        ],
        syft=None,
        trivy=[],
        trivy_by="rootfs",
        note="with the bit, Trivy reads a program that Go 1.19 linked, and the Rust one; Syft reads both always",
    ),
    Case(
        claim="a jar without pom.properties is told by its manifest and its file name",
        build=artifacts.jar_without_properties,
        ours=["maven log4j:log4j 1.2.17"],
        syft=["maven/log4j/log4j@1.2.17"],
        trivy=[],
        trivy_by="rootfs",
        note="Trivy asks its Java database for the digest, and knows no jar that was not published as it is",
    ),
    Case(
        claim="a part of a database that is missing does not end the scan",
        build=artifacts.system_with_jar_and_broken_rpm_database,
        ours=["deb bash 5.2.15-2", "maven org.example:demo 1.0"],
        syft=["deb/debian/bash@5.2.15-2", "maven/org.example/demo@1.0"],
        trivy="Java DB",
        trivy_by="rootfs",
        java_db=False,
        note="without its Java database Trivy ends with an error, whatever else there is to say of the system",
    ),
    Case(
        claim="the standard library of a distribution's own Go program is listed",
        build=artifacts.go_program_of_the_distribution,
        ours=[
            "deb tool 1.2.3-1",
            "golang example.org/tool v1.2.3 of tool",
            "golang golang.org/x/net v0.17.0 of tool",
            "golang stdlib 1.21.3 of tool",
        ],
        syft=None,
        trivy=["deb/debian/tool@1.2.3-1"],
        trivy_by="rootfs",
        note="Syft lists the modules of a program that Go 1.19 linked, without saying whose they are",
    ),
    Case(
        claim="a language package that an OS package owns is listed and marked",
        build=artifacts.python_package_of_the_distribution,
        ours=[
            "deb python3-jinja2 3.1.2-1+deb12u1",
            "pypi Jinja2 2.10",
            "pypi Jinja2 3.1.2 of python3-jinja2",
        ],
        syft=["deb/debian/python3-jinja2@3.1.2-1%2Bdeb12u1", "pypi/jinja2@2.10", "pypi/jinja2@3.1.2"],
        trivy=["deb/debian/python3-jinja2@3.1.2-1%2Bdeb12u1", "pypi/jinja2@2.10"],
        trivy_by="rootfs",
        note="Syft doesn't say whose it is, so it would be judged twice; Trivy hides it",
    ),
)
