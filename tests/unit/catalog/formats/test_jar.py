"""Java archives and the archives inside them."""

import io
import random
import struct
import warnings
import zipfile
import zlib

import pytest

from openinspector.catalog.contract import File
from openinspector.catalog.formats.jar import PLUGIN
from openinspector.errors import CatalogError


def properties(group, artifact, version):
    name = f"META-INF/maven/{group}/{artifact}/pom.properties"
    return {name: f"#Generated\r\ngroupId={group}\r\nartifactId={artifact}\r\nversion={version}\r\n"}


def manifest(**attributes):
    lines = "".join(f"{key.replace('_', '-')}: {value}\r\n" for key, value in attributes.items())
    return {"META-INF/MANIFEST.MF": f"Manifest-Version: 1.0\r\n{lines}\r\nName: a/B.class\r\nBundle-Version: 9.9\r\n"}


def jar(*contents, method=zipfile.ZIP_DEFLATED):
    stream = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(stream, "w", method) as archive:
        warnings.simplefilter("ignore")  # names that come twice are part of the game
        for content in contents:
            for name, data in content.items():
                archive.writestr(name, data)
    return stream.getvalue()


CODE = {"org/example/A.class": b"\xca\xfe\xba\xbe\0\0\0\x34"}


def read(data, path="app/lib/demo.jar"):
    return PLUGIN.read(File(path=path, data=data))


def named(reading):
    return [(each.name, each.version) for each in reading.packages]


def test_pom_properties_say_what_an_archive_is():
    reading = read(jar(CODE, manifest(), properties("org.example", "demo", "1.0")))
    (package,) = reading.packages
    assert (package.type, package.name, package.version) == ("maven", "org.example:demo", "1.0")
    assert (package.format, package.location.path) == ("maven.jar", "app/lib/demo.jar")
    assert not reading.problems


@pytest.mark.parametrize(
    ("file", "group", "artifact", "version"),
    [
        ("log4j-1.2-api.jar", "org.apache.logging.log4j", "log4j-1.2-api", "2.19.0"),
        ("hive-shims-0.23-2.3.10.jar", "org.apache.hive.shims", "hive-shims-0.23", "2.3.10"),
        ("orc-core-2.3.0-shaded-protobuf.jar", "org.apache.orc", "orc-core", "2.3.0"),
    ],
)
def test_a_number_in_an_artifacts_name_makes_no_second_artifact(file, group, artifact, version):
    reading = read(jar(CODE, manifest(), properties(group, artifact, version)), f"app/lib/{file}")
    assert named(reading) == [(f"{group}:{artifact}", version)]


def test_a_stored_archive_with_a_comment_and_a_script_before_it_is_read():
    stream = io.BytesIO(b"#!/bin/sh\nexec java -jar $0\n")
    stream.seek(0, 2)
    with zipfile.ZipFile(stream, "a") as archive:
        archive.writestr(*next(iter(properties("org.example", "demo", "1.0").items())))
        archive.comment = b"hello PK"
    assert named(read(stream.getvalue())) == [("org.example:demo", "1.0")]


def test_what_was_shaded_in_is_listed_beside_the_archive_itself():
    data = jar(CODE, properties("com.google.guava", "guava", "30.1-jre"), properties("org.example", "demo", "1.0"))
    assert named(read(data, "demo-1.0.jar")) == [("com.google.guava:guava", "30.1-jre"), ("org.example:demo", "1.0")]


def test_an_archive_that_only_describes_what_it_shaded_is_known_by_its_own_name():
    data = jar(
        CODE, manifest(Implementation_Vendor_Id="org.example"), properties("com.google.guava", "guava", "30.1-jre")
    )
    assert named(read(data, "x/demo-all-2.0.jar")) == [
        ("org.example:demo-all", "2.0"),
        ("com.google.guava:guava", "30.1-jre"),
    ]


@pytest.mark.parametrize(
    "path",
    [
        "app.jar",  # no version in the name
        "demo-1.0.jar",
        "org.example.demo_1.0.jar",
        "com.acme.renamed-1.0.jar",  # another name, the same version
        "demo-1.0-20230101.120000-7.jar",
        "demo-1.0-linux-x86_64.jar",
    ],
)
def test_a_renamed_archive_is_not_doubled(path):
    data = jar(CODE, manifest(Implementation_Title="Demo"), properties("org.example", "demo", "1.0"))
    assert named(read(data, path)) == [("org.example:demo", "1.0")]


def test_an_artifact_described_twice_is_listed_once():
    assert named(read(jar(properties("g", "a", "1"), properties("g", "a", "1"), {"BOOT-INF/x": b""}))) == [("g:a", "1")]


