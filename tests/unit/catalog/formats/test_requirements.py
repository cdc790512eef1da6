"""Pinned requirement files."""

import pytest

from openinspector.catalog.contract import File
from openinspector.catalog.formats.requirements import PLUGIN

HASH = "sha256:58cd2187c01e70e6e26505bca751777aa9f2ee0b7f4300988b709f44e013003f"


def read(text, path="app/requirements.txt"):
    return PLUGIN.read(File(path=path, data=text.encode() if isinstance(text, str) else text))


def pins(text):
    return [(each.name, each.version) for each in read(text).packages]


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("requirements.txt", True),
        ("app/requirements-dev.txt", True),
        ("app/dev-requirements.txt", True),
        ("app/Requirements.txt", True),
        ("app/requirements.in", False),
        ("app/licenses.txt", False),
        ("app/requirements/readme.txt", False),
    ],
)
def test_files_are_known_by_their_name(path, wanted):
    assert PLUGIN.accepts(path) is wanted


@pytest.mark.parametrize(
    ("line", "pin"),
    [
        ("requests==2.31.0", ("requests", "2.31.0")),
        ("name===1.0", ("name", "1.0")),
        ("name === 1.0-custom", ("name", "1.0-custom")),
        ("requests [socks, security] == 2.31.0", ("requests", "2.31.0")),
        ('importlib-metadata==6.0 ; python_version < "3.8"', ("importlib-metadata", "6.0")),
        ('importlib-metadata==6.0;python_version<"3.8"', ("importlib-metadata", "6.0")),
        ("torch==2.1.0+cu118  # the GPU one", ("torch", "2.1.0+cu118")),
        ("pytz==1!2023.3", ("pytz", "1!2023.3")),
        ("Django>=4.2,==4.2.7", ("Django", "4.2.7")),
        ("six (==1.16.0)", ("six", "1.16.0")),
        (f"a==1 --hash={HASH}", ("a", "1")),
        ("zope.interface==6.0", ("zope.interface", "6.0")),
        ("flask @ https://example.org/Flask-3.0.0-py3-none-any.whl", ("flask", "3.0.0")),
        ("flask @ https://example.org/f/flask-3.0.0.tar.gz#sha256=ab ; python_version > '3'", ("flask", "3.0.0")),
        ("https://example.org/w/torch-2.1.0%2Bcpu-cp311-cp311-linux_x86_64.whl", ("torch", "2.1.0+cpu")),
        ("./wheels/foo-1.0-py3-none-any.whl", ("foo", "1.0")),
    ],
)
def test_a_pinned_line_names_a_package(line, pin):
    reading = read(line)
    assert [(each.name, each.version) for each in reading.packages] == [pin]
    assert reading.problems == ()


@pytest.mark.parametrize(
    "line",
    [
        "requests",
        "requests>=2.31.0",
        "requests~=2.31",
        "requests!=2.31.0",
        "requests==2.*",
        "requests==${VERSION}",
        "-e git+https://example.org/r.git#egg=r",
        "git+https://example.org/r.git@v1.0",
        "flask @ https://example.org/other-3.0.0-py3-none-any.whl",
        "a sentence about nothing",
        "==1.0",
    ],
)
def test_a_line_without_an_exact_version_is_counted(line):
    reading = read(f"{line}\na==1\n")
    assert [each.name for each in reading.packages] == ["a"]
    assert [(each.count, each.partial) for each in reading.problems] == [(1, False)]


def test_continued_lines_are_one_and_a_single_hash_is_the_digest():
    text = f"a==1 \\\n    --hash={HASH}\n# not \\\nb==2 \\\n  --hash={HASH} \\\n  --hash=sha256:00\nc==\\\n3\\\n"
    packages = read(text).packages
    assert [(each.name, each.version, each.digest) for each in packages] == [
        ("a", "1", HASH),
        ("b", "2", ""),
        ("c", "3", ""),
    ]


def test_options_and_comments_are_no_requirements():
    reading = read(
        "--index-url https://example.org/simple\n-c constraints.txt\n\n# a==1\n  \n-r requirements-base.txt\n"
    )
    assert reading.packages == ()
    assert reading.problems == ()


def test_an_included_file_that_nobody_reads_is_named():
    reading = read("-r base.txt\n--requirement=deps/more.txt\na==1\n")
    assert [(each.count, each.reason.endswith("base.txt, deps/more.txt")) for each in reading.problems] == [(2, True)]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
def test_powershell_writes_utf_16_and_it_is_read(encoding):
    assert pins("requests==2.31.0\r\nidna==3.4\r\n".encode(encoding)) == [("requests", "2.31.0"), ("idna", "3.4")]


@pytest.mark.parametrize(
    ("path", "dev"),
    [
        ("requirements.txt", False),
        ("requirements-dev.txt", True),
        ("test-requirements.txt", True),
        ("requirements_prod.txt", False),
    ],
)
def test_a_file_named_for_development_is_for_development(path, dev):
    assert read("a==1", path).packages[0].dev is dev


@pytest.mark.parametrize("unit", ["a", " ", "==", "\\\n", "#", "\t#", "[", "(", ";", "a@", "--hash=", "-"])
def test_a_megabyte_of_nonsense_ends(unit):
    read((unit * (1 << 20))[: 1 << 20])
