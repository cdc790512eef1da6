"""Registries that lie, redirect or never end."""

import gzip
import json
import time

import pytest
from tests.edge import registry_server
from tests.edge.registry_server import INDEX, MANIFEST, RegistryServer, digest_of, redirect, send, tar_of
from tests.hostile.makers import MEGABYTE, entry, gzip_bomb, huge, zstd_bomb

APP = tar_of({"app/requirements.txt": b"victim==1\n"})
PATH = "/v2/team/app/manifests/1"


@pytest.fixture
def server():
    with RegistryServer() as running:
        yield running


def name(server):
    return f"image:{server.host}/team/app:1"


def test_an_honest_one_is_read(sandbox, server):
    server.add_image([APP], "1")
    assert sandbox.scan(name(server)).packages == 1


@pytest.mark.parametrize("which", ["manifest", "config", "layer"])
def test_content_that_is_not_what_its_digest_says_is_refused_and_not_kept(sandbox, server, which):
    image = server.add_image([APP], "1")
    if which == "manifest":
        server.manifests["1"] = (INDEX, json.dumps({"manifests": [{"digest": image["digest"]}]}).encode())
        kind, data = server.manifests[image["digest"]]
        server.manifests[image["digest"]] = (kind, data + b" ")
        sandbox.failed(name(server), "its content is sha256:[0-9a-f]{64}, not sha256")
    elif which == "config":
        server.blobs[image["config"]] += b" "
        sandbox.failed(name(server), "its content is sha256:[0-9a-f]{64}, not sha256")
    else:
        digest = image["described"][0]["digest"]
        honest, server.blobs[digest] = server.blobs[digest], gzip.compress(APP.replace(b"victim", b"harmle"), mtime=0)
        server.blobs[digest] = server.blobs[digest][: len(honest)]
        outcome = sandbox.scan(name(server))
        assert outcome.status == 3, outcome
        server.blobs[digest] = honest
        assert sandbox.scan(name(server)).report["findings"], "the lie was kept"


@pytest.mark.parametrize("address", ["169.254.169.254", "[fd00:ec2::254]", "[::ffff:169.254.169.254]", "0xa9fea9fe"])
@pytest.mark.parametrize("what", ["manifest", "config", "layer", "token"])
def test_redirects_to_metadata_addresses_are_refused(sandbox, server, what, address):
    image = server.add_image([APP], "1")
    there = f"https://{address}/latest/meta-data/iam/security-credentials/"
    if what == "token":
        server.asks, server.realm = "bearer", there
    else:
        digest = {"manifest": "", "config": image["config"], "layer": image["described"][0]["digest"]}[what]
        server.special[f"/v2/team/app/blobs/{digest}" if digest else PATH] = redirect(there)
    outcome = sandbox.scan(name(server))
    assert outcome.status == 3, outcome
    said = outcome.err + json.dumps(outcome.report.get("problems"))
    assert "metadata address: refused" in said or "is not a URL" in said, outcome
    assert outcome.report.get("status", "failed") != "whole"


def test_a_manifest_without_end_is_not_read(sandbox, server):
    def endless(handler):
        handler.close_connection = True
        handler.send_response(200)
        handler.end_headers()
        try:
            for _ in range(200):
                handler.wfile.write(b"[" * MEGABYTE)
        except OSError:
            return

    server.special[PATH] = endless
    sandbox.failed(name(server), "is larger than 16,777,216 bytes", peak=120 * MEGABYTE)


@pytest.mark.parametrize(
    "text",
    ["[" * 200_000, '{"layers": ' + "[" * 200_000, '{"a":' * 100_000, "null", "[]", "<html>", '{"mediaType": "\xff"}'],
)
def test_a_manifest_that_is_none_is_refused(sandbox, server, text):
    server.manifests["1"] = (MANIFEST, text.encode("latin-1"))
    sandbox.failed(name(server), "manifest can't be read|neither an image nor an index", peak=120 * MEGABYTE)


def test_a_manifest_of_a_million_layers_is_refused(sandbox, server):
    image = server.add_image([APP])
    kind, data = server.manifests[image["digest"]]
    document = json.loads(data)
    document["layers"] *= 100_000
    server.manifests["1"] = (kind, json.dumps(document).encode())
    sandbox.failed(name(server), "100000 layers", peak=200 * MEGABYTE)