@pytest.mark.parametrize(
    ("path", "attributes", "name", "version"),
    [
        # (no pom.properties) file name, manifest, expected
        ("spring-beans-5.3.17.jar", {"Implementation_Title": "spring-beans", "Implementation_Version": "5.3.17"},
         "org.springframework:spring-beans", "5.3.17"),
        ("spring-boot-2.7.0.jar", {}, "org.springframework.boot:spring-boot", "2.7.0"),
        ("spring-security-web-5.7.1.jar", {}, "org.springframework.security:spring-security-web", "5.7.1"),
        ("tomcat-embed-core-9.0.62.jar", {}, "org.apache.tomcat.embed:tomcat-embed-core", "9.0.62"),
        ("bcprov-jdk15on-1.68.jar", {"Bundle_SymbolicName": "bcprov"}, "org.bouncycastle:bcprov-jdk15on", "1.68"),
        ("hibernate-core-5.6.1.Final.jar", {}, "org.hibernate:hibernate-core", "5.6.1.Final"),
        ("hibernate-core-6.2.0.Final.jar", {}, "org.hibernate.orm:hibernate-core", "6.2.0.Final"),
        ("commons-collections-3.2.1.jar", {"Implementation_Vendor_Id": "org.apache"},
         "commons-collections:commons-collections", "3.2.1"),
        ("log4j-1.2.17.jar", {}, "log4j:log4j", "1.2.17"),
        ("commons-lang3-3.12.0.jar", {}, "org.apache.commons:commons-lang3", "3.12.0"),
        ("commons-lang3.jar", {"Bundle_Version": "3.12.0", "Bundle_SymbolicName": "org.apache.commons.lang3"},
         "org.apache.commons:commons-lang3", "3.12.0"),
        ("durian-core-1.2.0.jar", {"Bundle_SymbolicName": "com.diffplug.durian.core"},
         "com.diffplug.durian:durian-core", "1.2.0"),
        ("config-1.4.1.jar", {"Bundle_SymbolicName": "com.typesafe.config;singleton:=true"},
         "com.typesafe:config", "1.4.1"),
        ("breeze_2.12-2.1.0.jar", {"Implementation_Vendor": "org.scalanlp"}, "org.scalanlp:breeze_2.12", "2.1.0"),
        ("widget-core-2.0.jar", {"Automatic_Module_Name": "com.acme.widget.core"},
         "com.acme.widget:widget-core", "2.0"),
        ("catalina.jar", {"Implementation_Title": "Apache Tomcat", "Implementation_Version": "9.0.62"},
         "org.apache.tomcat:tomcat-catalina", "9.0.62"),
        ("bootstrap.jar", {"Implementation_Title": "Apache Tomcat Bootstrap", "Implementation_Version": "9.0.62"},
         "org.apache.tomcat:tomcat", "9.0.62"),
        ("spring-tools-1.0.jar", {"Implementation_Vendor_Id": "com.acme"}, "com.acme:spring-tools", "1.0"),
        ("scala-library.jar", {"Bundle_Version": "2.12.18.v20230518-020143-VFINAL-ceaf7e6"},
         "org.scala-lang:scala-library", "2.12.18"),
        ("log4j-1.2-api-2.17.2.jar", {"Implementation_Vendor_Id": "org.apache.logging.log4j"},
         "org.apache.logging.log4j:log4j-1.2-api", "2.17.2"),
        ("hive-exec-2.3.9-core.jar", {"Implementation_Vendor_Id": "org.apache.hive"},
         "org.apache.hive:hive-exec", "2.3.9"),
        ("git.hpi", {"Plugin_Version": "4.11.0", "Short_Name": "git", "Group_Id": "org.jenkins-ci.plugins"},
         "org.jenkins-ci.plugins:git", "4.11.0"),
        ("root/.m2/repository/com/acme/tool/tool-x/1.1/tool-x-1.1.jar", {}, "com.acme.tool:tool-x", "1.1"),
        ("root/.gradle/caches/modules-2/files-2.1/com.acme.tool/tool-x/1.1/5d3e/tool-x-1.1.jar", {},
         "com.acme.tool:tool-x", "1.1"),
    ],
)  # fmt: skip
def test_without_pom_properties_file_name_and_manifest_tell(path, attributes, name, version):
    reading = read(jar(CODE, manifest(**attributes)), path)
    assert named(reading) == [(name, version)]
    assert not reading.problems


def test_an_artifact_of_unknown_group_is_listed_bare_and_doubted():
    reading = read(jar(CODE, manifest()), "shims-0.9.45.jar")
    assert named(reading) == [("shims", "0.9.45")]
    assert "group" in reading.problems[0].reason
    assert not reading.problems[0].partial


