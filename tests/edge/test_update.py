"""`db update` against publishers and mirrors that a web server on loopback plays."""

import gzip
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import zipfile

import pytest
import zstandard
from tests.edge.document_server import DocumentServer

from openinspector.acquire.contract import no_progress
from openinspector.errors import FeedError, UsageError
from openinspector.pipeline import update as module
from openinspector.pipeline.mirror import Mirror, sign_folder
from openinspector.pipeline.registry import feeds
from openinspector.pipeline.settings import FeedSettings, Settings, UpdateSettings
from openinspector.pipeline.update import Request, update
from openinspector.store.advisories import AdvisoryFile
from openinspector.transport import fetch
from openinspector.transport.manifest import create_key, load_public

# A build starts processes beside the server's thread, which they don't use.
pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")

KEV, PHOTON5, PHOTON4 = (
    "kev/known_exploited_vulnerabilities.json",
    "photon/cve_data_photon5.0.json",
    "photon/cve_data_photon4.0.json",
)


def kev(*cves):
    return json.dumps({"vulnerabilities": [{"cveID": cve, "dateAdded": "2026-01-31"} for cve in cves]}).encode()


def photon(cve, fixed="1.0-1.ph5"):
    return json.dumps([{"cve_id": cve, "pkg": "zlib", "res_ver": fixed}]).encode()


def updateinfo(number):
    return gzip.compress(
        f"""<updates><update status="final" type="security" version="1.4"><id>ALAS2-2026-{number}</id>
        <title>t</title><issued date="2026-01-31 00:00"/><severity>important</severity>
        <references><reference href="x" id="CVE-2026-{number:04}" type="cve"/></references>
        <pkglist><collection short="s"><name>n</name>
        <package arch="x86_64" epoch="0" name="zlib" release="1.amzn2" version="2"><filename>f</filename></package>
        </collection></pkglist></update></updates>""".encode(),
        mtime=0,
    )


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(fetch, "_PAUSE", 0.0)
    monkeypatch.setattr("openinspector.transport.http._FIRST_PAUSE", 0.0)
    with DocumentServer() as running:
        yield running


@pytest.fixture
def settings(server):
    """Settings that leave on only the feeds that are named, as the server has them below its root."""

    def make(*names, **update_settings):
        off = {name: FeedSettings(enabled=False) for name in feeds()}
        on = {name: FeedSettings(url=f"{server.url}/") for name in names}
        return Settings(feeds=off | on, update=UpdateSettings(**update_settings))

    return make


@pytest.fixture
def run(tmp_path, settings):
    def run(chosen=None, **more):
        request = Request(
            documents=tmp_path / "documents",
            output=tmp_path / "advisories.sqlite",
            cache=tmp_path / "cache",
            settings=chosen or settings("kev", "photon"),
            **more,
        )
        return update(request, no_progress)

    return run


@pytest.fixture
def advisories(tmp_path):
    def read():
        present = AdvisoryFile(tmp_path / "advisories.sqlite")
        states = {feed["name"]: feed for feed in present.feeds()}
        known = {
            cve
            for cve in (f"CVE-2026-{number:04}" for number in range(10))
            if present.advisories_of(cve) or present.kev(cve)
        }
        present.close()
        return states, known

    return read


def test_what_changed_is_fetched_and_compiled(server, run, advisories, tmp_path):
    server.documents |= {f"/{KEV}": kev("CVE-2026-0001"), f"/{PHOTON5}": photon("CVE-2026-0002")}
    first = run()
    assert (first.fresh, first.unchanged) == (2, 0)
    assert (tmp_path / "documents" / PHOTON5).read_bytes() == photon("CVE-2026-0002")
    states, known = advisories()
    assert known == {"CVE-2026-0001", "CVE-2026-0002"}
    assert {name: each["status"] for name, each in states.items()} == {"kev": "current", "photon": "current"}
    server.documents[f"/{PHOTON5}"] = photon("CVE-2026-0003")
    second = run()
    assert (second.fresh, second.unchanged) == (1, 1)
    assert server.statuses_of(f"/{KEV}") == [200, 304]
    assert advisories()[1] == {"CVE-2026-0001", "CVE-2026-0003"}


