"""A prefix as a range is a prefix, to the end of Unicode."""

import pytest
from sqlalchemy import ARRAY, Text, bindparam, cast, func, select

from openinspector.model.criteria import StringFilter
from openinspector.store.criteria import named_texts
from openinspector.store.tables import WORD

TEXTS = [
    *("", "a", "ab", "abc", "b", "A", "a%", "a_", "a/b", "á", "a\ud7ff", "a\ud7ffx", "a\ue000", "\ud7ff", "\ue000"),
    *("a\U0010ffff", "a\U0010ffffb", "\U0010ffff", "\U0010ffff\U0010ffff", "b\U0010fffe", "b\U0010ffff"),
]


@pytest.mark.parametrize("prefix", [each for each in TEXTS if each])
def test_a_prefix_finds_what_starts_with_it(database, prefix):
    values = cast(bindparam("values", TEXTS, type_=ARRAY(Text)), ARRAY(Text))
    rows = func.unnest(values).table_valued("value", name="rows").render_derived()
    value = cast(rows.c.value, WORD)
    entry = StringFilter(comparison="PREFIX", value=prefix)
    with database.system() as connection:
        found = connection.execute(select(value).select_from(rows).where(named_texts(value, entry))).scalars().all()
    assert sorted(found) == sorted(each for each in TEXTS if each.startswith(prefix))
