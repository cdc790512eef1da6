"""Native tools that order versions, each asked in one batch, and random versions to ask them about.

`NATIVES[scheme]` takes pairs and gives -1, 0 or 1 for each; it raises `Missing` with the reason where the tool isn't
there. `SAMPLES[scheme]` makes one random version that the tool reads.
"""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from random import Random

Pairs = list[tuple[str, str]]


class Missing(Exception):
    """The native tool isn't on this machine."""


def run(command: list[str], text: str, **more: object) -> str:
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True, timeout=150, **more).stdout


def tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise Missing(f"{name} is not installed")
    return found


def sign(value: int) -> int:
    return (value > 0) - (value < 0)


# --- Debian: python3-apt, which calls apt's own comparison; else dpkg, pair by pair

APT = """
import apt_pkg, json, sys
apt_pkg.init_system()
print(json.dumps([apt_pkg.version_compare(a, b) for a, b in json.load(sys.stdin)]))
"""
DPKG = """
while IFS=' ' read -r a b; do
    if dpkg --compare-versions "$a" lt "$b"; then echo -1
    elif dpkg --compare-versions "$a" eq "$b"; then echo 0
    else echo 1; fi
done
"""


def debian(pairs: Pairs) -> list[int]:
    tool("dpkg")
    python = "/usr/bin/python3"
    probe = [python, "-c", "import apt_pkg"]
    if Path(python).exists() and subprocess.run(probe, check=False, capture_output=True).returncode == 0:
        return [sign(n) for n in json.loads(run([python, "-c", APT], json.dumps(pairs)))]
    return [int(n) for n in run(["sh", "-c", DPKG], "".join(f"{a} {b}\n" for a, b in pairs)).split()]


# --- RPM: its Lua, which has rpm.vercmp


def rpm(pairs: Pairs) -> list[int]:
    program, said = tool("rpm"), []
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder, "compare.lua")
        for start in range(0, len(pairs), 5_000):  # one table of all would be too large for Lua
            rows = "".join(f"{{[[{a}]],[[{b}]]}},\n" for a, b in pairs[start : start + 5_000])
            script.write_text(f"for _, p in ipairs({{\n{rows}}}) do print(rpm.vercmp(p[1], p[2]), ' ') end")
            said += [int(n) for n in run([program, "--eval", f'%{{lua: dofile("{script}")}}'], "").split()]
    return said


# --- npm: the semver package that it brings along

NODE = """
const semver = require(process.argv[1]);
const pairs = JSON.parse(require('fs').readFileSync(0, 'utf8'));
console.log(JSON.stringify(pairs.map(([a, b]) => semver.compare(a, b, {loose: false}))));
"""


def npm(pairs: Pairs) -> list[int]:
    node, folder = tool("node"), Path(run([tool("npm"), "root", "-g"], "").strip(), "npm/node_modules/semver")
    if not folder.is_dir():
        raise Missing(f"no semver package in {folder}")
    return json.loads(run([node, "-e", NODE, str(folder)], json.dumps(pairs)))


# --- Cargo: the semver crate, from the sources that distributions package

RUST = """
use std::io::{self, BufRead};
fn main() {
    for line in io::stdin().lock().lines() {
        let line = line.unwrap();
        let (a, b) = line.split_once(' ').unwrap();
        let (mut a, mut b) = (semver::Version::parse(a).unwrap(), semver::Version::parse(b).unwrap());
        a.build = semver::BuildMetadata::EMPTY; // Cargo's precedence leaves it out
        b.build = semver::BuildMetadata::EMPTY;
        println!("{}", a.cmp(&b) as i8);
    }
}
"""


def cargo(pairs: Pairs) -> list[int]:
    rustc, crates = tool("rustc"), sorted(Path("/usr/share/cargo/registry").glob("semver-1.*/src/lib.rs"))
    if not crates:
        raise Missing("no sources of the semver crate in /usr/share/cargo/registry")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "main.rs").write_text(RUST)
        library = ["--crate-type", "rlib", "--crate-name", "semver", str(crates[-1])]
        for what in (library, ["main.rs", "--extern", "semver=libsemver.rlib"]):
            run([rustc, "--edition", "2021", "--cap-lints", "allow", *what], "", cwd=folder)
        return [int(n) for n in run([f"{folder}/main"], "".join(f"{a} {b}\n" for a, b in pairs)).split()]


# --- Hex: Elixir's Version

ELIXIR = """
for line <- IO.stream(:stdio, :line) do
  [a, b] = String.split(String.trim(line), " ")
  IO.puts(case Version.compare(a, b) do :lt -> -1; :eq -> 0; :gt -> 1 end)
end
"""


def elixir(pairs: Pairs) -> list[int]:
    # No quotes, blanks or dollars in the sample versions, so the lines need no escaping.
    return [int(n) for n in run([tool("elixir"), "-e", ELIXIR], "".join(f"{a} {b}\n" for a, b in pairs)).split()]


# --- Go: golang.org/x/mod/semver out of its own source tree, and the standard library's go/version

GO = """
package main
import ("bufio"; "fmt"; "os"; "strings"; "compare/semver"; "go/version")
func main() {
	compare := map[string]func(a, b string) int{"modules": semver.Compare, "toolchain": version.Compare}[os.Args[1]]
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		a, b, _ := strings.Cut(lines.Text(), " ")
		fmt.Println(compare(a, b))
	}
}
"""


