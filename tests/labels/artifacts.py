"""The artifacts of the cases: small trees, images and lock files, each written into a folder by a function of its own.

Every function gives the path that is to be scanned.
"""

import io
import json
import stat
import tarfile
import zipfile
from pathlib import Path

from tests.unit.acquire.layers import digest, layer, packed
from tests.unit.catalog.binary_writers import audit, elf, inline_blob, modules
from tests.unit.catalog.rpm_writers import header, sqlite

DEBIAN = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\nID=debian\n'
FEDORA = 'NAME="Fedora Linux"\nID=fedora\nVERSION_ID=40\nPRETTY_NAME="Fedora Linux 40"\n'
RHEL = 'NAME="Red Hat Enterprise Linux"\nID="rhel"\nVERSION_ID="9.4"\nPRETTY_NAME="Red Hat Enterprise Linux 9.4"\n'


def write(folder: Path, files: dict[str, str | bytes]) -> Path:
    """Files below a folder, with the mode of files that nobody executes."""
    for path, content in files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content.encode() if isinstance(content, str) else content)
        place.chmod(0o644)
    return folder


def deb(name: str, version: str, status: str = "install ok installed", source: str = "") -> str:
    """One paragraph of dpkg's status file."""
    built_from = f"Source: {source}\n" if source else ""
    return (
        f"Package: {name}\nStatus: {status}\nPriority: optional\nSection: utils\nInstalled-Size: 100\n"
        f"Maintainer: Somebody <somebody@example.org>\nArchitecture: amd64\n{built_from}Version: {version}\n"
        "Description: a package\n\n"
    )


def archive(*contents: dict[str, str | bytes]) -> bytes:
    """A zip archive: a jar, an egg."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file:
        for content in contents:
            for name, data in content.items():
                file.writestr(name, data)
    return stream.getvalue()


CODE = {"org/example/A.class": b"\xca\xfe\xba\xbe\0\0\0\x34"}


def manifest(**attributes: str) -> dict[str, str | bytes]:
    """A jar's manifest: manifest(Bundle_Version="1.0")."""
    lines = "".join(f"{key.replace('_', '-')}: {value}\r\n" for key, value in attributes.items())
    return {"META-INF/MANIFEST.MF": f"Manifest-Version: 1.0\r\n{lines}\r\n"}


def properties(group: str, artifact: str, version: str) -> dict[str, str | bytes]:
    """A jar's pom.properties."""
    text = f"#Generated\r\ngroupId={group}\r\nartifactId={artifact}\r\nversion={version}\r\n"
    return {f"META-INF/maven/{group}/{artifact}/pom.properties": text}


GO_PROGRAM = elf(
    {
        b".go.buildinfo": inline_blob(
            "go1.21.3",
            modules(
                "path\texample.org/tool",
                "mod\texample.org/tool\tv1.2.3\th1:abc=",
                "dep\tgolang.org/x/net\tv0.17.0\th1:abc=",
                "build\t-compiler=gc",
            ),
        )
    },
    padding=8192,
)
RUST_PROGRAM = elf(
    {
        b".dep-v0": audit(
            {"name": "tool", "version": "0.1.0", "source": "local", "root": True, "dependencies": [1]},
            {"name": "smallvec", "version": "1.6.0", "source": "crates.io"},
        )
    },
    padding=8192,
)


# Systems


def removed_deb(folder: Path) -> Path:
    """Nano was removed, its configuration files were left."""
    status = deb("bash", "5.2.15-2+b2", source="bash (5.2.15-2)") + deb("nano", "7.2-1", "deinstall ok config-files")
    return write(
        folder,
        {"etc/os-release": DEBIAN, "etc/debian_version": "12.5\n", "var/lib/dpkg/status": status},
    )


def debian_without_debian_version(folder: Path) -> Path:
    """A minimal image that only os-release says the name of."""
    return write(folder, {"etc/os-release": DEBIAN, "var/lib/dpkg/status": deb("openssl", "3.0.9-1")})


def redhat_without_redhat_release(folder: Path) -> Path:
    """The same with rpm."""
    database, _ = sqlite([header("bash", "5.1.8", "4.el9", source="bash-5.1.8-4.el9.src.rpm")])
    return write(folder, {"etc/os-release": RHEL, "var/lib/rpm/rpmdb.sqlite": database})


