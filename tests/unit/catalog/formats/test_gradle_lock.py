"""Gradle's lock files."""

import pytest

from openinspector.catalog.contract import File
from openinspector.catalog.formats.gradle_lock import PLUGIN

LOCK = b"""# This is a Gradle generated file for dependency locking.
com.google.guava:guava:32.1.2-jre=compileClasspath,runtimeClasspath,testRuntimeClasspath
org.junit.jupiter:junit-jupiter:5.10.0=testCompileClasspath,testRuntimeClasspath
androidx.test:core:1.5.0=debugAndroidTestCompileClasspath
latest:one:2.0=attestation
empty=annotationProcessor
"""


def read(data, path="app/gradle.lockfile"):
    return PLUGIN.read(File(path=path, data=data))


def test_artifacts_are_listed_and_those_for_tests_marked():
    reading = read(LOCK)
    assert [(each.name, each.version, each.dev) for each in reading.packages] == [
        ("com.google.guava:guava", "32.1.2-jre", False),
        ("org.junit.jupiter:junit-jupiter", "5.10.0", True),
        ("androidx.test:core", "1.5.0", True),
        ("latest:one", "2.0", False),
    ]
    assert {(each.type, each.format) for each in reading.packages} == {("maven", "maven.gradle-lock")}
    assert not reading.problems


def test_what_the_build_script_needs_is_for_development():
    assert [each.dev for each in read(b"a:b:1=classpath\n", "buildscript-gradle.lockfile").packages] == [True]


@pytest.mark.parametrize(("name", "dev"), [("runtimeClasspath", False), ("testRuntimeClasspath", True)])
def test_files_of_single_configurations_are_read(name, dev):
    path = f"gradle/dependency-locks/{name}.lockfile"
    assert PLUGIN.accepts(path)
    assert [(each.name, each.dev) for each in read(b"a:b:1\n", path).packages] == [("a:b", dev)]


def test_other_lock_files_are_not_meant():
    assert not PLUGIN.accepts("var/run/some.lockfile")


def test_lines_without_coordinates_are_counted():
    reading = read(b"a:b:1=x\nwhat\na::2=x\na:b:c:d=x\n")
    assert len(reading.packages) == 1
    assert reading.problems[0].count == 3
