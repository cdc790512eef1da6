"""What the service keeps is its user's alone, whatever the umask; a secret is shown once and not written down."""

import os
import re
import stat
import subprocess
import sys

from tests.edge.postgres import scratch

ACCOUNT = "111122223333"
# PostgreSQL reads its settings, in which there is no secret, and its programs as another user where we are root.
READABLE = {"pg_hba.conf", "pg_ident.conf"}


def run(data, *arguments):
    command = [sys.executable, "-m", "openinspector", *arguments, "--data", str(data)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, umask=0)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def loose(data):
    """Files that others may read or write, folders that they may list or write."""
    for path, folders, files in os.walk(data):
        for name in (*folders, *files):
            found = os.path.join(path, name)
            mode = os.lstat(found).st_mode
            is_open = mode & 0o066 and not (name in READABLE and not mode & 0o022)
            if is_open and not stat.S_ISLNK(mode) and "/programs" not in path:
                yield os.path.relpath(found, data), oct(mode & 0o777)


def test_nobody_else_reads_what_the_service_keeps_and_a_secret_is_nowhere_in_it():
    with scratch() as folder:
        data = folder / "data"
        said = run(data, "keys", "create", "--account", ACCOUNT)
        secret = re.search(r"AWS_SECRET_ACCESS_KEY=(\S+)", said)[1]
        assert said.count(secret) == 1
        listed = run(data, "keys", "list", "--account", ACCOUNT) + run(
            data, "keys", "list", "--account", ACCOUNT, "--format", "json"
        )
        assert secret not in listed
        assert list(loose(data)) == []
        assert stat.S_IMODE(data.stat().st_mode) & 0o066 == 0
        held = [each for each in data.rglob("*") if each.is_file() and secret.encode() in each.read_bytes()]
        assert held == []
