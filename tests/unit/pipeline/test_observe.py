"""Small trees are read, matched against a few advisories, and become observations and the service's findings."""

import zipfile

import pytest
from msgspec.structs import replace
from tests.unit.acquire.layers import digest, docker_archive, layer
from tests.unit.catalog import rpm_writers
from tests.unit.render.service_model import problems

from openinspector.acquire.contract import Reader
from openinspector.acquire.limits import Limits
from openinspector.acquire.targets.archive import read_archive
from openinspector.acquire.targets.directory import read_directory
from openinspector.acquire.targets.lambda_zip import read_lambda
from openinspector.model.advisory import Advisory, Affected, Cvss, Range
from openinspector.model.distro import Distribution
from openinspector.model.enrichment import Epss, Exploit, Kev
from openinspector.model.finding import Finding, Life, NetworkReachability, Step
from openinspector.model.inventory import Inventory, Target
from openinspector.model.match import Evidence, Match, Report, Vulnerability
from openinspector.model.match import Finding as Found
from openinspector.model.package import Location, Package
from openinspector.model.resource import Ec2Instance, EcrImage, LambdaFunction, Resource
from openinspector.model.suppression import Suppression
from openinspector.pipeline.observe import expose, observe
from openinspector.pipeline.registry import formats
from openinspector.pipeline.scan import scan
from openinspector.render.inspector2 import finding
from openinspector.store.advisories import AdvisoryFile
from openinspector.store.compile import FeedState, compile_parts
from openinspector.store.part import write_part

V31 = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:{}"
HIGH, MEDIUM = V31.format("H"), V31.format("L")  # 7.5, 5.3
V30 = "CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"  # 9.8
V2 = "AV:N/AC:L/Au:N/C:P/I:N/A:N"  # 5.0
V4 = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"  # 9.3
AT = "2026-03-02T10:15:29.120000Z"
LIFE = Life(status="ACTIVE", first_observed_at=AT, last_observed_at=AT, updated_at=AT)
ARN = "arn:aws:inspector2:eu-west-1:111122223333:finding/0123456789abcdef0123456789abcdef"

INSTANCE = Resource(
    account="111122223333",
    region="eu-west-1",
    type="AWS_EC2_INSTANCE",
    id="i-0aaaabbbbccccdddd",
    details=Ec2Instance(instance_type="t3.small"),
)
IMAGE = Resource(
    account="111122223333",
    region="eu-west-1",
    type="AWS_ECR_CONTAINER_IMAGE",
    id="arn:aws:ecr:eu-west-1:111122223333:repository/app/sha256:" + "a" * 64,
    details=EcrImage(repository="app", digest="sha256:" + "a" * 64, registry="111122223333"),
)
LAYERS = tuple(f"arn:aws:lambda:eu-west-1:111122223333:layer:{name}:1" for name in ("first", "second"))
FUNCTION = Resource(
    account="111122223333",
    region="eu-west-1",
    type="AWS_LAMBDA_FUNCTION",
    id="arn:aws:lambda:eu-west-1:111122223333:function:demo:$LATEST",
    details=LambdaFunction(
        name="demo",
        runtime="python3.12",
        code_sha256="x=",
        role_arn="arn:aws:iam::111122223333:role/demo",
        layers=LAYERS,
    ),
)


def advisory(name, *affected, **more):
    return Advisory(id=name, affected=tuple(affected), **more)


def below(namespace, name, fixed, **more):
    return Affected(namespace=namespace, name=name, ranges=(Range(introduced="", fixed=fixed),), **more)


def nvd(name, *vectors, **more):
    scored = tuple(Cvss(vector=each, source="NVD") for each in vectors)
    return Advisory(id=name, cvss=scored, description=f"About {name}.", **more)


@pytest.fixture
def advisories(tmp_path):
    """Makes an advisory file of feeds with records: advisories(debian_tracker=[…], nvd=[…])."""
    opened = []

    def make(**feeds):
        states = []
        for name, records in feeds.items():
            part = tmp_path / f"{name}.sqlite"
            write_part(part, records)
            states.append(FeedState(name=name, revision=1, digest="d", fetched="", parts=(part,)))
        compile_parts(tmp_path / "advisories.sqlite", states, {"built": "now"})
        opened.append(AdvisoryFile(tmp_path / "advisories.sqlite"))
        return opened[-1]

    yield make
    for each in opened:
        each.close()


