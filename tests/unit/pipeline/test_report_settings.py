"""Who may have reports written where, in the settings."""

import pytest

from openinspector.errors import UsageError
from openinspector.pipeline.settings import ReportsSettings, load_settings


@pytest.fixture
def load(tmp_path, monkeypatch):
    def of(text):
        path = tmp_path / "settings.toml"
        path.write_text(text)
        monkeypatch.setenv("OPENINSPECTOR_SETTINGS", str(path))
        return load_settings(frozenset()).reports

    return of


def test_where_nothing_is_said_every_account_may_use_every_bucket():
    assert ReportsSettings().let("111122223333", "any")


def test_of_buckets_that_are_listed_an_account_may_use_those_that_list_it(load):
    reports = load(
        '[reports.buckets]\nours = ["111122223333"]\nshared = ["111122223333", "444455556666"]\nclosed = []\n'
    )
    found = {
        bucket: [account for account in ("111122223333", "444455556666", "") if reports.let(account, bucket)]
        for bucket in ("ours", "shared", "closed", "unlisted", "")
    }
    assert found == {
        "ours": ["111122223333"],
        "shared": ["111122223333", "444455556666"],
        "closed": [],
        "unlisted": [],
        "": [],
    }


@pytest.mark.parametrize("account", ["1", "*", "11112222333x", "1111222233334", "١" * 12])
def test_what_is_no_account_is_refused_where_it_stands(load, account):
    with pytest.raises(UsageError, match=r"settings.toml: ours of \[reports.buckets\] lists accounts of 12 digits"):
        load(f'[reports.buckets]\nours = ["{account}"]\n')
