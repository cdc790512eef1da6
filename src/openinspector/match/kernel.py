"""Which packages are the kernel.

On a host only the running one counts; in an image none does, because the host's kernel runs.
"""

from openinspector.model.package import OS_TYPES, Package

# A source package builds both the kernel and packages without kernel code in them: headers, tools, documentation.
_SOURCES = ("linux", "kernel", "kernel-rt", "kernel-uek", "kernel-lt", "kernel-livepatch", "kernel-default")


def is_kernel(package: Package) -> bool:
    """Whether advisories of the kernel would be matched with this package."""
    if package.type not in OS_TYPES:
        return False
    source = package.source.name if package.source else package.name
    if package.type == "deb":
        return (
            source == "linux"
            or source.startswith(("linux-signed", "linux-meta", "linux-aws", "linux-azure", "linux-gcp"))
            or (
                source.startswith("linux-")
                and package.name.startswith(("linux-image-", "linux-modules-", "linux-headers-"))
            )
        )
    if package.type == "apk":
        return source.startswith("linux-") and source in ("linux-lts", "linux-virt", "linux-edge", "linux-rpi")
    return source in _SOURCES or source.startswith(("kernel-default", "kernel-uek", "kernel-rt"))


def is_running(package: Package, release: str) -> bool:
    """Whether this package holds the code of the kernel that runs as `release` (`uname -r`)."""
    name = package.name
    if package.type == "deb":
        return (
            name.startswith(("linux-image-", "linux-modules-"))
            and name.partition("-")[2].partition("-")[2].removeprefix("unsigned-") == release
        )
    if package.type == "apk":
        return release.startswith(package.version.replace("-r", "-")) or package.version.partition("-r")[0] in release
    if name not in _RPM_IMAGES:
        return False
    version = package.version.partition(":")[2] or package.version
    return release in (f"{version}.{package.arch}", version) or release.startswith(f"{version}.{package.arch}+")


_RPM_IMAGES = frozenset(
    "kernel kernel-core kernel-modules kernel-modules-core kernel-rt kernel-rt-core kernel-uek kernel-uek-core"
    " kernel-default kernel-64k kernel-64k-core".split()
)
