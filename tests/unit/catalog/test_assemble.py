"""What the files of a tree said becomes one inventory."""

import zipfile

import pytest

from openinspector.pipeline.scan import Request, read_target


@pytest.fixture
def root(tmp_path):
    """A root with a jar whose Maven group nothing tells; a package owns it where its list says so."""
    for folder in ("etc", "var/lib/dpkg/info", "usr/share/java"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "etc/os-release").write_text('ID=debian\nVERSION_ID="12"\n')
    (tmp_path / "var/lib/dpkg/status").write_text(
        "Package: libx-java\nStatus: install ok installed\nVersion: 1-1\nArchitecture: all\n\n"
    )
    with zipfile.ZipFile(tmp_path / "usr/share/java/x-1.0.jar", "w") as jar:
        jar.writestr("a/B.class", b"\xca\xfe\xba\xbe")
    return tmp_path


def problems(root):
    return [each.path for each in read_target(Request(target=f"dir:{root}")).problems]


def test_a_small_doubt_about_a_file_is_told(root):
    assert problems(root) == ["usr/share/java/x-1.0.jar"]


def test_a_small_doubt_about_a_file_that_the_distribution_judges_is_not_told(root):
    (root / "var/lib/dpkg/info/libx-java.list").write_text("/.\n/usr/share/java/x-1.0.jar\n")
    assert problems(root) == []
    (root / "etc/os-release").write_text("ID=unheard-of\n")
    assert problems(root) == ["usr/share/java/x-1.0.jar"]
