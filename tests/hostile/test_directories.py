"""Directories as targets, and things that are no targets at all."""

import os
import socket
import stat

import pytest

_DEPTH = 1500  # more than Python's own stack holds, and few enough to be made in a second
OS_RELEASE = 'ID=debian\nVERSION_ID="12"\n'


def put(folder, name, content=""):
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())


@pytest.mark.parametrize("absolute", [True, False], ids=["absolute", "relative"])
@pytest.mark.parametrize("whole", ["status", "folder", "parent"])
def test_a_database_that_is_a_link_out_of_the_root_is_not_followed(sandbox, absolute, whole):
    root = sandbox.target
    put(root, "etc/os-release", OS_RELEASE)
    put(
        sandbox.canary,
        "dpkg/status",
        "Package: stolen\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n\n",
    )
    (root / "var/lib").mkdir(parents=True)
    out = str(sandbox.canary) if absolute else "../../../canary"
    if whole == "status":
        (root / "var/lib/dpkg").mkdir()
        (root / "var/lib/dpkg/status").symlink_to(f"{out}/dpkg/status" if absolute else f"../{out}/dpkg/status")
    elif whole == "folder":
        (root / "var/lib/dpkg").symlink_to(f"{out}/dpkg")
    else:
        (root / "var/lib").rmdir()
        (root / "var").rmdir()
        (root / "var").symlink_to(out)
    outcome = sandbox.scan(f"dir:{root}")
    assert "stolen" not in outcome.out
    assert outcome.packages == 0
    if whole != "parent":
        assert outcome.report["status"] == "partial", outcome


@pytest.mark.parametrize("host_file", ["/etc/shadow", "/etc/passwd", "/dev/zero", "/proc/self/environ"])
def test_a_database_that_is_a_link_to_a_host_file_is_told(sandbox, host_file):
    (sandbox.target / "var/lib/dpkg").mkdir(parents=True)
    (sandbox.target / "var/lib/dpkg/status").symlink_to(host_file)
    outcome = sandbox.partial(f"dir:{sandbox.target}", "var/lib/dpkg/status", f"link to {host_file}, where none is")
    assert "root:" not in outcome.out


def test_links_in_a_circle_end_and_are_told(sandbox):
    put(sandbox.target, "app/requirements.txt", "victim==1\n")
    (sandbox.target / "app/again").symlink_to(".")
    (sandbox.target / "app/up").symlink_to("..")
    (sandbox.target / "a").symlink_to("b")
    (sandbox.target / "b").symlink_to("a")
    assert sandbox.scan(f"dir:{sandbox.target}").packages == 1
    (sandbox.target / "var").symlink_to("usr")
    (sandbox.target / "usr").symlink_to("var")
    assert sandbox.partial(f"dir:{sandbox.target}", "^usr|var$", "leads in a circle").packages == 1


def test_pipes_sockets_and_devices_in_a_tree_are_passed_over(sandbox):
    put(sandbox.target, "app/requirements.txt", "victim==1\n")
    os.mkfifo(sandbox.target / "app/poetry.lock")
    with socket.socket(socket.AF_UNIX) as listening:
        here = os.getcwd()
        os.chdir(sandbox.target / "app")  # the name of a socket may have a hundred bytes
        try:
            listening.bind("uv.lock")
        finally:
            os.chdir(here)
        if os.geteuid() == 0:
            os.mknod(sandbox.target / "app/go.mod", stat.S_IFCHR | 0o600, os.makedev(1, 5))
        assert sandbox.scan(f"dir:{sandbox.target}").packages == 1


@pytest.mark.parametrize("prefix", ["", "image:", "lambda:", "sbom:", "dir:", "oci-dir:"])
@pytest.mark.parametrize("kind", ["pipe", "device", "socket"])
def test_a_target_that_is_no_file_is_refused_and_not_waited_for(sandbox, prefix, kind):
    path = sandbox.target / "x"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(f"/tmp/oi{os.getpid()}.sock")  # the name of a socket may have a hundred bytes
        os.rename(f"/tmp/oi{os.getpid()}.sock", path)
        listening.close()
    outcome = sandbox.scan(f"{prefix}{path}")
    assert outcome.status in (2, 3), outcome
    assert outcome.err.startswith("openinspector: "), outcome
    assert "x" in outcome.err
    assert outcome.out == ""