def reader():
    return Reader(formats(), Limits(), None)


def tree(folder, files):
    for path, content in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_directory(reader(), folder)


def checked(resource, observations):
    """The observations by key, after each has been held against the service's model."""
    for each in observations:
        said = finding(resource, Finding(arn=ARN, observation=each, life=LIFE))
        assert problems("Finding", said) == []
    return {each.key: each for each in observations}


def seen(resource, inventory, file):
    return checked(resource, observe(resource, scan(inventory, file)))


def rendered(resource, observation):
    return finding(resource, Finding(arn=ARN, observation=observation, life=LIFE))


def release(id_, version, title=""):
    return f'ID={id_}\nVERSION_ID="{version}"\nPRETTY_NAME="{title or id_}"\n'


def status(**packages):
    return "".join(
        f"Package: {name}\nStatus: install ok installed\nArchitecture: amd64\nSource: demo\nVersion: {version}\n\n"
        for name, version in packages.items()
    )


# Scans of small trees


def test_a_debian_image_has_one_observation_for_each_vulnerability(tmp_path, advisories):
    file = advisories(
        debian_tracker=[
            advisory("CVE-2030-0001", below("debian:12", "demo", "2.0-1", kind="source", severity="low")),
            advisory("DSA-1-1", below("debian:12", "demo", "2.0-1", kind="source"), vulnerabilities=("CVE-2030-0001",)),
        ],
        nvd=[nvd("CVE-2030-0001", HIGH, V2, published="2030-01-01T00:00:00Z", references=("https://e.org/1", "x"))],
        epss=[Epss(vulnerability="CVE-2030-0001", score=0.5)],
    )
    files = {
        "etc/os-release": release("debian", "12"),
        "var/lib/dpkg/status": status(liba="1.0-1", libb="1.0-1", libc="1.0-1"),
    }
    base, top = layer(files), layer({"var/lib/dpkg/status": status(liba="1.0-1", libb="1.0-1", libc="1.0-1", libd="9")})
    inventory = read_archive(reader(), docker_archive(tmp_path / "i.tar", base, top))
    (observation,) = seen(IMAGE, inventory, file).values()
    assert observation.title == "CVE-2030-0001 - liba, libb and 1 more"
    assert observation.description == "About CVE-2030-0001."
    # Debian has no vectors of its own, and its word does not decide.
    assert (observation.severity, observation.score, observation.vector) == ("HIGH", 7.5, HIGH)
    assert (observation.fix, observation.exploit, observation.epss) == ("YES", False, 0.5)
    details = observation.details
    assert (details.source, details.vendor_severity, details.related) == ("DEBIAN_CVE", "low", ("DSA-1-1",))
    assert details.source_url == "https://security-tracker.debian.org/tracker/CVE-2030-0001"
    assert details.vendor_created_at == "2030-01-01T00:00:00.000000Z"
    assert details.references == ("https://e.org/1",)
    assert {(each.vector, each.score, each.source) for each in details.cvss} == {(HIGH, 7.5, "NVD"), (V2, 5.0, "NVD")}
    first = rendered(IMAGE, observation)["packageVulnerabilityDetails"]["vulnerablePackages"][0]
    assert first["sourceLayerHash"] == digest(base)
    assert first["fixedInVersion"] == "0:2.0-1"
    assert first["remediation"] == "apt-get update && apt-get install --only-upgrade liba"


