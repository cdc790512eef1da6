"""CIS benchmarks: the operating systems that there is one for.

Source: Inspector's user guide, "CIS scans" (supported operating systems).
"""

from typing import Final

# By the word for the platform (`render.inspector_words.platform`), without its minor release: the benchmark's version.
BENCHMARKS: Final = {
    "AMAZON_LINUX_2023": "1.0.0",
    "RHEL_8": "4.0.0",
    "RHEL_9": "2.0.0",
    "ROCKY_LINUX_8": "3.0.0",
    "ROCKY_LINUX_9": "2.0.0",
    "SUSE_SERVER_15": "2.0.1",
    "UBUNTU_20_04": "3.0.0",
    "UBUNTU_22_04": "3.0.0",
    "UBUNTU_24_04": "2.0.0",
    "WINDOWS_SERVER_2016": "4.0.0",
    "WINDOWS_SERVER_2019": "5.0.0",
    "WINDOWS_SERVER_2022": "5.0.0",
    "WINDOWS_SERVER_2025": "2.0.0",
}


def benchmark_of(platform: str) -> str:
    """The version of the benchmark for a platform, `SUSE_SERVER_15_5`; "" where there is none."""
    return next((version for name, version in BENCHMARKS.items() if f"{platform}_".startswith(f"{name}_")), "")
