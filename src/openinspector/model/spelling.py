"""The service's spelling of what we keep as it was found: versions in parts, Lambda runtimes, titles.

Source: the Inspector API reference (VulnerablePackage, AwsLambdaFunctionDetails) and findings as the service publishes
them.
"""

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from openinspector.model.package import OS_TYPES, Package

# `Runtime` of the service model; a runtime without a word there is unsupported.
RUNTIMES: Final = frozenset(
    """
    DOTNETCORE_3_1 DOTNET_10 DOTNET_6 DOTNET_7 DOTNET_8 GO_1_X JAVA_11 JAVA_17 JAVA_21 JAVA_25 JAVA_8 JAVA_8_AL2 NODEJS
    NODEJS_12_X NODEJS_14_X NODEJS_16_X NODEJS_18_X NODEJS_20_X NODEJS_22_X NODEJS_24_X PYTHON_3_10 PYTHON_3_11
    PYTHON_3_12 PYTHON_3_13 PYTHON_3_14 PYTHON_3_7 PYTHON_3_8 PYTHON_3_9 RUBY_2_7 RUBY_3_2 RUBY_3_3
    """.split()
)
_LONGEST_TITLE: Final = 1024
_RUNTIME: Final = re.compile(r"([a-z]+)([0-9].*)?").fullmatch


class Version(NamedTuple):
    """A distribution's version in parts: `1:2.4-3.amzn2` is epoch 1, version 2.4, release 3.amzn2."""

    epoch: int
    version: str
    release: str


def split_version(package: Package) -> Version:
    """The parts; a language package's version has but one."""
    text = package.version
    if package.type not in OS_TYPES:
        return Version(0, text, "")
    before, colon, rest = text.partition(":")
    # Nobody's epoch has more digits, and int() is slow on very long ones.
    if colon and before.isascii() and before.isdigit() and len(before) <= 9:
        epoch, text = int(before), rest
    else:
        epoch = 0
    version, _, release = text.rpartition("-")
    return Version(epoch, version, release) if version else Version(epoch, text, "")


def runtime_word(runtime: str) -> str:
    """`PYTHON_3_12` for Lambda's own `python3.12`, `UNSUPPORTED` for one that the service has no word for."""
    parts = _RUNTIME(runtime)
    if parts is None:
        return "UNSUPPORTED"
    family, version = parts.groups()
    word = f"{family}_{version.replace('.', '_')}".upper() if version else family.upper()
    return word if word in RUNTIMES else "UNSUPPORTED"


def package_title(vulnerability: str, names: Iterable[str]) -> str:
    """`CVE-2023-1 - libssl3, openssl and 2 more`, at most 1024 characters."""
    each = list(dict.fromkeys(" ".join(name.split()) for name in names))
    title = f"{vulnerability} - {', '.join(each[:2])}"
    if len(each) > 2:
        title += f" and {len(each) - 2} more"
    return title if len(title) <= _LONGEST_TITLE else title[: _LONGEST_TITLE - 1].rstrip() + "…"
