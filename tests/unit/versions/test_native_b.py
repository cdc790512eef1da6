"""Our order against the real thing: thousands of random pairs a scheme, and no disagreement at all."""

import base64
import json
import random
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from openinspector.errors import VersionError
from openinspector.versions.order import compare, scheme

pytestmark = pytest.mark.native

PAIRS = 11_000
ENOUGH = 5_000  # of them that the native tool can read
JAVA_LIBRARIES = ("/usr/share/maven/lib", "/usr/share/java", "/opt/maven/lib")
PHP_LIBRARIES = ("/usr/share/php/Composer/Semver/autoload.php",)

UNREADABLE, UNORDERED = 8, 9  # verdicts besides -1, 0 and 1

Pairs = list[tuple[str, str]]


# --- random versions ------------------------------------------------------------------------------------------------


def number(dice: random.Random) -> str:
    return dice.choice(
        ("0", "0", "1", "1", "2", "3", "10", "00", "01", "007", str(dice.randrange(100)), str(dice.randrange(10**6)))
        + (("2147483647", "2147483648", "0000000000", "9223372036854775808", "1" * 25) if dice.random() < 0.05 else ())
    )


def release(dice: random.Random, most: int = 5) -> str:
    return ".".join(number(dice) for _ in range(dice.randint(1, most)))


def pypi(dice: random.Random) -> str:
    def separator() -> str:
        return dice.choice(("", "", ".", "-", "_"))

    text = dice.choice(("", "", "", "v", " ", "1!", "0!", "V2!")) + release(dice)
    if dice.random() < 0.4:
        word = dice.choice(("a", "b", "c", "rc", "alpha", "beta", "pre", "preview", "RC", "Beta"))
        text += separator() + word + separator() + dice.choice(("", number(dice)))
    if dice.random() < 0.3:
        text += dice.choice(("-" + number(dice), separator() + dice.choice(("post", "rev", "r", "POST")) + separator()))
        text += dice.choice(("", number(dice)))
    if dice.random() < 0.3:
        text += separator() + "dev" + separator() + dice.choice(("", number(dice)))
    if dice.random() < 0.2:
        text += "+" + dice.choice(("abc", "ABC", "1", "01", "ubuntu.1", "ubuntu-1", "1.abc", "1_2", "a1", "1a", "é"))
    return text + (dice.choice((" ", "\n", ".x", "final", ".")) if dice.random() < 0.1 else "")


def maven(dice: random.Random) -> str:
    words = ("alpha", "beta", "a", "b", "m", "M", "rc", "RC", "cr", "SNAPSHOT", "ga", "Final", "RELEASE", "sp", "x")
    words += ("foo", "jre", "redhat", "v", "é", "jbossorg")
    text = dice.choice(("", "", "", "", "", "", "v", "x", "-", ".")) + release(dice, 4)
    for _ in range(dice.choice((0, 1, 1, 1, 2, 3, 4))):
        text += dice.choice(("", "-", "-", ".", "", "--", "..", "-0-", ".0."))
        text += dice.choice((number(dice), dice.choice(words), dice.choice(words), dice.choice(words) + number(dice)))
    return text + dice.choice(("", "", "", "", "", ".", "-", ".0", "-0", "_1", "+b"))


def gem(dice: random.Random) -> str:
    text = dice.choice(("", "", "", "", "", "", "", " ", "\n", "v")) + release(dice)
    for _ in range(dice.choice((0, 1, 1, 2, 3))):
        text += dice.choice((".", ".", ".", "-", "", "--"))
        text += dice.choice((number(dice), "a", "b", "A", "pre", "rc1", "beta", "alpha2", "0a", "a0b", "rc", "0"))
    return text + (dice.choice((".0", ".0.0", "\n", ".", "-", "_1", "-0")) if dice.random() < 0.2 else "")


