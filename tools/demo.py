"""Shows the main job on real input: this machine, a container image and a Lambda package made of real packages."""

import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import time
import zipfile
from pathlib import Path

import demo_service

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / ".demo"
SCANNER = str(ROOT / ".venv" / "bin" / "openinspector")

# Old versions, on purpose: each has advisories.
WHEELS = ["jinja2==2.10", "requests==2.19.0", "urllib3==1.23", "pyyaml==5.3", "django==2.2.0"]
LAMBDA_WHEELS = ["requests==2.19.0", "urllib3==1.23", "certifi==2018.4.16"]
TARBALLS = ["lodash@4.17.4", "minimist@0.0.8", "express@4.16.0", "axios@0.18.0"]


def main() -> int:
    """Run the demonstration."""
    began = time.monotonic()
    WORK.mkdir(exist_ok=True)
    os.environ["OPENINSPECTOR_DB"] = str(WORK / "advisories.sqlite")
    os.environ["OPENINSPECTOR_CACHE"] = str(WORK / "cache")
    feeds = os.environ.get("OPENINSPECTOR_FEEDS")
    if feeds:
        step(f"Compiling the feeds in {feeds}")
        status = scanner("db", "build", "--feeds", feeds, "--output", os.environ["OPENINSPECTOR_DB"])
        if status not in (0, 3):
            return status
    else:
        step("Compiling the starter advisories")
        if status := scanner("db", "starter"):
            return status
    step("Fetching a few old Python and Node.js packages, and packing them into an image and a Lambda package")
    image, function = make_image(), make_function()
    failed = 0
    for what, *asked in (
        ("This machine's own root file system", "host", "--severity", "high"),
        ("The container image", str(image)),
        ("The Lambda package", f"lambda:{function}"),
    ):
        step(f"{what}: openinspector scan {' '.join(asked)}")
        status = scanner("scan", *asked)
        if status == 3:
            print("(Exit status 3: parts could not be read, and the scan says which; nothing unseen is called clean.)")
        elif status:
            failed = status
    step("Why is that one reported?  openinspector explain CVE-2019-10906")
    scanner("explain", "CVE-2019-10906", str(image))
    failed = demo_service.show(Path(SCANNER).parent, image, step) or failed
    print(
        f"""
Done in {time.monotonic() - began:.0f} seconds. What to try next, with .venv/bin on your PATH and
  export OPENINSPECTOR_DB={os.environ["OPENINSPECTOR_DB"]}

  openinspector scan dir:PATH                       a source tree or an unpacked root file system
  openinspector scan image.tar --fail-on high       an image from `docker save`, as a gate (exit status 1)
  openinspector explain CVE-2021-44228 host         why a CVE is, or is not, reported
  openinspector db update                           all advisories, from their publishers or a mirror
  openinspector serve                               the service; docs/howto/run-the-service.md goes on from there
"""
    )
    return failed


def step(what: str) -> None:
    """Say what comes next."""
    print(f"\n==> {what}", flush=True)


def scanner(*arguments: str) -> int:
    """Run our own command as a person would."""
    return subprocess.run([SCANNER, *arguments], check=False).returncode


def make_image() -> Path:
    """A two-layer image in the form of `docker save`: a Debian system's database and an application."""
    root = WORK / "image"
    shutil.rmtree(root, ignore_errors=True)
    application = root / "app"
    application.mkdir(parents=True)
    pip(WHEELS, application / "site-packages")
    npm(TARBALLS, application)
    base = io.BytesIO()
    with tarfile.open(fileobj=base, mode="w") as layer:
        add(layer, "etc/os-release", 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n')
        status = "".join(
            f"Package: {name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: {version}\n{extra}\n"
            for name, version, extra in (
                ("openssl", "3.0.7-1", ""),
                ("libssl3", "3.0.7-1", "Source: openssl\n"),
                ("zlib1g", "1:1.2.11.dfsg-2", "Source: zlib\n"),
                ("sudo", "1.9.5p2-3", ""),
                ("curl", "7.88.1-1", ""),
            )
        )
        add(layer, "var/lib/dpkg/status", status)
    upper = io.BytesIO()
    with tarfile.open(fileobj=upper, mode="w") as layer:
        layer.add(application, "app")
    path = WORK / "demo-image.tar"
    config = {
        "architecture": "amd64",
        "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + "1" * 64, "sha256:" + "2" * 64]},
    }
    manifest = [{"Config": "config.json", "RepoTags": ["demo:latest"], "Layers": ["1/layer.tar", "2/layer.tar"]}]
    with tarfile.open(path, "w") as archive:
        add(archive, "manifest.json", json.dumps(manifest))
        add(archive, "config.json", json.dumps(config))
        add(archive, "1/layer.tar", base.getvalue())
        add(archive, "2/layer.tar", upper.getvalue())
    return path


def make_function() -> Path:
    """A Lambda package: code and its dependencies in a zip."""
    code = WORK / "function"
    shutil.rmtree(code, ignore_errors=True)
    pip(LAMBDA_WHEELS, code)
    (code / "handler.py").write_text("def handler(event, context):\n    return 'hello'\n")
    path = WORK / "demo-function.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(code.rglob("*")):
            if file.is_file():
                archive.write(file, file.relative_to(code))
    return path


def add(archive: tarfile.TarFile, name: str, content: str | bytes) -> None:
    """One file into an archive."""
    data = content.encode() if isinstance(content, str) else content
    info = tarfile.TarInfo(name)
    info.size = len(data)
    archive.addfile(info, io.BytesIO(data))


def pip(packages: list[str], target: Path) -> None:
    """Unpack old wheels; they are only looked at, never run, so no dependency and no Python version matters."""
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
    for package in packages:
        done = subprocess.run(
            [*command, "--no-deps", "--no-compile", "--ignore-requires-python", "--target", str(target), package],
            check=False,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            print(f"(pip could not get {package}; it goes on without it)")


def npm(packages: list[str], folder: Path) -> None:
    """Unpack npm tarballs into node_modules, where npm is there."""
    tool = shutil.which("npm")
    if tool is None:
        print("(npm is not installed: the image goes without Node.js packages)")
        return
    for package in packages:
        done = subprocess.run(
            [tool, "pack", "--silent", package], cwd=folder, check=False, capture_output=True, text=True
        )
        tarball = folder / (done.stdout.strip().splitlines() or ["none"])[-1]
        if done.returncode or not tarball.is_file():
            print(f"(npm could not get {package}; it goes on without it)")
            continue
        target = folder / "node_modules" / package.partition("@")[0]
        with tarfile.open(tarball) as archive:
            source = archive.extractfile("package/package.json")
            target.mkdir(parents=True, exist_ok=True)
            (target / "package.json").write_bytes(source.read() if source else b"{}")
        tarball.unlink()


if __name__ == "__main__":
    raise SystemExit(main())
