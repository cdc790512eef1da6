"""One line that fixes a match, in the package manager's own words."""

import shlex

from openinspector.model.match import Match
from openinspector.model.package import OS_TYPES

_OS_COMMANDS = {
    "debian": "apt-get update && apt-get install --only-upgrade {name}",
    "ubuntu": "apt-get update && apt-get install --only-upgrade {name}",
    "alpine": "apk update && apk upgrade {name}",
    "wolfi": "apk update && apk upgrade {name}",
    "chainguard": "apk update && apk upgrade {name}",
    "sles": "zypper update {name}",
    "opensuse-leap": "zypper update {name}",
    "opensuse-tumbleweed": "zypper update {name}",
    "photon": "tdnf update {name}",
    "azurelinux": "tdnf update {name}",
    "mariner": "tdnf update {name}",
    "bottlerocket": "apiclient update apply --reboot",
}
_YUM_RELEASES = frozenset({"amazon:1", "amazon:2", "redhat:5", "redhat:6", "redhat:7", "oracle:6", "oracle:7"})

_LANGUAGE_COMMANDS = {
    "pypi": "pip install --upgrade '{name}>={fixed}'",
    "npm": "npm install {name}@{fixed}",
    "gem": "bundle update {name}  # to {fixed}",
    "cargo": "cargo update -p {name} --precise {fixed}",
    "golang": "go get {name}@v{fixed}",
    "composer": "composer require {name}:^{fixed}",
    "nuget": "dotnet add package {name} --version {fixed}",
    "maven": "set {name} to {fixed} in the build",
    "pub": "dart pub upgrade {name}  # to {fixed}",
    "hex": "mix deps.update {name}  # to {fixed}",
    "conda": "conda install '{name}>={fixed}'",
}


def remedy(match: Match) -> str:
    """The line, or "" where there is no fix."""
    if not match.fixed_version:
        return ""
    package = match.package
    namespace = match.evidence[0].namespace
    name = shlex.quote(package.name)
    if package.type in OS_TYPES:
        family = namespace.partition(":")[0]
        if any(each.repository.startswith("esm") for each in match.evidence):
            return f"pro attach && apt-get install --only-upgrade {name}"
        default = "yum update {name}" if namespace in _YUM_RELEASES else "dnf upgrade {name}"
        return _OS_COMMANDS.get(family, default).format(name=name)
    if package.type == "golang" and package.name in ("stdlib", "toolchain"):
        return f"build with go{match.fixed_version.removeprefix('go')} or newer"
    if package.type == "cocoapods":
        return f"pod update {name}"
    command = _LANGUAGE_COMMANDS.get(package.type, "upgrade {name} to {fixed}")
    return command.format(name=package.name, fixed=match.fixed_version.removeprefix("v"))
