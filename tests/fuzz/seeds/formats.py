"""Valid files for every format, by its name: what the fuzz targets mutate and the hostile set damages.

A new format needs an entry here (and nothing else): its smallest file that gives a package, a fact or a file list.
"""

import sqlite3

from tests.fuzz.seeds.kinds import Seed, in_zip, seed, zipped
from tests.unit.catalog import binary_writers as programs
from tests.unit.catalog import rpm_writers as rpms


def _history() -> bytes:
    connection = sqlite3.connect(":memory:")
    try:
        connection.executescript(
            "CREATE TABLE rpm (item_id INTEGER, name TEXT, epoch INTEGER, version TEXT, release TEXT, arch TEXT);"
            "CREATE TABLE repo (id INTEGER PRIMARY KEY, repoid TEXT);"
            "CREATE TABLE trans_item (id INTEGER PRIMARY KEY, item_id INTEGER, repo_id INTEGER);"
            "INSERT INTO rpm VALUES (1, 'dbus', 1, '1.14', '5.el9', 'x86_64');"
            "INSERT INTO repo VALUES (1, 'baseos'); INSERT INTO trans_item VALUES (1, 1, 1);"
        )
        return connection.serialize()
    finally:
        connection.close()


_BASH = rpms.header(files=[("/usr/bin/", "bash", 0o100755), ("/etc/", "profile", 0o100644)], module="m:1:2:c")
_LARGE = rpms.header(name="large", files=[("/usr/share/", f"file-{at}.jar", 0o100644) for at in range(200)])
_GO = programs.inline_blob(
    "go1.21.3",
    programs.modules("path\texample.org/app", "mod\texample.org/app\t(devel)\t", "dep\texample.org/a\tv1.2.3"),
)
_RUST = programs.audit({"name": "serde", "version": "1.0.0", "source": "crates.io", "kind": "runtime"})
_JAR = {
    "META-INF___MANIFEST__MF": "Manifest-Version: 1.0\nImplementation-Title: a\nImplementation-Version: 1\n",
    "META-INF___maven___g___a___pom__properties": "groupId=g\nartifactId=a\nversion=1\n",
    "A__class": b"\xca\xfe\xba\xbe",
}
_POM = """<?xml version="1.0"?><project xmlns="http://maven.apache.org/POM/4.0.0"><groupId>g</groupId>
<artifactId>a</artifactId><version>1</version><properties><v>2.0</v></properties><dependencies><dependency>
<groupId>g</groupId><artifactId>b</artifactId><version>${v}</version></dependency></dependencies></project>"""
_PARENT = """<project><groupId>g</groupId><artifactId>p</artifactId><version>1</version><properties><w>3</w>
</properties></project>"""