@pytest.mark.parametrize(
    ("word", "wanted"),
    [
        ("critical", "CRITICAL"),
        ("high", "HIGH"),
        ("medium", "MEDIUM"),
        ("low", "LOW"),
        ("negligible", "INFORMATIONAL"),
        ("", "CRITICAL"),
    ],
)
def test_ubuntus_own_word_is_the_severity_and_its_own_vector_the_score(tmp_path, advisories, word, wanted):
    own = advisory(
        "UBUNTU-CVE-2030-0002",
        below("ubuntu:22.04", "demo", "2.0", kind="source", severity=word),
        aliases=("CVE-2030-0002",),
        cvss=(Cvss(vector=V30, source="ubuntu"),),
    )
    file = advisories(ubuntu_tracker=[own], nvd=[nvd("CVE-2030-0002", HIGH)])
    inventory = tree(
        tmp_path / "root", {"etc/os-release": release("ubuntu", "22.04"), "var/lib/dpkg/status": status(demo="1.0")}
    )
    (observation,) = seen(INSTANCE, inventory, file).values()
    assert observation.severity == wanted
    assert (observation.score, observation.score_source) == (9.8, "UBUNTU_CVE")
    assert observation.details.source == "UBUNTU_CVE"
    assert observation.details.source_url == "https://ubuntu.com/security/CVE-2030-0002"


def test_an_rpm_of_amazon_linux(tmp_path, advisories):
    file = advisories(
        amazon=[
            advisory(
                "ALAS2023-2030-1",
                below("amazon:2023", "curl", "8.0-2.amzn2023"),
                vulnerabilities=("CVE-2030-0003",),
                severity="Important",
            )
        ],
        nvd=[nvd("CVE-2030-0003", MEDIUM)],
        kev=[Kev(vulnerability="CVE-2030-0003", date_added="2030-02-01")],
    )
    database = rpm_writers.sqlite([rpm_writers.header(name="curl", version="8.0", release="1.amzn2023", epoch=1)])[0]
    inventory = tree(
        tmp_path / "root", {"etc/os-release": release("amzn", "2023"), "var/lib/rpm/rpmdb.sqlite": database}
    )
    assert not seen(INSTANCE, inventory, file)  # epoch 1 is newer than any of epoch 0
    plain = rpm_writers.sqlite([rpm_writers.header(name="curl", version="8.0", release="1.amzn2023")])[0]
    inventory = tree(tmp_path / "root", {"var/lib/rpm/rpmdb.sqlite": plain})
    (observation,) = seen(INSTANCE, inventory, file).values()
    assert (observation.severity, observation.details.source) == ("MEDIUM", "AMAZON_CVE")
    assert (observation.exploit, observation.last_exploited_at) == (True, "2030-02-01T00:00:00.000000Z")
    (package,) = rendered(INSTANCE, observation)["packageVulnerabilityDetails"]["vulnerablePackages"]
    assert package == {
        "name": "curl",
        "version": "8.0",
        "release": "1.amzn2023",
        "epoch": 0,
        "arch": "X86_64",
        "packageManager": "OS",
        "fixedInVersion": "0:8.0-2.amzn2023",
        "remediation": "dnf upgrade curl",
    }


LANGUAGES = {
    "srv/py/requirements.txt": ("demo==1.0\n", "pypi", "demo", "PIP"),
    "srv/pipenv/Pipfile.lock": ('{"_meta": {}, "default": {"demo": {"version": "==1.0"}}}', "pypi", "demo", "PIPENV"),
    "srv/poetry/poetry.lock": ('[[package]]\nname = "demo"\nversion = "1.0"\n', "pypi", "demo", "POETRY"),
    "usr/lib/python3/dist-packages/demo-1.0.dist-info/METADATA": (
        "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n", "pypi", "demo", "PYTHONPKG"
    ),
    "srv/npm/package-lock.json": (
        '{"lockfileVersion": 3, "packages": {"node_modules/demo": {"version": "1.0.0"}}}', "npm", "demo", "NPM"
    ),
    "srv/yarn/yarn.lock": ('# yarn lockfile v1\n\ndemo@^1.0.0:\n  version "1.0.0"\n', "npm", "demo", "YARN"),
    "srv/node/node_modules/demo/package.json": ('{"name": "demo", "version": "1.0.0"}', "npm", "demo", "NODEPKG"),
    "srv/ruby/Gemfile.lock": (
        "GEM\n  remote: x\n  specs:\n    demo (1.0)\n\nDEPENDENCIES\n  demo\n", "gem", "demo", "BUNDLER"
    ),
    "srv/rust/Cargo.lock": (
        '[[package]]\nname = "demo"\nversion = "1.0.0"\nsource = "registry+https://e.org/index"\n',
        "cargo", "demo", "CARGO",
    ),
    "srv/php/composer.lock": (
        '{"packages": [{"name": "acme/demo", "version": "1.0.0"}]}', "composer", "acme/demo", "COMPOSER"
    ),
    "srv/go/go.mod": (
        "module example.org/app\n\ngo 1.21\n\nrequire example.org/demo v1.0.0\n",
        "golang", "example.org/demo", "GOMOD",
    ),
    "srv/net/packages.lock.json": (
        '{"version": 1, "dependencies": {"net8.0": {"Demo": {"type": "Direct", "resolved": "1.0.0"}}}}',
        "nuget", "Demo", "NUGET",
    ),
    "srv/java/pom.xml": (
        "<project><modelVersion>4.0.0</modelVersion><groupId>a</groupId><artifactId>b</artifactId><version>1</version>"
        "<dependencies><dependency><groupId>org.acme</groupId><artifactId>demo</artifactId><version>1.0</version>"
        "</dependency></dependencies></project>", "maven", "org.acme:demo", "POM"
    ),
}  # fmt: skip


