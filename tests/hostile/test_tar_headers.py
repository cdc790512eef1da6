"""Layers whose headers lie: about names, kinds, sizes, holes and how many there are."""

import gzip

import pytest
from tests.hostile.makers import APPLICATION, BLOCK, MEGABYTE, entry, huge, image, pax, tar

APP = APPLICATION
OS_RELEASE = entry("etc/os-release", b'ID=debian\nVERSION_ID="12"\n')
STOLEN = b"Package: stolen\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n\n"


@pytest.mark.parametrize(
    "name", ["../app/requirements.txt", "../../../../../../../{canary}/requirements.txt", "a/../../requirements.txt"]
)
def test_a_name_that_climbs_out_is_told_and_goes_nowhere(sandbox, name):
    name = name.format(canary=str(sandbox.canary).strip("/"))
    layer = tar(pax("x", b"victim==2\n", (("path", name),)), APP)
    outcome = sandbox.partial(image(sandbox.target / "i.tar", layer), r"\.\./", "climbs out of the archive's root")
    assert outcome.packages == 1


def test_an_absolute_name_is_one_below_the_root(sandbox):
    layer = tar(pax("x", b"victim==1\n", (("path", f"{sandbox.canary}/requirements.txt"),)))
    outcome = sandbox.scan(image(sandbox.target / "i.tar", layer))
    (found,) = outcome.report["findings"]
    assert found["package"]["location"]["path"] == f"{sandbox.canary}/requirements.txt".lstrip("/")


@pytest.mark.parametrize("kind", [b"3", b"4", b"6", b"5", b"7", b"9", b"Z"], ids=bytes.decode)
def test_devices_pipes_and_unknown_kinds_are_passed_over(sandbox, kind):
    names = ("dev/sda", "app/poetry.lock", "var/lib/dpkg/status", ".wh.app")
    layer = tar(*(entry(name, kind=kind, link="/dev/sda") for name in names), APP)
    outcome = sandbox.scan(image(sandbox.target / "i.tar", layer))
    assert outcome.packages == 1


LINKS = {
    "loop": [("var/lib/dpkg/status", "status")],
    "long loop": [("var/lib/dpkg", "../a"), ("var/a", "b"), ("var/b", "lib/dpkg")],
    "out": [("var/lib/dpkg/status", "../../../../../../../{canary}/secret")],
    "host file": [("var/lib/dpkg/status", "/etc/shadow")],
    "host folder": [("var/lib/dpkg", "{canary}")],
    "folder within itself": [("var/lib/dpkg", "dpkg/dpkg/dpkg")],
}


@pytest.mark.parametrize("links", LINKS.values(), ids=LINKS)
def test_a_database_that_is_a_link_to_nothing_in_the_image_is_told(sandbox, links):
    canary = str(sandbox.canary)
    made = [entry(name, kind=b"2", link=target.format(canary=canary)[:100]) for name, target in links]
    sandbox.partial(image(sandbox.target / "i.tar", tar(OS_RELEASE, *made)), "var/lib/dpkg", "link")


def test_hard_links_to_host_files_and_to_themselves_bring_nothing(sandbox):
    made = [
        entry("var/lib/dpkg/status", kind=b"1", link=str(sandbox.canary / "secret")[:100]),
        entry("app/poetry.lock", kind=b"1", link="app/poetry.lock"),
        entry("a/uv.lock", kind=b"1", link="b/uv.lock"),
        entry("b/uv.lock", kind=b"1", link="a/uv.lock"),
        entry("app/pdm.lock", kind=b"1", link="../../../../../etc/shadow"),
    ]
    outcome = sandbox.partial(image(sandbox.target / "i.tar", tar(OS_RELEASE, *made)), "var/lib/dpkg/status", "link")
    assert outcome.packages == 0


def _old_sparse(name, real, holes, data, more=b""):
    table = b"".join(b"%011o\0%011o\0" % each for each in holes).ljust(96, b"\0")
    # From 345 on: times (24), offset (12), long names (4), unused, four holes, "more", and the real size.
    tail = bytes(41) + table + (b"\1" if more else b"\0") + (b"%011o\0" % real if isinstance(real, int) else real)
    return entry(name, data, kind=b"S", magic=b"ustar  \0", tail=tail, size=len(data) - len(more))