SEEDS: dict[str, list[Seed]] = {
    "apk": [
        seed(
            "lib/apk/db/installed",
            "C:Q1abc=\nP:musl\nV:1.2.5-r0\nA:x86_64\no:musl\nF:lib\nR:libc.so\na:0:0:755\n\nP:zlib\nV:1-r0\nA:x86_64\n\n",
        )
    ],
    "bottlerocket": [
        seed(
            "usr/share/bottlerocket/application-inventory.json",
            {
                "Content": [
                    {"Name": "bash", "Version": "5.2", "Release": "1.br1", "Epoch": "1", "Architecture": "x86_64"}
                ]
            },
        )
    ],
    "cargo.lock": [
        seed(
            "app/Cargo.lock",
            'version = 3\n\n[[package]]\nname = "serde"\nversion = "1.0.0"\n'
            'source = "registry+https://github.com/rust-lang/crates.io-index"\nchecksum = "' + "ab" * 32 + '"\n',
        )
    ],
    "cocoapods.lock": [
        seed("app/Podfile.lock", "PODS:\n  - Alamofire (5.8.0)\n  - A/Core (1.0):\n    - B\n\nCOCOAPODS: 1.12.1\n")
    ],
    "composer.installed": [
        seed(
            "vendor/composer/installed.json",
            {"packages": [{"name": "a/b", "version": "1.27.1", "license": ["MIT"]}], "dev-package-names": ["c/d"]},
        )
    ],
    "composer.lock": [
        seed(
            "app/composer.lock",
            {"packages": [{"name": "a/b", "version": "v1.0"}], "packages-dev": [{"name": "c/d", "version": "2"}]},
        )
    ],
    "conan.lock": [
        seed(
            "app/conan.lock", {"version": "0.5", "requires": ["zlib/1.2.13#e377%16.0"], "build_requires": ["c/3.2#a"]}
        ),
        seed("app/conan.lock", {"version": "0.4", "graph_lock": {"nodes": {"1": {"ref": "zlib/1.2.11#0"}}}}),
    ],
    "conda.meta": [
        seed(
            "opt/conda/conda-meta/a-1-0.json", {"name": "a", "version": "1", "build": "0", "channel": "x", "files": []}
        )
    ],
    "dnf.history": [seed("var/lib/dnf/history.sqlite", _history())],
    "dpkg": [
        seed(
            "var/lib/dpkg/status",
            "Package: a\nStatus: install ok installed\nArchitecture: amd64\nSource: b (2)\nVersion: 1:2-3\n"
            "Description: x\n more\n\nPackage: c\nStatus: deinstall ok config-files\nVersion: 1\n\n",
        ),
        seed("var/lib/dpkg/status.d/base", "Package: base-files\nVersion: 12\nArchitecture: amd64\n"),
    ],
    "dpkg.list": [seed("var/lib/dpkg/info/a.list", "/.\n/usr\n/usr/bin\n/usr/bin/a\n/usr/share/java/a.jar\n")],
    "executable": [
        seed("usr/bin/go", programs.elf({b".go.buildinfo": _GO}, padding=4096)),
        seed("usr/bin/go32", programs.elf({b".go.buildinfo": _GO}, wide=False, big_endian=True, padding=4096)),
        seed(
            "usr/bin/old",
            programs.elf(
                {
                    b".go.buildinfo": programs.pointer_blob(
                        "go1.16", programs.modules("path\ta", "dep\tb\tv1"), at=programs.ADDRESS
                    )
                },
                padding=4096,
            ),
        ),
        seed("usr/bin/rust", programs.elf({b".dep-v0": _RUST}, padding=4096)),
        seed("app/go.exe", programs.pe([(b".data", 0xC0000040, _GO.ljust(4096, b"\0"))])),
        seed("app/go", programs.macho({b"__go_buildinfo": _GO.ljust(4096, b"\0")})),
        seed("app/both", programs.fat(programs.macho({b"__go_buildinfo": _GO}), programs.macho({b".dep-v0": _RUST}))),
    ],
    "gem.gemspec": [
        seed(
            "gems/specifications/a-1.gemspec",
            "# stub: a 1.0 ruby lib\n\nGem::Specification.new do |s|\n  s.name = 'a'.freeze\n  s.version = '1.0'\n"
            '  s.licenses = ["MIT".freeze]\nend\n',
        )
    ],
    "gem.lock": [
        seed(
            "app/Gemfile.lock",
            "GEM\n  remote: https://rubygems.org/\n  specs:\n    a (1.0)\n      b (~> 1)\n    b (1.1)\n",
        )
    ],
    "go.mod": [
        seed(
            "app/go.mod",
            "module a\n\ngo 1.21\n\nrequire (\n\tb v1.2.3 // indirect\n\tc v1.0.0\n)\n\nreplace c => d v1.0.1\n",
            go__sum="b v1.2.3 h1:x=\n",
        )
    ],
    "hex.mix-lock": [
        seed(
            "app/mix.lock", '%{\n  "plug": {:hex, :plug, "1.15.1", "' + "ab" * 32 + '", [:mix], [], "hexpm", "x"},\n}\n'
        )
    ],
    "maven.gradle-lock": [seed("app/gradle.lockfile", "# made\ng:a:1=compileClasspath,runtimeClasspath\nempty=x\n")],
    "maven.jar": [
        seed(
            "app/a-1.jar", "groupId=g\nartifactId=a\nversion=1\n", in_zip("META-INF___maven___g___a___pom__properties")
        ),
        seed("app/a-1.jar", _POM, in_zip("META-INF___maven___g___a___pom__xml", A__class=b"\xca\xfe\xba\xbe")),
        seed("app/a-1.jar", "Implementation-Title: a\nImplementation-Version: 1\n", in_zip("META-INF___MANIFEST__MF")),
        seed("app/o-1.war", zipped(**_JAR), in_zip("WEB-INF___lib___a-1__jar", A__class=b"x")),
        seed("x/META-INF/maven/g/a/pom.properties", "groupId=g\nartifactId=a\nversion=1\n"),
    ],
    "maven.pom": [Seed("app/pom.xml", _POM.encode(), {"../pom.xml": _PARENT.encode()})],
    "npm.bun": [
        seed(
            "app/bun.lock",
            '{\n "lockfileVersion": 1, // x\n "workspaces": {"": {"dependencies": {"a": "1"}}},\n'
            ' "packages": {"a": ["a@1.0.0", "", {"dependencies": {"b": "1"}}, "sha512-q83v"],},\n}\n',
        )
    ],
    "npm.lock": [
        seed(
            "app/package-lock.json",
            {
                "lockfileVersion": 3,
                "packages": {"": {"name": "x"}, "node_modules/a": {"version": "1.0.0", "dev": True}},
            },
        ),
        seed(
            "app/package-lock.json",
            {"lockfileVersion": 1, "dependencies": {"a": {"version": "1", "dependencies": {"b": {"version": "2"}}}}},
        ),
    ],
    "npm.package": [seed("app/node_modules/a/package.json", {"name": "a", "version": "1.0.0", "license": "MIT"})],
    "npm.pnpm": [
        seed(
            "app/pnpm-lock.yaml",
            "lockfileVersion: '9.0'\nimporters:\n  .:\n    dependencies:\n      a:\n        specifier: ^1\n"
            "        version: 1.0.0\npackages:\n  a@1.0.0:\n    resolution: {integrity: sha512-q83v}\nsnapshots:\n"
            "  a@1.0.0: {}\n",
        ),
        seed("app/pnpm-lock.yaml", "lockfileVersion: 5.4\npackages:\n  /a/1.0.0_b@2:\n    dev: true\n"),
    ],
    "npm.yarn": [
        seed(
            "app/yarn.lock",
            '# yarn lockfile v1\n\n"a@^1", a@2:\n  version "1.0.0"\n  resolved "https://x/a.tgz#ab"\n'
            '  dependencies:\n    b "1"\n',
            package__json={"dependencies": {"a": "^1"}},
        ),
        seed(
            "app/yarn.lock", '__metadata:\n  version: 8\n\n"a@npm:^1":\n  version: 1.0.0\n  resolution: "a@npm:1.0.0"\n'
        ),
    ],
    "nuget.assets": [
        seed("app/project.assets.json", {"version": 3, "libraries": {"A/1.0": {"type": "package", "sha512": "q83v"}}})
    ],
    "nuget.deps-json": [
        seed(
            "app/a.deps.json",
            {
                "runtimeTarget": {"name": "t"},
                "targets": {"t": {"A/1.0": {}}},
                "libraries": {"A/1.0": {"type": "package"}},
            },
        )
    ],
    "nuget.packages-config": [
        seed("app/packages.config", '<?xml version="1.0"?><packages><package id="A" version="1.0"/></packages>')
    ],
    "nuget.packages-lock": [
        seed(
            "app/packages.lock.json",
            {
                "version": 1,
                "dependencies": {"net8.0": {"A": {"type": "Direct", "resolved": "1.0", "contentHash": "x"}}},
            },
        )
    ],
    "os-release": [seed("etc/os-release", 'ID=debian\nVERSION_ID="12"\n'), seed("etc/debian_version", "12.4\n")],
    "pub.lock": [
        seed(
            "app/pubspec.lock",
            'packages:\n  a:\n    dependency: "direct main"\n    source: hosted\n    version: "1.0.0"\n',
        )
    ],
    "pypi.egg": [seed("app/a-1.egg", "Name: a\nVersion: 1\n", in_zip("EGG-INFO___PKG-INFO"))],
    "pypi.metadata": [seed("site/a-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: a\nVersion: 1\n\ntext\n")],
    "pypi.pdm-lock": [
        seed(
            "app/pdm.lock",
            '[metadata]\nlock_version = "4.4.1"\n\n[[package]]\nname = "a"\nversion = "1"\ngroups = ["default"]\n'
            'files = [{file = "a.whl", hash = "sha256:aa"}]\n',
            pyproject__toml='[project]\ndependencies = ["a"]\n',
        )
    ],
    "pypi.pipfile-lock": [
        seed("app/Pipfile.lock", {"_meta": {}, "default": {"a": {"version": "==1.0", "hashes": []}}, "develop": {}})
    ],
    "pypi.poetry-lock": [
        seed(
            "app/poetry.lock",
            '[[package]]\nname = "a"\nversion = "1"\ncategory = "main"\n\n[package.dependencies]\nb = "*"\n',
            pyproject__toml='[tool.poetry.dependencies]\na = "1"\n',
        )
    ],
    "pypi.pylock": [seed("app/pylock.toml", 'lock-version = "1.0"\n\n[[packages]]\nname = "a"\nversion = "1"\n')],
    "pypi.requirements": [
        seed("app/requirements.txt", "a==1.0 ; python_version > '3' # x\n-e git+https://x/b.git\nc>=1\n")
    ],
    "pypi.uv-lock": [
        seed(
            "app/uv.lock",
            'version = 1\n\n[[package]]\nname = "a"\nversion = "1"\nsource = { registry = "https://x" }\n'
            'dependencies = [{ name = "b" }]\n',
        )
    ],
    "redhat.content-manifest": [
        seed("root/buildinfo/content_manifests/x.json", {"content_sets": ["rhel-8-for-x86_64-appstream-e4s-rpms"]})
    ],
    "redhat.repositories": [
        seed("etc/yum.repos.d/redhat.repo", "[rhel-9-for-x86_64-baseos-eus-rpms]\nname = x\nenabled = 1\n")
    ],
    "rpm": [
        seed("var/lib/rpm/Packages", rpms.bdb([_BASH, _LARGE])),
        seed("var/lib/rpm/Packages", rpms.bdb([_BASH, _LARGE], page_size=512, order=">")),
        seed("var/lib/rpm/Packages.db", rpms.ndb([_BASH, _LARGE])),
        seed("var/lib/rpm/rpmdb.sqlite", rpms.sqlite([_BASH, _LARGE])[0]),
    ],
    "runtime.program": [
        seed("usr/local/bin/node", programs.elf({b".rodata": b"\0node.js/v24.19.0\0NODE_OPTIONS\0"}, padding=4096))
    ],
    "runtime.ruby": [
        seed(
            "usr/local/lib/ruby/3.2.0/x86_64-linux/rbconfig.rb",
            'raise "ruby lib version (3.2.4) doesn\'t match executable version"\n  CONFIG["PATCHLEVEL"] = "170"\n',
        )
    ],
    "swift.resolved": [
        seed(
            "app/Package.resolved",
            {
                "pins": [{"identity": "a", "kind": "registry", "location": "", "state": {"version": "1.2.3"}}],
                "version": 2,
            },
        )
    ],
    "yum.amazon-extras": [
        seed("etc/yum.repos.d/amzn2-extras.repo", "[amzn2extra-docker]\nenabled = 1\nname = x\nmirrorlist = http://x\n")
    ],
    "yum.from_repo": [seed("var/lib/yum/yumdb/d/0a1b-docker-20.10.7-1.amzn2-x86_64/from_repo", "amzn2extra-docker")],
}