def test_folders_without_end_in_each_other_end_at_the_depth_and_are_told(sandbox):
    put(sandbox.target, "requirements.txt", "victim==1\n")
    folder = os.open(sandbox.target, os.O_RDONLY | os.O_DIRECTORY)
    for _ in range(_DEPTH):
        os.mkdir("d", dir_fd=folder)
        below = os.open("d", os.O_RDONLY | os.O_DIRECTORY, dir_fd=folder)
        os.close(folder)
        folder = below
    try:
        outcome = sandbox.partial(f"dir:{sandbox.target}", "^d/", r"nested more than 200 deep .*LIMIT_DEPTH")
        assert outcome.packages == 1
    finally:
        _take_apart(folder)


def _take_apart(folder):
    """Remove nested folders called `d` from the lowest up: pytest's own removal goes as deep as they do."""
    for _ in range(_DEPTH + 1):
        above = os.open("..", os.O_RDONLY | os.O_DIRECTORY, dir_fd=folder)
        os.close(folder)
        folder = above
        try:
            os.rmdir("d", dir_fd=folder)
        except FileNotFoundError:
            break
    os.close(folder)


def test_a_depth_that_was_raised_beyond_the_stack_is_an_answer_too(sandbox):
    sandbox.environment["OPENINSPECTOR_LIMIT_DEPTH"] = "1000000"
    folder = os.open(sandbox.target, os.O_RDONLY | os.O_DIRECTORY)
    for _ in range(_DEPTH):
        os.mkdir("d", dir_fd=folder)
        below = os.open("d", os.O_RDONLY | os.O_DIRECTORY, dir_fd=folder)
        os.close(folder)
        folder = below
    try:
        outcome = sandbox.scan(f"dir:{sandbox.target}")
        assert outcome.status in (0, 3)
        assert outcome.status == 0 or outcome.problems
    finally:
        _take_apart(folder)


def test_more_files_than_allowed_end_the_walk(sandbox):
    sandbox.environment["OPENINSPECTOR_LIMIT_ENTRIES"] = "1000"
    for at in range(1100):
        (sandbox.target / f"{at:05}").touch()
    sandbox.partial(f"dir:{sandbox.target}", "", r"more than 1,000 files \(OPENINSPECTOR_LIMIT_ENTRIES\)")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become nobody")
def test_what_may_not_be_read_is_told(sandbox):
    put(sandbox.target, "app/requirements.txt", "victim==1\n")
    put(sandbox.target, "closed/requirements.txt", "victim==1\n")
    put(sandbox.target, "var/lib/dpkg/status", "x")
    (sandbox.target / "closed").chmod(0o700)
    (sandbox.target / "var/lib/dpkg/status").chmod(0o600)
    sandbox.give_away()
    outcome = sandbox.partial(f"dir:{sandbox.target}", "^closed$", "Permission denied")
    assert ("var/lib/dpkg/status", "can't be read: Permission denied") in outcome.problems
    assert outcome.packages == 1, str(outcome)
    (sandbox.target / "app.zip").write_bytes(b"PK\5\6" + bytes(18))
    (sandbox.target / "app.zip").chmod(0o600)
    outcome = sandbox.scan(sandbox.target / "app.zip")
    assert outcome.status == 3, outcome
    assert "Permission denied" in outcome.err


def test_a_file_without_end_is_larger_than_allowed_and_told(sandbox):
    (sandbox.target / "var/lib/dpkg").mkdir(parents=True)
    for name in ("requirements.txt", "var/lib/dpkg/status", "x.jar", "program"):
        with (sandbox.target / name).open("wb") as file:
            file.write(b"\x7fELF")
            file.truncate(1 << 40)
    outcome = sandbox.partial(f"dir:{sandbox.target}", "requirements.txt", "1,099,511,627,776 bytes are more than")
    assert {path for path, _ in outcome.problems} >= {"requirements.txt", "var/lib/dpkg/status", "x.jar"}


@pytest.mark.parametrize("name", [b"caf\xe9", b"\xff\xfe", b"a\nb", b"\x1b]0;evil\x07"], ids=repr)
def test_names_that_are_no_text_are_read_and_shown_escaped(sandbox, name):
    folder = os.fsencode(sandbox.target) + b"/" + name
    os.mkdir(folder)
    with open(folder + b"/requirements.txt", "wb") as file:
        file.write(b"victim==1\n")
    with open(folder + b"/poetry.lock", "wb") as file:
        file.write(b"[[package")
    for form in ("json", "table", "html", "csv", "cyclonedx", "spdx", "sarif", "junit", "gitlab", "asff"):
        outcome = sandbox.run("scan", f"dir:{sandbox.target}", "--format", form)
        assert outcome.status == 3, outcome
        assert "\x1b" not in outcome.out
        assert "\x07" not in outcome.out
    sandbox.run("sbom", f"dir:{sandbox.target}")
    assert "\x1b" not in sandbox.run("explain", "CVE-2021-44228", f"dir:{sandbox.target}").out