def test_each_package_manager_is_named_in_a_real_scan(tmp_path, advisories):
    entries = {(type_, name) for _, type_, name, _ in LANGUAGES.values()}
    file = advisories(
        osv=[
            advisory(f"GHSA-0000-0000-{n:04}", below(type_, name, "2.0.0"), cvss=(Cvss(vector=HIGH, source="ghsa"),))
            for n, (type_, name) in enumerate(sorted(entries))
        ]
    )
    inventory = tree(tmp_path / "root", {path: content for path, (content, *_) in LANGUAGES.items()})
    observations = seen(IMAGE, inventory, file)
    found = {
        each["filePath"]: (each["name"], each["packageManager"], each["fixedInVersion"])
        for observation in observations.values()
        for each in rendered(IMAGE, observation)["packageVulnerabilityDetails"]["vulnerablePackages"]
    }
    assert found == {path: (name, manager, "2.0.0") for path, (_, _, name, manager) in LANGUAGES.items()}
    first = next(iter(observations.values()))
    assert (first.details.source, first.score_source) == ("GITHUB", "GITHUB")
    assert any("org.acme:demo" in each.title for each in observations.values())


def test_a_functions_layers_are_named_by_their_arns(tmp_path, advisories):
    def packed(name, **members):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            for path, content in members.items():
                archive.writestr(path, content)
        return tmp_path / name

    def pinned(name):
        return {f"{name}/requirements.txt": f"{name}==1.0\n"}

    file = advisories(
        osv=[advisory(f"CVE-2030-{n:04}", below("pypi", name, "2")) for n, name in enumerate(("a", "b", "c"), 1)]
    )
    inventory = read_lambda(
        reader(), packed("code.zip", **pinned("c")), (packed("1.zip", **pinned("a")), packed("2.zip", **pinned("b")))
    )
    observations = seen(FUNCTION, inventory, file)
    places = {
        key: rendered(FUNCTION, each)["packageVulnerabilityDetails"]["vulnerablePackages"][0].get(
            "sourceLambdaLayerArn"
        )
        for key, each in observations.items()
    }
    assert places == {"CVE-2030-0001": LAYERS[0], "CVE-2030-0002": LAYERS[1], "CVE-2030-0003": None}
    # Where layers and ARNs can't be paired, none is named.
    one_layer = replace(FUNCTION, details=replace(FUNCTION.details, layers=LAYERS[:1]))
    assert all(
        not each.details.packages[0].package.location.layer.startswith("arn:")
        for each in seen(one_layer, inventory, file).values()
    )


# What is said of a match


def found(name="CVE-2030-1", package="demo", type_="npm", namespace="npm", about=None, **more):
    thing = Package(type=type_, name=package, version="1", location=Location(path=f"srv/{package}"))
    proof = Evidence(
        feed="x", advisory=name, namespace=namespace, name=package, kind="binary", scheme="npm", compared="1"
    )
    matched = {key: more.pop(key) for key in ("fixed_version", "state", "vendor_severity", "related") if key in more}
    return Found(
        match=Match(vulnerability=name, package=thing, evidence=(proof,), **matched),
        vulnerability=about or Vulnerability(id=name),
        severity=more.pop("severity", "unknown"),
        **more,
    )