def test_when_nothing_changed_nothing_is_read_or_compiled_again(server, run, advisories, tmp_path, monkeypatch):
    server.documents[f"/{KEV}"] = kev("CVE-2026-0001")
    first = run()
    before = advisories()[0]["kev"]

    def refuse(*_):
        raise AssertionError("read or compiled again")

    monkeypatch.setattr("openinspector.pipeline.build.make_part", refuse)
    monkeypatch.setattr("openinspector.pipeline.build.compile_parts", refuse)
    monkeypatch.setattr("openinspector.pipeline.build.timestamp", lambda: "2999-01-01T00:00:00Z")
    monkeypatch.setattr(module, "timestamp", lambda: "2999-01-01T00:00:00Z")
    second = run()
    assert (second.fresh, second.unchanged) == (0, 1)
    assert second.built.digest == first.built.digest
    after = advisories()[0]["kev"]
    assert after["fetched"] == "2999-01-01T00:00:00Z" > before["fetched"]
    assert after["digest"] == before["digest"]


def test_a_transfer_that_broke_is_gone_on_with_in_the_next_update(server, run, advisories, tmp_path, monkeypatch):
    server.documents |= {f"/{KEV}": kev("CVE-2026-0001"), f"/{PHOTON5}": photon("CVE-2026-0002") + b" " * 50_000}
    server.breaks[f"/{PHOTON5}"] = 20_000
    with monkeypatch.context() as patch:
        patch.setattr(fetch, "_ATTEMPTS", 1)
        run()
    states, known = advisories()
    assert states["photon"]["status"] == "failed"
    assert "kept to go on from" in states["photon"]["reason"]
    assert known == {"CVE-2026-0001"}
    assert not (tmp_path / "documents" / PHOTON5).exists()
    run()
    assert server.statuses_of(f"/{PHOTON5}") == [200, 206]
    assert advisories()[1] == {"CVE-2026-0001", "CVE-2026-0002"}


def test_a_feed_that_fails_keeps_its_advisories_and_says_so(server, run, advisories):
    server.documents |= {f"/{KEV}": kev("CVE-2026-0001"), f"/{PHOTON5}": photon("CVE-2026-0002")}
    run()
    before = advisories()[0]["photon"]
    server.statuses[f"/{PHOTON5}"] = 401
    server.documents[f"/{KEV}"] = kev("CVE-2026-0003")
    done = run()
    states, known = advisories()
    assert known == {"CVE-2026-0002", "CVE-2026-0003"}
    assert states["photon"]["status"] == "previous"
    assert "answers 401" in states["photon"]["reason"]
    assert states["photon"]["fetched"] == before["fetched"]
    assert states["kev"]["status"] == "current"
    assert [each.name for each in done.built.feeds if each.status != "current"] == ["photon"]


def test_a_document_that_is_no_longer_served_stays_in_force_and_is_told(server, run, settings, advisories):
    server.documents |= {f"/{KEV}": kev("CVE-2026-0001"), "/debian/tracker.json": b'{"zlib": {"CVE-2026-0002": {}}}'}
    run(settings("kev", "debian_tracker"))
    del server.documents["/debian/tracker.json"]
    run(settings("kev", "debian_tracker"))
    assert advisories()[0]["debian_tracker"]["status"] == "previous"


def test_a_document_that_makes_no_sense_leaves_the_one_before_in_force(server, run, advisories):
    server.documents |= {f"/{KEV}": kev("CVE-2026-0001"), f"/{PHOTON5}": photon("CVE-2026-0002")}
    run()
    server.documents[f"/{PHOTON5}"] = b"<html>Sorry</html>"
    run()
    states, known = advisories()
    assert states["photon"]["status"] == "previous"
    assert known == {"CVE-2026-0001", "CVE-2026-0002"}