def test_an_archive_that_says_nothing_is_a_doubt_but_one_without_code_is_not():
    assert [each.partial for each in read(jar(CODE, manifest()), "app.jar").problems] == [False]
    assert not read(jar({"logo.png": b""}), "images.jar").problems


def test_folded_manifest_lines_are_joined():
    folded = {"META-INF/MANIFEST.MF": "Implementation-Vendor-Id: com.acme.a.very.lo\r\n ng.group\r\n"}
    assert named(read(jar(CODE, folded), "tool-1.0.jar")) == [("com.acme.a.very.long.group:tool", "1.0")]


def test_only_the_start_of_a_signed_manifest_is_read():
    text = "Implementation-Vendor-Id: com.acme\r\n\r\n" + "Name: a\r\nSHA-256-Digest: x\r\n\r\n" * 50_000
    assert named(read(jar(CODE, {"meta-inf/manifest.mf": text}), "tool-1.0.jar")) == [("com.acme:tool", "1.0")]


def test_a_pom_without_properties_will_do():
    pom = (
        "<project xmlns='http://maven.apache.org/POM/4.0.0'><parent><groupId>com.acme</groupId>"
        "<artifactId>all</artifactId><version>3.1</version></parent><artifactId>tool</artifactId></project>"
    )
    assert named(read(jar(CODE, {"META-INF/maven/com.acme/tool/pom.xml": pom}), "x.jar")) == [("com.acme:tool", "3.1")]


def test_a_version_that_the_build_left_open_is_taken_from_the_file_name():
    data = jar(CODE, properties("com.acme", "tool", "${project.version}"))
    assert named(read(data, "tool-4.2.jar")) == [("com.acme:tool", "4.2")]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_nested_archives_are_found_with_their_path(method):
    library = jar(CODE, properties("org.example", "inner", "1.0"))
    web = jar(manifest(), {"WEB-INF/lib/inner-1.0.jar": library}, method=method)
    reading = read(jar(manifest(), {"web.war": web}, method=method), "opt/app.ear")
    assert named(reading) == [("org.example:inner", "1.0")]
    assert reading.packages[0].location.path == "opt/app.ear!web.war!WEB-INF/lib/inner-1.0.jar"
    assert not reading.problems


def test_archives_nested_too_deep_are_a_partial_problem():
    data = jar(properties("g", "core", "1"))
    for level in range(8):
        data = jar({f"level{level}.jar": data}, method=zipfile.ZIP_STORED)
    reading = read(data, "x.jar")
    assert not reading.packages
    assert [each.partial for each in reading.problems] == [True]
    assert "deep" in reading.problems[0].reason


def test_a_broken_nested_archive_does_not_hide_the_others():
    data = jar({"lib/broken.jar": b"PK\x03\x04 nothing", "lib/good.jar": jar(properties("g", "a", "1"))})
    reading = read(data, "x.war")
    assert named(reading) == [("g:a", "1")]
    assert [(each.path, each.partial) for each in reading.problems] == [("x.war!lib/broken.jar", True)]


def test_a_nested_zip_bomb_is_named():
    bomb = jar({"zeros": b""}) + b""
    data = jar({"lib/bomb.jar": b"\0" * (40 << 20) + bomb})
    reading = read(data, "x.war")
    assert "zip bomb" in reading.problems[0].reason
    assert reading.problems[0].partial


def entry(name, start, packed, size, crc=0, method=8, flags=0):
    return struct.pack(
        "<4s6H3I5H2I", b"PK\1\2", 20, 20, flags, method, 0, 0, crc, packed, size, len(name), 0, 0, 0, 0, 0, start
    ) + name  # fmt: skip


def archive(body, *entries):
    directory = b"".join(entries)
    return (
        body
        + directory
        + struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, len(entries), len(entries), len(directory), len(body), 0)
    )


def local(name, packed):
    return struct.pack("<4s5H3I2H", b"PK\3\4", 20, 0, 8, 0, 0, 0, len(packed), 0, len(name), 0) + name + packed


def deflated(data):
    stream = zlib.compressobj(9, zlib.DEFLATED, -15)
    return stream.compress(data) + stream.flush()


