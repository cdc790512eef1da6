import pytest

from openinspector.catalog.relevance import paths_to_keep, relevant_lines, relevant_places

# path without leading slash, does it matter
CASES = [
    ("usr/bin/docker", True),
    ("usr/bin/python3.11", True),
    ("usr/lib/libx.so", True),
    ("usr/lib/libx.so.1.2.3", True),
    ("usr/share/java/x.jar", True),
    ("usr/lib/node_modules/npm/package.json", True),
    ("usr/lib/node_modules/npm/tsconfig.json", False),
    ("usr/share/dotnet/x.deps.json", True),
    ("usr/share/dotnet/x.dll", True),
    ("usr/lib/python3/dist-packages/x-1.dist-info/METADATA", True),
    ("usr/lib/python3/dist-packages/x.py", False),
    ("var/lib/gems/specifications/rake-13.0.6.gemspec", True),
    ("usr/share/php/composer/installed.json", True),
    ("usr/share/doc/x/requirements.txt", True),
    ("usr/share/doc/x/notes.txt", False),
    ("usr/share/doc/x/copyright", False),
    ("usr/share/zoneinfo/Europe/Berlin", False),
    ("usr/include/x.h", False),
    ("opt/app/Cargo.lock", True),
    ("opt/nifi/lib/nifi-standard.nar", True),
    ("opt/karaf/deploy/feature.kar", True),
    ("opt/jboss/adapter.rar", True),
    ("opt/liferay/osgi/marketplace/Forms.lpkg", True),
    ("opt/app/gradle/dependency-locks/compileClasspath.lockfile", True),
    ("opt/app/some.lock", False),
]


@pytest.mark.parametrize(("path", "matters"), CASES)
def test_a_path_matters_or_not(path, matters):
    assert relevant_lines(f"/{path}\n".encode()) == ((path,) if matters else ())


@pytest.mark.parametrize(("path", "matters"), CASES)
def test_base_names_follow_the_same_rule(path, matters):
    name = path.rpartition("/")[2].encode()
    places = relevant_places([b"x.h", name])
    assert bool(places and paths_to_keep([path])) is matters


def test_a_directory_is_no_file():
    assert relevant_lines(b"/usr\n/usr/lib\n/usr/lib/x\n/usr/lib/x/y.h\n/usr/lib/xy") == ("usr/lib/xy",)


def test_a_path_in_bin_is_also_given_as_a_merged_usr_has_it():
    assert relevant_lines(b"/bin/sh\n/lib64/ld.so.1\n/srv/x\n") == (
        "bin/sh",
        "usr/bin/sh",
        "lib64/ld.so.1",
        "usr/lib64/ld.so.1",
        "srv/x",
    )