def test_when_everything_fails_the_file_stays_untouched(server, run, advisories, tmp_path):
    server.documents[f"/{KEV}"] = kev("CVE-2026-0001")
    run()
    before = (tmp_path / "advisories.sqlite").stat()
    server.statuses |= {f"/{KEV}": 500}
    with pytest.raises(FeedError, match="no document could be fetched"):
        run()
    after = (tmp_path / "advisories.sqlite").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_document_that_is_too_large_is_not_taken(server, run, settings, advisories, tmp_path):
    server.documents |= {f"/{KEV}": kev("CVE-2026-0001"), f"/{PHOTON5}": photon("CVE-2026-0002") + b" " * 5000}
    run(settings("kev", "photon", largest_document=1000))
    states, known = advisories()
    assert "more than the 1,000 that are allowed" in states["photon"]["reason"]
    assert known == {"CVE-2026-0001"}
    assert not (tmp_path / "documents" / PHOTON5).exists()


def test_a_redirect_to_a_metadata_address_is_not_followed(server, run, advisories):
    server.documents[f"/{KEV}"] = kev("CVE-2026-0001")
    server.redirects[f"/{PHOTON5}"] = "http://169.254.169.254/latest/meta-data/"
    run()
    assert "169.254.169.254" in advisories()[0]["photon"]["reason"]


def test_only_the_named_feeds_are_fetched_and_the_others_stay(server, run, advisories):
    server.documents |= {f"/{KEV}": kev("CVE-2026-0001"), f"/{PHOTON5}": photon("CVE-2026-0002")}
    run()
    server.documents |= {f"/{KEV}": kev("CVE-2026-0003"), f"/{PHOTON5}": photon("CVE-2026-0004")}
    run(only=("kev",))
    assert advisories()[1] == {"CVE-2026-0003", "CVE-2026-0002"}
    with pytest.raises(UsageError, match="no feed 'nonsense'"):
        run(only=("nonsense",))
    with pytest.raises(UsageError, match="switch the feed 'epss' off"):
        run(only=("epss",))


def test_a_feed_that_is_switched_off_is_left_out(server, run, settings, advisories):
    server.documents |= {f"/{KEV}": kev("CVE-2026-0001"), f"/{PHOTON5}": photon("CVE-2026-0002")}
    run()
    run(settings("kev"))
    assert advisories()[1] == {"CVE-2026-0001"}


def test_a_mirror_that_has_lost_a_document_is_told(server, run, advisories):
    server.documents |= {f"/{KEV}": kev("CVE-2026-0001"), f"/{PHOTON5}": photon("CVE-2026-0002")}
    run(mirror=Mirror(where=server.url))
    del server.documents[f"/{PHOTON5}"]
    run(mirror=Mirror(where=server.url))
    states, known = advisories()
    assert states["photon"]["status"] == "previous"
    assert known == {"CVE-2026-0001", "CVE-2026-0002"}


def test_no_password_of_an_address_is_told_or_kept(server, run, settings, advisories, tmp_path):
    server.documents[f"/{KEV}"] = kev("CVE-2026-0001")
    secret = server.url.replace("//", "//ann:s3cret@") + "/"
    on = {"kev": FeedSettings(url=secret), "epss": FeedSettings(url=secret)}
    run(Settings(feeds={**settings().feeds, **on}))
    assert advisories()[0]["epss"]["status"] == "failed"
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"s3cret" not in kept
    assert server.headers_of(f"/{KEV}")["authorization"].startswith("Basic ")


def test_what_was_put_in_by_hand_is_compiled_too_and_what_nobody_names_any_more_goes(server, run, advisories, tmp_path):
    server.documents |= {f"/{KEV}": kev("CVE-2026-0001"), f"/{PHOTON5}": photon("CVE-2026-0002")}
    run(mirror=Mirror(where=server.url))
    hand = tmp_path / "documents" / "photon" / "cve_data_photon9.0.json"
    hand.write_bytes(photon("CVE-2026-0003"))
    run(mirror=Mirror(where=server.url))
    assert advisories()[1] == {"CVE-2026-0001", "CVE-2026-0002", "CVE-2026-0003"}
    folder = tmp_path / "mirror"
    (folder / "photon").mkdir(parents=True)
    (folder / PHOTON4).write_bytes(photon("CVE-2026-0004"))
    run(mirror=Mirror(where=str(folder)))
    states, known = advisories()
    assert known == {"CVE-2026-0001", "CVE-2026-0003", "CVE-2026-0004"}
    assert states["kev"]["status"] == "previous"  # the folder has none of it


