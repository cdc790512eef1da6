import random
import shutil
import subprocess
from contextlib import suppress

import pytest
from tests.unit.catalog import rpm_writers as write

from openinspector.catalog.contract import File
from openinspector.catalog.formats.rpm import PLUGIN
from openinspector.errors import CatalogError
from openinspector.model.package import SourcePackage

BASH = write.header(
    files=[
        ("/usr/bin/", "bash", 0o100755),
        ("/usr/bin/", "sh", 0o120777),
        ("/usr/share/doc/", "bash", 0o40755),
        ("/usr/share/doc/bash/", "README", 0o100644),
        ("/usr/share/man/man1/", "bash.1.gz", 0o100644),
        ("/usr/lib/python3.9/site-packages/gpg-1.15.1.dist-info/", "METADATA", 0o100644),
        ("/lib64/", "libx.so.1.2", 0o100755),
    ]
)
NODE = write.header(
    name="nodejs",
    version="18.14.2",
    release="2.module+el9",
    epoch=1,
    source="nodejs-18.14.2-2.module+el9.src.rpm",
    module="nodejs:18:9020020230301:rhel9",
)
KEY = write.header(name="gpg-pubkey", version="fd431d51", release="4ae0493b", source=None, arch="(none)")
LARGE = write.header(name="large", files=[("/usr/share/large/", f"name-{at}.txt", 0o100644) for at in range(3000)])
HEADERS = [BASH, NODE, KEY, LARGE]


def database(kind, headers=HEADERS):
    """(path, bytes) of one container with these headers."""
    if kind == "sqlite":
        return "var/lib/rpm/rpmdb.sqlite", write.sqlite(headers)[0]
    if kind == "ndb":
        return "usr/lib/sysimage/rpm/Packages.db", write.ndb(headers)
    order = ">" if kind == "bdb, big-endian" else "<"
    return "var/lib/rpm/Packages", write.bdb(
        headers, page_size=512 if kind == "bdb, small pages" else 4096, order=order
    )


KINDS = ("bdb", "bdb, big-endian", "bdb, small pages", "ndb", "sqlite")


def read(path, data, **beside):
    return PLUGIN.read(File(path=path, data=data, beside=beside))


@pytest.mark.parametrize("kind", KINDS)
def test_every_container_gives_the_same_packages(kind):
    path, data = database(kind)
    assert PLUGIN.accepts(path)
    reading = read(path, memoryview(data))
    assert reading.problems == ()
    packages = {package.name: package for package in reading.packages}
    assert set(packages) == {"bash", "nodejs", "large"}
    bash, node = packages["bash"], packages["nodejs"]
    assert (bash.version, bash.arch, bash.vendor, bash.license) == ("5.1.8-9.el9", "x86_64", "Red Hat, Inc.", "GPLv3+")
    assert bash.source == SourcePackage(name="bash", version="5.1.8-9.el9")
    assert bash.location.path == path
    assert node.version == "1:18.14.2-2.module+el9"
    assert node.source == SourcePackage(name="nodejs", version="1:18.14.2-2.module+el9")
    assert node.module == "nodejs:18:9020020230301:rhel9"


def test_owned_are_the_regular_files_that_may_matter():
    owned = dict(read(*database("ndb")).owned)
    assert owned["bash"] == (
        "usr/bin/bash",
        "usr/lib/python3.9/site-packages/gpg-1.15.1.dist-info/METADATA",
        "lib64/libx.so.1.2",
        "usr/lib64/libx.so.1.2",
    )
    assert "large" not in owned


def test_a_header_from_before_rpm_4_lists_whole_paths():
    old = write.header(name="old", old_files=["/usr/bin/old", "/usr/share/doc/old/COPYING", "/usr/share/java/old.jar"])
    assert read(*database("bdb", [old])).owned == (("old", ("usr/bin/old", "usr/share/java/old.jar")),)


def test_an_epoch_of_zero_is_no_epoch():
    (package,) = read(*database("ndb", [write.header(epoch=0)])).packages
    assert package.version == "5.1.8-9.el9"


