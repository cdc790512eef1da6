import sqlite3

import pytest

from openinspector.catalog.contract import File
from openinspector.catalog.formats.yum_repo import PLUGINS
from openinspector.catalog.repositories import with_repositories
from openinspector.errors import CatalogError
from openinspector.model.package import Location, Package

FROM_REPO, EXTRAS, HISTORY = PLUGINS


def package(name, version, arch="x86_64", type_="rpm"):
    return Package(type=type_, name=name, version=version, arch=arch, location=Location(path="var/lib/rpm/Packages"))


def history(rows):
    connection = sqlite3.connect(":memory:")
    try:
        connection.executescript(
            "CREATE TABLE rpm (item_id INTEGER, name TEXT, epoch INTEGER, version TEXT, release TEXT, arch TEXT);"
            "CREATE TABLE repo (id INTEGER PRIMARY KEY, repoid TEXT);"
            "CREATE TABLE trans_item (id INTEGER PRIMARY KEY, item_id INTEGER, repo_id INTEGER);"
        )
        for at, (name, epoch, version, release, arch, repository) in enumerate(rows, 1):
            connection.execute("INSERT INTO rpm VALUES (?,?,?,?,?,?)", (at, name, epoch, version, release, arch))
            connection.execute("INSERT INTO repo VALUES (?,?)", (at, repository))
            connection.execute("INSERT INTO trans_item VALUES (?,?,?)", (at, at, at))
        connection.commit()
        return connection.serialize()
    finally:
        connection.close()


def test_a_package_of_an_extras_topic_gets_its_repository():
    path = "var/lib/yum/yumdb/d/0a1b2c-docker-20.10.7-1.amzn2-x86_64/from_repo"
    assert FROM_REPO.accepts(path)
    assert not FROM_REPO.accepts("srv/from_repo")
    facts = FROM_REPO.read(File(path=path, data=b"amzn2extra-docker")).facts
    docker, bash, deb = with_repositories(
        [
            package("docker", "20.10.7-1.amzn2"),
            package("bash", "4.2-1"),
            package("docker", "20.10.7-1.amzn2", type_="deb"),
        ],
        facts,
    )
    assert (docker.repository, bash.repository, deb.repository) == ("docker", "", "")


def test_yum_leaves_out_the_epoch():
    facts = [("from_repo", {"dbus-1.10.24-7.amzn2-x86_64": "amzn2-core"})]
    assert with_repositories([package("dbus", "1:1.10.24-7.amzn2")], facts)[0].repository == "amzn2-core"


def test_the_last_transaction_of_dnf_says_where_a_package_is_from():
    data = history(
        [
            ("dbus", 1, "1.14", "5.el9", "x86_64", "baseos"),
            ("bash", 0, "5.1", "6.el9", "x86_64", "baseos"),
            ("bash", 0, "5.1", "6.el9", "x86_64", "updates"),
            ("mine", 0, "1", "1", "noarch", "@commandline"),
        ]
    )
    facts = HISTORY.read(File(path="var/lib/dnf/history.sqlite", data=data)).facts
    packages = [package("dbus", "1:1.14-5.el9"), package("bash", "5.1-6.el9"), package("mine", "1-1", "noarch")]
    assert [each.repository for each in with_repositories(packages, facts)] == ["baseos", "updates", ""]


def test_a_history_that_is_none_is_an_error():
    with pytest.raises(CatalogError):
        HISTORY.read(File(path="var/lib/dnf/history.sqlite", data=b"x" * 5000))


def test_a_join_that_would_take_for_ever_is_stopped():
    data = history([("a", 0, "1", "1", "noarch", "r")] * 3000)
    connection = sqlite3.connect(":memory:")
    try:
        connection.deserialize(data)
        connection.executescript("UPDATE rpm SET item_id = 1; UPDATE trans_item SET item_id = 1;")
        hostile = connection.serialize()
    finally:
        connection.close()
    reading = HISTORY.read(File(path="var/lib/dnf/history.sqlite", data=hostile))
    assert len(reading.problems) == 1


def test_enabled_topics_are_facts():
    text = b"""\
[amzn2extra-docker]
enabled = 1
name = Amazon Extras repo for docker

[amzn2extra-docker-source]
enabled = 1

[amzn2extra-nginx1]
enabled = 0

[other]
enabled = 1
"""
    assert EXTRAS.read(File(path="etc/yum.repos.d/amzn2-extras.repo", data=text)).facts == (
        ("repositories", {"docker": "amzn2extra-docker"}),
    )
