"""A synthetic fleet: resources of many accounts, what is installed on them, and advisories about that.

    fleet = Fleet(100_000)
    fleet.records()                    # advisories and scores, by feed
    for place in fleet.places():       # a resource, the key of its inventory, and when it was scanned first
        fleet.inventory(place.key)

The same seed and size give the same fleet. What it is like is said by the constants: they follow what hosts and images
of today hold, none is copied from anybody's fleet.

- **Packages.** A distribution has some thousand sources, of which some hundred are everywhere and the others are found
  by their rank (Zipf); a source has one binary package, or a few. Versions are numbered; how far an installed one lies
  behind the newest falls exponentially.
- **Flaws.** How many a source has is Pareto-distributed. Each was fixed in one of its versions, or not yet, so that
  what is patched late has more of them. All distributions share the flaws of a source: about a hundred a resource.
- **Inventories.** Instances are made from golden images in three generations, and few have drifted from theirs. Each
  pushed image has a code layer of its own, over the layer of its dependencies and a base that many share. A function's
  code is deployed three times, over layers that others use, too.
- **Accounts** differ in size as words do in frequency.
"""

import hashlib
import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache
from itertools import accumulate
from random import Random
from typing import Final, NamedTuple

from openinspector.model.advisory import Advisory, Affected, Cvss, Range
from openinspector.model.distro import Distribution
from openinspector.model.enrichment import Enrichment, Epss, Kev
from openinspector.model.inventory import Inventory, Layer, Target
from openinspector.model.package import Location, Package, SourcePackage
from openinspector.model.resource import AccountId, Ec2Instance, EcrImage, LambdaFunction, Resource

REGION: Final = "eu-west-1"
BEGAN: Final = datetime(2026, 1, 5, tzinfo=UTC)  # resources are scanned first in the three months from here
DAYS: Final = 90

INSTANCES, IMAGES = 0.6, 0.25  # shares; the rest are functions
SOURCES: Final = 3000  # of the distributions
EVERYWHERE: Final = 110  # of them
ZIPF: Final = 0.9
NEWEST: Final = 12  # version of everything; the oldest is 1
LAG: Final = 1.25  # mean number of versions that a system package lies behind
LANGUAGE_LAG: Final = 2.5
FLAWS: Final = 1.35  # the exponent of Pareto's law for a source; 1 is the heaviest tail that has no mean
MOST_FLAWS: Final = 60
NO_FIX: Final = 0.12
EXPLOITED: Final = 0.02
ON_INSTANCE, IN_BASE, IN_IMAGE, IN_LAYER, IN_FUNCTION = 450, 240, 140, 90, 110  # packages
BINARIES: Final = (1, 1, 1, 1, 2, 2, 2, 3, 4, 6)
GENERATIONS: Final = (0.6, 0.3, 0.1)  # of a golden image
DRIFTED: Final = 0.05  # of the instances
DEPLOYED: Final = 3  # functions of the same code

Key = tuple[str, int, int, int]  # of an inventory
Record = Advisory | Enrichment


class Place(NamedTuple):
    """A resource, what is installed on it, and when that was seen first."""

    resource: Resource
    key: Key
    at: datetime


class Part(NamedTuple):
    """Packages that many inventories have in common: those of a base image, of a layer, of a golden image.

    `layer` is "" where there are none; `position` is that of the layer, and `drift` of one instance alone.
    """

    kind: str
    number: int
    which: int
    drift: int = 0
    namespace: str = ""
    layer: str = ""
    position: int | None = None


class Stack(NamedTuple):
    """A distribution."""

    family: str
    namespace: str
    type: str
    title: str
    path: str
    format: str
    arch: str
    ending: str  # of a version


class Flaw(NamedTuple):
    """`fixed` is the number of the first good version of its source, 0 where there is none."""

    id: str
    fixed: int
    vector: str
    word: str