def test_another_update_of_the_same_folder_has_to_wait(server, run, monkeypatch):
    server.documents[f"/{KEV}"] = kev("CVE-2026-0001")

    def meanwhile(*_):
        with pytest.raises(FeedError, match="another update"):
            run()
        raise FeedError("enough")

    monkeypatch.setattr(module, "_bring", meanwhile)
    with pytest.raises(FeedError, match="enough"):
        run()


# yum repositories


@pytest.fixture
def amazon(server, settings):
    core = "amazon/al2/core/updateinfo.xml.gz"
    source = next(source for source in feeds()["amazon"].sources if source.path == core)
    skipped = tuple(source.path for source in feeds()["amazon"].sources if source.url and source.path != core)
    assert source.how == "yum-mirrorlist"

    def publish(number, checksum=None):
        data = updateinfo(number)
        digest = checksum or hashlib.sha256(data).hexdigest()
        server.documents["/mirror.list"] = f"{server.url}/down\n{server.url}/repo\n".encode()
        server.documents["/repo/repodata/repomd.xml"] = (
            '<repomd xmlns="http://linux.duke.edu/metadata/repo"><data type="updateinfo">'
            f'<checksum type="sha256">{digest}</checksum><location href="repodata/{digest[:9]}-updateinfo.xml.gz"/>'
            f"<size>{len(data)}</size></data></repomd>"
        ).encode()
        server.documents[f"/repo/repodata/{digest[:9]}-updateinfo.xml.gz"] = data
        server.statuses["/down/repodata/repomd.xml"] = 500
        return settings("kev"), skipped

    return publish


def test_a_list_of_mirrors_leads_to_the_update_information(server, run, amazon, advisories, monkeypatch, tmp_path):
    chosen, skipped = amazon(1)
    moved = [
        (source.__class__(path=source.path, url=f"{server.url}/mirror.list", how=source.how) if source.url else source)
        for source in feeds()["amazon"].sources
        if source.path not in skipped
    ]
    monkeypatch.setattr(type(feeds()["amazon"]), "sources", tuple(moved))
    chosen = Settings(feeds={**chosen.feeds, "amazon": FeedSettings()})
    server.documents[f"/{KEV}"] = kev()
    run(chosen)
    states, known = advisories()
    assert known == {"CVE-2026-0001"}
    assert states["amazon"]["status"] == "current"
    assert (tmp_path / "documents/amazon/al2/core/updateinfo.xml.gz").read_bytes() == updateinfo(1)

    asked = len(server.requests)
    assert run(chosen).unchanged == 2
    assert not any("updateinfo" in path for path, _, _ in server.requests[asked:])

    amazon(2)
    assert run(chosen).fresh == 1
    assert advisories()[1] == {"CVE-2026-0002"}

    amazon(3, checksum="0" * 64)
    run(chosen)
    states, known = advisories()
    assert states["amazon"]["status"] == "previous"
    assert "not what was vouched for" in states["amazon"]["reason"]
    assert known == {"CVE-2026-0002"}


# Changes since an archive


def vex(cve, day, package):
    return json.dumps(
        {
            "document": {
                "tracking": {"id": cve, "status": "final", "current_release_date": f"{day}T00:00:00Z"},
                "title": package,
            },
            "product_tree": {},
            "vulnerabilities": [{"cve": cve}],
        }
    ).encode()


def archive(documents):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, data in documents.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return zstandard.ZstdCompressor().compress(out.getvalue())


