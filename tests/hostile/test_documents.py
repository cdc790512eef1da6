"""Documents that would grow without end: XML entities, YAML aliases, deep JSON, nested archives, feeds as bombs."""

import gzip
import json
import zipfile

import pytest
from tests.fuzz.seeds.feeds import SEEDS
from tests.hostile.makers import MEGABYTE, deflated_zeros, entry, gzip_bomb, huge, zip_of, zstd_bomb

_ENTITIES = "".join(
    f'<!ENTITY {name} "{f"&{below};" * 10}">' for below, name in zip("abcdefgh", "bcdefghi", strict=True)
)
LAUGHS = f'<?xml version="1.0"?>\n<!DOCTYPE x [<!ENTITY a "laugh">{_ENTITIES}]>\n'
OUTSIDE = '<?xml version="1.0"?>\n<!DOCTYPE x [<!ENTITY i SYSTEM "file:///{canary}/secret">]>\n'
ALIASES = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{below}'] * 9)}]\n" for below, name in zip("abcdefgh", "bcdefghi", strict=True)
)
DEEP = 200_000


@pytest.mark.parametrize("prolog", [LAUGHS, OUTSIDE], ids=["laughs", "outside"])
@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("pom.xml", "<project><groupId>g</groupId><artifactId>&i;</artifactId><version>1</version></project>"),
        ("packages.config", '<packages><package id="&i;" version="1"/></packages>'),
    ],
)
def test_xml_with_entities_is_told_and_nothing_is_read_in(sandbox, prolog, name, body):
    (sandbox.target / name).write_text(prolog.format(canary=sandbox.canary) + body)
    outcome = sandbox.partial(f"dir:{sandbox.target}", name, "", peak=96 * MEGABYTE)
    assert "stolen" not in outcome.out


@pytest.mark.parametrize("name", ["pnpm-lock.yaml", "pubspec.lock", "Podfile.lock"])
@pytest.mark.parametrize(
    "text",
    [ALIASES, "packages: &a\n  b: *a\n", "[" * DEEP, "- " * DEEP, "{a: " * DEEP, "!!python/object/apply:os.abort []\n"],
)
def test_yaml_that_grows_or_does_things_is_told(sandbox, name, text):
    (sandbox.target / name).write_text(text)
    outcome = sandbox.scan(f"dir:{sandbox.target}", peak=160 * MEGABYTE)
    assert outcome.packages == 0
    assert outcome.report["problems"] or "python" in text, outcome


@pytest.mark.parametrize(
    "name",
    [
        "package-lock.json",
        "composer.lock",
        "Pipfile.lock",
        "a.deps.json",
        "packages.lock.json",
        "bun.lock",
        "conan.lock",
    ],
)
@pytest.mark.parametrize(
    "text", ["[" * DEEP, '{"a":' * DEEP, '{"packages": ' + "[" * DEEP, '{"version": ' + "9" * DEEP]
)
def test_json_without_end_is_told(sandbox, name, text):
    (sandbox.target / name).write_text(text)
    sandbox.partial(f"dir:{sandbox.target}", name, "", peak=160 * MEGABYTE)


@pytest.mark.parametrize("name", ["poetry.lock", "Cargo.lock", "uv.lock", "pdm.lock", "pylock.toml"])
@pytest.mark.parametrize(
    "text", ["a = " + "[" * DEEP, "a." * DEEP + "b = 1", "[[a]]\n" * 50_000 + "b = {", "a = {b = " * DEEP]
)
def test_toml_without_end_is_told(sandbox, name, text):
    (sandbox.target / name).write_text(text)
    sandbox.partial(f"dir:{sandbox.target}", name, "", peak=160 * MEGABYTE)


@pytest.mark.parametrize("text", ["[" * DEEP, '{"bomFormat": "CycloneDX", "components": ' + '[{"components": ' * DEEP])
def test_an_sbom_without_end_is_refused(sandbox, text):
    (sandbox.target / "s.json").write_text(text)
    sandbox.failed(f"sbom:{sandbox.target}/s.json", "s.json", peak=160 * MEGABYTE)


@pytest.mark.parametrize("prolog", [LAUGHS, OUTSIDE], ids=["laughs", "outside"])
def test_an_sbom_with_entities_is_refused(sandbox, prolog):
    body = (
        '<bom xmlns="http://cyclonedx.org/schema/bom/1.6"><components><component type="library"><name>&i;</name>'
        "<version>1</version><purl>pkg:pypi/victim@1</purl></component></components></bom>"
    )
    (sandbox.target / "s.xml").write_text(prolog.format(canary=sandbox.canary) + body)
    outcome = sandbox.failed(f"sbom:{sandbox.target}/s.xml", "s.xml", peak=96 * MEGABYTE)
    assert "stolen" not in outcome.err


def jar(*members):
    return zip_of(*((name, data, 0, len(data)) for name, data in members))


def test_archives_in_archives_are_followed_so_far_and_the_rest_is_told(sandbox):
    inner = jar(("META-INF/maven/g/victim/pom.properties", b"groupId=g\nartifactId=victim\nversion=1\n"))
    for at in range(50):
        inner = jar((f"level{at}.jar", inner))
    (sandbox.target / "outer.jar").write_bytes(inner)
    sandbox.partial(f"dir:{sandbox.target}", "outer.jar!", "deep")


