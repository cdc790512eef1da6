"""The models' expressions, in Python's words."""

import pytest

from openinspector.api.patterns import LONGEST, compiled, fits

LETTERS = r"[\p{L}\p{N}_-]+"
TAG = r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*"


@pytest.mark.parametrize(
    ("pattern", "value"),
    [
        (LETTERS, "größe_1"),
        (LETTERS, "日本語"),
        (LETTERS, "Ⅷ½"),
        (TAG, "a b\u00a0c=d"),
        (TAG, ""),
        (r"[^\p{C}]*", "any – thing 😀"),
        (r"\d{12}", "111122223333"),
        (r"(?!aws:)[a-zA-Z+-=._:/]+", "team:a"),
        (r"[\s\S]*", "a\n" * LONGEST),
        (r"[\s\S]*", ""),
    ],
)
def test_fits(pattern, value):
    assert fits(pattern, value)


@pytest.mark.parametrize(
    ("pattern", "value"),
    [
        (LETTERS, "a b"),
        (LETTERS, ""),
        (LETTERS, "a\n"),
        (TAG, "a\tb"),
        (r"[^\p{C}]*", "a\nb"),
        (r"[^\p{C}]*", "a\u200bb"),  # a format character
        (r"\d{12}", "١" * 12),  # Java's \d is ASCII
        (r"\d{12}", "111122223333\n"),
        (r"\d{12}", " 111122223333"),
        (r"[\w-]+", "é"),
        (r"(?!aws:)[a-zA-Z+-=._:/]+", "aws:team"),
        (r"[\s\S]+", ""),
        (r".*[0-9]{12}.*", "1" * (LONGEST + 1)),
    ],
)
def test_does_not_fit(pattern, value):
    assert not fits(pattern, value)


def test_an_expression_that_python_can_not_say_checks_nothing():
    assert compiled(r"[\p{Greek}]+") is None
    assert compiled(r"\p{Q}") is None
    assert fits(r"[\p{Greek}]+", "abc")
