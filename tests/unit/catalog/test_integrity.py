"""Subresource integrity."""

import pytest

from openinspector.catalog.integrity import digest_of


@pytest.mark.parametrize(
    ("integrity", "digest"),
    [
        ("sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=", "sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709"),
        ("sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk= sha512-AAEC", "sha512:000102"),
        ("sha512-AAEC?opt sha512-////", "sha512:000102"),
        ("md5-AAEC", ""),
        ("sha512-A", ""),
        ("sha512", "sha512:"),
        ("", ""),
        ("sha512-" + "A" * 5000, ""),
        ("sha512-\u00e4", ""),
    ],
)
def test_the_strongest_is_taken_in_hex(integrity, digest):
    assert digest_of(integrity) == digest