def fedora(folder: Path) -> Path:
    """Fedora, with every file that says so."""
    database, _ = sqlite(
        [header("curl", "8.6.0", "1.fc40", source="curl-8.6.0-1.fc40.src.rpm", vendor="Fedora Project")]
    )
    release = "Fedora release 40 (Forty)\n"
    return write(
        folder,
        {
            "etc/os-release": FEDORA,
            "etc/fedora-release": release,
            "etc/redhat-release": release,
            "usr/lib/sysimage/rpm/rpmdb.sqlite": database,
        },
    )


def oci_archive(folder: Path) -> Path:
    """An OCI layout in one tar file, as `skopeo copy … oci-archive:` makes it."""
    files = {"etc/os-release": DEBIAN, "etc/debian_version": "12.5\n", "var/lib/dpkg/status": deb("bash", "5.2.15-2")}
    content = layer(files)
    media = "application/vnd.oci.image"
    blobs: dict[str, bytes] = {}

    def put(kind: str, data: bytes) -> dict[str, object]:
        name = digest(data)
        blobs[f"blobs/sha256/{name.removeprefix('sha256:')}"] = data
        return {"mediaType": f"{media}.{kind}", "digest": name, "size": len(data)}

    rootfs = {"type": "layers", "diff_ids": [digest(content)]}
    config = put("config.v1+json", json.dumps({"os": "linux", "architecture": "amd64", "rootfs": rootfs}).encode())
    layers = [put("layer.v1.tar+gzip", packed(content, "gzip"))]
    described = {"schemaVersion": 2, "mediaType": f"{media}.manifest.v1+json", "config": config, "layers": layers}
    index = {"schemaVersion": 2, "manifests": [put("manifest.v1+json", json.dumps(described).encode())]}
    layout = write(
        folder / "layout", {"oci-layout": '{"imageLayoutVersion":"1.0.0"}', "index.json": json.dumps(index), **blobs}
    )
    path = folder / "image.tar"
    with tarfile.open(path, "w") as tar:
        for name in ("oci-layout", "index.json", "blobs"):
            tar.add(layout / name, name)
    return path


def system_with_jar_and_broken_rpm_database(folder: Path) -> Path:
    """Debian with an application, and the torn rest of an rpm database."""
    return write(
        folder,
        {
            "etc/os-release": DEBIAN,
            "etc/debian_version": "12.5\n",
            "var/lib/dpkg/status": deb("bash", "5.2.15-2"),
            "var/lib/rpm/rpmdb.sqlite": b"SQLite format 3\0" + b"\xff" * 4096,
            "opt/app/lib/demo-1.0.jar": archive(CODE, manifest(), properties("org.example", "demo", "1.0")),
        },
    )


def go_program_of_the_distribution(folder: Path) -> Path:
    """A Go program that a Debian package owns."""
    return program(
        folder,
        {
            "etc/os-release": DEBIAN,
            "etc/debian_version": "12.5\n",
            "var/lib/dpkg/status": deb("tool", "1.2.3-1"),
            "var/lib/dpkg/info/tool.list": "/.\n/usr\n/usr/bin\n/usr/bin/tool\n",
            "usr/bin/tool": GO_PROGRAM,
        },
    )


def program(folder: Path, files: dict[str, str | bytes]) -> Path:
    """Files, of which those in `usr/bin` may be executed."""
    write(folder, files)
    for path in files:
        if path.startswith("usr/bin/"):
            (folder / path).chmod(stat.S_IRWXU | 0o055)
    return folder


def python_package_of_the_distribution(folder: Path) -> Path:
    """Jinja2 as Debian packages it, with a fix put into an old version, and another copy that pip put beside it."""
    owned = "usr/lib/python3/dist-packages/Jinja2-3.1.2.egg-info/PKG-INFO"
    folders = owned.split("/")
    return write(
        folder,
        {
            "etc/os-release": DEBIAN,
            "etc/debian_version": "12.5\n",
            "var/lib/dpkg/status": deb("python3-jinja2", "3.1.2-1+deb12u1", source="jinja2"),
            "var/lib/dpkg/info/python3-jinja2.list": "".join(
                f"/{'/'.join(folders[:length])}\n" for length in range(len(folders) + 1)
            ),
            owned: "Metadata-Version: 2.1\nName: Jinja2\nVersion: 3.1.2\n",
            "usr/local/lib/python3.11/dist-packages/Jinja2-2.10.dist-info/METADATA": (
                "Metadata-Version: 2.1\nName: Jinja2\nVersion: 2.10\n"
            ),
        },
    )