STACKS: Final = {
    each.family: each
    for each in (
        Stack("debian", "debian:12", "deb", "Debian GNU/Linux 12", "var/lib/dpkg/status", "dpkg", "amd64", "-1"),
        Stack("ubuntu", "ubuntu:22.04", "deb", "Ubuntu 22.04 LTS", "var/lib/dpkg/status", "dpkg", "amd64", "-1ubuntu1"),
        Stack("amazon", "amazon:2023", "rpm", "Amazon Linux 2023", "var/lib/rpm/rpmdb.sqlite", "rpm", "x86_64", "-1"),
        Stack("alpine", "alpine:3.20", "apk", "Alpine Linux v3.20", "lib/apk/db/installed", "apk", "x86_64", "-r0"),
    )
}
LANGUAGES: Final = {"pypi": 2500, "npm": 4000}  # names
_HOSTS: Final = ("amazon", "amazon", "ubuntu", "ubuntu", "debian")
_BASES: Final = ("debian", "debian", "alpine")
_VECTORS: Final = (  # and how many of a hundred flaws have each
    ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "high", 8),
    ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", "medium", 22),
    ("CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H", "medium", 20),
    ("CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:N/I:N/A:H", "medium", 16),
    ("CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:N/I:N/A:H", "low", 20),
    ("CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:L/I:N/A:N", "low", 9),
    ("CVSS:3.1/AV:L/AC:H/PR:L/UI:N/S:U/C:L/I:N/A:N", "low", 5),
)