@pytest.fixture
def red_hat(server, monkeypatch, settings):
    moved = [
        source.__class__(
            path=source.path,
            url=f"{server.url}/{source.url.rpartition('/')[2]}",
            how=source.how,
            of=source.of,
            days=source.days,
        )
        for source in feeds()["redhat-vex"].sources
        if source.url
    ]
    monkeypatch.setattr(type(feeds()["redhat-vex"]), "sources", tuple(moved))
    one, two = "2026/cve-2026-0001.json", "2026/cve-2026-0002.json"
    server.documents |= {
        "/archive_latest.txt": b"csaf_vex_2023-11-14.tar.zst\n",
        "/csaf_vex_2023-11-14.tar.zst": archive({one: vex("CVE-2026-0001", "2023-11-01", "old")}),
        f"/{one}": vex("CVE-2026-0001", "2023-11-20", "new"),
        f"/{two}": vex("CVE-2026-0002", "2023-11-20", "two"),
        "/changes.csv": (
            f'"{one}","2023-11-20T00:00:00+00:00"\n"2020/cve-2020-1.json","2020-01-01T00:00:00+00:00"\n'.encode()
        ),
        "/deletions.csv": b"",
    }
    return Settings(feeds={**settings().feeds, "redhat-vex": FeedSettings()})


def titles(tmp_path):
    present = AdvisoryFile(tmp_path / "advisories.sqlite")
    found = {
        cve: [advisory.title for _, advisory in present.advisories_of(cve)]
        for cve in ("CVE-2026-0001", "CVE-2026-0002")
    }
    present.close()
    return found


def test_what_changed_since_an_archive_is_fetched_singly_and_once(server, run, red_hat, tmp_path):
    run(red_hat)
    assert titles(tmp_path) == {"CVE-2026-0001": ["new"], "CVE-2026-0002": []}
    server.documents["/changes.csv"] = (
        b'"2026/cve-2026-0002.json","2023-11-21T00:00:00+00:00"\n"2026/cve-2026-0001.json","2023-11-20T00:00:00+00:00"\n'
        b'"2026/cve-2026-0009.json","2023-11-20T00:00:00+00:00"\n'  # listed, but gone
    )
    run(red_hat)
    assert titles(tmp_path) == {"CVE-2026-0001": ["new"], "CVE-2026-0002": ["two"]}
    assert server.statuses_of("/csaf_vex_2023-11-14.tar.zst") == [200]  # young enough
    assert server.statuses_of("/2026/cve-2026-0001.json") == [200]
    assert server.statuses_of("/2026/cve-2026-0009.json") == [404]
    assert run(red_hat).fresh == 0
    assert server.statuses_of("/changes.csv") == [200, 200, 304]


def test_a_deleted_document_is_no_longer_in_force(server, run, red_hat, tmp_path):
    server.documents["/changes.csv"] = b""
    server.documents["/deletions.csv"] = b'"2026/cve-2026-0001.json","2023-11-21T00:00:00+00:00"\n'
    run(red_hat)
    assert titles(tmp_path)["CVE-2026-0001"] == []


def test_a_changed_document_that_fails_is_told_and_asked_for_again(server, run, red_hat, tmp_path, advisories):
    server.statuses["/2026/cve-2026-0001.json"] = 403
    run(red_hat)
    assert titles(tmp_path)["CVE-2026-0001"] == ["old"]
    assert "1 of 1 changed documents can't be had" in advisories()[0]["redhat-vex"]["reason"]
    server.statuses.clear()
    run(red_hat)
    assert titles(tmp_path)["CVE-2026-0001"] == ["new"]
    assert advisories()[0]["redhat-vex"]["status"] == "current"


