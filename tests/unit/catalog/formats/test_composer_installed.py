"""What Composer installed."""

import json

import pytest

from openinspector.catalog.contract import File
from openinspector.catalog.formats.composer_installed import PLUGIN
from openinspector.errors import CatalogError

RECORDS = [
    {"name": "monolog/monolog", "version": "1.27.1", "version_normalized": "1.27.1.0", "license": ["MIT"]},
    {"name": "phpunit/phpunit", "version": "8.5.0", "install-path": "../phpunit/phpunit"},
]


def read(value):
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return PLUGIN.read(File(path="vendor/composer/installed.json", data=data))


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("app/vendor/composer/installed.json", True),
        ("composer/installed.json", True),
        ("app/installed.json", False),
        ("app/not-composer/installed.json", False),
    ],
)
def test_only_composer_s_own_file_is_wanted(path, wanted):
    assert PLUGIN.accepts(path) is wanted


def test_composer_1_writes_a_list():
    assert [(each.name, each.version, each.dev) for each in read(RECORDS).packages] == [
        ("monolog/monolog", "1.27.1", False),
        ("phpunit/phpunit", "8.5.0", False),
    ]


def test_composer_2_also_says_what_is_for_development():
    reading = read({"packages": RECORDS, "dev": True, "dev-package-names": ["phpunit/phpunit"]})
    assert [(each.name, each.dev) for each in reading.packages] == [
        ("monolog/monolog", False),
        ("phpunit/phpunit", True),
    ]


def test_a_package_of_the_wrong_type_costs_itself_only():
    reading = read([[], *RECORDS])
    assert len(reading.packages) == 2
    assert reading.problems[0].count == 1


@pytest.mark.parametrize("data", [b"", b"3", b'{"packages": 3}', b"[" * 200_000, b'[{"name"'])
def test_what_is_no_such_file_is_refused(data):
    with pytest.raises(CatalogError):
        read(data)
