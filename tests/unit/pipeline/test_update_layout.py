"""Which documents an update fetches, and from where."""

import itertools

import pytest

from openinspector.errors import UsageError
from openinspector.pipeline.layout import chains, claimed, mirror_items, publishers_items
from openinspector.pipeline.registry import feeds
from openinspector.pipeline.settings import FeedSettings, Settings, load_settings
from openinspector.transport.manifest import is_safe

EVERY = list(feeds().values())


def items_of(name, **chosen):
    return publishers_items([feeds()[name]], Settings(feeds={name: FeedSettings(**chosen)}))


def test_every_document_of_a_publisher_has_a_place_of_its_own():
    paths = [item.source.path for item in publishers_items(EVERY, Settings())]
    assert len(paths) == len(set(paths)) > 150
    assert all(is_safe(path) and "*" not in path for path in paths)


def test_each_has_an_address_over_tls_but_the_one_that_never_had():
    plain = [
        item.source.path for item in publishers_items(EVERY, Settings()) if not item.source.url.startswith("https:")
    ]
    assert plain == ["amazon/al1/updates/updateinfo.xml.gz"]


def test_what_brings_changes_comes_after_its_archive():
    every = chains(publishers_items(EVERY, Settings()))
    assert sum(map(len, every)) == len(publishers_items(EVERY, Settings()))
    for chain in every:
        for item in chain[1:]:
            assert item.source.of == chain[0].source.path
            assert chain[0].source.days
    together = {tuple(item.source.path for item in chain) for chain in every if len(chain) > 1}
    assert ("redhat/csaf-vex/vex-archive.tar.zst", "redhat/csaf-vex/changes.tar.zst") in together


def test_no_document_belongs_to_two_feeds():
    paths = {source.path.replace("**", "a/b").replace("*", "x") for feed in EVERY for source in feed.sources}
    mine = [set(each) for each in claimed(EVERY, paths, Settings()).values()]
    assert all(not first & second for first, second in itertools.combinations(mine, 2))
    assert set().union(*mine) == paths


@pytest.mark.parametrize(
    ("path", "feed"),
    [
        ("osv/npm/all.zip", "osv"),
        ("osv/Red Hat/2024/RHSA-1.json", "osv"),
        ("osv/x.json", "osv"),
        ("amazon/al2/extras/new-topic/updateinfo.xml.gz", "amazon"),
        ("epss/epss_scores-2026-07-19.csv.gz", "epss"),
        ("alpine/secdb/v4.0/main.json", "alpine"),
        ("alpine/secdb/v4.0/x/main.json", ""),
        ("epss/epss_scores-current.csv.gz.d/x", ""),
        ("index.html", ""),
    ],
)
def test_a_path_is_claimed_as_a_folder_of_feeds_has_it(path, feed):
    assert claimed(EVERY, [path], Settings()) == ({feed: [path]} if feed else {})


def test_the_one_document_of_a_feed_has_its_url():
    (item,) = items_of("kev", url="https://intranet.example/kev.json")
    assert item.source.url == "https://intranet.example/kev.json"
    (item,) = items_of("kev", url="https://intranet.example/feeds/")
    assert item.source.url == "https://intranet.example/feeds/kev/known_exploited_vulnerabilities.json"


def test_the_documents_of_a_feed_lie_below_its_url():
    every = {item.source.path: item.source for item in items_of("osv", url="https://intranet.example/feeds")}
    assert every["osv/Red Hat/all.zip"].url == "https://intranet.example/feeds/osv/Red%20Hat/all.zip"
    assert {source.how for source in every.values()} == {"direct"}
    assert every["osv/npm/changes.zip"].optional


def test_one_document_is_moved_or_left_out():
    core = "amazon/al2/core/updateinfo.xml.gz"
    every = {
        item.source.path: item.source
        for item in items_of("amazon", documents={core: "https://intranet.example/al2.gz"}, skip=("amazon/al1/*/*",))
    }
    assert (every[core].url, every[core].how) == ("https://intranet.example/al2.gz", "direct")
    assert not any(path.startswith("amazon/al1/") for path in every)


def test_a_mirror_without_a_list_is_asked_for_every_place():
    every = mirror_items(
        [feeds()["debian_dsa"]], Settings(), "https://mirror.example/x/", {"debian/security-tracker/data/DSA/list"}
    )
    assert [item.source.url for item in every] == [
        "https://mirror.example/x/debian/security-tracker/data/DSA/list",
        "https://mirror.example/x/debian/security-tracker/data/DLA/list",
    ]
    assert [item.source.optional for item in every] == [False, True]


@pytest.fixture
def settings_file(tmp_path, monkeypatch):
    path = tmp_path / "settings.toml"
    monkeypatch.setenv("OPENINSPECTOR_SETTINGS", str(path))
    return path


def test_settings_are_read(settings_file):
    settings_file.write_text(
        '[mirror]\nurl = "https://m.example"\n[update]\nseconds = 60\n[feeds.kev]\nenabled = false\n[feeds.epss]\nurl = "https://x"\n'
    )
    settings = load_settings(frozenset({"kev", "epss"}))
    assert settings.mirror.url == "https://m.example"
    assert settings.update.seconds == 60
    assert not settings.feeds["kev"].enabled
    assert settings.feeds["epss"].url == "https://x"


@pytest.mark.parametrize(
    "text",
    [
        "[feeds.nonsense]\nenabled = false\n",
        "[feeds.kev]\nenable = false\n",
        "[feeds.kev]\nenabled = 'no'\n",
        "[feds]\n",
        "[update]\nseconds = 0\n",
        "not toml",
        "\x00",
    ],
)
def test_settings_that_nobody_understands_are_an_error(settings_file, text):
    settings_file.write_text(text)
    with pytest.raises(UsageError, match="settings.toml"):
        load_settings(frozenset({"kev"}))


def test_settings_that_are_named_must_be_there(settings_file):
    with pytest.raises(UsageError, match="OPENINSPECTOR_SETTINGS"):
        load_settings(frozenset())


def test_no_settings_are_needed(tmp_path, monkeypatch):
    monkeypatch.delenv("OPENINSPECTOR_SETTINGS", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert load_settings(frozenset()) == Settings()