def test_too_many_changes_ask_for_a_new_archive(server, run, red_hat, tmp_path, advisories, monkeypatch):
    run(red_hat)
    monkeypatch.setattr("openinspector.pipeline.changes._MOST_CHANGES", 0)
    newer = archive({"2026/cve-2026-0002.json": vex("CVE-2026-0002", "2023-12-01", "anew")})
    server.documents |= {"/archive_latest.txt": b"csaf_vex_2023-12-01.tar.zst", "/csaf_vex_2023-12-01.tar.zst": newer}
    server.modified += 30 * 86_400
    server.documents["/changes.csv"] += b'"2026/cve-2026-0002.json","2023-12-01T00:00:00+00:00"\n'
    run(red_hat)
    assert titles(tmp_path) == {"CVE-2026-0001": [], "CVE-2026-0002": ["anew"]}
    server.documents["/changes.csv"] += b'"2026/cve-2026-0002.json","2026-12-01T00:00:00+00:00"\n'
    run(red_hat)
    assert "more than the 0 that are fetched singly" in advisories()[0]["redhat-vex"]["reason"]


def test_the_changes_of_osv_are_packed_as_its_archives_are(server, run, settings, monkeypatch, tmp_path):
    moved = [
        source.__class__(
            path=source.path,
            url=f"{server.url}/{source.url.rpartition('/')[2]}",
            how=source.how,
            of=source.of,
            days=source.days,
        )
        for source in feeds()["osv"].sources
        if source.path.startswith("osv/PyPI/")
    ]
    monkeypatch.setattr(type(feeds()["osv"]), "sources", tuple(moved))

    def record(day, fixed):
        return json.dumps(
            {
                "id": "PYSEC-2026-1",
                "aliases": ["CVE-2026-0001"],
                "modified": f"{day}T00:00:00Z",
                "summary": fixed,
                "affected": [
                    {
                        "package": {"ecosystem": "PyPI", "name": "a"},
                        "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": fixed}]}],
                    }
                ],
            }
        ).encode()

    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr("PYSEC-2026-1.json", record("2023-11-01", "1"))
    server.documents |= {
        "/all.zip": out.getvalue(),
        "/modified_id.csv": b"2023-11-20T00:00:00Z,PYSEC-2026-1\n",
        "/PYSEC-2026-1.json": record("2023-11-20", "2"),
    }
    run(Settings(feeds={**settings().feeds, "osv": FeedSettings()}))
    with zipfile.ZipFile(tmp_path / "documents/osv/PyPI/changes.zip") as changes:
        assert changes.namelist() == ["PYSEC-2026-1.json"]
    assert titles(tmp_path)["CVE-2026-0001"] == ["2"]


# Mirrors


@pytest.fixture
def mirror(tmp_path):
    """A folder that is signed, and its public key."""
    folder = tmp_path / "mirror"
    (folder / "kev").mkdir(parents=True)
    (folder / "photon").mkdir()
    (folder / KEV).write_bytes(kev("CVE-2026-0001"))
    (folder / PHOTON5).write_bytes(photon("CVE-2026-0002"))
    (folder / "INDEX.md").write_text("no document of a feed")
    key = load_public(create_key(tmp_path / "key"))
    sign_folder(folder, tmp_path / "key", None, feeds().values())
    return folder, key, tmp_path / "key"