def report(*findings, **more):
    return Report(inventory=Inventory(target=Target(kind="host", name="x"), **more), findings=findings, scanned_at=AT)


def one(*findings):
    (observation,) = checked(INSTANCE, observe(INSTANCE, report(*findings))).values()
    return observation


def scored(*vectors, **more):
    return Vulnerability(id="CVE-2030-1", cvss=tuple(Cvss(vector=v, source=s) for v, s in vectors), **more)


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        (("a",), "CVE-2030-1 - a"),
        (("a", "b"), "CVE-2030-1 - a, b"),
        (("a", "b", "c"), "CVE-2030-1 - a, b and 1 more"),
        (("a", "b", "c", "d"), "CVE-2030-1 - a, b and 2 more"),
    ],
)
def test_titles_name_two_packages(names, wanted):
    assert one(*(found(package=each) for each in names)).title == wanted


@pytest.mark.parametrize(
    ("fixes", "wanted"), [(("2", "3"), "YES"), (("2", ""), "PARTIAL"), (("", ""), "NO")], ids=["all", "some", "none"]
)
def test_a_fix_is_there_for_all_some_or_none(fixes, wanted):
    observation = one(*(found(package=f"p{n}", fixed_version=fix) for n, fix in enumerate(fixes)))
    assert observation.fix == wanted
    packages = rendered(INSTANCE, observation)["packageVulnerabilityDetails"]["vulnerablePackages"]
    assert [each.get("fixedInVersion", "") for each in packages] == list(fixes)


@pytest.mark.parametrize(
    ("state", "seen_"),
    [
        ("affected", True),
        ("deferred", True),
        ("end_of_life", True),
        ("will_not_fix", False),
        ("not_affected", False),
        ("unimportant", False),
        ("under_investigation", False),
    ],
)
def test_what_a_publisher_will_not_fix_is_not_observed(state, seen_):
    assert bool(observe(INSTANCE, report(found(state=state)))) is seen_


def test_what_will_not_be_fixed_in_one_package_is_left_out_of_the_others_observation():
    observation = one(found(package="a"), found(package="b", state="will_not_fix"))
    assert [each.package.name for each in observation.details.packages] == ["a"]


def test_vex_clears_and_an_ignore_file_does_not():
    cleared = found(package="a", suppressed=Suppression(kind="vex", reason="x", status="not_affected"))
    ignored = found(package="b", suppressed=Suppression(kind="ignore", reason="x"))
    assert [each.package.name for each in one(cleared, ignored).details.packages] == ["b"]


@pytest.mark.parametrize(
    ("namespace", "vectors", "wanted"),
    [
        ("npm", [(HIGH, "NVD"), (V30, "NVD")], (7.5, "NVD", "HIGH")),
        ("npm", [(V30, "NVD"), (HIGH, "ghsa")], (9.8, "NVD", "CRITICAL")),
        ("npm", [(V30, "CNA:acme"), (MEDIUM, "ghsa")], (5.3, "GITHUB", "MEDIUM")),
        ("npm", [(V30, "CNA:acme"), (V2, "NVD")], (9.8, "CNA:acme", "CRITICAL")),
        ("npm", [(V2, "NVD"), (V4, "NVD")], (5.0, "NVD", "MEDIUM")),
        ("redhat:9", [(HIGH, "NVD"), (MEDIUM, "Red Hat")], (5.3, "REDHAT_CVE", "MEDIUM")),
        ("rocky:9", [(HIGH, "NVD"), (MEDIUM, "redhat")], (5.3, "REDHAT_CVE", "MEDIUM")),
        ("debian:12", [(HIGH, "NVD"), (MEDIUM, "Red Hat")], (7.5, "NVD", "HIGH")),
        ("npm", [(V31.format("N"), "NVD")], (0.0, "NVD", "INFORMATIONAL")),
        ("npm", [("CVSS:3.1/odd", "NVD")], (None, "", "UNTRIAGED")),
        ("npm", [], (None, "", "UNTRIAGED")),
    ],
)
def test_the_score_is_the_distributions_else_nvds_else_githubs(namespace, vectors, wanted):
    type_ = "npm" if namespace == "npm" else "rpm"
    observation = one(found(namespace=namespace, type_=type_, about=scored(*vectors)))
    assert (observation.score, observation.score_source, observation.severity) == wanted


