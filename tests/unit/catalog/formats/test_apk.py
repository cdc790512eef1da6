import random
from contextlib import suppress

import pytest

from openinspector.catalog.contract import File
from openinspector.catalog.formats.apk import PLUGIN
from openinspector.errors import CatalogError
from openinspector.model.package import SourcePackage

INSTALLED = b"""\
C:Q1qKcZ+j23xssAXmgQhkOO8dHnbWw=
P:libcrypto3
V:3.3.1-r0
A:x86_64
S:1700000
T:Crypto library from openssl
U:https://www.openssl.org/
L:Apache-2.0
o:openssl
D:so:libc.musl-x86_64.so.1
F:etc
F:etc/ssl
R:openssl.cnf
Z:Q1wGuxVEOK9iGLj1i8D3BSBnT7MJA=
F:lib
R:libcrypto.so.3
a:0:0:755

P:py3-six
V:1.16.0-r9
A:noarch
L:MIT
F:usr/lib/python3.12/site-packages/six-1.16.0.egg-info
R:PKG-INFO
R:SOURCES.txt
F:
R:init

"""
PATH = "lib/apk/db/installed"


def read(data):
    return PLUGIN.read(File(path=PATH, data=data))


def test_packages_with_their_source_and_its_version():
    crypto, six = read(INSTALLED).packages
    assert (crypto.name, crypto.version, crypto.arch, crypto.license) == (
        "libcrypto3",
        "3.3.1-r0",
        "x86_64",
        "Apache-2.0",
    )
    assert crypto.source == SourcePackage(name="openssl", version="3.3.1-r0")
    assert six.source == SourcePackage(name="py3-six", version="1.16.0-r9")
    assert (six.type, six.format, six.location.path) == ("apk", "apk", PATH)


def test_owned_are_the_files_that_may_matter():
    assert read(memoryview(INSTALLED)).owned == (
        ("libcrypto3", ("lib/libcrypto.so.3", "usr/lib/libcrypto.so.3")),
        ("py3-six", ("usr/lib/python3.12/site-packages/six-1.16.0.egg-info/PKG-INFO", "init")),
    )


def test_both_places_of_the_database_are_wanted():
    assert PLUGIN.accepts("usr/lib/apk/db/installed")
    assert PLUGIN.accepts(PATH)


def test_a_paragraph_without_version_is_a_partial_problem():
    reading = read(INSTALLED + b"P:broken\nA:noarch\n")
    assert len(reading.packages) == 2
    assert [(problem.count, problem.partial) for problem in reading.problems] == [(1, True)]


def test_what_is_no_database_is_an_error_and_an_empty_one_is_empty():
    with pytest.raises(CatalogError):
        read(b"\x7fELF\0\0")
    assert read(b"").packages == ()


def test_cut_and_flipped_files_never_crash():
    rng = random.Random(1)
    for _ in range(300):
        hurt = bytearray(INSTALLED[: rng.randrange(1, len(INSTALLED))])
        for _ in range(20):
            hurt[rng.randrange(len(hurt))] = rng.randrange(256)
        with suppress(CatalogError):
            read(bytes(hurt))
