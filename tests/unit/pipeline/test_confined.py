"""The bounds of children are settings."""

import pytest

from openinspector.errors import UsageError
from openinspector.pipeline.settings import ConfinedSettings, load_settings


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """The settings that a text says."""
    path = tmp_path / "settings.toml"
    monkeypatch.setenv("OPENINSPECTOR_SETTINGS", str(path))

    def of(text):
        path.write_text(text)
        return load_settings(frozenset())

    return of


def test_bounds_can_be_set(settings):
    assert settings("").confined == ConfinedSettings()
    told = settings("[confined]\nchildren = 3\nmemory = 2147483648\ncpu = 5\nseconds = 7.5\nwait = 1\n").confined
    assert told == ConfinedSettings(children=3, memory=2 << 30, cpu=5, seconds=7.5, wait=1)


@pytest.mark.parametrize(
    "line",
    [
        "children = -1",
        "memory = 0",
        "memory = 16777215",
        "cpu = -2",
        "seconds = 0",
        "wait = 0",
        "other = 1",
        'cpu = "x"',
    ],
)
def test_bounds_that_make_no_sense_are_refused(settings, line):
    with pytest.raises(UsageError, match=r"settings\.toml"):
        settings(f"[confined]\n{line}\n")
