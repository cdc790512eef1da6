"""Bundler's lock file."""

import json
import shutil
import subprocess

import pytest

from openinspector.catalog.contract import File
from openinspector.catalog.formats.gemfile_lock import PLUGIN
from openinspector.errors import CatalogError

LOCK = b"""GIT
  remote: https://example.org/forked.git
  revision: 0123456789abcdef
  branch: main
  specs:
    forked (2.0.0)
      rack (>= 2)

PATH
  remote: .
  specs:
    own (0.1.0)
      rack

PATH
  remote: vendor/gems/copied
  specs:
    copied (1.0.0.pre.1)

GEM
  remote: https://example.org/
  specs:
    net-http (0.3.0.1)
    nokogiri (1.15.4)
      racc (~> 1.4)
    nokogiri (1.15.4-x86_64-linux)
      racc (~> 1.4)
    racc (1.7.1)
    rack (2.2.8)

PLATFORMS
  ruby
  x86_64-linux

DEPENDENCIES
  copied!
  forked!
  nokogiri (~> 1.15)
  own!

CHECKSUMS
  nokogiri (1.15.4-x86_64-linux) sha256=ab
  racc (1.7.1) sha256=cd

RUBY VERSION
   ruby 3.1.2p20

BUNDLED WITH
   2.5.0
"""


def read(data):
    return PLUGIN.read(File(path="app/Gemfile.lock", data=data))


def shown(reading):
    return [(each.name, each.version, dict(each.qualifiers).get("platform", "")) for each in reading.packages]


def test_gems_from_everywhere_are_read_but_not_the_project_itself():
    reading = read(LOCK)
    assert shown(reading) == [
        ("forked", "2.0.0", ""),
        ("copied", "1.0.0.pre.1", ""),
        ("net-http", "0.3.0.1", ""),
        ("nokogiri", "1.15.4", ""),
        ("nokogiri", "1.15.4", "x86_64-linux"),
        ("racc", "1.7.1", ""),
        ("rack", "2.2.8", ""),
    ]
    assert reading.problems == ()


def test_checksums_are_digests_per_platform():
    digests = [(each.name, each.digest) for each in read(LOCK).packages if each.name in ("nokogiri", "racc")]
    assert digests == [("nokogiri", ""), ("nokogiri", "sha256:ab"), ("racc", "sha256:cd")]


def test_windows_line_ends_do_not_matter():
    assert shown(read(LOCK.replace(b"\n", b"\r\n"))) == shown(read(LOCK))


def test_lines_that_name_no_gem_and_merge_conflicts_are_counted():
    reading = read(b"GEM\n  specs:\n    rack (2.2.8)\n    what is this\n<<<<<<< HEAD\nGEM\n  specs:\n    racc (1)\n")
    assert shown(reading) == [("rack", "2.2.8", ""), ("racc", "1", "")]
    assert [(each.count, each.partial) for each in reading.problems] == [(2, False)]


def test_an_empty_file_has_no_gems():
    assert read(b"").packages == ()


@pytest.mark.parametrize("data", [b"{}", b"gem 'rack'\n", b"\x00" * 1000])
def test_what_has_no_section_is_refused(data):
    with pytest.raises(CatalogError):
        read(data)


@pytest.mark.parametrize("unit", ["(", " ", "a (", "    a (1-", "    a"])
def test_a_megabyte_of_nonsense_ends(unit):
    read(b"GEM\n  specs:\n    " + (unit * (1 << 20))[: 1 << 20].encode())


@pytest.mark.native
def test_bundler_reads_the_same(tmp_path):
    ruby = shutil.which("ruby")
    if ruby is None:
        pytest.skip("ruby is not installed")
    if subprocess.run([ruby, "-e", "require 'bundler'"], capture_output=True, check=False).returncode:
        pytest.skip("ruby has no Bundler")
    script = """
      require "bundler"
      require "json"
      specs = Bundler::LockfileParser.new(STDIN.read).specs
      puts JSON.generate(specs.map { |each| [each.name, each.version.to_s, each.platform.to_s] })
    """
    (tmp_path / "Gemfile").write_text("")
    lock = LOCK.replace(b"2.5.0", b"2.1.0")  # of a newer one it would warn
    answer = subprocess.run([ruby, "-e", script], input=lock, capture_output=True, check=True, cwd=tmp_path).stdout
    expected = {
        (name, version, platform if platform != "ruby" else "") for name, version, platform in json.loads(answer)
    }
    assert set(shown(read(lock))) == expected - {("own", "0.1.0", "")}
