"""A report with something of everything in it, hostile names included; what the tests of all formats render."""

from msgspec.structs import replace

from openinspector.model.advisory import Cvss
from openinspector.model.distro import Distribution
from openinspector.model.enrichment import Epss, Exploit, Kev
from openinspector.model.inventory import Inventory, Layer, Target
from openinspector.model.match import Evidence, Finding, Match, Report, Undecided, Vulnerability
from openinspector.model.package import Location, Package, SourcePackage
from openinspector.model.problem import Problem
from openinspector.model.suppression import Given, Suppression
from openinspector.model.vex import Product, Statement

BASE, APP = "sha256:" + "a" * 64, "sha256:" + "b" * 64
HOSTILE = "<script>alert('x')</script>&\x00\x1b[31m\u202e]]>\ud800=cmd"

DEBIAN = Distribution(
    id="debian",
    version="12",
    codename="bookworm",
    title="Debian GNU/Linux 12 (bookworm)",
    family="debian",
    namespace="debian:12",
    end_of_life="2028-06-30",
)

OPENSSL = Package(
    type="deb",
    name="libssl3",
    version="3.0.9-1",
    arch="amd64",
    format="dpkg",
    vendor="Debian OpenSSL Team <pkg-openssl-devel@alioth-lists.debian.net>",
    source=SourcePackage(name="openssl", version="3.0.9-1"),
    location=Location(path="var/lib/dpkg/status", layer=BASE, introduced=BASE),
)
OPENSSL_TOOL = Package(
    type="deb",
    name="openssl",
    version="3.0.9-1",
    arch="amd64",
    format="dpkg",
    source=SourcePackage(name="openssl", version="3.0.9-1"),
    location=Location(path="var/lib/dpkg/status", layer=BASE, introduced=BASE),
)
GIT = Package(
    type="deb",
    name="git",
    version="1:2.39.2-1.1",
    arch="amd64",
    format="dpkg",
    source=SourcePackage(name="git", version="1:2.39.2-1.1"),
    location=Location(path="var/lib/dpkg/status", layer=BASE),
)
LODASH = Package(
    type="npm",
    name="lodash",
    version="4.17.20",
    format="npm.package",
    license="MIT",
    digest="sha512:" + "c" * 128,
    location=Location(path="srv/app/node_modules/lodash/package.json", layer=APP),
)
LODASH_AGAIN = Package(
    type="npm",
    name="lodash",
    version="4.17.20",
    format="npm.package",
    license="MIT",
    dev=True,
    location=Location(path="srv/tool/node_modules/lodash/package.json", layer=APP),
)
SCOPED = Package(
    type="npm",
    name="@babel/traverse",
    version="7.22.0",
    format="npm.lock",
    location=Location(path="srv/app/package-lock.json", layer=APP),
    dev=True,
)
LOG4J = Package(
    type="maven",
    name="org.apache.logging.log4j:log4j-core",
    version="2.14.1",
    format="maven.jar",
    license="The Apache Software License, Version 2.0",
    digest="sha1:" + "d" * 40,
    location=Location(path="srv/app.war!WEB-INF/lib/log4j-core-2.14.1.jar", layer=APP),
)
REQUESTS = Package(
    type="pypi",
    name="Requests",
    version="2.30.0",
    format="pypi.metadata",
    owner="python3-requests",
    location=Location(path="usr/lib/python3/dist-packages/requests-2.30.0.dist-info/METADATA"),
)
STDLIB = Package(
    type="golang",
    name="stdlib",
    version="go1.21.3",
    format="go.binary",
    location=Location(path="usr/local/bin/tool with space"),
)
EVIL = Package(
    type="npm",
    name=HOSTILE,
    version="1.0.0\r\n=1+1",
    format="npm.package",
    license="<b>whatever</b>",
    location=Location(path=f"srv/../{HOSTILE}/package.json"),
)
FORMULA = Package(
    type="pypi",
    name="=HYPERLINK(1)",
    version="+1",
    format="pypi.requirements",
    location=Location(path="-requirements.txt"),
)
NAMELESS = Package(type="generic", name="", version="1", location=Location(path="opt/odd"))

