"""Oracle Linux's OVAL."""

import bz2
from io import BytesIO
from zipfile import ZipFile

import pytest

from openinspector.errors import FeedError
from openinspector.feeds.contract import Document
from openinspector.feeds.sources.oracle import PLUGIN
from openinspector.model.advisory import Advisory, Cvss, Range
from openinspector.model.problem import Problem

NAMESPACES = (
    'xmlns="http://oval.mitre.org/XMLSchema/oval-definitions-5" '
    'xmlns:red-def="http://oval.mitre.org/XMLSchema/oval-definitions-5#linux" '
    'xmlns:ind-def="http://oval.mitre.org/XMLSchema/oval-definitions-5#independent"'
)


def criterion(test):
    return f'<criterion test_ref="{test}" comment="not read"/>'


def criteria(operator, *children):
    return f'<criteria operator="{operator}">{"".join(children)}</criteria>'


# Test → (name of its object, state)
CHECKS = {
    "release8": ("oraclelinux-release", '<version operation="pattern match">^8</version>'),
    "aarch64": ("oraclelinux-release", '<arch operation="pattern match">aarch64</arch>'),
    "x86_64": ("oraclelinux-release", '<arch operation="pattern match">x86_64</arch>'),
    "openssl": ("openssl", '<evr datatype="evr_string" operation="less than">1:1.1.1k-5.el8</evr>'),
    "openssl-arm": ("openssl", '<evr datatype="evr_string" operation="less than">1:1.1.1k-6.el8</evr>'),
    "rsyslog": ("rsyslog", '<evr datatype="evr_string" operation="less than">0:8.24.0-57.el8</evr>'),
    "rsyslog-debuginfo": (
        "rsyslog-debuginfo",
        '<evr datatype="evr_string" operation="less than">0:8.24.0-57.el8</evr>',
    ),
    "signed": ("openssl", '<signature_keyid operation="equals">66ced3de1e5e0159</signature_keyid>'),
    "ksplice": ("openssl", '<release operation="pattern match">ksplice</release>'),
    "ksplice-openssl": ("openssl", '<evr datatype="evr_string" operation="less than">2:1.1.1k-5.ksplice1.el8</evr>'),
    "beyond": ("openssl", '<evr datatype="evr_string" operation="greater than">1:1</evr>'),
}
MODULE_TEST = """
<ind-def:textfilecontent54_test id="module" check="all"><ind-def:object object_ref="module.o"/>
  <ind-def:state state_ref="module.s"/></ind-def:textfilecontent54_test>"""
MODULE_OBJECT = """<ind-def:textfilecontent54_object id="module.o">
  <ind-def:filepath datatype="string">/etc/dnf/modules.d/{module}.module</ind-def:filepath>
  <ind-def:pattern operation="pattern match">\\[{module}\\][\\w\\W]*</ind-def:pattern>
  </ind-def:textfilecontent54_object>"""
MODULE_STATE = """<ind-def:textfilecontent54_state id="module.s"><ind-def:text operation="pattern match">
\\nstream\\s*=\\s*{stream}\\b[\\w\\W]*\\nstate\\s*=\\s*(enabled|1|true)|\\nstate\\s*=\\s*(enabled|1|true)[\\w\\W]*\\nstream</ind-def:text>
</ind-def:textfilecontent54_state>"""
CVE = '<cve href="h" public="20210101">CVE-2021-3449</cve>'


