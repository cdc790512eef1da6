import zipfile
from collections import defaultdict

import pytest

from openinspector.catalog.contract import File
from openinspector.catalog.distribution import identify
from openinspector.catalog.formats.os_release import PLUGIN

# what os-release says, the namespace
OS_RELEASES = [
    ('ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm', "debian:12"),
    ("ID=debian\nVERSION_CODENAME=bullseye", "debian:11"),
    ('ID=debian\nPRETTY_NAME="Debian GNU/Linux trixie/sid"\nVERSION_CODENAME=trixie', "debian:13"),
    ('ID=debian\nPRETTY_NAME="Debian GNU/Linux forky/sid"\nVERSION_CODENAME=forky', "debian:sid"),
    ('ID=debian\nVERSION="7 (wheezy)"', "debian:7"),
    ('ID=ubuntu\nVERSION_ID="22.04"', "ubuntu:22.04"),
    ("ID=alpine\nVERSION_ID=3.20.1", "alpine:3.20"),
    ("ID=alpine\nVERSION_ID=3.20.0_rc1", "alpine:3.20"),
    ('ID=alpine\nVERSION_ID=3.21.0_alpha20240807\nPRETTY_NAME="Alpine Linux edge"', "alpine:edge"),
    ("ID=wolfi\nVERSION_ID=20230201", "wolfi"),
    ("ID=chainguard\nVERSION_ID=20230214", "chainguard"),
    ('ID="amzn"\nVERSION_ID="2018.03"', "amazon:1"),
    ('ID="amzn"\nVERSION_ID="2"', "amazon:2"),
    ('ID="amzn"\nVERSION_ID="2022"', "amazon:2022"),
    ('ID="amzn"\nVERSION_ID="2023"', "amazon:2023"),
    ('ID="rhel"\nVERSION_ID="9.3"', "redhat:9"),
    ('ID="rhcos"\nVERSION_ID="4.14"\nRHEL_VERSION="9.2"', "redhat:9"),
    ('ID="centos"\nVERSION_ID="7"', "redhat:7"),
    ('ID="centos"\nNAME="CentOS Stream"\nVERSION_ID="9"', "redhat:9"),
    ('ID="centos"\nNAME="CentOS Stream"\nVERSION_ID="10"', "redhat:10"),
    ('ID="rocky"\nVERSION_ID="10.0"', "rocky:10"),
    ('ID="rocky"\nVERSION_ID="8.9"', "rocky:8"),
    ('ID="almalinux"\nVERSION_ID="9.3"', "almalinux:9"),
    ('ID="ol"\nVERSION_ID="8.9"', "oracle:8"),
    ("ID=fedora\nVERSION_ID=40", "fedora:40"),
    ('ID="sles"\nVERSION_ID="15.5"', "sles:15.5"),
    ('ID="sles"\nVERSION_ID="15"', "sles:15"),
    ('ID="sles"\nVERSION_ID="16.0"', "sles:16.0"),
    ('ID="sles_sap"\nVERSION_ID="15.5"', "sles:15.5"),
    ('ID="opensuse-leap"\nVERSION_ID="15.6"', "opensuse-leap:15.6"),
    ('ID="opensuse"\nVERSION_ID="42.3"', "opensuse-leap:42.3"),
    ('ID="opensuse-leap"\nVERSION_ID="16.0"', "opensuse-leap:16.0"),
    ('ID="opensuse-tumbleweed"\nVERSION_ID="20240101"', "opensuse-tumbleweed"),
    (
        'ID="opensuse-microos"\nID_LIKE="suse opensuse opensuse-tumbleweed"\nVERSION_ID="20240101"',
        "opensuse-tumbleweed",
    ),
    ('ID=photon\nVERSION_ID="5.0"', "photon:5.0"),
    ('ID=azurelinux\nVERSION_ID="3.0"', "azurelinux:3.0"),
    ('ID=mariner\nVERSION_ID="2.0"', "mariner:2.0"),
    ("ID=bottlerocket\nVERSION_ID=1.19.2", "bottlerocket"),
]