def composer(dice: random.Random) -> str:
    if dice.random() < 0.1:
        return dice.choice(("dev-", "DEV-", "dev-", "")) + dice.choice(
            ("master", "main", "trunk", "default", "foo", "Foo", "1.0", "feature/x", "master ", "9999999-dev")
        )
    if dice.random() < 0.1:
        return release(dice, 4) + dice.choice(
            (".x-dev", ".*-dev", ".X-dev", "x-dev", ".x.x-dev", ".xdev", ".x", "-dev")
        )
    date = ("2010-01-02", "20100102", "2010.01.02", "2010-01-02.5", "20100102-203040", "201001", "2010-1-02", "2010:01")
    text = dice.choice(("", "", "", "v", "V", " "))
    text += dice.choice(date) if dice.random() < 0.15 else release(dice, dice.choice((3, 4, 4, 4, 4, 5)))
    if dice.random() < 0.6:
        text += dice.choice(("", "-", ".", "_", "-"))
        text += dice.choice(("stable", "Stable", "beta", "b", "B", "RC", "rc", "alpha", "a", "patch", "pl", "p"))
        text += dice.choice(("", "", number(dice), "." + number(dice), "-" + number(dice), "1.2", "1-2", "..1"))
    text += dice.choice(
        ("", "", "", "", "-dev", "dev", ".dev", "@dev", "@RC", "+build.5", "+b c", " as 2.0", "\n@beta")
    )
    return text + (dice.choice((" ", "-", ".")) if dice.random() < 0.1 else "")


def pairs(make: Callable[[random.Random], str]) -> Pairs:
    """A third of them near relatives: a version and itself with a piece cut out, doubled or exchanged."""
    dice = random.Random(20)
    found = []
    for _ in range(PAIRS):
        a, b = make(dice), make(dice)
        if dice.random() < 0.3 and a:
            start = dice.randrange(len(a))
            piece = a[start : start + dice.randint(1, 3)]
            b = a[:start] + dice.choice(("", piece * 2, "0", ".", "1", "a", b[:2])) + a[start + len(piece) :]
        found.append((a, b))
    return found


# --- the native tools -----------------------------------------------------------------------------------------------


def run(command: list[str], given: str) -> list[int]:
    done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return [int(line) for line in done.stdout.split()]


def packaging_verdicts(asked: Pairs) -> list[int]:
    from packaging.version import InvalidVersion, Version

    def verdict(a: str, b: str) -> int:
        try:
            left, right = Version(a), Version(b)
        except InvalidVersion:
            return UNREADABLE
        return (left > right) - (left < right)

    return [verdict(a, b) for a, b in asked]


RUBY = """
require "json"
JSON.parse(STDIN.read).each do |a, b|
  ok = Gem::Version.correct?(a) && Gem::Version.correct?(b)
  puts(ok ? Gem::Version.new(a) <=> Gem::Version.new(b) : 8)
end
"""


def ruby_verdicts(asked: Pairs) -> list[int]:
    if shutil.which("ruby") is None:
        pytest.skip("ruby is not installed")
    return run(["ruby", "-W0", "-e", RUBY], json.dumps(asked))


PHP = """
require $argv[1];
$parser = new Composer\\Semver\\VersionParser();
$read = fn($text) => $parser->normalizeDefaultBranch($parser->normalize($text));
foreach (json_decode(stream_get_contents(STDIN)) as [$a, $b]) {
    try { $a = $read($a); $b = $read($b); } catch (UnexpectedValueException $error) { echo "8\n"; continue; }
    if (Composer\\Semver\\Comparator::equalTo($a, $b)) echo "0\n";
    elseif (Composer\\Semver\\Comparator::lessThan($a, $b)) echo "-1\n";
    elseif (Composer\\Semver\\Comparator::greaterThan($a, $b)) echo "1\n";
    else echo "9\n";
}
"""