def oval(
    tree,
    *,
    cves=CVE,
    title="ELSA-2021-9151:  openssl security update (IMPORTANT)",
    elsa=True,
    module="virt",
    stream="kvm",
):
    reference = '<reference source="elsa" ref_id="ELSA-2021-9151" ref_url="https://linux.oracle.com/errata/ELSA-2021-9151.html"/>'
    tests = "".join(
        f'<red-def:rpminfo_test id="{name}"><red-def:object object_ref="{name}.o"/>'
        f'<red-def:state state_ref="{name}.s"/></red-def:rpminfo_test>'
        for name in CHECKS
    )
    objects = "".join(
        f'<rpminfo_object xmlns="http://oval.mitre.org/XMLSchema/oval-definitions-5#linux" id="{name}.o">'
        f"<name>{package}</name></rpminfo_object>"
        for name, (package, _) in CHECKS.items()
    )
    states = "".join(f'<rpminfo_state id="{name}.s">{state}</rpminfo_state>' for name, (_, state) in CHECKS.items())
    return f"""<oval_definitions {NAMESPACES}><generator/><definitions>
<definition id="oval:com.oracle.elsa:def:20219151" version="501" class="patch"><metadata><title>
{title}
</title><affected family="unix"><platform>Oracle Linux 8</platform></affected>
{reference if elsa else ""}<reference source="CVE" ref_id="CVE-2021-3450" ref_url="https://cve/CVE-2021-3450"/>
<description> - a fix </description>
<advisory><severity>IMPORTANT</severity><rights>x</rights><issued date="2021-04-01"/>{cves}</advisory></metadata>
{tree}</definition></definitions>
<tests>{tests}{MODULE_TEST}</tests><objects>{objects}{MODULE_OBJECT.format(module=module)}</objects>
<states>{states}{MODULE_STATE.format(stream=stream)}</states></oval_definitions>""".encode()


def parse(data):
    return list(PLUGIN.parse(Document(path="oracle/com.oracle.elsa-all.xml.bz2", stream=BytesIO(data))))


def only(tree, **more):
    (advisory,) = parse(bz2.compress(oval(tree, **more)))
    assert isinstance(advisory, Advisory)
    return advisory


SIMPLE = criteria(
    "AND", criterion("release8"), criteria("OR", criteria("AND", criterion("openssl"), criterion("signed")))
)


def test_an_erratum_keeps_its_id_word_and_flaws():
    advisory = only(SIMPLE)
    assert advisory.id == "ELSA-2021-9151"
    assert advisory.vulnerabilities == ("CVE-2021-3449", "CVE-2021-3450")
    assert advisory.severity == "IMPORTANT"
    assert advisory.title == "ELSA-2021-9151: openssl security update (IMPORTANT)"
    assert advisory.url == "https://linux.oracle.com/errata/ELSA-2021-9151.html"
    assert advisory.published == "2021-04-01T00:00:00Z"


def test_a_package_is_affected_below_the_version_of_its_test():
    (entry,) = only(SIMPLE).affected
    assert (entry.namespace, entry.name, entry.kind) == ("oracle:8", "openssl", "binary")
    assert entry.ranges == (Range(fixed="1:1.1.1k-5.el8"),)
    assert (entry.arches, entry.module, entry.repository) == ((), "", "")


def test_an_epoch_of_zero_is_left_out_and_debugging_symbols_too():
    entries = only(
        criteria("AND", criterion("release8"), criteria("OR", criterion("rsyslog"), criterion("rsyslog-debuginfo")))
    ).affected
    assert [(each.name, each.ranges[0].fixed) for each in entries] == [("rsyslog", "8.24.0-57.el8")]


def test_fixes_differ_by_architecture():
    tree = criteria(
        "AND",
        criterion("release8"),
        criteria(
            "OR",
            criteria("AND", criterion("aarch64"), criteria("OR", criterion("openssl-arm"))),
            criteria(
                "AND", criterion("x86_64"), criteria("OR", criteria("AND", criterion("openssl"), criterion("signed")))
            ),
        ),
    )
    assert [(each.ranges[0].fixed, each.arches) for each in only(tree).affected] == [
        ("1:1.1.1k-6.el8", ("aarch64", "noarch")),
        ("1:1.1.1k-5.el8", ("i386", "i586", "i686", "noarch", "x86_64")),
    ]


def test_one_fix_of_several_architectures_is_one_entry():
    tree = criteria(
        "AND",
        criterion("release8"),
        *(criteria("AND", criterion(arch), criterion("openssl")) for arch in ("aarch64", "x86_64")),
    )
    (entry,) = only(tree).affected
    assert {"aarch64", "x86_64"} <= set(entry.arches)


@pytest.mark.parametrize(
    ("module", "stream", "read"),
    [
        ("virt", "kvm_utils", "virt:kvm_utils"),
        ("mariadb", "10.5", "mariadb:10.5"),
        ("mariadb", "10\\.5", "mariadb:10.5"),
        ("container-tools", "ol8", "container-tools:ol8"),
    ],
)
def test_a_module_stream_is_read_from_the_test_of_its_file(module, stream, read):
    tree = criteria(
        "AND", criterion("release8"), criteria("AND", criterion("module"), criteria("OR", criterion("openssl")))
    )
    assert [each.module for each in only(tree, module=module, stream=stream).affected] == [read]


