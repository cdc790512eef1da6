"""Text that a PDF can show."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openinspector.render.pdf_text import font

REGULAR = font("regular")


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("plain <b>text</b> &amp; no markup", "plain <b>text</b> &amp; no markup"),
        ("Größe, naïve, 5 €", "Größe, naïve, 5 €"),
        ("e\u0301", "é"),
        ("a\tb\u00a0c  d", "a b c d"),
        ("a\r\nb\rc\u2028d\ne", "a\nb\nc\nd\ne"),
        ("NUL \0, bell \a", "NUL [U+0000], bell [U+0007]"),
        ("שלום", "[U+05E9][U+05DC][U+05D5][U+05DD]"),
        ("turned \u202e around", "turned [U+202E] around"),
        ("soft\u00adhyphen", "soft[U+00AD]hyphen"),
        ("漢 \U0001f600", "[U+6F22] [U+1F600]"),
        ("half \ud83d of a pair", "half [U+D83D] of a pair"),
        ("Ď has a place in the font's map and no picture", "[U+010E] has a place in the font's map and no picture"),
    ],
)
def test_what_the_font_lacks_is_told_by_its_number(text, drawn):
    assert REGULAR.drawable(text) == drawn


def test_both_weights_draw_the_same():
    everything = "".join(map(chr, range(0x3000)))
    assert REGULAR.drawable(everything) == font("bold").drawable(everything)


@given(st.text(st.characters(max_codepoint=0x3000)), st.floats(1_000, 60_000))
def test_lines_are_no_wider_than_asked_and_leave_nothing_out(text, width):
    drawn = REGULAR.drawable(text)
    lines = REGULAR.lines(drawn, width)
    assert all(REGULAR.width(each) <= width + 1e-6 for each in lines)
    assert "".join("".join(lines).split()) == "".join(drawn.split())


def test_a_character_wider_than_its_line_is_still_drawn():
    assert REGULAR.lines("WWW", 1) == ["W", "W", "W"]


def test_words_stay_whole_where_they_can_and_break_after_a_hyphen_where_they_cannot():
    of = REGULAR.width
    assert REGULAR.lines("one two three", of("one two")) == ["one two", "three"]
    assert REGULAR.lines("a very-long-word", of("very-long-")) == ["a", "very-long-", "word"]
    assert REGULAR.lines("xxxxxxxx", of("xxx")) == ["xxx", "xxx", "xx"]
    assert REGULAR.lines("one\n\ntwo", of("one")) == ["one", "", "two"]
