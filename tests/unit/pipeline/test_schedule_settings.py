"""How often the service brings its advisories up to date, as the settings say it."""

from datetime import timedelta

import pytest

from openinspector.errors import UsageError
from openinspector.pipeline.settings import ScheduleSettings, load_settings


@pytest.mark.parametrize(
    ("told", "period"),
    [
        ("", None),
        ("10m", timedelta(minutes=10)),
        ("6h", timedelta(hours=6)),
        ("1d", timedelta(days=1)),
        ("9999d", timedelta(days=9999)),
    ],
)
def test_a_period_is_a_number_and_a_unit(told, period):
    assert ScheduleSettings(update=told).update_period == period


@pytest.mark.parametrize("told", ["9m", "0h", "6", "h", "6H", "6 h", "-6h", "1w", "10000d", "٣h", "6h\n"])
def test_anything_else_is_refused_with_where_it_stands(told, tmp_path, monkeypatch):
    path = tmp_path / "settings.toml"
    escaped = told.replace("\n", "\\n")
    path.write_text(f'[schedule]\nupdate = "{escaped}"\n')
    monkeypatch.setenv("OPENINSPECTOR_SETTINGS", str(path))
    with pytest.raises(UsageError, match=r"settings\.toml: update of \[schedule\]"):
        load_settings(frozenset())


@pytest.mark.parametrize("told", ["[schedule]\nupdate = " + "9" * 5000, "a = " + "[" * 100_000, "a = 1\na = 2", "\0"])
def test_what_is_no_toml_is_said_with_its_path(told, tmp_path, monkeypatch):
    path = tmp_path / "settings.toml"
    path.write_text(told)
    monkeypatch.setenv("OPENINSPECTOR_SETTINGS", str(path))
    with pytest.raises(UsageError, match=r"settings\.toml: "):
        load_settings(frozenset())
