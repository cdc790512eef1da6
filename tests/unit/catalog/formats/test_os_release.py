from openinspector.catalog.contract import File
from openinspector.catalog.formats.os_release import PLUGIN, assignments


def read(path, data):
    return PLUGIN.read(File(path=path, data=data)).facts


def test_assignments_lose_their_quotes_and_escapes():
    text = r"""# a comment
ID=debian
NAME="Debian \"GNU\" \$5"
VERSION='12 (book\worm)'
 bad line
EMPTY=
X="open
"""
    assert assignments(text) == {
        "ID": "debian",
        "NAME": 'Debian "GNU" $5',
        "VERSION": "12 (book\\worm)",
        "EMPTY": "",
        "X": '"open',
    }


def test_a_fact_carries_the_name_and_the_path_of_its_file():
    assert read("usr/lib/os-release", b"ID=wolfi\r\n") == (
        ("os-release", {"ID": "wolfi", "_path": "usr/lib/os-release"}),
    )


def test_a_file_of_text_is_one_text():
    assert read("etc/debian_version", b"12.5\n") == (
        ("debian_version", {"text": "12.5", "_path": "etc/debian_version"}),
    )


def test_hostile_content_is_bounded_text():
    ((_, fact),) = read("etc/redhat-release", b"\xff\xfe" + b"\xd8" * 1_000_000)
    assert len(fact["text"]) <= 64 * 1024
    ((_, fact),) = read("etc/os-release", b"A=1\n" * 1_000_000)
    assert fact == {"A": "1", "_path": "etc/os-release"}
