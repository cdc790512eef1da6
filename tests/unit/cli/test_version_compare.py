"""`openinspector version-compare`: one pair, lines of pairs, and what goes wrong."""

from io import BytesIO, StringIO, TextIOWrapper

import pytest

from openinspector.cli.version_compare import SCHEMES, run
from openinspector.errors import UsageError, VersionError
from openinspector.versions.order import schemes


def answers(lines: str) -> list[str]:
    out = StringIO()
    assert run(None, None, None, stdin=StringIO(lines), out=out) == 0
    return out.getvalue().splitlines()


@pytest.mark.parametrize(
    ("scheme", "a", "b", "answer"),
    [("deb", "1.0~rc1", "1.0", "-1\n"), ("pypi", "1.0", "1", "0\n"), ("maven", "1", "1-SNAPSHOT", "1\n")],
)
def test_a_pair_gets_one_line(scheme, a, b, answer):
    out = StringIO()
    assert run(scheme, a, b, stdin=None, out=out) == 0
    assert out.getvalue() == answer


def test_a_pair_that_cannot_be_read_says_error_and_raises():
    out = StringIO()
    with pytest.raises(VersionError, match="nonsense"):
        run("pypi", "1.0", "nonsense", stdin=None, out=out)
    assert out.getvalue() == "error\n"


@pytest.mark.parametrize(
    ("scheme", "a", "b"), [(None, None, None), ("deb", "1", None), ("cobol", "1", "2"), ("contract", "1", "2")]
)
def test_no_pair_and_no_such_scheme_are_usage_errors(scheme, a, b):
    with pytest.raises(UsageError):
        run(scheme, a, b, stdin=None, out=StringIO())


def test_a_pair_and_stdin_together_are_a_usage_error():
    with pytest.raises(UsageError, match="not both"):
        run("deb", "1", "2", stdin=StringIO(), out=StringIO())


def test_every_scheme_can_be_named():
    assert sorted(SCHEMES) == sorted(schemes())
    assert answers("".join(f"{name}\t1.20.0\t1.21.0\n" for name in SCHEMES)) == ["-1"] * len(SCHEMES)


def test_every_line_gets_one_answer():
    lines = ["gem\t1.a\t1", "gem\t2\t1", "gem\t1\t1.0", "gem\t1\tx", "cobol\t1\t2", "", "gem", "gem\t1", "gem\t1\t2\t3"]
    assert answers("\n".join(lines)) == ["-1", "1", "0"] + ["error"] * 6
    assert answers("") == []


def test_mavens_exact_order_is_used_where_its_keys_fail():
    assert answers("maven\t1\t1.a-1\nmaven\t1.a-1\t1a1\nmaven\t1a1\t1\n") == ["-1", "-1", "-1"]


def test_an_empty_version_is_asked_of_the_scheme():
    assert answers("gem\t\t0\npypi\t\t1\n") == ["0", "error"]


def test_bytes_that_are_no_text_get_an_answer_too():
    given = BytesIO(b"pypi\t1.\xff\t1\nmaven\t1.\xff\t1\npypi\t1\r\t1\ndeb\t1\t2\r\n")
    out = StringIO()
    assert run(None, None, None, stdin=TextIOWrapper(given, encoding="utf-8"), out=out) == 0
    assert out.getvalue().splitlines() == ["error", "1", "0", "-1"]