# (file, its text)…, the namespace
OLDER_FILES = [
    ([("etc/debian_version", "6.0.10")], "debian:6"),
    ([("etc/debian_version", "bookworm/sid")], "debian:12"),
    ([("etc/debian_version", "forky/sid")], "debian:sid"),
    (
        [("etc/lsb-release", "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=10.04"), ("etc/debian_version", "squeeze/sid")],
        "ubuntu:10.04",
    ),
    ([("etc/alpine-release", "3.2.3")], "alpine:3.2"),
    ([("etc/redhat-release", "Red Hat Enterprise Linux Server release 6.10 (Santiago)")], "redhat:6"),
    ([("etc/centos-release", "CentOS release 6.10 (Final)")], "redhat:6"),
    ([("etc/system-release", "Amazon Linux AMI release 2018.03")], "amazon:1"),
    ([("etc/system-release", "Amazon Linux release 2 (Karoo)")], "amazon:2"),
    ([("etc/system-release", "Amazon Linux release 2022 (Amazon Linux)")], "amazon:2022"),
    ([("etc/system-release", "Amazon Linux release 2023.5.20240708 (Amazon Linux)")], "amazon:2023"),
    ([("etc/rocky-release", "Rocky Linux release 8.4 (Green Obsidian)")], "rocky:8"),
    ([("etc/almalinux-release", "AlmaLinux release 9.3 (Shamrock Pampas Cat)")], "almalinux:9"),
    ([("etc/redhat-release", "CentOS Stream release 8")], "redhat:8"),
    (
        [
            ("etc/redhat-release", "Red Hat Enterprise Linux Server release 6.9 (Santiago)"),
            ("etc/oracle-release", "Oracle Linux Server release 6.9"),
        ],
        "oracle:6",
    ),
    ([("etc/SuSE-release", "SUSE Linux Enterprise Server 11 (x86_64)\nVERSION = 11\nPATCHLEVEL = 4")], "sles:11.4"),
    ([("etc/SuSE-release", "SUSE Linux Enterprise Server 12 (x86_64)\nVERSION = 12\nPATCHLEVEL = 0")], "sles:12"),
    ([("etc/SuSE-release", "openSUSE 42.1 (x86_64)\nVERSION = 42.1\nCODENAME = Malachite")], "opensuse-leap:42.1"),
    ([("etc/system-release-cpe", "cpe:/o:redhat:enterprise_linux:6server:ga:server")], "redhat:6"),
    ([("etc/system-release-cpe", "cpe:2.3:o:amazon:amazon_linux:2")], "amazon:2"),
    ([("etc/fedora-release", "Fedora release 20 (Heisenbug)")], "fedora:20"),
    ([("etc/photon-release", "VMware Photon Linux 1.0\nPHOTON_BUILD_NUMBER=62c543d")], "photon:1.0"),
    ([("etc/os-release", "# nothing"), ("usr/lib/os-release", "ID=wolfi")], "wolfi"),
    (
        [("usr/lib/os-release", "ID=fedora\nVERSION_ID=40"), ("etc/os-release", 'ID="rocky"\nVERSION_ID="9.3"')],
        "rocky:9",
    ),
    ([("etc/os-release", "ID=alpine"), ("etc/alpine-release", "3.19.1")], "alpine:3.19"),
    ([("etc/os-release", "ID=debian"), ("etc/debian_version", "10.13")], "debian:10"),
]


def facts(*files):
    return [fact for path, text in files for fact in PLUGIN.read(File(path=path, data=text.encode())).facts]


@pytest.mark.parametrize(("text", "namespace"), OS_RELEASES)
def test_os_release_names_a_release(text, namespace):
    found = identify(facts(("etc/os-release", text)))
    assert found is not None
    assert (found.namespace, found.reason) == (namespace, "")
    assert found.family == namespace.partition(":")[0]


@pytest.mark.parametrize(("files", "namespace"), OLDER_FILES)
def test_older_files_name_a_release(files, namespace):
    found = identify(facts(*files))
    assert found is not None
    assert (found.namespace, found.reason) == (namespace, "")