def go_program(pairs: Pairs, which: str) -> list[int]:
    go = tool("go")
    root = Path(run([go, "env", "GOROOT"], "").strip())
    semver = root / "src/cmd/vendor/golang.org/x/mod/semver/semver.go"
    if not semver.exists() or not (root / "src/go/version").exists():
        raise Missing("this Go has no go/version or no sources of x/mod/semver")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "semver").mkdir()
        Path(folder, "semver", "semver.go").write_text(semver.read_text())
        Path(folder, "go.mod").write_text("module compare\n\ngo 1.22\n")
        Path(folder, "main.go").write_text(GO)
        settings = {"GOTOOLCHAIN": "local", "GOPROXY": "off", "GOFLAGS": "-mod=mod"}
        run([go, "build", "-o", "program", "."], "", cwd=folder, env=os.environ | settings)
        return [int(n) for n in run([f"{folder}/program", which], "".join(f"{a} {b}\n" for a, b in pairs)).split()]


def go_modules(pairs: Pairs) -> list[int]:
    return go_program([(with_v(a), with_v(b)) for a, b in pairs], "modules")


def with_v(version: str) -> str:
    return version if version.startswith("v") else f"v{version}"


def go_toolchain(pairs: Pairs) -> list[int]:
    return go_program(pairs, "toolchain")


NATIVES: dict[str, Callable[[Pairs], list[int]]] = {
    "deb": debian,
    "rpm": rpm,
    "npm": npm,
    "cargo": cargo,
    "hex": elixir,
    "go": go_modules,
    "gotoolchain": go_toolchain,
}


# --- Random versions


def digits(random: Random) -> str:
    return random.choice(["0", "1", "2", "9", "10", "11", "20240131", "00", "01", "007", str(random.randrange(1000))])


def plain(random: Random) -> str:
    return random.choice(["0", "1", "2", "9", "10", "21", str(random.randrange(10**6))])


def pieces(random: Random, words: list[str], most: int) -> str:
    return "".join(
        random.choice(words) if random.random() < 0.5 else digits(random) for _ in range(random.randint(0, most))
    )


def deb_sample(random: Random) -> str:
    words = [".", "+", "~", "a", "Z", "rc", "~rc", "+dfsg", "+deb12u", "~bpo", "ubuntu", "-", ":", ".~", "~~", "z+"]
    epoch = random.choice(["", "", "", "0:", "1:", "10:"])
    # A colon needs an epoch before it; a hyphen behind it would make it part of a revision, where none may stand.
    upstream = digits(random) + pieces(random, [w for w in words if w != ("-" if epoch else ":")], 5)
    revision = random.choice(["", "-" + digits(random) + pieces(random, [w for w in words if w not in "-:"], 3)])
    version = f"{epoch}{upstream}{revision}"
    return version if not version.endswith("-") else f"{version}1"


def rpm_sample(random: Random) -> str:
    words = [".", "_", "+", "~", "^", "a", "Z", "rc", "~rc", "el", ".amzn", "git", "^git", "..", "~~", "^~", "-"]
    epoch = random.choice(["", "", "", "0:", "1:", "10:"])
    release = random.choice(["", "-" + digits(random) + pieces(random, words[:-1], 4)])
    return f"{epoch}{digits(random)}{pieces(random, words, 5)}{release}"


def semver_sample(random: Random) -> str:
    names = [
        "alpha",
        "beta",
        "rc",
        "rc1",
        "a",
        "A",
        "-",
        "1-",
        "0a",
        "x-y",
        "20240131120000-abcdef123456",
        "0",
        "1",
        "10",
    ]
    version = ".".join(plain(random) for _ in range(3))
    if random.random() < 0.6:
        version += "-" + ".".join(random.choice(names) for _ in range(random.randint(1, 4)))
    if random.random() < 0.2:
        version += "+" + random.choice(["1", "build.7", "001", "incompatible"])
    return version


def go_sample(random: Random) -> str:
    return random.choice(["v", ""]) + random.choice(
        [semver_sample(random), semver_sample(random), plain(random), "1.2"]
    )


def toolchain_sample(random: Random) -> str:
    minor = random.choice(["0", "1", "9", "19", "20", "21", "22", "100"])
    rest = random.choice(["", "", ".0", ".1", ".12", "rc1", "rc2", "rc10", "beta1", "alpha1", "rc", "-acme", ".3-acme"])
    return f"go1.{minor}{rest}" if random.random() < 0.95 else random.choice(["go1", "go2", "go0"])


SAMPLES: dict[str, Callable[[Random], str]] = {
    "deb": deb_sample,
    "rpm": rpm_sample,
    "npm": semver_sample,
    "cargo": semver_sample,
    "hex": semver_sample,
    "go": go_sample,
    "gotoolchain": toolchain_sample,
}


def random_pairs(scheme: str, count: int, seed: int) -> Pairs:
    """Pairs that are mostly near each other: two with a common beginning say more than two at random."""
    random, sample = Random(seed), SAMPLES[scheme]
    pairs: Pairs = []
    while len(pairs) < count:
        a, b = sample(random), sample(random)
        if scheme in ("deb", "rpm") and random.random() < 0.7:
            b = neighbour(a, random, "~+.a10" if scheme == "deb" else "~^.a1_0")
        elif random.random() < 0.7:
            b = ".".join([*a.split(".")[:2], *b.split(".")[2:]]) if a.count(".") > 1 and b.count(".") > 1 else b
        pairs.append((a, b))
    return pairs


def neighbour(version: str, random: Random, letters: str) -> str:
    """The version with one character more, less or another, never at an end where it could become unreadable."""
    place = random.randrange(len(version))
    if place == 0 or ":" in version[place - 1 : place + 2] or "-" in version[place - 1 : place + 2]:
        return f"{version}.1"
    middle = random.choice([random.choice(letters), "", version[place] + random.choice(letters)])
    changed = f"{version[:place]}{middle}{version[place + 1 :]}"
    return changed if changed[-1] != "-" else f"{changed}1"
