"""Sets of versions, as package managers' requirements describe them, and what is left of one without another.

Requirements are read in plain order, without a package manager's rules about pre-releases: `~> 5.2.4, >= 5.2.4.3` of
RubyGems is 5.2.4.3 up to the first pre-release of 5.3, `^8.1.4 || 9.x` of npm is 8.1.4 up to 9 and 9 up to 10.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from openinspector.errors import VersionError
from openinspector.model.advisory import Range

MAX_INTERVALS: Final = 256  # of one requirement; the longest we know has 30

_GEM: Final = re.compile(r"(~>|>=|<=|!=|=|>|<)?\s*([0-9][0-9A-Za-z.-]*)$")
_NPM: Final = re.compile(r"(\^|~>?|>=|<=|>|<|=)?\s*v?([0-9xX*][0-9A-Za-z.*+-]*)\s*")
_NPM_HYPHEN: Final = re.compile(r"\s*v?([0-9][0-9A-Za-z.+-]*)\s+-\s+v?([0-9][0-9A-Za-z.+-]*)\s*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Versions from `lo` to `hi`, "" where it is open; `after` excludes `lo` itself, `through` includes `hi`."""

    lo: str = ""
    hi: str = ""
    after: bool = False
    through: bool = False


def gem_interval(requirement: str, key: Callable[[str], bytes]) -> Interval:
    """The versions that a RubyGems requirement allows, `~> 5.2.4, >= 5.2.4.3`.

    Source: https://guides.rubygems.org/patterns/#declaring-dependencies

    Raises:
        VersionError: It is no such requirement.
    """
    whole = Interval()
    for part in requirement[:1000].split(","):
        found = _GEM.match(part.strip())
        if found is None:
            raise VersionError(f"{requirement[:100]!r} is no requirement of a gem")
        operator, version = found[1] or "=", found[2]
        if operator == "!=":
            raise VersionError(f"{requirement[:100]!r} excludes a version, which is no interval")
        at_least = operator in ("=", ">=", ">", "~>")
        at_most = operator in ("=", "<=", "<")
        one = Interval(
            lo=version if at_least else "",
            after=operator == ">",
            hi=version if at_most else _gem_bump(version) if operator == "~>" else "",
            through=operator in ("=", "<="),
        )
        whole = _narrowed(whole, one, key)
    return whole


def _gem_bump(version: str) -> str:
    """The bound of `~>`: the last number dropped and the one before raised, `5.2.4` → `5.3.a`, ahead of all 5.3."""
    numbers: list[int] = []
    for part in version.split("."):
        if not part.isdigit() or len(part) > 18:
            break
        numbers.append(int(part))
    if not numbers:
        raise VersionError(f"{version!r} begins with no number")
    if len(numbers) > 1:
        numbers.pop()
    numbers[-1] += 1
    return ".".join(str(each) for each in numbers) + ".a"


def npm_intervals(requirement: str, key: Callable[[str], bytes]) -> tuple[Interval, ...]:
    """The versions that a range of npm allows, `^8.1.4 || 9.x || >=1.7.1 <=1.8.3`.

    Source: https://github.com/npm/node-semver#ranges

    Raises:
        VersionError: It is no such range.
    """
    parts = requirement.split("||")
    if len(parts) > MAX_INTERVALS or len(requirement) > 10_000:
        raise VersionError("a range of too many parts")
    return tuple(_npm_interval(part.strip(), key) for part in parts)


def _npm_interval(text: str, key: Callable[[str], bytes]) -> Interval:
    if hyphen := _NPM_HYPHEN.match(text):
        upper = _npm_comparator("<=", hyphen[2])
        return Interval(lo=_npm_comparator(">=", hyphen[1]).lo, hi=upper.hi, through=upper.through)
    whole = Interval()
    at = 0
    text = text.replace(",", " ")
    while at < len(text):
        found = _NPM.match(text, at)
        if found is None or found.end() == at:
            raise VersionError(f"{text[:100]!r} is no range of npm")
        at = found.end()
        whole = _narrowed(whole, _npm_comparator(found[1] or "=", found[2]), key)
    return whole


