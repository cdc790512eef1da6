"""Subresource integrity, as npm's kin write it, in the words of `Package.digest`.

Source: https://www.w3.org/TR/SRI/#the-integrity-attribute
"""

from binascii import Error, a2b_base64

_STRONGEST_FIRST = ("sha512", "sha384", "sha256", "sha1")
_MAX_LENGTH = 1000


def digest_of(integrity: str) -> str:
    """`sha512:<hex>` for `sha512-<base64>`, the strongest of several; "" for what is none."""
    if not integrity or len(integrity) > _MAX_LENGTH:
        return ""
    if " " not in integrity:
        algorithm, _, value = integrity.partition("-")
        return _hex(algorithm, value) if algorithm in _STRONGEST_FIRST else ""
    known = dict(each.partition("-")[::2] for each in reversed(integrity.split()))
    return next((_hex(each, known[each]) for each in _STRONGEST_FIRST if each in known), "")


def _hex(algorithm: str, value: str) -> str:
    try:
        # Options may follow a question mark.
        return f"{algorithm}:{a2b_base64(value.partition('?')[0]).hex()}"
    except (Error, ValueError):
        return ""