def test_an_archive_that_holds_itself_ends(sandbox):
    """Its only member is the archive: what lies at the offset is the beginning of the file."""
    whole = bytearray(jar(("a.jar", b"x" * 200)))
    start = whole.index(b"PK\x01\x02")
    whole[start + 20 : start + 28] = len(whole).to_bytes(4, "little") * 2
    (sandbox.target / "quine.jar").write_bytes(whole)
    sandbox.partial(f"dir:{sandbox.target}", "quine.jar", "")


def test_hundreds_of_thousands_of_members_end_at_a_limit(sandbox):
    """Of a function and of a jar; the directory alone has 64 MB and more."""
    name = b"a/" * 100 + b"b.class"
    record = b"PK\x01\x02" + bytes(24) + len(name).to_bytes(2, "little") + bytes(16) + name
    count = 68 * MEGABYTE // len(record)
    end = b"PK\5\6" + bytes(4) + b"\xff\xff" * 2 + (count * len(record)).to_bytes(4, "little") + bytes(6)
    (sandbox.target / "f.zip").write_bytes(b"PK\x03\x04" + record * count + end)
    sandbox.failed(f"lambda:{sandbox.target}/f.zip", "its directories take more than 64 MB", peak=200 * MEGABYTE)
    (sandbox.target / "f.zip").rename(sandbox.target / "f.jar")
    sandbox.partial(f"dir:{sandbox.target}", "f.jar", "its directories take more than 64 MB", peak=200 * MEGABYTE)


def test_more_members_of_a_function_than_allowed_end_the_reading(sandbox):
    sandbox.environment["OPENINSPECTOR_LIMIT_ENTRIES"] = "1000"
    with zipfile.ZipFile(sandbox.target / "f.zip", "w") as archive:
        archive.writestr("requirements.txt", "victim==1\n")
        for at in range(2000):
            archive.writestr(f"{at}", "")
    outcome = sandbox.partial(sandbox.target / "f.zip", "f.zip", "more than 1,000 files")
    assert outcome.packages == 1


FEEDS = {
    "XML, laughs": ("amazon/al2/core/updateinfo.xml.gz", LAUGHS + "<updates><update><id>&i;</id></update></updates>"),
    "XML, outside": ("oracle/com.oracle.elsa-all.xml.bz2", OUTSIDE + "<oval_definitions>&i;</oval_definitions>"),
    "XML, deep": ("azurelinux/azurelinux-3.0-oval.xml", "<oval_definitions>" + "<a>" * DEEP),
    "XML, no text": ("fedora/43/updateinfo.xml.gz", b"<updates>" + b"\xff" * 100),
    "JSON, deep": ("kev/known_exploited_vulnerabilities.json", '{"vulnerabilities": ' + "[" * DEEP),
    "JSON, long number": ("debian/tracker.json", '{"a": ' + "9" * DEEP),
    "gzip": ("nvd/nvdcve-2.0-2014.json.gz", lambda: gzip_bomb(b'{"vulnerabilities": [', 2)),
    "zstd": ("redhat/csaf-vex/vex-archive.tar.zst", lambda: zstd_bomb(entry("a.json", size=huge(1 << 40)), 2)),
    "zip": ("osv/PyPI/all.zip", lambda: zip_of(("a.json", deflated_zeros(600 * MEGABYTE), 8, 600 * MEGABYTE))),
    "zip, overlapping": ("nodejs/security-wg-vuln.zip", lambda: _overlapping("m/vuln/core/{}.json")),
    "zip, no end": ("rubysec/ruby-advisory-db.zip", b"PK\x03\x04" + bytes(100)),
    "YAML aliases": ("rubysec/ruby-advisory-db.zip", lambda: _one("m/gems/a/CVE-2020-1.yml", ALIASES)),
    "YAML, deep": ("friendsofphp/security-advisories.zip", lambda: _one("m/a/b/1.yaml", "[" * DEEP)),
    "tar, cut off": ("ubuntu/ubuntu-cve-tracker.tar.xz", lambda: SEEDS["ubuntu_tracker"][0].data[:100]),
    "CSV, one line": (
        "epss/epss_scores-current.csv.gz",
        lambda: gzip.compress(b"cve,epss,percentile\n" + bytes(200 << 20), 1),
    ),
}


def _one(name, text):
    data = text.encode()
    return zip_of((name, data, 0, len(data)))


def _overlapping(name):
    packed = deflated_zeros(200 * MEGABYTE)
    return zip_of(*((name.format(at), packed, 8, 200 * MEGABYTE) for at in range(50_000)), overlap=True)


@pytest.mark.parametrize(("path", "content"), FEEDS.values(), ids=FEEDS)
def test_a_feed_that_would_grow_without_end_is_bounded_and_told(sandbox, path, content):
    data = content() if callable(content) else content
    file = sandbox.target / path
    file.parent.mkdir(parents=True)
    text = data if isinstance(data, bytes) else data.replace("{canary}", str(sandbox.canary)).encode()
    file.write_bytes(text)
    output = sandbox.cache / "a.sqlite"
    outcome = sandbox.run("db", "build", "--feeds", sandbox.target, "--output", output, peak=1200 * MEGABYTE)
    assert "stolen" not in outcome.out + outcome.err
    (feed,) = json.loads(sandbox.run("db", "status", "--db", output, "--format", "json").out)["feeds"]
    assert feed["problems"] or (feed["status"] == "failed" and path in feed["reason"] and outcome.status == 3), feed
