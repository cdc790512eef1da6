r"""`openinspector version-compare`: which of two versions is older, for one pair or for lines of them.

    $ openinspector version-compare deb 1.0~rc1 1.0
    -1
    $ printf 'pypi\t1.0\t1\ngem\t1\tx\n' | openinspector version-compare --stdin
    0
    error

A line is `scheme<TAB>a<TAB>b`; every line gets one answer, -1, 0, 1 or `error`, so that the output can be laid beside
the input.
"""

from io import TextIOWrapper
from typing import Final, TextIO

from openinspector.errors import UsageError, VersionError
from openinspector.versions.order import compare

SCHEMES: Final = (
    *("deb", "rpm", "apk", "npm", "cargo", "hex", "swift", "pub"),
    *("pypi", "maven", "gem", "nuget", "composer", "go", "gotoolchain"),
)

_ANSWERS = {-1: "-1\n", 0: "0\n", 1: "1\n"}
_ERROR = "error\n"


def run(scheme: str | None, a: str | None, b: str | None, *, stdin: TextIO | None, out: TextIO) -> int:
    """Answer for one pair, or for each line of `stdin` if that is given; gives the exit status.

    A line that can't be answered says `error` and the status stays 0.

    Raises:
        UsageError: Neither a pair nor `stdin`, or both, or no such scheme.
        VersionError: One of the pair can't be read; `error` is written first.
    """
    if stdin is not None:
        if scheme is not None or a is not None or b is not None:
            raise UsageError("version-compare: give either SCHEME A B or --stdin, not both")
        _answer_lines(stdin, out)
        return 0
    if scheme is None or a is None or b is None:
        raise UsageError("version-compare: give SCHEME A B, or --stdin and lines of scheme<TAB>a<TAB>b")
    if scheme not in SCHEMES:
        raise UsageError(f"version-compare: there is no scheme {scheme!r}; the schemes are: {' '.join(SCHEMES)}")
    try:
        answer = _ANSWERS[compare(scheme, a, b)]
    except VersionError:
        out.write(_ERROR)
        raise
    out.write(answer)
    return 0


def _answer_lines(stdin: TextIO, out: TextIO) -> None:
    if isinstance(stdin, TextIOWrapper):
        # Bytes that are no text must not end the run, and a carriage return within a version must not make two lines.
        stdin.reconfigure(errors="surrogateescape", newline="\n")
    write = out.write
    known = frozenset(SCHEMES)
    for line in stdin:
        scheme, _, pair = line.removesuffix("\n").removesuffix("\r").partition("\t")
        a, tab, b = pair.partition("\t")
        if scheme not in known or not tab or "\t" in b:
            write(_ERROR)
            continue
        try:
            write(_ANSWERS[compare(scheme, a, b)])
        except VersionError:
            write(_ERROR)