def serve(server, folder):
    server.documents = {
        f"/{path.relative_to(folder)}": path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_from_a_signed_mirror_only_what_changed_is_fetched(server, run, mirror, advisories):
    folder, key, private = mirror
    serve(server, folder)
    first = run(mirror=Mirror(where=server.url, key=key))
    assert (first.fresh, first.version) == (2, 1)
    assert advisories()[1] == {"CVE-2026-0001", "CVE-2026-0002"}
    (folder / KEV).write_bytes(kev("CVE-2026-0003"))
    assert sign_folder(folder, private, None, feeds().values()).version == 2
    serve(server, folder)
    second = run(mirror=Mirror(where=server.url, key=key))
    assert (second.fresh, second.unchanged, second.version) == (1, 1, 2)
    assert server.statuses_of(f"/{PHOTON5}") == [200]
    assert advisories()[1] == {"CVE-2026-0003", "CVE-2026-0002"}


def test_a_manifest_that_was_changed_is_refused(server, run, mirror, tmp_path, monkeypatch):
    folder, key, _ = mirror
    monkeypatch.setattr("openinspector.pipeline.mirror._PAUSE", 0.0)
    serve(server, folder)
    server.documents["/manifest.json"] = server.documents["/manifest.json"].replace(b"2026", b"2027", 1)
    with pytest.raises(FeedError, match="not that of the mirror's key"):
        run(mirror=Mirror(where=server.url, key=key))
    assert not (tmp_path / "advisories.sqlite").exists()
    for name in ("/manifest.json.sig", "/manifest.json"):
        del server.documents[name]
        with pytest.raises(FeedError, match=f"has no {name[1:]}"):
            run(mirror=Mirror(where=server.url, key=key))


def test_a_document_other_than_the_signed_one_is_refused(server, run, mirror, advisories):
    folder, key, _ = mirror
    serve(server, folder)
    server.documents[f"/{PHOTON5}"] = photon("CVE-2026-0009")
    run(mirror=Mirror(where=server.url, key=key))
    states, known = advisories()
    assert known == {"CVE-2026-0001"}
    assert "vouched for" in states["photon"]["reason"]
    (folder / PHOTON5).write_bytes(photon("CVE-2026-0008"))
    run(mirror=Mirror(where=str(folder), key=key))
    states, known = advisories()
    assert known == {"CVE-2026-0001"}
    assert "not what the manifest says" in states["photon"]["reason"]


def test_an_older_version_is_refused_and_two_of_one_too(server, run, mirror, advisories):
    folder, key, private = mirror
    sign_folder(folder, private, 5, feeds().values())
    run(mirror=Mirror(where=str(folder), key=key))
    (folder / "manifest.json").unlink()
    (folder / KEV).write_bytes(kev("CVE-2026-0007"))
    sign_folder(folder, private, 4, feeds().values())
    with pytest.raises(FeedError, match="version 4 of .*, but version 5 was seen before"):
        run(mirror=Mirror(where=str(folder), key=key))
    (folder / "manifest.json").unlink()
    sign_folder(folder, private, 5, feeds().values())
    with pytest.raises(FeedError, match="version 5 was signed twice"):
        run(mirror=Mirror(where=str(folder), key=key))
    assert advisories()[1] == {"CVE-2026-0001", "CVE-2026-0002"}
    sign_folder(folder, private, 6, feeds().values())
    run(mirror=Mirror(where=str(folder), key=key))
    assert advisories()[1] == {"CVE-2026-0007", "CVE-2026-0002"}


def test_a_path_that_leads_out_of_the_folder_is_refused(server, run, mirror, tmp_path):
    folder, key, private = mirror
    entry = {"size": 4, "sha256": hashlib.sha256(b"evil").hexdigest()}
    for path in ("../../evil", "kev/../../evil", "/tmp/evil"):
        data = json.dumps({"version": 9, "created": "x", "files": {path: entry}}).encode()
        (folder / "manifest.json").write_bytes(data)
        with pytest.raises(FeedError, match="no path of the layout"):
            run(mirror=Mirror(where=str(folder)))
    assert not (tmp_path / "evil").exists()


def test_the_version_of_a_manifest_only_grows(mirror):
    folder, _, private = mirror
    with pytest.raises(UsageError, match="has version 1 already"):
        sign_folder(folder, private, 1, feeds().values())
    manifest = sign_folder(folder, private, 20260131, feeds().values())
    assert manifest.version == 20260131
    assert sorted(manifest.files) == [KEV, PHOTON5]


def test_a_folder_of_ones_own_needs_no_signature(run, mirror, advisories):
    folder, _, _ = mirror
    (folder / "manifest.json").unlink()
    (folder / "manifest.json.sig").unlink()
    assert run(mirror=Mirror(where=str(folder))).fresh == 2
    assert run(mirror=Mirror(where=str(folder))).unchanged == 2
    assert advisories()[1] == {"CVE-2026-0001", "CVE-2026-0002"}


def test_a_link_in_a_folder_is_not_followed(run, mirror, tmp_path, advisories):
    folder, _, _ = mirror
    (folder / "manifest.json").unlink()
    (tmp_path / "secret").write_bytes(photon("CVE-2026-0005"))
    (folder / PHOTON4).symlink_to(tmp_path / "secret")
    run(mirror=Mirror(where=str(folder)))
    assert advisories()[1] == {"CVE-2026-0001", "CVE-2026-0002"}


# The command


def command(home, *arguments, **environment):
    given = {
        **os.environ,
        "OPENINSPECTOR_DATA": str(home / "data"),
        "OPENINSPECTOR_CACHE": str(home / "cache"),
        "OPENINSPECTOR_SETTINGS": str(home / "settings.toml"),
        **environment,
    }
    given.pop("OPENINSPECTOR_DB", None)
    run = [sys.executable, "-m", "openinspector", *arguments]
    return subprocess.run(run, env=given, cwd=home, capture_output=True, text=True, check=False, timeout=300)


@pytest.fixture
def home(server, tmp_path):
    off = "".join(f"[feeds.{name}]\nenabled = false\n" for name in feeds() if name not in ("kev", "photon"))
    (tmp_path / "settings.toml").write_text(
        f'{off}[feeds.kev]\nurl = "{server.url}/elsewhere/kev.json"\n[feeds.photon]\nurl = "{server.url}/"\n'
    )
    return tmp_path


def test_the_command_updates_says_so_and_tells_by_its_status(server, home):
    server.documents |= {"/elsewhere/kev.json": kev("CVE-2026-0001"), f"/{PHOTON5}": photon("CVE-2026-0002")}
    done = command(home, "db", "update")
    assert (done.returncode, done.stderr) == (0, "")
    assert "2 documents are new, 0 unchanged" in done.stdout
    assert (home / "data" / "documents" / KEV).read_bytes() == kev("CVE-2026-0001")
    server.statuses[f"/{PHOTON5}"] = 403
    done = command(home, "db", "update")
    assert done.returncode == 3
    assert "feed photon is previous" in done.stderr
    status = command(home, "db", "status").stdout
    assert "photon is previous: photon/cve_data_photon5.0.json" in status
    server.statuses["/elsewhere/kev.json"] = 403
    done = command(home, "db", "update")
    assert done.returncode == 3
    assert "no document could be fetched" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_mirror_is_made_signed_and_used(server, home):
    server.documents |= {"/elsewhere/kev.json": kev("CVE-2026-0001"), f"/{PHOTON5}": photon("CVE-2026-0002")}
    for arguments in (
        ("db", "keygen", "mirror.key"),
        ("db", "update", "--documents", "mirror", "--output", "unused.sqlite"),
        ("db", "sign", "mirror", "--key", "mirror.key"),
    ):
        assert command(home, *arguments).returncode == 0
    serve(server, home / "mirror")
    done = command(home, "db", "update", "--mirror", server.url, "--mirror-key", "mirror.key.pub")
    assert (done.returncode, done.stderr) == (0, "")
    assert "version 1 of the mirror" in done.stdout
    key = (home / "mirror.key.pub").read_text().strip()
    done = command(home, "db", "update", OPENINSPECTOR_MIRROR=server.url, OPENINSPECTOR_MIRROR_KEY=key)
    assert "0 documents are new, 2 unchanged" in done.stdout
    done = command(home, "db", "update", "--mirror", server.url)
    assert done.returncode == 0
    assert "nobody vouches for what it serves" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("db", "update", "--feed", "nonsense"),
        ("db", "update", "--mirror-key", "AAAA"),
        ("db", "update", "--mirror", "x", "--mirror-key", "nonsense"),
        ("db", "sign", ".", "--key", "nothing-there"),
        ("db", "keygen", "nowhere/key"),
    ],
    ids=" ".join,
)
def test_what_makes_no_sense_is_a_usage_error(home, arguments):
    (home / "kev").mkdir()
    (home / KEV).write_bytes(kev("CVE-2026-0001"))
    done = command(home, *arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
