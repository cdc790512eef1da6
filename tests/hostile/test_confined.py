"""Children that read what strangers sent: whatever becomes of one, the next is answered."""

import os
import platform
import signal
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from tests.hostile import confined_makers as makers

from openinspector.errors import ConfinedError
from openinspector.pipeline.confined import Confinement, _Places
from openinspector.pipeline.settings import ConfinedSettings
from openinspector.transport.process import Bounds, Children

TIGHT = Bounds(memory=128 << 20, cpu=1, seconds=3, answer=1 << 20)
LONG = Bounds(seconds=300)


@pytest.fixture(scope="module", autouse=True)
def importable():
    """Children find these tests where they find everything."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(Path(__file__).resolve().parents[2])
        yield


@pytest.fixture(scope="module")
def children(importable):
    made = Children(("tests.hostile.confined_makers",))
    yield made
    made.close()


@pytest.fixture(autouse=True)
def answers_afterwards(children):
    yield
    assert children.call(makers.upper, b"", b"still there", LONG) == b"STILL THERE"


def refused(children, maker, document=b"", bounds=TIGHT, given=b""):
    with pytest.raises(ConfinedError) as raised:
        children.call(maker, given, document, bounds)
    return raised.value


@pytest.mark.parametrize("size", [0, 1, 1 << 16, (1 << 24) + 1])
def test_a_document_goes_in_and_an_answer_comes_out(children, size):
    assert children.call(makers.upper, b"", memoryview(b"x" * size), LONG) == b"X" * size


def test_what_is_given_is_there_before_the_document(children):
    assert children.call(makers.with_given, b"ours", b"theirs", LONG) == b"ours theirs"


@pytest.mark.parametrize(
    ("maker", "kind", "said"),
    [
        (makers.memory_bomb, "memory", "more than 128 MiB of memory"),
        (makers.endless, "cpu", "more than 1 seconds of a processor"),
        (makers.asleep, "time", "more than 3 seconds"),
        (makers.talkative, "answer", "more than 1,048,576 bytes"),
        (makers.broken, "crashed", "KeyError in "),
        (makers.recursive, "crashed", "RecursionError in "),
        (makers.crashing, "crashed", "signal 11"),
    ],
)
def test_who_exceeds_its_bounds_ends_and_says_which(children, maker, kind, said):
    patient = Bounds(memory=TIGHT.memory, cpu=1, seconds=300, answer=TIGHT.answer)
    error = refused(children, maker, b"a stranger's words", TIGHT if kind == "time" else patient)
    assert error.kind == kind
    assert said in str(error)
    assert "stranger" not in str(error)


def test_who_does_not_even_read_its_document_is_given_up(children, monkeypatch):
    monkeypatch.setattr("openinspector.transport.process._START_SECONDS", 1.0)
    assert refused(children, makers.deaf, b"x" * (8 << 20)).kind == "time"


def test_nothing_can_be_opened_written_started_or_raised(children, tmp_path):
    assert children.call(makers.prying, b"", str(tmp_path / "written").encode(), LONG) == b"[]"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(
    (sys.platform, platform.machine()) != ("linux", "x86_64"), reason="the numbers of system calls are one machine's"
)
def test_what_takes_no_descriptor_can_not_be_done_either(children):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o777)  # a child of root is nobody, one of a user is that user
        (folder / "file").write_text("kept")
        (folder / "file").chmod(0o666)
        assert children.call(makers.reaching, name.encode(), b"", LONG) == b"[]"
        assert [each.name for each in folder.iterdir()] == ["file"]
        assert (folder / "file").read_text() == "kept"
    assert children.call(makers.by_number, b"", b"", LONG) == b"[-1, -1]"


def test_it_has_its_socket_and_nothing_of_ours(children, monkeypatch):
    monkeypatch.setenv("OPENINSPECTOR_SEALING_KEY", "secret")
    kept = os.open(os.devnull, os.O_RDONLY)
    os.set_inheritable(kept, True)
    children.close()  # a new process, with this environment and descriptor
    try:
        seen = eval(children.call(makers.surroundings, b"", b"", LONG))
    finally:
        os.close(kept)
    descriptors, user, environment, folder = seen
    assert descriptors == 4  # three times nothing, and the socket
    assert user == (65534 if os.geteuid() == 0 else os.geteuid()) or user == 65534
    assert set(environment) <= {"PYTHONPATH", "LC_CTYPE"}
    assert folder == "/"


@pytest.mark.skipif(os.geteuid() != 0, reason="whether others may leave the network is the system's affair")
def test_there_is_no_network(children):
    assert children.call(makers.interfaces, b"", b"", LONG) == b"['lo']"


def test_a_child_that_somebody_kills_is_told_as_such(children, tmp_path):
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(refused, children, makers.told_of, b"", LONG, str(tmp_path / "number").encode())
        os.kill(_number_in(tmp_path / "number"), signal.SIGKILL)
        assert waiting.result(60).kind == "killed"


def test_a_zygote_that_is_killed_takes_its_children_along_and_is_started_again(children, tmp_path):
    """The call that was under way is done once more, then given up; both its children are gone."""
    path = tmp_path / "number"
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(refused, children, makers.told_of, b"", LONG, str(path).encode())
        numbers = []
        for _ in range(2):
            numbers.append(_number_in(path))
            path.unlink()
            os.kill(children._zygote.pid, signal.SIGKILL)
        assert waiting.result(60).kind == "lost"
    for number in numbers:
        _wait_until(lambda number=number: not _is_there(number))


def _spare(children):
    """The child that waits for a call; it comes some time after the last call."""
    last = int(children.call(makers.number, b"", b"", LONG))

    found = []

    def is_alone():
        parent = f"{children._zygote.pid}"
        found.clear()
        for each in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                if each.read_text().rpartition(")")[2].split()[1] == parent:
                    found.append(int(each.parent.name))
        return len(found) == 1 and found[0] != last

    _wait_until(is_alone)
    return found[0]


@pytest.mark.skipif(sys.platform != "linux", reason="processes are looked for in /proc")
def test_a_child_that_dies_before_it_has_a_call_is_missed_by_nobody(children):
    for _ in range(3):
        spare = _spare(children)
        os.kill(spare, signal.SIGKILL)
        _wait_until(lambda spare=spare: not _is_there(spare))
        assert children.call(makers.upper, b"", b"x", LONG) == b"X"


@pytest.mark.skipif(sys.platform != "linux", reason="processes are looked for in /proc")
def test_a_child_that_waits_for_a_call_ends_with_the_zygote(children):
    for end in (children.close, lambda: os.kill(children._zygote.pid, signal.SIGKILL)):
        spare = _spare(children)
        end()
        _wait_until(lambda spare=spare: not _is_there(spare))


@pytest.mark.skipif(sys.platform != "linux", reason="processes are looked for in /proc")
def test_a_child_may_have_been_tried_out_on_what_is_ours_and_has_seen_nothing_else(children):
    secret = b"another's"
    children.call(makers.remembering, b"first", secret, LONG, b"sample")
    _spare(children)
    seen = set()
    for _ in range(5):
        seen.add(children.call(makers.remembering, b"second", b"own", LONG))
        _spare(children)
    assert seen <= {b"first sample second own", b"second own"}  # who is in a hurry isn't tried out
    assert children.call(makers.broken_at, b"", b"own", LONG, b"broken") == b"OWN"
    _spare(children)
    assert children.call(makers.upper, b"", b"own", LONG) == b"OWN"


def test_an_answer_that_is_cut_short_is_none(children):
    assert refused(children, makers.cut_short, bounds=LONG).kind == "killed"


def test_closing_ends_children_at_work(children, tmp_path):
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(refused, children, makers.told_of, b"", Bounds(seconds=300), str(tmp_path / "n").encode())
        first = _number_in(tmp_path / "n")
        (tmp_path / "n").unlink()
        children.close()
        second = _number_in(tmp_path / "n")  # it was done again
        assert second != first
        assert not _is_there(first)
        os.kill(second, signal.SIGKILL)
        assert waiting.result(60).kind == "killed"


def test_many_at_once_get_their_own_answers(children):
    def ask(number):
        if number % 5 == 0:
            return refused(children, makers.broken, bounds=LONG).kind
        return children.call(makers.upper, b"", b"a%d" % number * 10_000, LONG)

    with ThreadPoolExecutor(16) as pool:
        told = list(pool.map(ask, range(80)))
    assert told == ["crashed" if number % 5 == 0 else b"A%d" % number * 10_000 for number in range(80)]


def test_only_so_many_are_at_work_and_who_waits_too_long_is_told(tmp_path):
    confined = Confinement(("tests.hostile.confined_makers",))
    confined.configure(ConfinedSettings(children=1, wait=0.2))
    ends = threading.Event()

    def occupy():
        with pytest.raises(ConfinedError, match="ended the process"):
            confined(makers.told_of, b"", given=str(tmp_path / "number").encode())
        ends.set()

    thread = threading.Thread(target=occupy)
    thread.start()
    number = _number_in(tmp_path / "number")
    with pytest.raises(ConfinedError) as raised:
        confined(makers.upper, b"")
    assert raised.value.kind == "busy"
    assert confined(makers.upper, b"another's", account="another") == b"ANOTHER'S"
    os.kill(number, signal.SIGKILL)
    thread.join(60)
    assert ends.is_set()
    assert confined(makers.upper, b"free") == b"FREE"
    confined.close()


def test_no_account_has_all_children_and_who_has_fewest_is_next():
    places, order = _Places(2), []

    def ask(who):
        with places.place(who, 60):
            order.append(who)

    with ThreadPoolExecutor(8) as pool, ExitStack() as held:
        for _ in range(2):
            held.enter_context(places.place("greedy", 1))
        more = [pool.submit(ask, "greedy") for _ in range(3)]
        _wait_until(lambda: len(places._waiting) == 3)
        with places.place("modest", 60):  # at once, though others came before
            assert order == []
            with pytest.raises(ConfinedError, match="too many"), places.place("modest", 0.01):
                pass
            another = pool.submit(ask, "other")
            _wait_until(lambda: len(places._waiting) == 4)
        another.result(60)
        assert order == ["other"]
        held.close()
        for each in more:
            each.result(60)
    assert order == ["other", "greedy", "greedy", "greedy"]
    assert (places._free, dict(places._held), places._waiting) == (3, {}, {})


def _number_in(path: Path) -> int:
    _wait_until(lambda: path.exists() and path.read_text() != "")
    return int(path.read_text())


def _is_there(number: int) -> bool:
    try:
        state = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def _wait_until(so) -> None:
    ends = time.monotonic() + 60
    while not so():
        assert time.monotonic() < ends
        time.sleep(0.01)