def test_cvss_4_is_shown_and_gives_no_score():
    observation = one(found(about=scored((V4, "NVD")), severity="critical", severity_source="CVSS"))
    assert (observation.score, observation.severity) == (None, "CRITICAL")
    said = rendered(INSTANCE, observation)
    assert "inspectorScore" not in said
    assert said["packageVulnerabilityDetails"]["cvss"] == [
        {"baseScore": 9.3, "scoringVector": V4, "version": "4.0", "source": "NVD"}
    ]


def test_malware_is_critical_whatever_its_vector():
    about = replace(scored((MEDIUM, "NVD")), id="MAL-2030-1", malicious=True)
    observation = one(found("MAL-2030-1", about=about, severity="critical", severity_source="malware"))
    assert (observation.severity, observation.details.source) == ("CRITICAL", "OSV")


def test_a_publishers_word_counts_where_nobody_gave_a_score():
    assert one(found(severity="high", severity_source="osv")).severity == "HIGH"


def test_the_worst_of_several_packages_decides():
    about = scored((MEDIUM, "NVD"))
    low = {"severity": "low", "severity_source": "ubuntu", "vendor_severity": "low"}
    of_ubuntu = found(package="libdemo", type_="deb", namespace="ubuntu:22.04", about=about, **low)
    observation = one(of_ubuntu, found(about=about, severity="medium", severity_source="CVSS"))
    assert (observation.severity, observation.details.source, observation.score) == ("MEDIUM", "NVD", 5.3)
    assert len(observation.details.packages) == 2


@pytest.mark.parametrize(
    ("name", "namespace", "source", "page"),
    [
        ("CVE-2030-0001", "npm", "NVD", "https://nvd.nist.gov/vuln/detail/CVE-2030-0001"),
        ("CVE-2030-0001", "alpine:3.20", "NVD", "https://nvd.nist.gov/vuln/detail/CVE-2030-0001"),
        ("CVE-2030-0001", "amazon:2", "AMAZON_CVE", "https://alas.aws.amazon.com/cve/html/CVE-2030-0001.html"),
        ("CVE-2030-0001", "redhat:9", "REDHAT_CVE", "https://access.redhat.com/security/cve/CVE-2030-0001"),
        ("CVE-2030-0001", "ubuntu:24.04", "UBUNTU_CVE", "https://ubuntu.com/security/CVE-2030-0001"),
        ("DSA-1-1", "debian:12", "DEBIAN_CVE", "https://osv.dev/vulnerability/DSA-1-1"),
        ("GHSA-0000-0000-0000", "npm", "GITHUB", "https://github.com/advisories/GHSA-0000-0000-0000"),
        ("RUSTSEC-2030-1", "cargo", "OSV", "https://osv.dev/vulnerability/RUSTSEC-2030-1"),
    ],
)
def test_the_source_and_its_page(name, namespace, source, page):
    details = one(found(name, namespace=namespace)).details
    assert (details.source, details.source_url) == (source, page)


def test_the_vendors_word_keeps_its_letter_case():
    assert one(found(vendor_severity="Moderate")).details.vendor_severity == "Moderate"
    assert one(found(about=scored(severities=(("osv", "high"),)))).details.vendor_severity == "high"
    assert one(found(about=scored((HIGH, "NVD")))).details.vendor_severity == "HIGH"  # by its score, as NVD does
    assert one(found(about=scored((HIGH, "ghsa")))).details.vendor_severity == ""


def test_an_exploit_and_its_last_day():
    exploit = Exploit(vulnerability="CVE-2030-1", source="exploit-db", ids=("1",), date="2030-05-06")
    kev = Kev(vulnerability="CVE-2030-1", date_added="2030-04-01")
    observation = one(found(about=scored(exploits=(exploit,), kev=kev)))
    assert (observation.exploit, observation.last_exploited_at) == (True, "2030-05-06T00:00:00.000000Z")
    said = rendered(INSTANCE, observation)
    assert (said["exploitAvailable"], said["exploitabilityDetails"]["lastKnownExploitAt"].year) == ("YES", 2030)
    undated = one(found(about=scored(exploits=(replace(exploit, date=""),))))
    assert (undated.exploit, undated.last_exploited_at) == (True, "")