# Node


def yarn_with_optional(folder: Path) -> Path:
    """A yarn.lock whose chokidar has an optional part."""
    entries = (
        ("chokidar", "^3.5.0", "3.5.3", '  dependencies:\n    normalize-path "~3.0.0"\n'),
        ("fsevents", "~2.3.2", "2.3.2", ""),
        ("ms", "^2.1.0", "2.1.2", ""),
        ("normalize-path", "~3.0.0", "3.0.0", ""),
    )
    lock = "# THIS IS AN AUTOGENERATED FILE. DO NOT EDIT THIS FILE DIRECTLY.\n# yarn lockfile v1\n\n"
    for name, asked, version, needs in entries:
        optional = '  optionalDependencies:\n    fsevents "~2.3.2"\n' if name == "chokidar" else ""
        lock += f'\n{name}@{asked}:\n  version "{version}"\n{needs}{optional}'
    project = {"name": "app", "version": "1.0.0", "dependencies": {"chokidar": "^3.5.0", "ms": "^2.1.0"}}
    return write(folder, {"package.json": json.dumps(project), "yarn.lock": lock})


def pnpm_6(folder: Path) -> Path:
    """A lock file as pnpm 6 wrote it (version 5.4 of the format); pg-pool was resolved for one version of pg."""
    lock = (
        "lockfileVersion: 5.4\n\nspecifiers:\n  ms: ^2.1.0\n  pg: ^8.11.0\n  pg-pool: ^3.6.0\n  rimraf: ^3.0.0\n\n"
        "dependencies:\n  ms: 2.1.2\n  pg: 8.11.0\n  pg-pool: 3.6.0_pg@8.11.0\n\n"
        "devDependencies:\n  rimraf: 3.0.2\n\npackages:\n\n"
        "  /ms/2.1.2:\n    resolution: {integrity: sha512-AAAA}\n    dev: false\n\n"
        "  /pg-pool/3.6.0_pg@8.11.0:\n    resolution: {integrity: sha512-AAAA}\n"
        "    peerDependencies:\n      pg: '>=8.0'\n    dependencies:\n      pg: 8.11.0\n    dev: false\n\n"
        "  /pg/8.11.0:\n    resolution: {integrity: sha512-AAAA}\n    dev: false\n\n"
        "  /rimraf/3.0.2:\n    resolution: {integrity: sha512-AAAA}\n    hasBin: true\n    dev: true\n"
    )
    asked = {"ms": "^2.1.0", "pg": "^8.11.0", "pg-pool": "^3.6.0"}
    project = {"name": "app", "dependencies": asked, "devDependencies": {"rimraf": "^3.0.0"}}
    return write(folder, {"package.json": json.dumps(project), "pnpm-lock.yaml": lock})


def pnpm_lock_6(folder: Path) -> Path:
    """A lock file of version 6.0 of the format, as pnpm 8 wrote it."""
    lock = (
        "lockfileVersion: '6.0'\n\nsettings:\n  autoInstallPeers: true\n  excludeLinksFromLockfile: false\n\n"
        "dependencies:\n  ms:\n    specifier: ^2.1.0\n    version: 2.1.2\n\n"
        "devDependencies:\n  rimraf:\n    specifier: ^3.0.0\n    version: 3.0.2\n\npackages:\n\n"
        "  /ms@2.1.2:\n    resolution: {integrity: sha512-AAAA}\n    dev: false\n\n"
        "  /rimraf@3.0.2:\n    resolution: {integrity: sha512-AAAA}\n    hasBin: true\n    dev: true\n"
    )
    project = {"name": "app", "dependencies": {"ms": "^2.1.0"}, "devDependencies": {"rimraf": "^3.0.0"}}
    return write(folder, {"package.json": json.dumps(project), "pnpm-lock.yaml": lock})