def test_an_entry_after_the_region_replaces_the_one_in_it():
    changed = write.header(extra=[(1011, write.STRING, ["Somebody else"])])
    assert read(*database("ndb", [changed])).packages[0].vendor == "Somebody else"


def test_a_deleted_package_is_gone_from_an_ndb_database():
    reading = read("var/lib/rpm/Packages.db", write.ndb(HEADERS, deleted={1}))
    assert {package.name for package in reading.packages} == {"nodejs", "large"}


def test_what_is_still_in_the_log_of_sqlite_counts(tmp_path):
    data, wal = write.sqlite(HEADERS, folder=tmp_path)
    path = "var/lib/rpm/rpmdb.sqlite"
    assert read(path, data).packages == ()
    assert len(read(path, data, **{"rpmdb.sqlite-wal": wal}).packages) == 3


def test_a_log_whose_last_transaction_is_not_committed_changes_nothing(tmp_path):
    data, wal = write.sqlite(HEADERS, folder=tmp_path)
    cut = wal[: len(wal) - 24 - 4096]  # the frame that commits
    assert read("var/lib/rpm/rpmdb.sqlite", data, **{"rpmdb.sqlite-wal": cut}).packages == ()


@pytest.mark.parametrize(
    "script",
    [
        "",
        "CREATE VIEW Packages AS SELECT zeroblob(1000000) AS blob;",
        "CREATE TABLE Packages (x, blob AS (hex(x))); INSERT INTO Packages (x) VALUES ('a');",
        "CREATE VIEW Packages AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x FROM c) SELECT x AS blob FROM c;",
        "CREATE VIRTUAL TABLE Packages USING fts5(blob); INSERT INTO Packages VALUES ('a');",
        "CREATE TABLE Other (blob); CREATE TABLE Packages (blob INT CHECK (blob = 1));"
        "PRAGMA writable_schema=ON; UPDATE sqlite_master SET sql = 'CREATE TABLE Packages (' WHERE name = 'Packages';",
    ],
)
def test_nothing_of_a_schema_runs(script):
    data = write.sqlite([], script="DROP TABLE Packages;" + script)[0]
    with pytest.raises(CatalogError):
        read("var/lib/rpm/rpmdb.sqlite", data)


def test_records_that_grow_beyond_the_database_are_not_read():
    grown = " || ".join(["x"] * 9)
    script = f"DROP TABLE Packages; CREATE TABLE Packages (x, y AS ({grown}), blob AS ({grown.replace('x', 'y')}));"
    data = write.sqlite([], script=script + f"INSERT INTO Packages (x) VALUES ('{'a' * 100_000}');")[0]
    with pytest.raises(CatalogError):
        read("var/lib/rpm/rpmdb.sqlite", data)


