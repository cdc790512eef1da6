"""pnpm's lock file."""

import base64
import hashlib

import pytest

from openinspector.catalog.contract import File
from openinspector.catalog.formats.pnpm_lock import PLUGIN
from openinspector.errors import CatalogError

SHA512 = hashlib.sha512(b"a").digest()
INTEGRITY = "sha512-" + base64.b64encode(SHA512).decode()

V5 = f"""
lockfileVersion: 5.4
specifiers:
  react-dom: ^17.0.0
dependencies:
  react-dom: 17.0.2_react@17.0.2
devDependencies:
  '@types/node': 14.0.0
packages:
  /react-dom/17.0.2_react@17.0.2:
    resolution: {{integrity: {INTEGRITY}}}
    peerDependencies:
      react: '*'
    dev: false
  /react-dom/17.0.2_react@16.0.0:
    resolution: {{integrity: {INTEGRITY}}}
    dev: true
  /@types/node/14.0.0:
    resolution: {{integrity: {INTEGRITY}}}
    dev: true
  /@develar/7zip/7.1.0_@babel+core@7.1.2:
    resolution: {{integrity: {INTEGRITY}}}
    optional: true
    dev: false
  registry.example.org/mirrored/1.10.0-rc.1:
    resolution: {{integrity: {INTEGRITY}}}
  github.com/owner/forked/0123456789abcdef0123456789abcdef01234567:
    resolution: {{tarball: 'https://example.org/x'}}
    name: forked
    version: 2.0.0
  file:packages/own:
    resolution: {{directory: packages/own, type: directory}}
    name: own
    version: 0.1.0
  example.org/unnamed/0123456789abcdef0123456789abcdef01234567:
    resolution: {{tarball: 'https://example.org/y'}}
""".encode()
V6 = f"""
lockfileVersion: '6.0'
settings:
  autoInstallPeers: true
dependencies:
  react-dom:
    specifier: ^17.0.0
    version: 17.0.2(react@17.0.2)
packages:
  /react-dom@17.0.2(react@17.0.2):
    resolution: {{integrity: {INTEGRITY}}}
    dev: false
  /@types/node@14.0.0:
    resolution: {{integrity: {INTEGRITY}}}
    dev: true
  /@babel/plugin@7.1.0(@babel/core@7.1.2)(supports-color@8.1.1):
    resolution: {{integrity: {INTEGRITY}}}
    dev: false
""".encode()
V9 = f"""
lockfileVersion: '9.0'
settings:
  autoInstallPeers: true
importers:
  .:
    dependencies:
      react-dom:
        specifier: ^17.0.0
        version: 17.0.2(react@17.0.2)
      own:
        specifier: workspace:*
        version: link:packages/own
    devDependencies:
      jest:
        specifier: ^24.0.0
        version: 24.9.0
  packages/own:
    optionalDependencies:
      short:
        specifier: npm:@real/name@^3.0.0
        version: '@real/name@3.0.1'
packages:
  react-dom@17.0.2:
    resolution: {{integrity: {INTEGRITY}}}
    peerDependencies:
      react: 17.0.2
  react@17.0.2:
    resolution: {{integrity: {INTEGRITY}}}
  jest@24.9.0:
    resolution: {{integrity: {INTEGRITY}}}
    engines: {{node: '>= 6'}}
  only-dev@1.10.0:
    resolution: {{integrity: {INTEGRITY}}}
  '@real/name@3.0.1':
    resolution: {{integrity: {INTEGRITY}}}
  forked@https://codeload.example.org/owner/forked/tar.gz/0123:
    resolution: {{tarball: https://codeload.example.org/owner/forked/tar.gz/0123}}
    version: 2.0.0
  lost@https://codeload.example.org/owner/lost/tar.gz/0123:
    resolution: {{tarball: https://codeload.example.org/owner/lost/tar.gz/0123}}
  injected@file:packages/injected:
    resolution: {{directory: packages/injected, type: directory}}
snapshots:
  react-dom@17.0.2(react@17.0.2):
    dependencies:
      react: 17.0.2
  react@17.0.2: {{}}
  jest@24.9.0:
    dependencies:
      only-dev: 1.10.0
      react-dom: 17.0.2(react@17.0.2)
    optionalDependencies:
      forked: https://codeload.example.org/owner/forked/tar.gz/0123
  only-dev@1.10.0: {{}}
  '@real/name@3.0.1': {{}}
  forked@https://codeload.example.org/owner/forked/tar.gz/0123: {{}}
""".encode()