@pytest.mark.parametrize("said", [1, 1 << 60, -1, 0])
def test_a_layer_of_another_size_than_the_manifest_says(sandbox, server, said):
    image = server.add_image([APP])
    kind, data = server.manifests[image["digest"]]
    document = json.loads(data)
    document["layers"][0]["size"] = said
    server.manifests["1"] = (kind, json.dumps(document).encode())
    if said in (1, -1):
        sandbox.partial(name(server), "sha256", "the layer is larger than the manifest says")
    else:  # no less is sent than the digest asks for, whatever the size
        assert sandbox.scan(name(server)).packages == 1


@pytest.mark.parametrize("make", [gzip_bomb, zstd_bomb])
def test_a_layer_that_is_a_bomb_ends_at_the_ratio(sandbox, server, make):
    head = entry("app/requirements.txt", b"victim==1\n") + entry("big", size=huge(1 << 40))
    server.add_image([head], "1", pack=lambda data: make(data, 2))
    outcome = sandbox.partial(name(server), "sha256", "more than 200 times its size")
    assert outcome.packages == 1


def test_a_layer_without_end_ends_with_the_time_there_is(sandbox, server):
    image = server.add_image([APP + bytes(1 << 20)], "1", pack=lambda data: gzip.compress(data, 0))
    digest = image["described"][0]["digest"]
    server.special[f"/v2/team/app/blobs/{digest}"] = registry_server.dripping(server.blobs[digest])
    sandbox.environment["OPENINSPECTOR_LIMIT_SECONDS"] = "1"
    sandbox.partial(name(server), "sha256", r"took longer than 1 seconds \(OPENINSPECTOR_LIMIT_SECONDS\)")


def test_redirects_and_sign_ins_without_end_stop(sandbox, server):
    server.special[PATH] = redirect(PATH)
    sandbox.failed(name(server), "more than 5 redirects")
    server.special.clear()
    server.asks = "bearer"
    server.realm = f"http://{server.host}/go"
    path = "/go?service=test&scope=repository%3Ateam%2Fapp%3Apull"
    server.special[path] = redirect(path)
    before = len(server.requests)
    sandbox.failed(name(server), "more than 5 redirects")
    assert len(server.requests) - before < 20


def test_a_registry_that_is_never_content_with_a_token_is_left(sandbox, server):
    server.add_image([APP], "1")
    server.asks = "bearer"
    path = "/token?service=test&scope=repository%3Ateam%2Fapp%3Apull"
    server.special[path] = lambda handler: send(handler, 200, b'{"token": "never right"}')
    sandbox.failed(name(server), "access denied")
    assert len(server.requests) < 10


def test_an_index_that_leads_in_a_circle_is_refused(sandbox, server):
    inner = server.add_image([APP])
    for at in range(8):
        inner = server.add_manifest({"manifests": [inner]}, "1" if at == 7 else "", INDEX)
    sandbox.failed(name(server), "nested more than 5 deep")


@pytest.mark.parametrize(
    "digest", ["../../../etc/passwd", "sha256:../../x", "sha256:" + "0" * 63, "md5:" + "0" * 32, ""]
)
def test_a_digest_is_no_path(sandbox, server, digest):
    image = server.add_image([APP])
    kind, data = server.manifests[image["digest"]]
    for part in ("config", "layers"):
        document = json.loads(data)
        (document["config"] if part == "config" else document["layers"][0])["digest"] = digest
        server.manifests["1"] = (kind, json.dumps(document).encode())
        outcome = sandbox.scan(name(server))
        assert outcome.status == 3, outcome
        assert "is not a digest" in outcome.err + outcome.out, outcome
    assert not [path for path in server.paths() if ".." in path]


def test_busy_and_silent_servers_are_not_waited_for_without_end(sandbox, server):
    server.special[PATH] = lambda handler: send(handler, 429, b"", {"Retry-After": "3600"})
    sandbox.failed(name(server), "asks to wait 3600 seconds")

    def hangs_up(handler):
        handler.close_connection = True
        time.sleep(0.01)

    server.special[PATH] = hangs_up
    sandbox.failed(name(server), r"tried 4 times")
    assert len(server.paths(PATH)) == 5


def test_hostile_words_from_a_registry_are_shown_escaped(sandbox, server):
    body = json.dumps({"errors": [{"code": "X", "message": "\x1b[2J\x07 all is well"}]}).encode()
    server.special[PATH] = lambda handler: send(handler, 404, body)
    outcome = sandbox.failed(name(server), "not found")
    assert "\x1b" not in outcome.err
    assert digest_of(body) not in outcome.err
