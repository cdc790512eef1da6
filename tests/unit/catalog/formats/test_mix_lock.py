"""Elixir's lock file."""

from openinspector.catalog.contract import File
from openinspector.catalog.formats.mix_lock import PLUGIN

INNER, OUTER = "ab" * 32, "cd" * 32
LOCK = f"""%{{
  "plug": {{:hex, :plug, "1.15.1", "{INNER}", [:mix], [{{:mime, "~> 1.0", [hex: :mime]}}], "hexpm", "{OUTER}"}},
  "renamed": {{:hex, :real_name, "0.4.0", "{INNER}", [:rebar3], [], "my_org", "{OUTER}"}},
  "old": {{:hex, :old, "1.0.0", "{INNER}", [:mix], []}},
  "ancient": {{:hex, :ancient, "0.1.0"}},
  "my_lib": {{:git, "https://example.org/my_lib.git", "9f3a", [tag: "v1.2"]}},
}}
"""


def read(text):
    return PLUGIN.read(File(path="app/mix.lock", data=text.encode()))


def test_packages_are_listed_by_the_name_they_are_published_under():
    reading = read(LOCK)
    assert [(each.name, each.version, each.repository, each.digest) for each in reading.packages] == [
        ("plug", "1.15.1", "", f"sha256:{OUTER}"),
        ("real_name", "0.4.0", "my_org", f"sha256:{OUTER}"),
        ("old", "1.0.0", "", ""),
        ("ancient", "0.1.0", "", ""),
    ]
    assert {(each.type, each.format) for each in reading.packages} == {("hex", "hex.mix-lock")}


def test_a_package_from_a_commit_is_said_to_have_no_version():
    (problem,) = read(LOCK).problems
    assert "my_lib" in problem.reason
    assert not problem.partial


def test_a_map_on_one_line_with_arrows_is_read():
    assert [each.name for each in read('%{"plug" => {:hex, :plug, "1.0.0", "x"}}').packages] == ["plug"]


def test_lines_that_make_no_sense_are_counted():
    reading = read('%{\n  "a": {:hex, 1},\n  what is this\n}\n')
    assert reading.problems[0].count == 2


def test_hostile_text_ends():
    assert not read("").packages
    read('"a": {' + ":hex" * 100_000)
    read('"a": {:hex, :a, "1", ' + '],"' * 200_000)
    read("\n".join(['"a": {'] * 50_000))