def _narrowed(one: Interval, other: Interval, key: Callable[[str], bytes]) -> Interval:
    """The versions in both."""
    low, high = one, one
    if other.lo and (not one.lo or (key(other.lo), other.after) > (key(one.lo), one.after)):
        low = other
    if other.hi and (not one.hi or (key(other.hi), other.through) < (key(one.hi), one.through)):
        high = other
    return Interval(lo=low.lo, after=low.after, hi=high.hi, through=high.through)


def _npm_comparator(operator: str, version: str) -> Interval:
    """One comparator; what is left out of a version stands for everything, `8.x`, `<2`."""
    core = version.partition("+")[0].partition("-")[0]
    numbers: list[int] = []
    for part in core.split("."):
        if not part.isdigit() or len(part) > 15:
            break
        numbers.append(int(part))
    if not numbers:
        return Interval()
    if len(numbers) > 3:
        raise VersionError(f"{version[:100]!r} is no version of npm")
    partial = len(numbers) < 3
    floor = _dotted(numbers) if partial else version
    next_ = _dotted([*numbers[:-1], numbers[-1] + 1]) + "-0"
    if operator == ">=":
        return Interval(lo=floor)
    if operator == ">":
        return Interval(lo=next_.removesuffix("-0")) if partial else Interval(lo=floor, after=True)
    if operator == "<":
        return Interval(hi=f"{floor}-0" if partial else floor)
    if operator == "<=":
        return Interval(hi=next_) if partial else Interval(hi=floor, through=True)
    if operator == "^":
        return Interval(lo=floor, hi=_caret(numbers))
    if operator in ("~", "~>"):
        return Interval(lo=floor, hi=next_ if len(numbers) == 1 else _dotted([numbers[0], numbers[1] + 1]) + "-0")
    return Interval(lo=floor, hi=next_) if partial else Interval(lo=floor, hi=floor, through=True)


def _caret(numbers: list[int]) -> str:
    """The bound of `^`: the first number that is not 0 is raised."""
    for index, number in enumerate(numbers):
        if number or index == len(numbers) - 1:
            return _dotted([*numbers[:index], number + 1]) + "-0"
    raise AssertionError("a version without numbers")


def _dotted(numbers: Sequence[int]) -> str:
    return ".".join(str(each) for each in (*numbers, 0, 0)[:3])


# A place between versions: before all (0) or after all (2), or (1) by a version's key and whether just after it.
_Place = tuple[int, bytes, int]


def without(
    affected: Sequence[Interval], safe: Sequence[Interval], key: Callable[[str], bytes]
) -> tuple[Range, ...] | None:
    """The ranges of `affected` that are not in `safe`; None where nothing is left.

    Raises:
        VersionError: A bound is no version, or there are too many.
    """
    if len(affected) + len(safe) > MAX_INTERVALS:
        raise VersionError("too many intervals")
    texts: dict[_Place, str] = {}

    def places(interval: Interval) -> tuple[_Place, _Place]:
        low: _Place = (1, key(interval.lo), int(interval.after)) if interval.lo else (0, b"", 0)
        high: _Place = (1, key(interval.hi), int(interval.through)) if interval.hi else (2, b"", 0)
        texts.setdefault(low, interval.lo)
        texts.setdefault(high, interval.hi)
        return low, high

    holes = _merged([places(each) for each in safe])
    left: list[Range] = []
    for start, end in _merged([places(each) for each in affected]):
        low = start
        for hole_low, hole_high in holes:
            if hole_high <= low or hole_low >= end:
                continue
            if hole_low > low:
                left.append(_range(low, hole_low, texts))
            low = hole_high
        if low < end:
            left.append(_range(low, end, texts))
    return tuple(left) or None


def _merged(intervals: list[tuple[_Place, _Place]]) -> list[tuple[_Place, _Place]]:
    merged: list[tuple[_Place, _Place]] = []
    for low, high in sorted(each for each in intervals if each[0] < each[1]):
        if merged and low <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return merged


def _range(low: _Place, high: _Place, texts: dict[_Place, str]) -> Range:
    return Range(
        introduced="" if low[2] else texts[low],
        after=texts[low] if low[2] else "",
        fixed="" if high[2] else texts[high],
        last_affected=texts[high] if high[2] else "",
    )