OPENSSL_FLAW = Vulnerability(
    id="CVE-2023-5363",
    aliases=("DSA-5532-1",),
    title="Wrong length of keys and IVs",
    description="A bug in the processing of key and IV lengths can lead to truncation.\n\nSome ciphers are affected.",
    cvss=(
        Cvss(vector="CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", source="NVD", score=7.5),
        Cvss(vector="AV:N/AC:L/Au:N/C:P/I:N/A:N", source="NVD", score=5.0),
        Cvss(vector="CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N", source="openssl"),
    ),
    severities=(("debian-tracker", "medium"),),
    cwes=("CWE-684", "NVD-CWE-noinfo"),
    references=("https://www.openssl.org/news/secadv/20231024.txt", "javascript:alert(1)", "https://a b"),
    url="https://security-tracker.debian.org/tracker/CVE-2023-5363",
    published="2023-10-25T18:17:43Z",
    modified="2024-02-01T00:00:00Z",
    epss=Epss(vulnerability="CVE-2023-5363", score=0.01234, percentile=0.85, date="2025-01-02"),
)
LOG4SHELL = Vulnerability(
    id="CVE-2021-44228",
    aliases=("GHSA-jfh8-c2jp-5v3q",),
    title="Remote code injection in Log4j",
    description="JNDI features do not protect against attacker controlled LDAP endpoints.",
    cvss=(Cvss(vector="CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", source="NVD"),),
    severities=(("osv", "CRITICAL"),),
    cwes=("CWE-20", "CWE-502"),
    references=("https://logging.apache.org/log4j/2.x/security.html",),
    published="2021-12-10T00:40:56Z",
    nickname="Log4Shell",
    epss=Epss(vulnerability="CVE-2021-44228", score=0.94358, percentile=0.99958, date="2025-01-02"),
    kev=Kev(
        vulnerability="CVE-2021-44228",
        date_added="2021-12-10",
        due_date="2021-12-24",
        required_action="Apply the updates as the vendor says.",
        ransomware=True,
    ),
    exploits=(Exploit(vulnerability="CVE-2021-44228", source="exploit-db", ids=("50592", "50590"), date="2021-12-14"),),
)
LODASH_FLAW = Vulnerability(
    id="CVE-2021-23337",
    aliases=("GHSA-35jh-r3h4-6jhm",),
    title="Command injection in lodash",
    cvss=(Cvss(vector="CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:U/C:H/I:H/A:H", source="GHSA", score=7.2),),
)
MALWARE = Vulnerability(
    id="MAL-2024-1", title=HOSTILE, description=HOSTILE, malicious=True, references=(f"https://{HOSTILE}",)
)
UNRATED = Vulnerability(id="GHSA-xxxx-yyyy-zzzz")


def _proof(feed: str, advisory: str, namespace: str, package: Package, scheme: str, **more: str) -> Evidence:
    return Evidence(
        feed=feed,
        advisory=advisory,
        namespace=namespace,
        name=package.source.name if package.source else package.name,
        kind="source" if package.source else "binary",
        scheme=scheme,
        compared=package.version,
        **more,
    )


def _openssl(package: Package) -> Finding:
    return Finding(
        match=Match(
            vulnerability="CVE-2023-5363",
            package=package,
            evidence=(
                _proof(
                    "debian-tracker",
                    "CVE-2023-5363",
                    "debian:12",
                    package,
                    "deb",
                    introduced="3.0.0-1",
                    fixed="3.0.11-1~deb12u2",
                    url="https://security-tracker.debian.org/tracker/CVE-2023-5363",
                ),
            ),
            fixed_version="3.0.11-1~deb12u2",
            vendor_severity="medium",
            related=("DSA-5532-1",),
        ),
        vulnerability=OPENSSL_FLAW,
        severity="medium",
        severity_source="debian",
        score=7.5,
        vector="CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N",
        score_source="NVD",
        remediation=f"apt-get update && apt-get install --only-upgrade {package.name}",
    )


def _lodash(package: Package, suppressed: Suppression | None = None) -> Finding:
    return Finding(
        match=Match(
            vulnerability="CVE-2021-23337",
            package=package,
            evidence=(_proof("osv", "GHSA-35jh-r3h4-6jhm", "npm", package, "npm", fixed="4.17.21"),),
            fixed_version="4.17.21",
            related=("GHSA-35jh-r3h4-6jhm",),
        ),
        vulnerability=LODASH_FLAW,
        severity="high",
        severity_source="CVSS",
        score=7.2,
        vector="CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:U/C:H/I:H/A:H",
        score_source="GHSA",
        remediation="npm install lodash@4.17.21",
        suppressed=suppressed,
    )


INVESTIGATED = Statement(
    vulnerabilities=("CVE-2023-5363",),
    status="under_investigation",
    product=Product(id="pkg:deb/debian/openssl"),
    author=f"Acme {HOSTILE}",
    timestamp="2024-12-24T00:00:00.000000Z",
    file="acme.vex.json",
)

