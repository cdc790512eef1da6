"""Maven project files."""

import pytest

from openinspector.catalog.contract import File
from openinspector.catalog.formats.pom import PLUGIN
from openinspector.errors import CatalogError

HEAD = "<?xml version='1.0'?>\n<project xmlns='http://maven.apache.org/POM/4.0.0'>"


def pom(*parts, head="<groupId>com.acme</groupId><artifactId>app</artifactId><version>1.0</version>"):
    return f"{HEAD}{head}{''.join(parts)}</project>".encode()


def dependency(group, artifact, version="", **more):
    fields = {"groupId": group, "artifactId": artifact, "version": version, **more}
    return (
        "<dependency>" + "".join(f"<{key}>{value}</{key}>" for key, value in fields.items() if value) + "</dependency>"
    )


def dependencies(*each):
    return f"<dependencies>{''.join(each)}</dependencies>"


def read(data, parent=None):
    beside = {} if parent is None else {"../pom.xml": parent}
    return PLUGIN.read(File(path="src/app/pom.xml", data=data, beside=beside))


def named(reading):
    return [(each.name, each.version, each.dev) for each in reading.packages]


def test_dependencies_are_listed_and_those_for_tests_marked():
    reading = read(
        pom(
            dependencies(
                dependency("org.slf4j", "slf4j-api", "2.0.9"),
                dependency("junit", "junit", "4.13.2", scope="test"),
                dependency("javax.servlet", "servlet-api", "2.5", scope="provided"),
                dependency("com.acme", "tool", "1.1", scope="runtime"),
            )
        )
    )
    assert named(reading) == [
        ("org.slf4j:slf4j-api", "2.0.9", False),
        ("junit:junit", "4.13.2", True),
        ("javax.servlet:servlet-api", "2.5", True),
        ("com.acme:tool", "1.1", False),
    ]
    assert {(each.type, each.format) for each in reading.packages} == {("maven", "maven.pom")}
    assert not reading.problems


@pytest.mark.parametrize(
    ("stated", "version"),
    [("[3.2.1]", "3.2.1"), ("[ 3.2.1 ]", "3.2.1"), ("3.2.1", "3.2.1"), ("${lib}", "3.2.1"), ("${outer}", "3.2.1"),
     ("${project.version}", "1.0"), ("${pom.version}", "1.0"), ("${lib}-jre", "3.2.1-jre")],
)  # fmt: skip
def test_pins_and_properties_mean_the_version_they_stand_for(stated, version):
    properties = "<properties><lib>3.2.1</lib><outer>${lib}</outer></properties>"
    assert named(read(pom(properties, dependencies(dependency("g", "a", stated))))) == [("g:a", version, False)]


@pytest.mark.parametrize(
    ("stated", "reason"),
    [
        ("", "not stated here"),
        ("${missing}", "not defined here"),
        ("${self}", "not defined here"),
        ("[1.0,2.0)", "ranges"),
        ("[1.0],[2.0]", "ranges"),
        ("LATEST", "ranges"),
    ],
)
def test_a_version_that_cannot_be_told_is_said(stated, reason):
    properties = "<properties><self>${self}</self></properties>"
    reading = read(pom(properties, dependencies(dependency("g", "a", stated))))
    assert not reading.packages
    (problem,) = reading.problems
    assert reason in problem.reason
    assert "g:a" in problem.reason
    assert problem.count == 1
    assert not problem.partial


def test_managed_versions_apply_and_stated_ones_come_first():
    managed = dependencies(dependency("g", "a", "2.0", scope="test"), dependency("g", "b", "3.0"))
    reading = read(
        pom(
            f"<dependencyManagement>{managed}</dependencyManagement>",
            dependencies(dependency("g", "a"), dependency("g", "b", "3.1")),
        )
    )
    assert named(reading) == [("g:a", "2.0", True), ("g:b", "3.1", False)]


CHILD = (
    "<parent><groupId>com.acme</groupId><artifactId>all</artifactId><version>7</version></parent>"
    "<artifactId>app</artifactId>"
)
PARENT = pom(
    "<properties><lib>1.9</lib><own>old</own></properties>",
    f"<dependencyManagement>{dependencies(dependency('g', 'a', '${lib}'))}</dependencyManagement>",
    dependencies(dependency("g", "shared", "5")),
    head="<groupId>com.acme</groupId><artifactId>all</artifactId><version>7</version>",
)


def test_a_parent_beside_brings_properties_managed_versions_and_dependencies():
    child = pom(
        "<properties><own>new</own></properties>",
        dependencies(
            dependency("g", "a"), dependency("g", "b", "${own}"), dependency("com.acme", "sib", "${project.version}")
        ),
        head=CHILD,
    )
    assert named(read(child, PARENT)) == [
        ("g:a", "1.9", False),
        ("g:b", "new", False),
        ("com.acme:sib", "7", False),
        ("g:shared", "5", False),
    ]


def test_a_file_above_that_is_not_the_parent_is_not_used():
    other = PARENT.replace(b"<artifactId>all<", b"<artifactId>other<")
    reading = read(pom(dependencies(dependency("g", "a")), head=CHILD), other)
    assert not reading.packages
    assert len(reading.problems) == 1


def test_a_broken_parent_is_said():
    reading = read(pom(dependencies(dependency("g", "a", "1")), head=CHILD), b"<project")
    assert named(reading) == [("g:a", "1", False)]
    assert "parent" in reading.problems[0].reason


def test_dependencies_of_profiles_count():
    profile = f"<profiles><profile>{dependencies(dependency('g', 'p', '1'))}</profile></profiles>"
    assert named(read(pom(profile))) == [("g:p", "1", False)]


def test_a_dependency_for_tests_and_for_more_is_not_for_development_only():
    twice = dependencies(dependency("g", "a", "1", scope="test"), dependency("g", "a", "1"))
    assert named(read(pom(twice))) == [("g:a", "1", False)]


def test_the_project_file_inside_an_unpacked_archive_is_not_a_project():
    assert PLUGIN.accepts("src/pom.xml")
    assert not PLUGIN.accepts("x/META-INF/maven/g/a/pom.xml")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not xml",
        b"<project>",
        b"<settings/>",
        b"<?xml version='1.0' encoding='no-such'?><project/>",
        b'<!DOCTYPE project [<!ENTITY a "b">]><project>&a;</project>',
        b'<!DOCTYPE p [<!ENTITY a SYSTEM "file:///etc/passwd">]><project>&a;</project>',
        b"<project>\xff\xfe</project>",
    ],
)
def test_what_is_no_project_is_an_error(data):
    with pytest.raises(CatalogError):
        read(data)


def test_properties_that_explode_are_left_alone():
    doubling = "".join(f"<p{n}>{('${p' + str(n + 1) + '}') * 2}</p{n}>" for n in range(60))
    reading = read(pom(f"<properties>{doubling}</properties>", dependencies(dependency("g", "a", "${p0}"))))
    assert not reading.packages
    assert len(reading.problems[0].reason) < 1000


def test_deep_and_wide_projects_end():
    assert not read(pom("<x>" * 20_000 + "</x>" * 20_000)).packages
    assert len(read(pom(dependencies(*[dependency("g", f"a{n}", "1") for n in range(3000)]))).packages) == 3000
