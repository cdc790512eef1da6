"""A Debian root file system, assembled without installing anything: packages and all that they need, unpacked.

apt-get resolves, fetches and verifies with the machine's own sources and keys, as if nothing were installed, into a
folder of ours; no root rights are needed. The package manager's files (`status`, `*.list`, `*.md5sums`) are written as
dpkg would.
"""

import shutil
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from places import TARGETS, Skipped
from report import progress

_CONTROL = ("md5sums", "conffiles", "postinst", "prerm", "postrm", "preinst", "triggers", "shlibs", "symbols")


def unpack_debian(root: Path, packages: Sequence[str]) -> None:
    """Fetch and unpack packages with their dependencies.

    Raises:
        Skipped: This machine has no Debian tools, or the packages can't be had.
    """
    for tool in ("apt-get", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise Skipped(f"{tool} is not installed")
    archives = _fetch(packages)
    for name in ("bin", "sbin", "lib", "lib64"):
        (root / "usr" / name).mkdir(parents=True)
        (root / name).symlink_to(f"usr/{name}")
    info = root / "var/lib/dpkg/info"
    info.mkdir(parents=True)
    with ThreadPoolExecutor(2) as pool:
        entries = list(pool.map(lambda archive: _unpack(archive, root, info), archives))
    (root / "var/lib/dpkg/status").write_text("\n".join(sorted(entries)), "utf-8")


def _fetch(packages: Sequence[str]) -> list[Path]:
    """The archives of packages and all that they need."""
    home = TARGETS / "apt"
    for folder in ("lists/partial", "archives/partial"):
        (home / folder).mkdir(parents=True, exist_ok=True)
    (home / "status").touch()
    settings = {
        "Dir::State::Lists": home / "lists",
        "Dir::State::status": home / "status",
        "Dir::Cache": home,
        "Dir::Cache::archives": home / "archives",
        "Debug::NoLocking": "1",
        "APT::Sandbox::User": "root",
        "APT::Install-Recommends": "0",
        "APT::Keep-Downloaded-Packages": "1",
    }
    apt = ["apt-get", "-q", "-y", *(word for name, value in settings.items() for word in ("-o", f"{name}={value}"))]
    if not any((home / "lists").glob("*_Packages*")):
        progress("apt-get update")
        _apt([*apt, "update"])
    # As if nothing had been fetched: only what is missing is named, so an empty folder is asked about.
    empty = home / "empty"
    (empty / "partial").mkdir(parents=True, exist_ok=True)
    said = _apt([*apt, "-o", f"Dir::Cache::archives={empty}", "install", "--print-uris", *packages])
    archives = [home / "archives" / line.split()[1] for line in said.splitlines() if line.startswith("'")]
    if not all(archive.is_file() for archive in archives):
        progress(f"apt-get: fetching {len(archives)} packages")
        _apt([*apt, "install", "--download-only", *packages])
    return archives


def _apt(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Skipped(f"apt-get failed: {done.stderr.strip()[-300:]}")
    return done.stdout


def _unpack(archive: Path, root: Path, info: Path) -> str:
    """Unpack one package; gives its entry in the status file."""
    control = info / f"{archive.stem}.control"
    subprocess.run(["dpkg-deb", "-e", str(archive), str(control)], check=True)
    fields = (control / "control").read_text("utf-8")
    said = dict(line.split(": ", 1) for line in fields.splitlines() if ": " in line and not line.startswith(" "))
    name = said["Package"] + (f":{said['Architecture']}" if said.get("Multi-Arch") == "same" else "")
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(archive)], stdout=subprocess.PIPE) as unpacker:
        tar = ["tar", "-C", str(root), "--keep-directory-symlink", "--no-same-owner", "-xvf", "-"]
        paths = subprocess.run(tar, stdin=unpacker.stdout, capture_output=True, text=True, check=True).stdout
    listed = [path[1:].rstrip("/") or "/." for path in paths.splitlines()]
    (info / f"{name}.list").write_text("\n".join(listed) + "\n", "utf-8")
    for part in _CONTROL:
        if (control / part).is_file():
            shutil.move(control / part, info / f"{name}.{part}")
    shutil.rmtree(control)
    first, rest = fields.split("\n", 1)
    return f"{first}\nStatus: install ok installed\n{rest.rstrip()}\n"