def test_texts_that_nothing_can_hold_are_made_fit():
    odd = "a\x00b\udcff"
    about = Vulnerability(id="CVE-2030-1", description=odd, severities=(("osv", odd),))
    observation = one(found(package=odd, about=about))
    assert observation.title == "CVE-2030-1 - a\ufffdb\ufffd"
    assert observation.description == observation.details.vendor_severity == "a\ufffdb\ufffd"
    (vulnerable,) = observation.details.packages
    assert vulnerable.package.location.path == "srv/a\ufffdb\ufffd"


def test_descriptions_are_cut_and_never_empty():
    long = one(found(about=scored(description="x" * 5000)))
    assert len(long.description) == 1024
    assert one(found(about=scored(title="A title"))).description == "A title"
    assert one(found()).description == "CVE-2030-1"


# Platforms that nobody maintains


def ended(day, **more):
    distribution = Distribution(id="debian", version="10", family="debian", title="Debian 10", end_of_life=day, **more)
    return observe(INSTANCE, report(distribution=distribution))


def test_a_discontinued_platform_is_one_critical_observation():
    (observation,) = checked(INSTANCE, ended("2026-03-01")).values()
    assert observation.key == observation.details.id == "IN-DISCONTINUED-001"
    assert observation.title == "IN-DISCONTINUED-001 - Debian 10"
    assert "2026-03-01" in observation.description
    assert (observation.severity, observation.fix, observation.score) == ("CRITICAL", "NO", None)


@pytest.mark.parametrize(
    ("day", "told"),
    [
        ("2026-03-02", False),  # until the end of that day
        ("2026-03-01", True),
        ("2025-03-02", True),
        ("2025-03-01", False),  # more than a year ago
        ("2030-01-01", False),
        ("", False),
        ("soon", False),
    ],
)
def test_a_platform_is_discontinued_for_a_year_from_the_day_after(day, told):
    assert bool(ended(day)) is told


def test_without_a_distribution_nothing_is_discontinued():
    assert observe(FUNCTION, report()) == ()


# Network paths


def way(first=22, last=22, gate="InternetGateway", protocol="TCP"):
    steps = (f"AWS::EC2::{gate}", "AWS::EC2::NetworkInterface", "AWS::EC2::Instance")
    path = tuple(Step(component_id=f"c-{n}", component_type=each) for n, each in enumerate(steps))
    return NetworkReachability(first_port=first, last_port=last, protocol=protocol, path=path)


@pytest.mark.parametrize(
    ("exposed", "title"),
    [
        (way(), "Port 22 is reachable from an Internet Gateway - TCP"),
        (way(80, 443, protocol="UDP"), "Port range 80-443 is reachable from an Internet Gateway - UDP"),
        (way(gate="VPCPeeringConnection"), "Port 22 is reachable from a VPC Peering Connection - TCP"),
        (way(gate="VPNGateway"), "Port 22 is reachable from a Virtual Private Gateway - TCP"),
        (way(gate="TransitGateway"), "Port 22 is reachable from a Transit Gateway - TCP"),
    ],
)
def test_an_open_path_says_what_it_opens_to_what(exposed, title):
    observation = expose(exposed, "MEDIUM")
    checked(INSTANCE, [observation])
    assert observation.title == title
    assert observation.key == f"c-0/{exposed.protocol}/c-1/{exposed.first_port}-{exposed.last_port}"
    assert (observation.score, observation.fix, observation.exploit) == (None, None, None)


def test_a_description_of_an_open_path_names_all_that_takes_part():
    assert expose(way(80, 443), "LOW").description == (
        "On the instance c-2, the port range 80-443 (TCP) is reachable from the Internet Gateway c-0 through"
        " the network interface c-1."
    )
    bare = expose(replace(way(), path=()), "LOW")
    assert bare.description == "The port range 22-22 (TCP) is reachable from the Gateway."