def test_a_chain_of_overflow_pages_that_loops_ends():
    data = bytearray(write.bdb([LARGE]))
    for page in range(1, len(data) // 4096):
        if data[page * 4096 + 25] == 7:
            data[page * 4096 + 16 : page * 4096 + 20] = (2).to_bytes(4, "little")
    with pytest.raises(CatalogError, match="overflow"):
        read("var/lib/rpm/Packages", bytes(data))


def test_many_records_on_one_chain_are_read_once():
    data = bytearray(write.bdb([LARGE, LARGE, LARGE]))
    at = data.find(b"\3\0\0\0", 4096)
    first = bytes(data[at : at + 12])
    while at > 0:
        data[at : at + 12] = first
        at = data.find(b"\3\0\0\0", at + 12, 8192)
    reading = read("var/lib/rpm/Packages", bytes(data))
    assert len(reading.packages) == 1
    assert [(problem.partial, problem.count) for problem in reading.problems] == [(True, 2)]


def test_a_broken_record_costs_one_package_and_is_told():
    for kind in KINDS:
        broken = NODE[:40] + b"\xff" * 8 + NODE[48:]
        path, data = database(kind, [BASH, broken[:8] + b"\xff" * 16 + broken[24:]])
        reading = read(path, data)
        assert [package.name for package in reading.packages] == ["bash"]
        assert all(problem.partial for problem in reading.problems)
        assert reading.problems


@pytest.mark.parametrize("kind", KINDS)
def test_a_database_cut_anywhere_is_an_error_or_a_partial_problem(kind):
    path, data = database(kind)
    for size in range(0, len(data), max(1, len(data) // 60)):
        try:
            reading = read(path, data[:size])
        except CatalogError:
            continue
        assert len(reading.packages) == 3 or any(problem.partial for problem in reading.problems)


@pytest.mark.parametrize("kind", KINDS)
def test_flipped_bits_never_crash_or_hang(kind):
    path, data = database(kind, [BASH, NODE, LARGE[:9000] + LARGE[9000:]])
    rng = random.Random(7)
    for _ in range(150):
        hurt = bytearray(data)
        for _ in range(rng.choice((1, 1, 5, 40))):
            hurt[rng.randrange(min(len(hurt), rng.choice((64, 8192, len(hurt)))))] ^= 1 << rng.randrange(8)
        with suppress(CatalogError):
            read(path, bytes(hurt))


@pytest.mark.parametrize("data", [b"", b"\0" * 4096, b"SQLite format 3\0", b"RpmP", b"RpmP" + b"\xff" * 60])
def test_what_is_no_database_is_an_error(data):
    with pytest.raises(CatalogError):
        read("var/lib/rpm/Packages", data)


def test_a_hundred_kinds_of_damage_make_twenty_one_problems():
    broken = [write.header(name=f"broken{at}", version="") for at in range(100)]
    reading = read(*database("ndb", [BASH, *broken]))
    assert len(reading.problems) == 21
    assert sum(problem.count for problem in reading.problems) == 100


def test_a_database_whose_last_page_is_cut_off_is_told():
    data, _ = write.sqlite([BASH])
    reading = read("var/lib/rpm/rpmdb.sqlite", data[:-100])
    assert [each.partial for each in reading.problems] == [True]
    assert "cut off" in reading.problems[0].reason


MANIFEST = "var/lib/rpmmanifest/container-manifest-2"


def test_the_manifest_of_a_distroless_image():
    text = (
        "openssl-libs\t1.1.1k-21.cm2\t1672531200\t1672531100\tMicrosoft Corporation\t(none)\t100\tx86_64\t0\t"
        "openssl-1.1.1k-21.cm2.src.rpm\n"
        "tzdata\t2023c-1.cm2\t1\t1\tMicrosoft Corporation\t2\t100\tnoarch\t2\ttzdata-2023c-1.cm2.src.rpm\n"
        "gpg-pubkey\t3135ce90-5e6fda74\t1\t1\t(none)\t(none)\t0\t(none)\t0\t(none)\n"
        "only three\tfields\there\n"
    )
    reading = read(MANIFEST, text.encode())
    openssl, tzdata = reading.packages
    assert (openssl.name, openssl.version, openssl.arch) == ("openssl-libs", "1.1.1k-21.cm2", "x86_64")
    assert openssl.source == SourcePackage(name="openssl", version="1.1.1k-21.cm2")
    assert tzdata.version == "2:2023c-1.cm2"
    assert [(problem.count, problem.partial) for problem in reading.problems] == [(1, True)]
    with pytest.raises(CatalogError):
        read(MANIFEST, b"\0\1\2")


SPEC = """\
Name: hello
Epoch: 2
Version: 1.0
Release: 3.el9
Summary: x
License: MIT
Vendor: Acme
BuildArch: noarch
%description
x
%install
mkdir -p %{buildroot}/usr/bin %{buildroot}/usr/lib/hello-1.0.dist-info
echo a > %{buildroot}/usr/bin/hello
echo a > %{buildroot}/usr/lib/hello-1.0.dist-info/METADATA
%files
/usr/bin/hello
/usr/lib/hello-1.0.dist-info
"""


@pytest.mark.native
def test_a_database_written_by_rpm_itself(tmp_path):
    if not shutil.which("rpmbuild") or not shutil.which("rpm"):
        pytest.skip("rpm and rpmbuild are not installed")
    (tmp_path / "hello.spec").write_text(SPEC)
    build = ["rpmbuild", "--define", f"_topdir {tmp_path}/top", "-bb", str(tmp_path / "hello.spec")]
    subprocess.run(build, check=True, capture_output=True, timeout=120)
    (package,) = (tmp_path / "top" / "RPMS").rglob("*.rpm")
    rpm = ["rpm", "--dbpath", str(tmp_path / "db")]
    done = subprocess.run(
        [*rpm, "-i", "--justdb", "--nodeps", "--noscripts", str(package)],
        capture_output=True,
        timeout=60,
        text=True,
        check=False,
    )
    database = tmp_path / "db" / "rpmdb.sqlite"
    if not database.is_file():
        pytest.skip(f"this rpm writes no SQLite database: {done.stderr[:100]}")
    wal = tmp_path / "db" / "rpmdb.sqlite-wal"
    beside = {"rpmdb.sqlite-wal": wal.read_bytes()} if wal.is_file() else {}
    reading = read("var/lib/rpm/rpmdb.sqlite", database.read_bytes(), **beside)
    (hello,) = reading.packages
    assert (hello.name, hello.version, hello.arch, hello.vendor) == ("hello", "2:1.0-3.el9", "noarch", "Acme")
    assert reading.owned == (("hello", ("usr/bin/hello", "usr/lib/hello-1.0.dist-info/METADATA")),)


@pytest.mark.native
@pytest.mark.parametrize("kind", ["bdb", "bdb, big-endian", "bdb, small pages"])
def test_rpm_reads_the_databases_of_these_tests_as_we_do(kind, tmp_path):
    if not shutil.which("rpm"):
        pytest.skip("rpm is not installed")
    headers = [
        write.header(name=f"p{at}", epoch=at % 3, files=[("/usr/bin/", f"p{at}", 0o100755)] * 90) for at in range(60)
    ]
    path, data = database(kind, headers)
    (tmp_path / path.rpartition("/")[2]).write_bytes(data)
    query = ["rpm", "--define", "_db_backend bdb_ro", "--dbpath", str(tmp_path), "-qa", "--qf"]
    done = subprocess.run(
        [*query, "%{NAME} %{EPOCHNUM}:%{VERSION}-%{RELEASE}\n"], capture_output=True, timeout=60, text=True, check=False
    )
    if "invalid %_db_backend" in done.stderr:
        pytest.skip("this rpm can't read Berkeley DB")
    theirs = {line.replace(" 0:", " ") for line in done.stdout.splitlines()}
    assert theirs == {f"{package.name} {package.version}" for package in read(path, data).packages}


PERL = """
use DB_File; tie my %h, 'DB_File', $ARGV[0], O_RDWR|O_CREAT, 0644, $DB_HASH or die; my $n = 0; binmode STDIN;
while (read(STDIN, my $size, 4)) { read(STDIN, my $blob, unpack('N', $size)); $h{pack('V', $n++)} = $blob; }
delete $h{pack('V', 2)}; untie %h;
"""


@pytest.mark.native
def test_a_database_written_by_berkeley_db_itself(tmp_path):
    perl = shutil.which("perl")
    if not perl or subprocess.run([perl, "-MDB_File", "-e1"], capture_output=True, check=False).returncode:
        pytest.skip("perl with DB_File is not installed")
    headers = [
        write.header(name=f"p{at}", files=[("/usr/bin/", f"p{at}", 0o100755)] * (at * 3)) for at in range(1, 200)
    ]
    sent = b"".join(len(blob).to_bytes(4, "big") + blob for blob in [b"\xc8\0\0\0", *headers])
    subprocess.run([perl, "-e", PERL, str(tmp_path / "Packages")], input=sent, check=True, timeout=60)
    reading = read("var/lib/rpm/Packages", (tmp_path / "Packages").read_bytes())
    assert reading.problems == ()
    assert {package.name for package in reading.packages} == {f"p{at}" for at in range(1, 200)} - {"p2"}
