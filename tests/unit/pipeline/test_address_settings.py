"""The addresses in the settings."""

import pytest

from openinspector.errors import UsageError
from openinspector.pipeline.settings import load_settings


@pytest.fixture
def load(tmp_path, monkeypatch):
    def of(text):
        path = tmp_path / "settings.toml"
        path.write_text(text)
        monkeypatch.setenv("OPENINSPECTOR_SETTINGS", str(path))
        return load_settings(frozenset())

    return of


@pytest.mark.parametrize(
    ("table", "key"), [("aws", "endpoint_url"), ("organization", "endpoint_url"), ("traces", "endpoint")]
)
@pytest.mark.parametrize("address", ["aws.example", "ftp://aws.example", "https://", "http://[::1", "http://a:99999"])
def test_what_is_no_address_is_refused_where_it_stands(load, table, key, address):
    with pytest.raises(UsageError, match=rf"settings.toml: {key} of \[{table}\] is an address that begins with https"):
        load(f'[{table}]\n{key} = "{address}"\n')


@pytest.mark.parametrize("address", ["", "https://aws.example", "http://127.0.0.1:5000", "http://[::1]:5000/"])
def test_addresses_of_the_web_are_taken(load, address):
    assert load(f'[aws]\nendpoint_url = "{address}"\n').aws.endpoint_url == address