class Fleet:
    """So many resources. Nothing is kept but what many of them share."""

    def __init__(self, size: int, seed: int = 1) -> None:
        self.size = size
        self.seed = seed
        self.accounts = tuple(f"{100_000_000_000 + number * 7919:012d}" for number in range(max(3, size // 1000)))
        self._account_weights = _ranked(len(self.accounts), 0.7)
        self._goldens = max(2, size // 400)
        self._bases = max(2, min(40, size // 500))
        self._repositories = max(2, size // 60)
        self._codes = max(2, round(size * (1 - INSTANCES - IMAGES)) // DEPLOYED)
        self._layers = max(2, self._codes // 20)
        self.inventory = lru_cache(maxsize=4096)(self._inventory)
        self.packages_of = lru_cache(maxsize=8192)(self._packages_of)

    def places(self) -> Iterator[Place]:
        """Every resource, in an order of its own."""
        for number in range(self.size):
            yield self._place(number)

    def records(self, touched: int = 0) -> dict[str, list[Record]]:
        """The advisories, by feed; in so many sources touched one flaw was fixed a version later or before."""
        found: dict[str, list[Record]] = {
            name: [] for name in ("debian_tracker", "ubuntu_tracker", "amazon", "alpine", "osv", "nvd", "epss", "kev")
        }
        for number, flaws in enumerate(self.flaws):
            for position, flaw in enumerate(flaws):
                is_touched = touched and position == 0 and number % (SOURCES // touched) == 0
                moved = flaw._replace(fixed=max(2, flaw.fixed + (1 if number % 4 else -1))) if is_touched else flaw
                self._system(found, number, moved)
        for kind in LANGUAGES:
            for number, flaws in enumerate(self.language_flaws[kind]):
                for flaw in flaws:
                    bound = Range(fixed=f"{flaw.fixed}.0") if flaw.fixed else Range()
                    named = Affected(namespace=kind, name=f"{kind}-name{number}", ranges=(bound,))
                    found["osv"].append(Advisory(id=flaw.id, affected=(named,)))
                    self._told(found, flaw, f"{kind}-name{number}")
        return found

    @cached_property
    def flaws(self) -> list[list[Flaw]]:
        """Those of each source of the distributions."""
        return _flaws(Random(f"{self.seed} flaws"), SOURCES, FLAWS, 10_000)

    @cached_property
    def language_flaws(self) -> dict[str, list[list[Flaw]]]:
        """Those of each name of a language."""
        return {
            kind: _flaws(Random(f"{self.seed} {kind}"), names, 2.2, 200_000 + 100_000 * position)
            for position, (kind, names) in enumerate(LANGUAGES.items())
        }

    @cached_property
    def binaries(self) -> list[int]:
        """How many binary packages each source has."""
        chance = Random(f"{self.seed} binaries")
        return [chance.choice(BINARIES) for _ in range(SOURCES)]

    def _system(self, found: dict[str, list[Record]], number: int, flaw: Flaw) -> None:
        """What each distribution says of a flaw of a source."""
        source = f"source{number}"
        for stack in STACKS.values():
            bounds = (Range(fixed=f"{flaw.fixed}.0{stack.ending}"),) if flaw.fixed else (Range(),)
            about = {"namespace": stack.namespace, "ranges": bounds}
            if stack.family == "amazon":
                names = [_binary(number, each) for each in range(self.binaries[number])]
                affected = tuple(Affected(name=name, severity=flaw.word, **about) for name in names)
                identity = f"ALAS2023-{flaw.id.removeprefix('CVE-')}"
                record = Advisory(id=identity, vulnerabilities=(flaw.id,), severity=flaw.word, affected=affected)
            else:
                affected = (Affected(name=source, kind="source", severity=flaw.word, **about),)
                record = Advisory(id=flaw.id, severity=flaw.word, affected=affected)
            found["alpine" if stack.family == "alpine" else _FEEDS[stack.family]].append(record)
        self._told(found, flaw, source)

    def _told(self, found: dict[str, list[Record]], flaw: Flaw, name: str) -> None:
        """What others say of a flaw."""
        chance = Random(flaw.id)
        day = f"{2016 + chance.randrange(10)}-{1 + chance.randrange(12):02d}-{1 + chance.randrange(28):02d}T00:00:00Z"
        found["nvd"].append(
            Advisory(
                id=flaw.id,
                cvss=(Cvss(vector=flaw.vector, source="NVD"),),
                description=f"A flaw of {name} that lets somebody do what they should not. " * 4,
                published=day,
                modified=day,
                references=(f"https://example.org/{flaw.id}",),
                cwes=("CWE-787",),
            )
        )
        if chance.random() < 0.95:
            score = round(min(0.97, chance.paretovariate(0.9) / 1000), 5)
            found["epss"].append(Epss(vulnerability=flaw.id, score=score, percentile=score, date="2026-01-04"))
        if chance.random() < EXPLOITED:
            found["kev"].append(Kev(vulnerability=flaw.id, date_added="2026-01-02"))

    def _place(self, number: int) -> Place:
        chance = Random(f"{self.seed} {number}")
        at = BEGAN + timedelta(seconds=chance.randrange(DAYS * 86_400), microseconds=chance.randrange(1_000_000))
        kind = chance.random()
        if kind < INSTANCES:
            golden = chance.choices(range(self._goldens), cum_weights=_ranked(self._goldens, 0.8))[0]
            generation = chance.choices(range(len(GENERATIONS)), GENERATIONS)[0]
            drift = number + 1 if chance.random() < DRIFTED else 0
            return Place(
                self._instance(chance, number, golden, generation), ("instance", golden, generation, drift), at
            )
        if kind < INSTANCES + IMAGES:
            repository = chance.randrange(self._repositories)
            return Place(self._image(chance, number, repository, at), ("image", repository, number, 0), at)
        code = chance.randrange(self._codes)
        return Place(self._function(chance, number, code), ("function", code, 0, 0), at)

    def _account(self, chance: Random) -> AccountId:
        return AccountId(chance.choices(self.accounts, cum_weights=self._account_weights)[0])

    def _instance(self, chance: Random, number: int, golden: int, generation: int) -> Resource:
        return Resource(
            account=self._account(chance),
            region=REGION,
            type="AWS_EC2_INSTANCE",
            id=f"i-{number:017x}",
            tags={"team": f"team-{chance.randrange(40)}", "stage": chance.choice(("dev", "test", "prod"))},
            platform=_PLATFORMS[self._family(golden)],
            details=Ec2Instance(
                instance_type=chance.choice(("t3.small", "m6i.large", "c7g.xlarge")),
                image_id=f"ami-{golden * 10 + generation:017x}",
                ipv4_addresses=(f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}",),
                vpc_id=f"vpc-{golden % 50:017x}",
                subnet_id=f"subnet-{golden % 150:017x}",
                launched_at="2026-01-01T00:00:00.000000Z",
            ),
        )

    def _image(self, chance: Random, number: int, repository: int, at: datetime) -> Resource:
        account = self._account(Random(f"{self.seed} repository {repository}"))
        digest = f"sha256:{_hash('image', number)}"
        name = f"team-{repository % 40}/service-{repository}"
        return Resource(
            account=account,
            region=REGION,
            type="AWS_ECR_CONTAINER_IMAGE",
            id=f"arn:aws:ecr:{REGION}:{account}:repository/{name}/{digest}",
            platform=_PLATFORMS[self._base_family(repository)],
            details=EcrImage(
                repository=name,
                digest=digest,
                registry=account,
                tags=(f"build-{number}",),
                pushed_at=(at - timedelta(hours=chance.randrange(200))).strftime("%Y-%m-%dT%H:%M:%SZ"),
                architecture="amd64",
            ),
        )

    def _function(self, chance: Random, number: int, code: int) -> Resource:
        account = self._account(chance)
        name = f"function-{code}-{number}"
        return Resource(
            account=account,
            region=REGION,
            type="AWS_LAMBDA_FUNCTION",
            id=f"arn:aws:lambda:{REGION}:{account}:function:{name}:$LATEST",
            tags={"team": f"team-{code % 40}"},
            details=LambdaFunction(
                name=name,
                runtime=("python3.12", "nodejs20.x")[code % 2],
                code_sha256=_hash("code", code)[:43] + "=",
                layers=self.layer_arns(code),
            ),
        )

    def layer_arns(self, code: int) -> tuple[str, ...]:
        """The layers of the functions with this code: one account offers them to all."""
        return (f"arn:aws:lambda:{REGION}:{self.accounts[0]}:layer:layer-{code % self._layers}:1",)

    def parts_of(self, key: Key) -> tuple[Part, ...]:
        """What an inventory is made of, in its order."""
        kind, number, which, drift = key
        if kind == "instance":
            return (Part("golden", number, which, drift, STACKS[self._family(number)].namespace),)
        if kind == "function":
            layer = number % self._layers
            return (
                Part("layer", layer, number % 2, layer=f"sha256:{_hash('layer', layer)}", position=0),
                Part("code", number, number % 2, layer=f"sha256:{_hash('code', number)}", position=1),
            )
        base, built = self._base(number), which % 5  # a repository's dependencies change with every fifth push
        namespace = STACKS[self._base_family(number)].namespace
        return (
            Part("base", base, 0, 0, namespace, f"sha256:{_hash('base', base)}", 0),
            Part("dependencies", number, built, layer=f"sha256:{_hash('built', number, built)}", position=1),
            Part("nothing", which, 0, layer=f"sha256:{_hash('push', which)}", position=2),
        )

    def _inventory(self, key: Key) -> Inventory:
        """What is installed on the resources with this key."""
        kind, number, _, _ = key
        parts = self.parts_of(key)
        layers = tuple(Layer(diff_id=each.layer) for each in parts if each.layer)
        packages = tuple(package for part in parts for package in self.packages_of(part))
        if kind == "function":
            return Inventory(target=Target(kind="lambda", name="code", layers=layers), packages=packages)
        if kind == "instance":
            stack, target = STACKS[self._family(number)], Target(kind="host", name="/", platform="linux/amd64")
        else:
            target = Target(kind="image", name="image", platform="linux/amd64", layers=layers)
            stack = STACKS[self._base_family(number)]
        distribution = Distribution(
            id=stack.family,
            version=stack.namespace.partition(":")[2],
            title=stack.title,
            family=stack.family,
            namespace=stack.namespace,
        )
        return Inventory(target=target, packages=packages, distribution=distribution)

    def _packages_of(self, part: Part) -> tuple[Package, ...]:
        """The packages of a part, in its layer."""
        kind, number, which, drift, _, layer, _ = part
        chance = Random(f"{self.seed} {kind} {number}")
        if kind == "golden":
            whole = self._system_packages(chance, STACKS[self._family(number)], ON_INSTANCE, which, layer)
            return self._drifted(tuple(whole), drift) if drift else tuple(whole)
        if kind == "base":
            return tuple(self._system_packages(chance, STACKS[_BASES[number % len(_BASES)]], IN_BASE, which, layer))
        counts = {"dependencies": IN_IMAGE, "layer": IN_LAYER, "code": IN_FUNCTION, "nothing": 0}
        ecosystem = ("pypi", "npm")[(number if kind == "dependencies" else which) % 2]
        built = which if kind == "dependencies" else 0
        return tuple(self._language_packages(chance, ecosystem, counts[kind], built, layer))

    def _system_packages(
        self, chance: Random, stack: Stack, count: int, generation: int, layer: str
    ) -> Iterator[Package]:
        place = Location(path=stack.path, layer=layer, introduced=layer)
        made = 0
        for number in _chosen(chance, SOURCES, EVERYWHERE, count):
            lag = chance.expovariate(1 / LAG) + generation * chance.choice((0, 0, 1))
            version = f"{max(1, NEWEST - int(lag))}.0{stack.ending}"
            source = SourcePackage(name=f"source{number}", version=version)
            for each in range(self.binaries[number]):
                yield Package(
                    type=stack.type,
                    name=_binary(number, each),
                    version=version,
                    location=place,
                    format=stack.format,
                    arch=stack.arch,
                    source=source,
                )
                made += 1
            if made >= count:
                return

    def _language_packages(
        self, chance: Random, ecosystem: str, count: int, generation: int, layer: str
    ) -> Iterator[Package]:
        for number in _chosen(chance, LANGUAGES[ecosystem], 0, count)[:count]:
            lag = chance.expovariate(1 / LANGUAGE_LAG) + (generation * 7 + number) % 5 // 4
            name, version = f"{ecosystem}-name{number}", f"{max(1, NEWEST - int(lag))}.0"
            path = (
                f"app/site-packages/{name}-{version}.dist-info/METADATA"
                if ecosystem == "pypi"
                else f"app/node_modules/{name}/package.json"
            )
            yield Package(
                type=ecosystem,
                name=name,
                version=version,
                location=Location(path=path, layer=layer, introduced=layer),
                format="pypi.metadata" if ecosystem == "pypi" else "npm.installed",
            )

    def _drifted(self, packages: tuple[Package, ...], drift: int) -> tuple[Package, ...]:
        """Some packages of an instance were updated by hand, and one was removed."""
        chance = Random(f"{self.seed} drift {drift}")
        gone = packages[chance.randrange(len(packages))].source
        updated = {packages[chance.randrange(len(packages))].source for _ in range(5)}
        ending = packages[0].version.partition(".0")[2]
        newest = f"{NEWEST}.0{ending}"
        return tuple(
            Package(
                type=each.type,
                name=each.name,
                version=newest,
                location=each.location,
                format=each.format,
                arch=each.arch,
                source=SourcePackage(name=each.source.name, version=newest) if each.source else None,
            )
            if each.source in updated
            else each
            for each in packages
            if each.source != gone
        )

    def _family(self, golden: int) -> str:
        return _HOSTS[golden % len(_HOSTS)]

    def _base(self, repository: int) -> int:
        return repository * 31 % self._bases

    def _base_family(self, repository: int) -> str:
        return _BASES[self._base(repository) % len(_BASES)]


_FEEDS: Final = {"debian": "debian_tracker", "ubuntu": "ubuntu_tracker", "amazon": "amazon"}
_PLATFORMS: Final = {
    "debian": "DEBIAN_12",
    "ubuntu": "UBUNTU_22_04",
    "amazon": "AMAZON_LINUX_2023",
    "alpine": "ALPINE_LINUX_3_20",
}


def _binary(source: int, number: int) -> str:
    return f"source{source}-part{number}" if number else f"source{source}"


def _hash(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()


@lru_cache(maxsize=64)
def _ranked(count: int, exponent: float) -> list[float]:
    """Cumulative weights by rank (Zipf)."""
    return list(accumulate(1 / (rank + 1) ** exponent for rank in range(count)))


def _chosen(chance: Random, count: int, everywhere: int, most: int) -> list[int]:
    """The first of `count` names, and others by their rank, each once; at least `most` unless there are fewer."""
    found = dict.fromkeys(range(everywhere))
    weights = _ranked(count, ZIPF)
    while len(found) < min(most, count // 2):
        found |= dict.fromkeys(chance.choices(range(count), cum_weights=weights, k=most))
    return list(found)


def _flaws(chance: Random, names: int, exponent: float, first: int) -> list[list[Flaw]]:
    weights = list(accumulate(weight for _, _, weight in _VECTORS))
    found, number = [], first
    for _ in range(names):
        flaws = []
        for _ in range(min(MOST_FLAWS, math.floor(chance.paretovariate(exponent)))):
            number += 1
            fixed = 0 if chance.random() < NO_FIX else 2 + chance.randrange(NEWEST - 1)
            vector, word, _ = chance.choices(_VECTORS, cum_weights=weights)[0]
            flaws.append(Flaw(f"CVE-{2016 + number % 10}-{number}", fixed, vector, word))
        found.append(flaws)
    return found