@pytest.mark.parametrize(
    "text",
    [
        'ID=linuxmint\nID_LIKE="ubuntu debian"\nVERSION_ID="21"\nNAME="Linux Mint"\nUBUNTU_CODENAME=jammy',
        'ID=pop\nID_LIKE="ubuntu debian"\nVERSION_ID="22.04"\nNAME="Pop!_OS"\nUBUNTU_CODENAME=jammy',
        'ID="sl-micro"\nID_LIKE="suse"\nVERSION_ID="6.0"\nNAME="SL-Micro"',
        'ID="openEuler"\nVERSION_ID="22.03"\nNAME="openEuler"',
        'ID="alinux"\nID_LIKE="rhel fedora centos anolis"\nVERSION_ID="3"\nNAME="Alibaba Cloud Linux"',
        "ID=kali\nID_LIKE=debian\nNAME=Kali",
        'ID=raspbian\nID_LIKE=debian\nVERSION_ID="11"',
        "ID=arch",
        'ID="opensuse"\nVERSION_ID="13.2"',
    ],
)
def test_a_derivative_borrows_no_advisories(text):
    found = identify(facts(("etc/os-release", text), ("etc/debian_version", "12.5")))
    assert found is not None
    assert (found.namespace, found.family) == ("", "")
    assert "not known" in found.reason


@pytest.mark.parametrize("text", ["ID=ubuntu", "ID=debian", "ID=fedora\nVERSION_ID=rawhide"])
def test_a_release_that_is_not_stated_is_a_reason(text):
    found = identify(facts(("etc/os-release", text)))
    assert found is not None
    assert found.namespace == ""
    assert "not stated" in found.reason


@pytest.mark.parametrize(
    ("text", "id_", "name", "version"),
    [
        ("Scientific Linux release 7.9 (Nitrogen)", "scientific", "Scientific Linux", "7.9"),
        ("CloudLinux release 8.8 (Anatoly Filipchenko)", "cloudlinux", "CloudLinux", "8.8"),
        ("Oracle VM server release 3.4.6", "oracle", "Oracle VM server", "3.4.6"),
    ],
)
def test_an_older_system_that_nobody_knows_is_named_too(text, id_, name, version):
    found = identify(facts(("etc/redhat-release", text)))
    assert found is not None
    assert (found.id, found.version, found.namespace) == (id_, version, "")
    assert found.reason.startswith(f"the advisories of {name} are not known")


def test_no_release_file_no_distribution():
    assert identify([]) is None
    assert identify(facts(("etc/redhat-release", "something else"), ("etc/debian_version", ""))) is None


def test_centos_ends_before_what_it_is_judged_by():
    def end(text):
        return identify(facts(("etc/os-release", text))).end_of_life

    assert end('ID="centos"\nNAME="CentOS Linux"\nVERSION_ID="8"') == "2021-12-31"
    assert end('ID="centos"\nNAME="CentOS Stream"\nVERSION_ID="8"') == "2024-05-31"
    assert end('ID="rhel"\nVERSION_ID="8.9"') == "2029-05-31"
    assert end("ID=wolfi") == ""


def test_the_title_stays_as_written():
    found = identify(facts(("etc/os-release", 'ID="centos"\nNAME="CentOS Stream"\nVERSION_ID="9"')))
    assert (found.title, found.id, found.version) == ("CentOS Stream 9", "centos", "9")


@pytest.mark.feeds
def test_release_files_of_real_images(feeds_dir):
    trees = defaultdict(list)
    with zipfile.ZipFile(feeds_dir / "fixtures" / "claircore.zip") as archive:
        for name in archive.namelist():
            tree, found, path = name.partition("/etc/")
            if found and PLUGIN.accepts("etc/" + path):
                trees[tree].append(("etc/" + path, archive.read(name).decode()))
    assert len(trees) > 40
    for tree, files in trees.items():
        release = tree.rpartition("/")[2]
        found = identify(facts(*files))
        assert found is not None
        # The tree ubuntu/dist/11 holds Debian's, as an example of another distribution.
        family = "debian" if "debian" in tree or tree == "ubuntu/dist/11" else tree.partition("/")[0]
        assert found.namespace == f"{family}:{release}"
