"""Ruby, by its rbconfig.rb."""

import pytest

from openinspector.catalog.contract import File
from openinspector.catalog.formats.runtime_ruby import PLUGIN

HERE = "usr/local/lib/ruby/3.2.0/x86_64-linux/rbconfig.rb"


def config(version, level="170", guard='RUBY_VERSION.start_with?("3.2.")'):
    return f"""# encoding: ascii-8bit
module RbConfig
  {guard} or
    raise "ruby lib version ({version}) doesn't match executable version (#{{RUBY_VERSION}})"
  CONFIG = {{}}
  CONFIG["MAJOR"] = "{version.split(".")[0]}"
  CONFIG["TEENY"] = "1"
  CONFIG["PATCHLEVEL"] = "{level}"
""".encode()


def read(data, path=HERE):
    return PLUGIN.read(File(path=path, data=data))


@pytest.mark.parametrize(
    ("version", "level", "said"),
    [
        ("3.2.4", "170", "3.2.4"),
        ("2.1.0", "0", "2.1.0"),
        ("2.0.0", "648", "2.0.0.648"),
        ("1.9.3", "551", "1.9.3.551"),
        ("1.8.7", "374", "1.8.7.374"),
        ("3.4.0", "-1", "3.4.0.dev"),
    ],
)
def test_patch_levels_count_until_ruby_2_0(version, level, said):
    (package,) = read(config(version, level)).packages
    assert (package.type, package.name, package.version) == ("generic", "ruby", said)
    assert package.location.path == HERE


def test_the_older_guard_says_the_version_too():
    data = config("1.9.3", "551", 'RUBY_VERSION == "1.9.3"').replace(b"or\n    raise", b"or raise")
    assert read(data).packages[0].version == "1.9.3.551"


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        (HERE, True),
        ("usr/lib/x86_64-linux-gnu/ruby/3.1.0/rbconfig.rb", True),
        ("usr/lib/ruby/3.5.0+1/x86_64-linux/rbconfig.rb", True),
        ("root/.rbenv/versions/3.2.4/lib/ruby/3.2.0/x86_64-linux/rbconfig.rb", True),
        ("usr/src/ruby/rbconfig.rb", False),
        ("usr/local/bundle/gems/x-1/lib/rbconfig.rb", False),
        ("opt/jruby/lib/ruby/stdlib/rbconfig.rb", False),
        ("rbconfig.rb", False),
    ],
)
def test_it_is_wanted_where_ruby_looks_for_it(path, wanted):
    assert PLUGIN.accepts(path) == wanted


@pytest.mark.parametrize("data", [b"", b"\0" * 100, b"ruby lib version (3.2", config("3.2.4")[:40]])
def test_a_configuration_without_a_version_is_told(data):
    reading = read(data)
    assert reading.packages == ()
    assert "does not say its version" in reading.problems[0].reason