def test_overlapping_entries_are_read_once():
    inner = jar(properties("g", "a", "1"))
    packed = deflated(inner)
    body = local(b"a.jar", packed)
    data = archive(body, *(entry(b"%d.jar" % number, 0, len(packed), len(inner)) for number in range(100)))
    reading = read(data, "x.war")
    assert named(reading) == [("g:a", "1")]
    assert len(reading.problems) == 99
    assert all("overlaps" in each.reason and each.partial for each in reading.problems)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"start": 1 << 31}, "no entry where"),
        ({"packed": 1 << 30}, "beyond the end"),
        ({"size": 100 << 20}, "zip bomb"),
        ({"size": 600 << 20}, "larger than"),
        ({"size": 5}, "its size is not"),
        ({"method": 99}, "method 99"),
        ({"flags": 1}, "encrypted"),
    ],
)
def test_an_entry_that_lies_is_a_partial_problem(changes, reason):
    inner = jar(properties("g", "a", "1"), {"x": random.Random(1).randbytes(4000)})
    packed = deflated(inner)
    facts = {"start": 0, "packed": len(packed), "size": len(inner)} | changes
    reading = read(archive(local(b"a.jar", packed), entry(b"a.jar", **facts)), "x.war")
    assert not reading.packages
    assert reason in reading.problems[0].reason
    assert reading.problems[0].partial


def test_a_damaged_descriptor_is_a_partial_problem():
    data = bytearray(jar(properties("org.example", "demo", "1.0"), method=zipfile.ZIP_STORED))
    at = data.index(b"version=")
    data[at + 8] ^= 1
    reading = read(bytes(data), "demo.jar")
    assert not reading.packages
    assert "checksum" in reading.problems[0].reason


def test_descriptors_without_coordinates_are_counted():
    bad = {"META-INF/maven/g/a/pom.properties": "version=1\n", "META-INF/maven/g/b/pom.properties": "#\n"}
    huge = {"META-INF/maven/g/c/pom.properties": f"groupId={'g' * 5000}\nartifactId=a\nversion=1\n"}
    reading = read(jar(bad, huge, properties("g", "d", "1")))
    assert named(reading) == [("g:d", "1")]
    assert [each.count for each in reading.problems] == [3]


def test_a_zip64_directory_is_read():
    name = next(iter(properties("g", "a", "1")))
    text = properties("g", "a", "1")[name].encode()
    packed = deflated(text)
    body = local(name.encode(), packed)
    extra = struct.pack("<2H3Q", 1, 24, len(text), len(packed), 0)
    full = 0xFFFFFFFF
    record = struct.pack("<4s6H3I5H2I", b"PK\1\2", 45, 45, 0, 8, 0, 0, zlib.crc32(text), full, full,
                         len(name), len(extra), 0, 0, 0, 0, full) + name.encode() + extra  # fmt: skip
    end64 = struct.pack("<4sQ2H2I4Q", b"PK\6\6", 44, 45, 45, 0, 0, 1, 1, len(record), len(body))
    locator = struct.pack("<4sIQI", b"PK\6\7", 0, len(body) + len(record), 1)
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, full, full, 0)
    assert named(read(body + record + end64 + locator + end, "a.jar")) == [("g:a", "1")]


@pytest.mark.parametrize("data", [b"not an archive", b"PK\3\4", b"PK\5\6" + b"\xff" * 18, b"\0" * 100_000])
def test_what_is_no_archive_is_an_error_unless_the_ending_is_shared_with_others(data):
    with pytest.raises(CatalogError):
        read(data, "x.jar")
    assert not read(data, "x.rar").problems


def test_an_empty_file_says_nothing():
    reading = read(b"", "x.jar")
    assert not reading.packages
    assert not reading.problems


def test_an_unpacked_archive_is_known_by_its_properties():
    path = "opt/tomcat/webapps/x/META-INF/maven/g/a/pom.properties"
    ((_, text),) = properties("g", "a", "1").items()
    assert PLUGIN.accepts(path)
    assert not PLUGIN.accepts("src/pom.properties")
    assert named(PLUGIN.read(File(path=path, data=text.encode()))) == [("g:a", "1")]
    assert PLUGIN.read(File(path=path, data=b"groupId=g\n")).problems


def test_a_huge_number_of_descriptors_ends():
    data = jar(
        {f"META-INF/maven/g/a{number}/pom.properties": "" for number in range(60_000)}, method=zipfile.ZIP_STORED
    )
    reading = read(data, "x.jar")
    assert any("too many" in each.reason for each in reading.problems)


def test_damaged_archives_never_crash_the_reader():
    whole = jar(
        manifest(Implementation_Vendor_Id="com.acme"),
        properties("g", "a", "1"),
        {"lib/x.jar": jar(properties("g", "b", "1")), "META-INF/maven/g/c/pom.xml": "<project/>"},
    )
    chance = random.Random(3)
    for _ in range(400):
        broken = bytearray(whole)
        for _ in range(chance.randint(1, 6)):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        if chance.random() < 0.3:
            broken = broken[: chance.randrange(len(broken))]
        try:
            read(bytes(broken), "x-1.0.jar")
        except CatalogError:
            continue
