from openinspector.catalog.contract import File
from openinspector.catalog.formats.dpkg_list import PLUGIN

LISTING = b"""\
/.
/usr
/usr/bin
/usr/bin/python3.11
/usr/bin/pip
/usr/lib
/usr/lib/python3
/usr/lib/python3/dist-packages
/usr/lib/python3/dist-packages/pip-23.0.1.dist-info
/usr/lib/python3/dist-packages/pip-23.0.1.dist-info/METADATA
/usr/lib/python3/dist-packages/pip/__init__.py
/usr/lib/python3/dist-packages/six.egg-info
/usr/share/doc/pip/copyright
/lib/x86_64-linux-gnu/libc.so.6
"""


def read(path, data):
    return PLUGIN.read(File(path=path, data=data)).owned


def test_a_list_gives_the_files_that_may_matter():
    assert read("var/lib/dpkg/info/python3-pip.list", LISTING) == (
        (
            "python3-pip",
            (
                "usr/bin/python3.11",
                "usr/bin/pip",
                "usr/lib/python3/dist-packages/pip-23.0.1.dist-info/METADATA",
                "usr/lib/python3/dist-packages/six.egg-info",
                "lib/x86_64-linux-gnu/libc.so.6",
                "usr/lib/x86_64-linux-gnu/libc.so.6",
            ),
        ),
    )


def test_the_architecture_in_a_file_name_is_not_part_of_the_package_name():
    ((package, _),) = read("var/lib/dpkg/info/libc6:amd64.list", b"/usr/bin/ldd")
    assert package == "libc6"


def test_a_list_of_nothing_that_matters_gives_nothing():
    assert read("var/lib/dpkg/info/doc.list", b"/.\n/usr\n/usr/share\n/usr/share/a.txt\n") == ()


def test_checksums_of_distroless_name_the_files():
    digest = b"0123456789abcdef0123456789abcdef"
    sums = digest + b"  usr/bin/openssl\n" + digest + b"  ./usr/lib/libssl.so.3\nx\n"
    assert read("var/lib/dpkg/status.d/libssl1.1.md5sums", sums) == (
        ("libssl1.1", ("usr/bin/openssl", "usr/lib/libssl.so.3")),
    )


def test_only_lists_and_the_checksums_of_distroless_are_wanted():
    assert PLUGIN.accepts("var/lib/dpkg/info/a.list")
    assert not PLUGIN.accepts("var/lib/dpkg/info/a.md5sums")
    assert PLUGIN.accepts("var/lib/dpkg/status.d/a.md5sums")
    assert not PLUGIN.accepts("var/lib/dpkg/status.d/a")


def test_bytes_that_are_no_text_do_no_harm():
    assert read("var/lib/dpkg/info/a.list", bytes(range(256)) * 20)