def php_verdicts(asked: Pairs) -> list[int]:
    library = next((each for each in PHP_LIBRARIES if Path(each).is_file()), None)
    if shutil.which("php") is None or library is None:
        pytest.skip("php with composer/semver is not installed")
    return run(["php", "-r", PHP, library], json.dumps(asked))


JAVA = """
import java.io.*;
import java.util.Base64;
import org.apache.maven.artifact.versioning.ComparableVersion;

public class Cmp {
    static ComparableVersion read(String coded) throws Exception {
        return new ComparableVersion(new String(Base64.getDecoder().decode(coded), "UTF-16BE"));
    }
    public static void main(String[] none) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        StringBuilder out = new StringBuilder();
        for (String line; (line = in.readLine()) != null; ) {
            String[] pair = line.split(":", -1);
            out.append(Integer.signum(read(pair[0]).compareTo(read(pair[1])))).append('\\n');
        }
        System.out.print(out);
    }
}
"""


def java_verdicts(asked: Pairs, folder: Path) -> list[int]:
    if shutil.which("java") is None:
        pytest.skip("java is not installed")
    found = [jar for each in JAVA_LIBRARIES for jar in Path(each).glob("maven-artifact-3*.jar")]
    if not found:
        pytest.skip("Maven 3 is not installed")
    (folder / "Cmp.java").write_text(JAVA)

    def coded(text: str) -> str:
        return base64.b64encode(text.encode("utf-16-be", "surrogatepass")).decode()

    lines = "".join(f"{coded(a)}:{coded(b)}\n" for a, b in asked)
    return run(["java", "-cp", f"{found[0].parent}/*", str(folder / "Cmp.java")], lines)


# --- agreement ------------------------------------------------------------------------------------------------------


def our_verdict(name: str, a: str, b: str) -> int:
    try:
        return compare(name, a, b)
    except VersionError:
        return UNREADABLE


def disagreements(name: str, asked: Pairs, native: list[int]) -> list[tuple[str, str, int, int]]:
    assert len(asked) == len(native)
    ours = [our_verdict(name, a, b) for a, b in asked]
    return [(*pair, mine, other) for pair, mine, other in zip(asked, ours, native, strict=True) if mine != other]


def test_pypi_agrees_with_packaging():
    asked = pairs(pypi)
    native = packaging_verdicts(asked)
    assert disagreements("pypi", asked, native) == []
    assert sum(verdict != UNREADABLE for verdict in native) >= ENOUGH


def test_gem_agrees_with_ruby():
    asked = pairs(gem)
    native = ruby_verdicts(asked)
    assert disagreements("gem", asked, native) == []
    assert sum(verdict != UNREADABLE for verdict in native) >= ENOUGH


def test_composer_agrees_with_php():
    asked = pairs(composer)
    native = php_verdicts(asked)
    for a, b, ours, theirs in disagreements("composer", asked, native):
        assert theirs == UNORDERED, (a, b, ours, theirs)
        assert ours in (-1, 1), "two branches that Composer does not order are still two"
    assert sum(verdict != UNREADABLE for verdict in native) >= ENOUGH


def test_maven_agrees_with_java(tmp_path):
    asked = pairs(maven)
    native = java_verdicts(asked, tmp_path)
    assert disagreements("maven", asked, native) == []
    exact = scheme("maven").compare
    assert exact is not None
    assert [exact(a, b) for a, b in asked] == native, "the exact comparer is right for any pair, odd or not"


def test_maven_agrees_with_java_on_every_pair_of_short_strings(tmp_path):
    """All pairs among strings of few letters: here the contradictions of Maven's order are dense."""
    dice = random.Random(3)
    pieces = ("1", "0", ".", "-", "a", "x", "rc", "ga", "sp")
    strings = sorted({"".join(dice.choices(pieces, k=dice.randint(1, 6))) for _ in range(300)})[:110]
    asked = [(a, b) for a in strings for b in strings]
    assert disagreements("maven", asked, java_verdicts(asked, tmp_path)) == []