LOCK = b"victim==1\n"
SPARSE = {
    "old, huge": _old_sparse("a/requirements.txt", huge(1 << 50), [(0, 10)], LOCK),
    "old, map beyond the data": _old_sparse("a/requirements.txt", 1 << 20, [(0, 1 << 19)], LOCK),
    "old, map beyond the end": _old_sparse("a/requirements.txt", 100, [(1 << 30, 10)], LOCK),
    "old, endless map": _old_sparse("a/requirements.txt", 100, [(0, 1)] * 4, b"\1" * BLOCK * 40, b"\1" * BLOCK * 40),
    "0.0, huge": pax("a/requirements.txt", LOCK, (("GNU.sparse.size", str(1 << 50)), ("GNU.sparse.offset", "0"),
                                                 ("GNU.sparse.numbytes", "10"))),
    "0.1, huge": pax("a/requirements.txt", LOCK, (("GNU.sparse.realsize", str(1 << 50)), ("GNU.sparse.map", "0,10"))),
    "0.1, odd map": pax("a/requirements.txt", LOCK, (("GNU.sparse.size", "100"), ("GNU.sparse.map", "0,10,90,90"))),
    "0.1, no numbers": pax("a/requirements.txt", LOCK, (("GNU.sparse.size", "100"), ("GNU.sparse.map", "0,x"))),
    "1.0, huge": pax("a/requirements.txt", b"1\n0\n10\n".ljust(BLOCK, b"\0") + LOCK,
                     (("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.realsize", str(1 << 50)))),
    "1.0, endless map": pax("a/requirements.txt", b"99999999\n0\n10\n".ljust(BLOCK, b"\0") + LOCK,
                            (("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.realsize", "10"))),
    "1.0, negative": pax("a/requirements.txt", b"1\n-5\n10\n".ljust(BLOCK, b"\0") + LOCK,
                         (("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.realsize", "10"))),
    "1.0, overlapping": pax("a/requirements.txt", b"2\n0\n10\n5\n10\n".ljust(BLOCK, b"\0") + LOCK,
                            (("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.realsize", "20"))),
}  # fmt: skip


@pytest.mark.parametrize("member", SPARSE.values(), ids=SPARSE)
def test_a_sparse_map_that_lies_ends_the_layer_and_is_told(sandbox, member):
    outcome = sandbox.partial(
        image(sandbox.target / "i.tar", tar(APP, member)),
        "0.tar|requirements",
        "sparse|number|size",
        peak=96 * MEGABYTE,
    )
    assert outcome.packages == 1


def test_honest_holes_are_zeros(sandbox):
    text = LOCK + b"#" * 2000
    member = _old_sparse("a/requirements.txt", 1 << 20, [(0, len(text)), ((1 << 20) - 11, 11)], text + b"\nflask==1.0")
    assert sandbox.scan(image(sandbox.target / "i.tar", tar(member))).packages == 2


