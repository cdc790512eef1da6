"""Installed Ruby gems."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from openinspector.catalog.contract import File
from openinspector.catalog.formats.gemspec import PLUGIN
from openinspector.errors import CatalogError

SPEC = b"""# -*- encoding: utf-8 -*-
# stub: nokogiri 1.15.4 x86_64-linux lib
# stub: ext/nokogiri/extconf.rb

Gem::Specification.new do |s|
  s.name = "nokogiri".freeze
  s.version = "1.15.4"
  s.platform = "x86_64-linux".freeze

  s.licenses = ["MIT".freeze]
  s.summary = "x".freeze
end
"""


def read(data, path="var/lib/gems/3.1.0/specifications/nokogiri-1.15.4-x86_64-linux.gemspec"):
    return PLUGIN.read(File(path=path, data=data))


def shown(reading):
    package = reading.packages[0]
    return package.name, package.version, dict(package.qualifiers).get("platform", "")


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("var/lib/gems/3.1.0/specifications/a-1.gemspec", True),
        ("usr/lib/ruby/gems/3.1.0/specifications/default/a-1.gemspec", True),
        ("usr/share/rubygems-integration/all/specifications/a-1.gemspec", True),
        ("specifications/a-1.gemspec", True),
        ("var/lib/gems/3.1.0/gems/a-1/a.gemspec", False),
        ("app/own.gemspec", False),
        ("app/default/own.gemspec", False),
    ],
)
def test_only_what_rubygems_keeps_for_itself_is_wanted(path, wanted):
    assert PLUGIN.accepts(path) is wanted


def test_the_stub_line_names_the_gem():
    reading = read(SPEC)
    assert shown(reading) == ("nokogiri", "1.15.4", "x86_64-linux")
    assert reading.packages[0].license == "MIT"


@pytest.mark.parametrize("version", [b'"1.15.4"', b'Gem::Version.new("1.15.4")', b"'1.15.4'.freeze"])
def test_without_stub_the_assignments_do(version):
    data = (
        b"Gem::Specification.new do |s|\n  s.name = %q{x}\n  s.name = 'nokogiri'\n  s.version = " + version + b"\nend\n"
    )
    assert shown(read(data, "specifications/other-2.gemspec")) == ("nokogiri", "1.15.4", "")


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        ("rack-2.2.4.gemspec", ("rack", "2.2.4", "")),
        ("net-http-0.3.0.1.gemspec", ("net-http", "0.3.0.1", "")),
        ("nokogiri-1.15.4-x86_64-linux.gemspec", ("nokogiri", "1.15.4", "x86_64-linux")),
    ],
)
def test_else_the_file_name_does(base, expected):
    assert shown(read(b"", f"specifications/{base}")) == expected


def test_plain_ruby_is_no_platform():
    assert shown(read(b"# stub: rack 2.2.4 ruby lib\n")) == ("rack", "2.2.4", "")


def test_what_nothing_names_is_refused():
    with pytest.raises(CatalogError):
        read(b"puts 1\n", "specifications/strange.gemspec")


@pytest.mark.parametrize("unit", [b"\n", b" ", b"s.name = ", b"# stub: ", b"\t s.version = '"])
def test_a_megabyte_of_nonsense_ends(unit):
    assert shown(read((unit * (1 << 20))[: 1 << 20], "specifications/a-1.gemspec"))[0]


@pytest.mark.native
def test_the_gems_of_this_machine_read_as_ruby_reads_them():
    ruby = shutil.which("ruby")
    if ruby is None:
        pytest.skip("ruby is not installed")
    script = """
      require "json"
      files = Gem.path.flat_map { |each| Dir[each + "/specifications/{,default/}*.gemspec"] }
      specs = files.map { |each| [each, Gem::Specification.load(each)] }.select { |_, spec| spec }
      puts JSON.generate(specs.map { |each, spec| [each, spec.name, spec.version.to_s, spec.platform.to_s] })
    """
    answer = subprocess.run([ruby, "-e", script], check=True, capture_output=True, text=True).stdout
    expected = json.loads(answer)
    if not expected:
        pytest.skip("ruby has no gems")
    for path, name, version, platform in expected:
        assert shown(read(Path(path).read_bytes(), path)) == (name, version, "" if platform == "ruby" else platform)