def npm_with_dev(folder: Path) -> Path:
    """A package-lock.json of version 3 with a development dependency."""
    registry = "https://registry.example"
    lock = {
        "name": "app",
        "version": "1.0.0",
        "lockfileVersion": 3,
        "requires": True,
        "packages": {
            "": {
                "name": "app",
                "version": "1.0.0",
                "dependencies": {"ms": "^2.1.0"},
                "devDependencies": {"rimraf": "^3.0.0"},
            },
            "node_modules/ms": {"version": "2.1.2", "resolved": f"{registry}/ms/-/ms-2.1.2.tgz"},
            "node_modules/rimraf": {
                "version": "3.0.2",
                "resolved": f"{registry}/rimraf/-/rimraf-3.0.2.tgz",
                "dev": True,
            },
        },
    }
    project = {"name": "app", "version": "1.0.0", **lock["packages"][""]}
    return write(folder, {"package.json": json.dumps(project), "package-lock.json": json.dumps(lock)})


# Python


def triple_equals(folder: Path) -> Path:
    """PEP 440's arbitrary equality."""
    return write(folder, {"requirements.txt": "requests===2.19.0\nidna==3.4\n"})


def utf16_requirements(folder: Path) -> Path:
    """As PowerShell's `pip freeze > requirements.txt` writes it."""
    return write(folder, {"requirements.txt": "requests==2.19.0\r\nidna==3.4\r\n".encode("utf-16")})


def zipped_egg(folder: Path) -> Path:
    """As `easy_install` and `setup.py install` left it."""
    egg = archive(
        {
            "EGG-INFO/PKG-INFO": "Metadata-Version: 1.1\nName: Jinja2\nVersion: 2.10\nSummary: templates\n",
            "EGG-INFO/SOURCES.txt": "jinja2/__init__.py\n",
            "EGG-INFO/top_level.txt": "jinja2\n",
            "jinja2/__init__.py": "",
        }
    )
    return write(folder, {"usr/lib/python3.6/site-packages/Jinja2-2.10-py3.6.egg": egg})


# Go, Rust, Java


def go_mod_with_exclude(folder: Path) -> Path:
    """`exclude` names another version of a module that is required."""
    text = (
        "module example.org/tool\n\ngo 1.17\n\n"
        "require (\n\tgolang.org/x/net v0.17.0\n\tgolang.org/x/text v0.13.0\n)\n\n"
        "exclude golang.org/x/net v0.16.0\n"
    )
    return write(folder, {"go.mod": text})


def programs_without_executable_bit(folder: Path) -> Path:
    """Copied out of an archive that lost the modes."""
    return write(folder, {"opt/tool-go": GO_PROGRAM, "opt/tool-rust": RUST_PROGRAM})


def pom_with_exact_range(folder: Path) -> Path:
    """`[3.2.1]` means exactly 3.2.1."""
    text = (
        '<?xml version="1.0"?>\n<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        "<groupId>org.example</groupId><artifactId>app</artifactId><version>1.0</version><dependencies><dependency>"
        "<groupId>commons-collections</groupId><artifactId>commons-collections</artifactId><version>[3.2.1]</version>"
        "</dependency></dependencies></project>\n"
    )
    return write(folder, {"pom.xml": text})


def jar_under_another_name(folder: Path) -> Path:
    """A jar whose file has another name than the artifact, and whose manifest a third one."""
    jar = archive(
        CODE,
        manifest(Implementation_Title="Apache Commons Text", Implementation_Version="1.9", Bundle_Name="Commons Text"),
        properties("org.apache.commons", "commons-text", "1.9"),
    )
    return write(folder, {"opt/app/lib/text-utils-1.9-shaded.jar": jar})


def jar_without_properties(folder: Path) -> Path:
    """A jar that only its manifest and its file name speak of."""
    jar = archive(
        CODE, manifest(Implementation_Title="log4j", Implementation_Version="1.2.17", Bundle_Version="1.2.17")
    )
    return write(folder, {"opt/app/lib/log4j-1.2.17.jar": jar})