def test_ksplice_packages_are_of_their_own_repository():
    tree = criteria("AND", criterion("release8"), criteria("AND", criterion("ksplice-openssl"), criterion("ksplice")))
    assert [each.repository for each in only(tree).affected] == ["ksplice"]
    assert [
        each.repository for each in only(criteria("AND", criterion("release8"), criterion("ksplice-openssl"))).affected
    ] == ["ksplice"]


def test_the_release_is_that_of_the_platform_where_no_test_says_it():
    assert [
        each.namespace for each in only(criterion("openssl").join(("<criteria operator='OR'>", "</criteria>"))).affected
    ] == ["oracle:8"]


def test_a_vector_is_read_where_the_erratum_is_about_one_flaw():
    one = (
        '<cve cvss2="7.8/AV:N/AC:L/Au:N/C:N/I:N/A:C" cwe="CWE-400" '
        'cvss3="7.5/CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H">CVE-2021-3449</cve>'
    )
    advisory = only(SIMPLE, cves=one)
    assert advisory.cvss == (
        Cvss(vector="CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", source="Oracle", score=7.5),
        Cvss(vector="AV:N/AC:L/Au:N/C:N/I:N/A:C", source="Oracle", score=7.8),
    )
    assert advisory.cwes == ("CWE-400",)
    assert only(SIMPLE, cves=one + CVE.replace("3449", "3450")).cvss == ()


def test_the_id_is_the_first_word_of_the_title_where_no_reference_says_it():
    assert only(SIMPLE, elsa=False).id == "ELSA-2021-9151"


@pytest.mark.parametrize(
    "tree",
    [
        criteria("AND", criterion("release8"), criterion("missing")),
        criteria("AND", criterion("release8"), criterion("beyond")),
        '<criteria operator="AND" negate="true"><criterion test_ref="openssl"/></criteria>',
    ],
)
def test_a_document_of_which_nothing_makes_sense_is_a_feed_error(tree):
    records = PLUGIN.parse(Document(path="oracle/x.xml", stream=BytesIO(oval(tree))))
    assert isinstance(next(records), Problem)
    with pytest.raises(FeedError):
        next(records)


@pytest.mark.parametrize(
    "data", [b"", b"<xml></xml>", b"<oval_definitions/>", b"test", bz2.compress(b"invalid"), b"BZhtrash"]
)
def test_what_is_no_oval_is_a_feed_error(data):
    with pytest.raises(FeedError):
        parse(data)


def test_criteria_without_end_are_a_feed_error():
    with pytest.raises(FeedError):
        parse(oval('<criteria operator="AND">' * 60 + criterion("openssl") + "</criteria>" * 60))


@pytest.mark.feeds
def test_real_errata_are_read(feeds_dir):
    with ZipFile(feeds_dir / "fixtures/vuls-data-update.zip") as archive:
        first, second = parse(archive.read("oracle/linux/com.oracle.elsa-all.xml.bz2"))
    assert (first.id, second.id) == ("ELSA-2007-0057", "ELSA-2023-12342")
    assert {each.name: each.ranges[0].fixed for each in first.affected}["bind-libs"] == "30:9.3.3-8.el5"
    (entry,) = second.affected
    assert (entry.name, entry.module) == ("hivex", "virt:kvm_utils")
    assert entry.ranges == (Range(fixed="1.3.18-21.module+el8.7.0+21037+8ee66348"),)


@pytest.mark.feeds
def test_real_ksplice_packages_are_marked(feeds_dir):
    with ZipFile(feeds_dir / "fixtures/vunnel.zip") as archive:
        (advisory,) = parse(archive.read("oracle/mock_ksplice_data"))
    assert {each.repository for each in advisory.affected} == {"ksplice"}
    assert len(advisory.affected) == 5


@pytest.mark.feeds
def test_a_deliberately_broken_document_is_a_feed_error(feeds_dir):
    with ZipFile(feeds_dir / "fixtures/vuln-list-update.zip") as archive:
        data = archive.read("oracle/oval/broken-oval-data.xml.bz2")
    with pytest.raises(FeedError):
        parse(data)