FINDINGS = (
    Finding(
        match=Match(
            vulnerability="CVE-2021-44228",
            package=LOG4J,
            evidence=(
                _proof("osv", "GHSA-jfh8-c2jp-5v3q", "maven", LOG4J, "maven", introduced="2.13.0", fixed="2.15.0"),
            ),
            fixed_version="2.15.0",
            related=("GHSA-jfh8-c2jp-5v3q",),
        ),
        vulnerability=LOG4SHELL,
        severity="critical",
        severity_source="CVSS",
        score=10.0,
        vector="CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H",
        score_source="NVD",
        remediation="set org.apache.logging.log4j:log4j-core to 2.15.0 in the build",
    ),
    Finding(
        match=Match(
            vulnerability="MAL-2024-1",
            package=EVIL,
            evidence=(_proof("osv", "MAL-2024-1", "npm", EVIL, "npm", note=HOSTILE),),
        ),
        vulnerability=MALWARE,
        severity="critical",
        severity_source="malware",
    ),
    _lodash(LODASH),
    _lodash(
        LODASH_AGAIN,
        suppressed=Suppression(
            kind="vex",
            reason="not affected, the vulnerable code is not in the execute path",
            status="not_affected",
            justification="vulnerable_code_not_in_execute_path",
            owner="Acme",
            source="acme.vex.json",
        ),
    ),
    _openssl(OPENSSL),
    _openssl(OPENSSL_TOOL),
    Finding(
        match=Match(
            vulnerability="GHSA-xxxx-yyyy-zzzz",
            package=FORMULA,
            evidence=(_proof("osv", "GHSA-xxxx-yyyy-zzzz", "pypi", FORMULA, "pypi", last_affected="2"),),
            state="will_not_fix",
        ),
        vulnerability=UNRATED,
        severity="unknown",
        suppressed=Suppression(
            kind="ignore",
            reason="accepted for the demonstration",
            owner="alice@example.org",
            expires="2026-01-01",
            source=".openinspector-ignore.toml",
        ),
    ),
)

INVENTORY = Inventory(
    target=Target(
        kind="image",
        name="registry.example.org/team/app:1.4",
        digest="sha256:" + "e" * 64,
        platform="linux/amd64",
        tags=("1.4", "latest"),
        layers=(Layer(diff_id=BASE, created_by="ADD rootfs.tar /"), Layer(diff_id=APP, digest="sha256:" + "f" * 64)),
    ),
    packages=(
        OPENSSL,
        OPENSSL_TOOL,
        GIT,
        LODASH,
        LODASH_AGAIN,
        SCOPED,
        LOG4J,
        REQUESTS,
        STDLIB,
        EVIL,
        FORMULA,
        NAMELESS,
    ),
    distribution=DEBIAN,
    problems=(
        Problem(
            path="srv/app/requirements.txt", reason="lines that make no sense", format="pypi.requirements", count=3
        ),
        Problem(path=f"srv/{HOSTILE}.jar", reason="not a zip file", format="maven.jar", partial=True),
    ),
    status="partial",
)

REPORT = Report(
    inventory=INVENTORY,
    findings=FINDINGS,
    undecided=(
        Undecided(package=NAMELESS, reason="there are no advisories for packages of type generic"),
        Undecided(package=STDLIB, reason="'go1.21.3-odd' is no version", vulnerability="CVE-2023-39325"),
    ),
    notes=("Only the starter advisories are loaded.", f"A note with {HOSTILE}"),
    database=(("built", "2025-01-02T03:04:05Z"), ("digest", "sha256:" + "0" * 64)),
    scanned_at="2025-01-03T04:05:06Z",
    tool_version="0.1.0",
)

# What VEX statements, an ignore file and a baseline leave behind, without hiding more.
RULED = replace(
    REPORT,
    findings=tuple(
        replace(each, known_since="2024-12-01T00:00:00Z")
        if each.match.package is OPENSSL
        else replace(each, vex=(INVESTIGATED,))
        if each.match.package is OPENSSL_TOOL
        else each
        for each in FINDINGS
    ),
    given=(
        Given(
            kind="vex",
            path="acme.vex.json",
            format="OpenVEX",
            entries=3,
            matched=2,
            hidden=1,
            unmatched=(HOSTILE,),
            problems=(Problem(path="acme.vex.json", reason="a statement that makes no sense"),),
        ),
        Given(kind="ignore", path=".openinspector-ignore.toml", entries=1, matched=1, hidden=1, expired=("CVE-1",)),
        Given(kind="baseline", path="last.json", entries=9, hidden=1),
    ),
)

EMPTY = Report(inventory=Inventory(target=Target(kind="directory", name="")))