def read(data):
    return PLUGIN.read(File(path="app/pnpm-lock.yaml", data=data))


def shown(reading):
    return [(each.name, each.version, each.dev) for each in reading.packages]


def test_version_5_with_peers_scopes_registries_and_repositories():
    reading = read(V5)
    assert shown(reading) == [
        ("react-dom", "17.0.2", False),
        ("@types/node", "14.0.0", True),
        ("@develar/7zip", "7.1.0", False),
        ("mirrored", "1.10.0-rc.1", False),
        ("forked", "2.0.0", False),
    ]
    assert [each.count for each in reading.problems] == [1]


def test_version_6_keeps_what_is_for_development_and_marks_it():
    reading = read(V6)
    assert shown(reading) == [
        ("react-dom", "17.0.2", False),
        ("@types/node", "14.0.0", True),
        ("@babel/plugin", "7.1.0", False),
    ]
    assert reading.packages[0].digest == f"sha512:{SHA512.hex()}"
    assert reading.problems == ()


def test_version_9_is_judged_by_its_graph():
    reading = read(V9)
    assert shown(reading) == [
        ("react-dom", "17.0.2", False),
        ("react", "17.0.2", False),
        ("jest", "24.9.0", True),
        ("only-dev", "1.10.0", True),
        ("@real/name", "3.0.1", False),
        ("forked", "2.0.0", True),
    ]
    assert [(each.count, "lost" in each.reason) for each in reading.problems] == [(1, True)]


def test_a_first_document_about_pnpm_itself_is_read_as_well():
    first = (
        b"lockfileVersion: '9.0'\nimporters:\n  .:\n    packageManagerDependencies: {}\npackages:\n  pnpm@10.0.0: {}\n"
    )
    assert ("jest", "24.9.0", True) in shown(read(b"---\n" + first + b"---\n" + V9))


def test_an_unknown_version_is_partial():
    reading = read(V9.replace(b"'9.0'", b"'12.0'"))
    assert len(reading.packages) == 6
    assert any(each.partial for each in reading.problems)


def test_a_version_that_looks_like_a_number_stays_as_written():
    assert shown(read(b"lockfileVersion: '6.0'\npackages:\n  /a@1.10:\n    version: 1.10\n")) == [("a", "1.10", False)]


def test_a_project_without_dependencies_has_no_packages():
    reading = read(b"lockfileVersion: '9.0'\n\nsettings:\n  autoInstallPeers: true\n\nimporters:\n\n  .: {}\n")
    assert (reading.packages, reading.problems) == ((), ())


def test_fields_of_the_wrong_type_do_no_harm():
    reading = read(
        b"lockfileVersion: '9.0'\nimporters: [1]\nsnapshots: {a@1: [x]}\npackages: {a@1: 3, b@1: {resolution: []}}\n"
    )
    assert shown(reading) == [("a", "1", False), ("b", "1", False)]


@pytest.mark.parametrize(
    "data",
    [
        b"[]",
        b"just text",
        b"a: [1",
        b"\x01",
        b"[" * 100_000,
        b"- " * 100_000,
        b"a: &a [x]\nb: &b [*a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b]\nd: [*c, *c, *c, *c, *c]\n",
        b"a: !!python/object/apply:os.system [x]\n" * 2 + b"[",
    ],
)
def test_what_is_no_lock_is_refused(data):
    with pytest.raises(CatalogError):
        read(data)
