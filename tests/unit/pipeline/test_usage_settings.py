"""The settings of usage."""

from datetime import timedelta

import pytest

from openinspector.errors import UsageError
from openinspector.model.usage import PRICES
from openinspector.pipeline.settings import load_settings


@pytest.fixture
def load(tmp_path, monkeypatch):
    def of(text):
        path = tmp_path / "settings.toml"
        path.write_text(text)
        monkeypatch.setenv("OPENINSPECTOR_SETTINGS", str(path))
        return load_settings(frozenset()).usage

    return of


def test_without_settings_prices_are_the_public_ones(load):
    assert load("").all_prices == PRICES
    assert (load("").free_trial, load("").keep_days) == (timedelta(days=15), 90)


def test_prices_of_ones_own_come_before_the_public_ones(load):
    found = load("[usage]\nprices = {EC2_INSTANCE_HOURS = 0.002, CODE_REPOSITORY_SCA = 1}\nfree_trial_days = 0\n")
    assert found.all_prices == {**PRICES, "EC2_INSTANCE_HOURS": 0.002, "CODE_REPOSITORY_SCA": 1}
    assert found.free_trial == timedelta()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("prices = {EC2 = 1}", "Invalid enum value 'EC2'"),
        ("prices = {ECR_RESCAN = -1}", "the price of ECR_RESCAN"),
        ("prices = {ECR_RESCAN = nan}", "the price of ECR_RESCAN"),
        ("prices = {ECR_RESCAN = inf}", "the price of ECR_RESCAN"),
        ("prices = {ECR_RESCAN = '1'}", "Expected `float`"),
        ("free_trial_days = -1", "free_trial_days"),
        ("keep_days = 29", "keep_days of .usage. is a number of days, 30 to 3650"),
        ("currency = 'EUR'", "unknown field `currency`"),
    ],
)
def test_settings_that_make_no_sense_are_refused(load, text, reason):
    with pytest.raises(UsageError, match=reason):
        load(f"[usage]\n{text}\n")