LIES = {
    "negative size": entry("a/requirements.txt", size=b"\xff" * 12),
    "octal minus": entry("a/requirements.txt", size=b"-0000000010\0"),
    "base 256 overflow": entry("a/requirements.txt", size=b"\x80" + b"\xff" * 11),
    "words for a size": entry("a/requirements.txt", size=b"many bytes\0\0"),
    "size beyond the end": entry("a/requirements.txt", LOCK, size=7_000_000),
    "huge size": entry("a/requirements.txt", LOCK, size=huge((1 << 62) - 1)),
    "no check sum": entry("a/requirements.txt", LOCK, magic=bytes(8), check=False),
    "noise": bytes(range(256)) * 4,
    "extended header without end": entry("x", size=huge(1 << 40), kind=b"x"),
    "long name without end": entry("x", size=500 * MEGABYTE, kind=b"L"),
    "extended header that breaks off": entry("x", b"30 path=a", kind=b"x") + APP,
    "extended header of length 0": entry("x", b"0 path=a\n" * 20, kind=b"x") + APP,
    "extended size": pax("a/requirements.txt", LOCK, (("size", "9" * 18),)),
    "extended size that is no number": pax("a/requirements.txt", LOCK, (("size", "ten"),)),
    "extended size in other digits": pax("a/requirements.txt", LOCK, (("size", "\u0661\u0662"),)),
    "half a header": APP + entry("b")[:200],
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_a_header_that_lies_ends_the_layer_and_is_told(sandbox, lie):
    layer = APP + lie  # no end of the archive: a lie must not be taken for one
    outcome = sandbox.partial(
        image(sandbox.target / "i.tar", layer), "0.tar|a/requirements.txt", ".", peak=96 * MEGABYTE
    )
    assert outcome.packages == 1


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_an_image_archive_whose_own_headers_lie_is_refused(sandbox, lie):
    path = image(sandbox.target / "i.tar", tar(APP))
    path.write_bytes(lie + path.read_bytes())
    sandbox.failed(f"image:{path}", "i.tar", peak=96 * MEGABYTE)


def test_more_members_than_allowed_end_the_layer(sandbox):
    sandbox.environment["OPENINSPECTOR_LIMIT_ENTRIES"] = "100000"
    layer = gzip.compress(APP + entry("a/b") * 200_000, 1)
    outcome = sandbox.partial(image(sandbox.target / "i.tar", layer), "0.tar", r"more than 100,000 files \(OPENINSP")
    assert outcome.packages == 1


def test_ten_million_members_end_at_the_limit(sandbox):
    import zstandard

    sandbox.environment["OPENINSPECTOR_LIMIT_ENTRIES"] = "700000"
    frame = zstandard.ZstdCompressor(level=3).compress(entry("a/b") * 131_072)
    layer = zstandard.ZstdCompressor().compress(APP) + frame * 77
    outcome = sandbox.partial(image(sandbox.target / "i.tar", layer), "0.tar", "more than 700,000 files")
    assert outcome.packages == 1


def test_ten_million_members_that_matter_are_no_more_than_one_problem_each_at_most(sandbox):
    """Names that climb out, wanted names and whiteouts leave a trace each: the traces are bounded as well."""
    sandbox.environment["OPENINSPECTOR_LIMIT_ENTRIES"] = "20000"
    for at, member in enumerate((entry("../x"), entry("a/.wh.b"), entry("a/yarn.lock", b"{"), entry("a/b", kind=b"2"))):
        layer = gzip.compress(member * 30_000, 1)
        outcome = sandbox.partial(image(sandbox.target / f"{at}.tar", layer), "0.tar|…", "more (than 20,000 )?files")
        assert len(outcome.out) < 8 * MEGABYTE


def test_names_of_a_megabyte_are_told_and_not_kept(sandbox):
    name = "a/" * 500_000 + "requirements.txt"
    layer = gzip.compress(tar(APP, pax("x", LOCK, (("path", name),)) * 200), 1)
    outcome = sandbox.partial(
        image(sandbox.target / "i.tar", layer), "^a/a/", r"more than 4,096 bytes \(OPENINSPECTOR", peak=100 * MEGABYTE
    )
    assert outcome.packages == 1


@pytest.mark.parametrize("name", [b"caf\xe9/requirements.txt", b"a\x1b[31m/requirements.txt", b"a\nb/requirements.txt"])
def test_names_that_are_no_text_are_read_and_shown_escaped(sandbox, name):
    layer = tar(entry(name, b"victim==1\n"), entry(name.replace(b".txt", b".lock")))
    path = image(sandbox.target / "i.tar", layer)
    for _ in range(2):  # from the layer, and from the cache
        assert sandbox.scan(path).packages == 1
    for each in ("table", "html", "csv", "cyclonedx", "spdx", "sarif", "junit", "gitlab", "asff"):
        outcome = sandbox.run("scan", path, "--format", each)
        assert outcome.status == 0, outcome
        assert "\x1b" not in outcome.out
