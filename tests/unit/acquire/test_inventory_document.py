"""An inventory goes out as a document and comes back the same; what makes no sense is refused."""

import json
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from openinspector.acquire.inventory_document import read_inventory
from openinspector.errors import AcquireError
from openinspector.model.distro import Distribution
from openinspector.model.inventory import INVENTORY_FORMAT, Inventory, Layer, Target
from openinspector.model.match import Report
from openinspector.model.package import Location, Package, SourcePackage
from openinspector.model.problem import Problem
from openinspector.render.inventory import document, render

GOLDEN = Path(__file__).resolve().parents[2] / "cases" / "inventory-1.json"

FULL = Inventory(
    target=Target(
        kind="image",
        name="app:1",
        digest="sha256:aa",
        platform="linux/amd64",
        tags=("app:1", "app:latest"),
        layers=(Layer(diff_id="sha256:01", digest="sha256:02", created_by="RUN x"),),
        running_kernel="6.1.0-9-amd64",
    ),
    packages=(
        Package(
            type="rpm",
            name="nodejs",
            version="1:18.14.2-2.module+el9",
            location=Location(path="var/lib/rpm/rpmdb.sqlite", layer="sha256:01", introduced="sha256:01"),
            format="rpm",
            arch="x86_64",
            source=SourcePackage(name="nodejs", version="1:18.14.2-2.module+el9"),
            module="nodejs:18:20230306:rhel9",
            repository="appstream",
            vendor="Red Hat, Inc.",
            license="MIT",
            dev=True,
            owner="nodejs",
            digest="sha256:bb",
            qualifiers=(("epoch", "1"),),
        ),
        Package(type="pypi", name="jinja2", version="2.10", location=Location(path="usr/lib/x\N{SNOWMAN}")),
    ),
    distribution=Distribution(
        id="rhel",
        version="9.2",
        codename="plow",
        title="Red Hat Enterprise Linux 9.2",
        family="redhat",
        namespace="redhat:9",
        reason="none",
        end_of_life="2032-05-31",
    ),
    problems=(Problem(path="a", reason="b", format="pom", count=3, partial=True),),
    repositories=("eus:9.2",),
    status="partial",
)


def told(**more):
    return json.dumps({"format": INVENTORY_FORMAT, "inventory": {"target": {"kind": "host", "name": "h"}} | more})


@pytest.mark.parametrize("write", [lambda each: document(each, "now"), lambda each: render(Report(inventory=each))])
@pytest.mark.parametrize("inventory", [FULL, Inventory(target=Target(kind="host", name="h"))])
def test_it_comes_back_as_it_went(write, inventory):
    assert read_inventory(write(inventory).encode()) == inventory


def test_every_field_is_in_the_test_above():
    """So that a new field of the nouns is carried, too, and shows in the format's golden document."""

    def check(value):
        if isinstance(value, msgspec.Struct):
            for field in msgspec.structs.fields(value):
                if field.default is not msgspec.NODEFAULT:
                    assert getattr(value, field.name) != field.default, f"{type(value).__name__}.{field.name}"
                check(getattr(value, field.name))
        elif isinstance(value, tuple) and value:
            check(value[0])

    check(FULL)


def test_the_format_stays_what_it_is():
    """A change of the golden document is a change of the format: raise its number unless members are only added."""
    assert (
        json.loads(document(FULL, "2026-11-24T12:00:00Z"))["inventory"] == json.loads(GOLDEN.read_text())["inventory"]
    )
    assert read_inventory(GOLDEN.read_bytes()) == FULL


def test_what_a_file_name_has_that_is_no_unicode_is_replaced():
    odd = replace(FULL, target=Target(kind="directory", name="\udcff"))
    assert read_inventory(document(odd, "now").encode()).target.name == "\N{REPLACEMENT CHARACTER}"


def test_a_later_writer_of_the_format_may_add_members():
    data = told(packages=[{"type": "pypi", "name": "x", "version": "1", "location": {"path": "p"}, "new": 1}], more=2)
    assert read_inventory(data.encode()).packages[0].name == "x"


def test_an_inventory_with_a_gap_is_not_whole_whatever_it_says():
    data = told(status="whole", problems=[{"path": "a", "reason": "b", "partial": True}])
    assert read_inventory(data.encode()).status == "partial"


def package(**more):
    return [{"type": "deb", "name": "x", "version": "1", "location": {"path": "p"}} | more]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("", "makes sense"),
        ("[]", "makes sense"),
        ("{}", "is no openinspector-inventory/1"),
        ('{"schema_version": "1.1", "findings": []}', "is a scan's report"),
        ('{"bomFormat": "CycloneDX"}', "is an SBOM"),
        ('{"format": "openinspector-inventory/2", "inventory": {}}', "openinspector-inventory/2"),
        ('{"format": "openinspector-inventory/1"}', "makes sense"),
        ('{"format": "openinspector-inventory/1", "inventory": []}', "makes sense"),
        (told(packages=7), "makes sense"),
        (told(packages=[{"type": "deb"}]), "makes sense"),
        (told(packages=package(name=1)), "makes sense"),
        (told(packages=package(name="")), "without a type or a name"),
        (told(packages=package(version="x" * 70_000)), "more than 65,536 characters"),
        (told(status="great"), "makes sense"),
        (told(distribution={"id": "x", "family": "plan9"}), "'plan9'"),
        (told(distribution={"id": "x", "family": "debian", "namespace": "alpine:3.20"}), "'alpine:3.20'"),
        (told(distribution={"id": "x", "namespace": "nothing"}), "'nothing'"),
        (told(problems=[{"path": "a", "reason": "b", "count": 1 << 40}]), "the count"),
        (told(problems=[{"path": "a", "reason": "b", "count": -1}]), "the count"),
        ('{"format": "openinspector-inventory/1", "inventory": ' + "[" * 10_000 + "]" * 10_000 + "}", "makes sense"),
    ],
)
def test_what_makes_no_sense_is_refused(data, said):
    with pytest.raises(AcquireError, match=said):
        read_inventory(data.encode())


@pytest.mark.parametrize("data", [b"\xff\xfe", b'{"format": "\xff"}', b'{"format": "\\ud800"}'])
def test_what_is_no_unicode_is_refused(data):
    with pytest.raises(AcquireError):
        read_inventory(data)
