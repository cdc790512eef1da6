"""The sinks of the settings file."""

import pytest

from openinspector.errors import UsageError
from openinspector.pipeline.settings import load_settings
from openinspector.pipeline.sinks import kinds, read_sinks

FILE = {"kind": "file", "name": "log", "path": "/var/log/events.jsonl"}


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Reads settings from a file with this text."""
    path = tmp_path / "settings.toml"
    monkeypatch.setenv("OPENINSPECTOR_SETTINGS", str(path))

    def read(text):
        path.write_text(text)
        return load_settings(frozenset())

    return read


def test_every_kind_says_what_it_takes():
    assert set(kinds()) == {"eventbridge", "file", "securityhub", "webhook"}
    for name, kind in kinds().items():
        assert kind.name == name
        assert {"kind", "name", "accounts", "events", "severities"} <= set(kind.settings.__struct_fields__)


def test_sinks_are_read_from_the_file(written):
    settings = written(
        """
        [outbox]
        keep_days = 1
        [[sinks]]
        kind = "file"
        name = "log"
        path = "/var/log/events.jsonl"
        severities = ["CRITICAL", "HIGH"]
        [[sinks]]
        kind = "webhook"
        name = "chat"
        url = "https://hooks.example/x"
        source = "ours"
        """
    )
    log, chat = read_sinks(settings.sinks)
    assert (log.kind.name, log.settings.severities, log.source) == ("file", ("CRITICAL", "HIGH"), "aws.inspector2")
    assert (chat.kind.name, chat.source) == ("webhook", "ours")
    assert settings.outbox.keep_days == 1


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('[[sinks]]\nkind = "fax"\nname = "x"', r"settings.toml: \[\[sinks\]\] number 1 \('x'\): kind is one of"),
        ("[[sinks]]\n", r"\[\[sinks\]\] number 1: kind is one of eventbridge, file, securityhub, webhook"),
        ('[[sinks]]\nkind = "file"\nname = 3\npath = "/a"', r"Expected `str`, got `int` - at `\$.name`"),
        ("[outbox]\nkeep_days = -1", "days of .outbox. are numbers"),
        ("[outbox]\nkeep_dead_days = nan", "days of .outbox. are numbers"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused_with_its_name(written, text, reason):
    with pytest.raises(UsageError, match=reason):
        written(text)


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"name": ""}, "name is of letters"),
        ({"name": "a b"}, "name is of letters"),
        ({"name": "x" * 65}, "name is of letters"),
        ({"accounts": ["1"]}, "'1' is no account"),
        ({"severities": ["BAD"]}, "Invalid enum value 'BAD'"),
        ({"events": ["findings"]}, "Invalid enum value 'findings'"),
        ({"give_up_hours": 0}, "give_up_hours"),
        ({"give_up_hours": float("nan")}, "give_up_hours"),
        ({"colour": "red"}, "unknown field `colour`"),
    ],
)
def test_common_settings_are_checked(more, reason):
    with pytest.raises(UsageError, match=reason):
        read_sinks([FILE | more])


def test_a_name_is_of_one_sink():
    with pytest.raises(UsageError, match="another sink has this name"):
        read_sinks([FILE, FILE])


def test_there_are_not_too_many():
    with pytest.raises(UsageError, match="16 at most"):
        read_sinks([FILE | {"name": f"s{number}"} for number in range(17)])
