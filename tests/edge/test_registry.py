import base64
import datetime
import gzip
import ipaddress
import json
import ssl
import sys
from types import SimpleNamespace

import pytest
import zstandard
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tests.edge import registry_server
from tests.edge.registry_server import RegistryServer, digest_of, tar_of

from openinspector.acquire.contract import Reader
from openinspector.acquire.limits import Limits
from openinspector.acquire.targets.registry import read_registry
from openinspector.catalog.formats import apk, os_release
from openinspector.errors import AcquireError, FeedError, UsageError
from openinspector.transport import credentials
from openinspector.transport.credentials import find_credentials
from openinspector.transport.http import Client, same_origin
from openinspector.transport.registry import Reference, allows_plain_http, parse_reference

INSTALLED = b"P:musl\nV:1.2.5-r0\nA:x86_64\nL:MIT\no:musl\n\n"
BASE = tar_of({"etc/os-release": b'ID=alpine\nVERSION_ID=3.20.1\nPRETTY_NAME="Alpine Linux v3.20"\n'})
TOP = tar_of({"lib/apk/db/installed": INSTALLED})


@pytest.fixture
def server():
    with RegistryServer() as running:
        yield running


@pytest.fixture(autouse=True)
def docker_config(tmp_path, monkeypatch):
    """Where docker's configuration of this test lies; nobody is logged in."""
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    (tmp_path / "docker").mkdir()
    return tmp_path / "docker" / "config.json"


def log_in(docker_config, server, **entry):
    entry = entry or {"auth": registry_server.BASIC.removeprefix("Basic ")}
    docker_config.write_text(json.dumps({"auths": {server.host: entry}}))


def scan(server, cache=None, tag=":1", platform="", **limits):
    found = {each.name: each for each in (*offered(apk), *offered(os_release))}
    reader = Reader(found, Limits(**limits), cache)
    return read_registry(reader, f"{server.host}/team/app{tag}", platform)


def offered(module):
    return getattr(module, "PLUGINS", None) or (module.PLUGIN,)


def names(inventory):
    return [each.name for each in inventory.packages]


def reasons(inventory):
    return " | ".join(each.reason for each in inventory.problems if each.partial)


def test_an_anonymous_pull_gives_packages_and_layers(server):
    image = server.add_image([BASE, TOP], "1")
    inventory = scan(server)
    assert names(inventory) == ["musl"]
    assert inventory.distribution.id == "alpine"
    assert inventory.status == "whole"
    assert inventory.target.digest == image["digest"]
    assert [each.diff_id for each in inventory.target.layers] == [digest_of(BASE), digest_of(TOP)]
    assert inventory.target.platform == "linux/amd64"


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.ZstdCompressor().compress, bytes])
def test_layers_may_be_packed_in_any_way(server, pack):
    server.add_image([BASE, TOP], "1", pack=pack)
    assert (names(scan(server)), scan(server).problems) == (["musl"], ())


def test_an_image_is_found_by_its_digest(server):
    image = server.add_image([BASE, TOP])
    assert names(scan(server, tag=f"@{image['digest']}")) == ["musl"]


def test_a_layer_that_is_kept_is_not_fetched(server, tmp_path):
    image = server.add_image([BASE, TOP], "1")
    first = scan(server, tmp_path / "cache")
    assert len(server.paths("/blobs/")) == 3
    again = scan(server, tmp_path / "cache")
    assert again.packages == first.packages
    assert server.paths("/blobs/")[3:] == [f"/v2/team/app/blobs/{image['config']}"]


def test_basic_sign_in(server, docker_config):
    server.asks = "basic"
    server.add_image([BASE, TOP], "1")
    log_in(docker_config, server)
    assert names(scan(server)) == ["musl"]


def test_basic_sign_in_without_a_user_says_what_to_do(server):
    server.asks = "basic"
    with pytest.raises(AcquireError, match=f"docker login {server.host}"):
        scan(server)


def test_a_wrong_password_is_a_denial(server, docker_config):
    server.asks = "basic"
    log_in(docker_config, server, username="ann", password="wrong")
    with pytest.raises(AcquireError, match="access denied: 401"):
        scan(server)


def test_an_anonymous_token(server):
    server.asks = "bearer"
    server.add_image([BASE, TOP], "1")
    assert names(scan(server)) == ["musl"]
    assert len(server.paths("/token")) == 1  # one for all documents and layers


def test_a_token_that_expires_on_the_way_is_renewed(server):
    server.asks = "bearer"
    image = server.add_image([BASE, TOP], "1")
    path = f"/v2/team/app/blobs/{image['config']}"

    def expire(handler):
        del server.special[path]
        server.token = "token-2"
        server.answer(handler)

    server.special[path] = expire
    assert names(scan(server)) == ["musl"]
    assert len(server.paths("/token")) == 2


def test_a_token_for_a_user(server, docker_config):
    server.asks, server.anonymous_tokens = "bearer", False
    server.add_image([BASE, TOP], "1")
    with pytest.raises(AcquireError, match="signing in: access denied: 401 who are you"):
        scan(server)
    log_in(docker_config, server)
    assert names(scan(server)) == ["musl"]


def test_a_token_for_an_identity_token(server, docker_config):
    server.asks, server.anonymous_tokens = "bearer", False
    server.add_image([BASE, TOP], "1")
    log_in(docker_config, server, identitytoken="identity")
    assert names(scan(server)) == ["musl"]


@pytest.mark.parametrize(
    "realm", ["http://169.254.169.254/latest", "http://example.test/token", "file:///etc/passwd", ""]
)
def test_a_realm_elsewhere_gets_no_credentials_in_the_clear(server, docker_config, realm):
    server.asks, server.realm = "bearer", realm or "http://[broken"
    log_in(docker_config, server)
    with pytest.raises(AcquireError, match="to sign in at"):
        scan(server)


def test_a_realm_on_a_metadata_address_is_refused(server):
    server.asks, server.realm = "bearer", "https://169.254.169.254/token"
    with pytest.raises(AcquireError, match="metadata address: refused"):
        scan(server)


def test_the_platform_is_chosen_from_an_index(server):
    other = tar_of({"lib/apk/db/installed": INSTALLED.replace(b"musl", b"zlib")})
    amd = server.add_image([BASE, TOP])
    arm = server.add_image([BASE, other], architecture="arm64")
    server.add_manifest(
        {
            "manifests": [
                {"digest": each["digest"], "size": each["size"], "platform": {"os": "linux", "architecture": name}}
                for each, name in ((amd, "amd64"), (arm, "arm64"))
            ]
        },
        "1",
        registry_server.INDEX,
    )
    assert names(scan(server, platform="linux/amd64")) == ["musl"]
    inventory = scan(server, platform="linux/arm64")
    assert (names(inventory), inventory.target.digest) == (["zlib"], arm["digest"])
    with pytest.raises(AcquireError, match="there are: linux/amd64, linux/arm64"):
        scan(server, platform="linux/s390x")


def test_the_only_image_is_not_taken_for_another_platform(server):
    server.add_image([BASE, TOP], "1")
    with pytest.raises(AcquireError, match="is for linux/amd64, not for linux/arm64"):
        scan(server, platform="linux/arm64")


def test_an_index_without_end_is_refused(server):
    inner = server.add_image([BASE])
    for at in range(8):
        inner = server.add_manifest({"manifests": [inner]}, "1" if at == 7 else "", registry_server.INDEX)
    with pytest.raises(AcquireError, match="nested more than 5 deep"):
        scan(server)


def test_a_manifest_with_another_digest_is_refused(server):
    image = server.add_image([BASE, TOP])
    kind, data = server.manifests[image["digest"]]
    server.manifests[image["digest"]] = (kind, data + b" ")
    with pytest.raises(AcquireError, match="its content is sha256"):
        scan(server, tag=f"@{image['digest']}")


def test_an_index_cannot_name_a_tag_in_place_of_a_digest(server):
    server.add_image([BASE, TOP], "other")
    server.add_manifest({"manifests": [{"digest": "other"}]}, "1", registry_server.INDEX)
    with pytest.raises(AcquireError, match="'other' is not a digest"):
        scan(server)


def test_a_config_with_another_digest_is_refused(server):
    image = server.add_image([BASE, TOP], "1")
    server.blobs[image["config"]] += b" "
    with pytest.raises(AcquireError, match="its content is sha256"):
        scan(server)


def test_a_layer_with_another_digest_is_partial_and_not_kept(server, tmp_path):
    image = server.add_image([BASE, TOP], "1")
    digest = image["described"][1]["digest"]
    honest = server.blobs[digest]
    server.blobs[digest] = gzip.compress(TOP.replace(b"musl", b"mask"), 9)[: len(honest)]
    inventory = scan(server, tmp_path / "cache")
    assert inventory.status == "partial"
    server.blobs[digest] = honest
    again = scan(server, tmp_path / "cache")
    assert (names(again), again.status) == (["musl"], "whole")


def test_a_layer_that_differs_behind_the_archives_end_is_partial(server):
    padded = TOP + bytes(2 << 20)
    image = server.add_image([BASE, padded], "1", pack=bytes)
    digest = image["described"][1]["digest"]
    server.blobs[digest] = server.blobs[digest][:-1] + b"x"
    inventory = scan(server)
    assert inventory.status == "partial"
    assert f"not {digest}" in reasons(inventory)


def test_a_layer_that_unpacks_to_another_diff_id_is_partial_and_not_kept(server, tmp_path):
    server.add_image([BASE, TOP], "1", diff_ids=[digest_of(BASE), digest_of(b"another")])
    for _ in range(2):
        inventory = scan(server, tmp_path / "cache")
        assert inventory.status == "partial"
        assert f"not {digest_of(b'another')}" in reasons(inventory)


def test_a_layer_longer_than_promised_is_partial(server):
    image = server.add_image([BASE, TOP], "1")
    digest = image["described"][1]["digest"]
    server.blobs[digest] += bytes(100_000)
    assert "larger than the manifest says" in reasons(scan(server))


def test_a_layer_that_breaks_off_is_partial(server):
    image = server.add_image([BASE, TOP + bytes(1 << 20)], "1", pack=bytes)
    digest = image["described"][1]["digest"]
    server.special[f"/v2/team/app/blobs/{digest}"] = registry_server.truncated(server.blobs[digest])
    inventory = scan(server)
    assert inventory.status == "partial"
    assert "broke off" in reasons(inventory)


def test_a_layer_that_drips_ends_with_the_time_there_is(server):
    image = server.add_image([BASE + bytes(1 << 20)], "1", pack=lambda data: gzip.compress(data, 0))
    digest = image["described"][0]["digest"]
    server.special[f"/v2/team/app/blobs/{digest}"] = registry_server.dripping(server.blobs[digest])
    assert "took longer than 1 seconds" in reasons(scan(server, seconds=1))


def test_a_bomb_behind_the_archives_end_ends_at_the_limit(server):
    server.add_image([BASE, TOP + bytes(32 << 20)], "1")
    inventory = scan(server, bytes_out=8 << 20)
    assert (names(inventory), inventory.status) == (["musl"], "partial")
    assert "unpacks to more than 8,388,608 bytes" in reasons(inventory)


def test_a_missing_layer_is_partial(server):
    image = server.add_image([BASE, TOP], "1")
    del server.blobs[image["described"][0]["digest"]]
    inventory = scan(server)
    assert (names(inventory), inventory.status) == (["musl"], "partial")
    assert "not found: 404 never heard of it" in reasons(inventory)


def test_a_broken_archive_keeps_its_own_reason(server):
    server.add_image([BASE, TOP[:700]], "1")
    assert "digest" not in reasons(scan(server))
    assert scan(server).status == "partial"


def test_as_many_diff_ids_as_layers(server):
    server.add_image([BASE, TOP], "1", diff_ids=[digest_of(BASE)])
    with pytest.raises(AcquireError, match="2 layers, 1 diff ids"):
        scan(server)


def test_a_manifest_that_is_no_image(server):
    server.add_manifest({}, "1")
    with pytest.raises(AcquireError, match="neither an image nor an index"):
        scan(server)


def test_an_unknown_image(server):
    with pytest.raises(AcquireError, match=r"team/app: the manifest 1: not found: 404 never heard of it"):
        scan(server)


def test_a_busy_registry_is_asked_again(server):
    server.add_image([BASE, TOP], "1")
    data = server.manifests["1"][1]
    path = "/v2/team/app/manifests/1"
    server.special[path] = registry_server.failing(2, 429, {"Retry-After": "0"}, data)
    assert names(scan(server)) == ["musl"]
    assert len(server.paths(path)) == 3


def test_a_redirect_to_another_host_gets_no_credentials(server, docker_config):
    server.asks = "basic"
    image = server.add_image([BASE, TOP], "1")
    log_in(docker_config, server)
    with RegistryServer() as store:
        for each in image["described"]:
            path = f"/v2/team/app/blobs/{each['digest']}"
            store.blobs[each["digest"]] = server.blobs[each["digest"]]
            server.special[path] = registry_server.redirect(f"http://{store.host}{path}")
        assert names(scan(server)) == ["musl"]
        assert len(store.requests) == 2
        assert all("authorization" not in headers for _, headers in store.requests)


@pytest.mark.parametrize(
    "address",
    ["169.254.169.254", "169.254.170.2", "[fd00:ec2::254]", "[::ffff:169.254.169.254]", "0xa9fea9fe", "2852039166"],
)
def test_a_redirect_to_a_metadata_address_is_refused(server, address):
    server.special["/v2/team/app/manifests/1"] = registry_server.redirect(f"https://{address}/latest/meta-data/")
    with pytest.raises(AcquireError, match=r"metadata address: refused|is not a URL"):
        scan(server)
    server.special["/v2/team/app/manifests/1"] = registry_server.redirect(f"http://{address}/latest/meta-data/")
    with pytest.raises(AcquireError, match=r"plain HTTP is not allowed|is not a URL"):
        scan(server)


@pytest.mark.parametrize(
    "location",
    ["https://127.0.0.1:99999999/", "https://127.0.0.1:0/", f"https://{'a' * 70}.test/", "https:///x", "ftp://a.test/"]
    + ["https://a.test:port/", "https://xn--\xff/", "https://[broken/", "//", "https://a b/", "", "data:,x"],
)
def test_a_redirect_to_nonsense_is_an_error(server, location):
    server.special["/x"] = registry_server.redirect(location)
    with Client(FeedError, pause=lambda _: None) as client, pytest.raises(FeedError):
        client.get(f"http://{server.host}/x", 10)


def test_redirects_in_a_circle_end(server):
    path = "/v2/team/app/manifests/1"
    server.special[path] = registry_server.redirect(path)
    with pytest.raises(AcquireError, match="more than 5 redirects"):
        scan(server)
    assert len(server.requests) == 6


def test_a_document_that_is_too_large_is_not_read(server):
    server.add_image([BASE], "1")
    server.special["/big"] = lambda handler: registry_server.send(handler, 200, bytes(5000))
    with Client(FeedError) as client, pytest.raises(FeedError, match="larger than 4,999 bytes"):
        client.get(f"http://{server.host}/big", 4999)


def test_tries_are_bounded_and_wait_longer_each_time(server):
    server.special["/busy?secret=1"] = lambda handler: registry_server.send(handler, 503, b"")
    pauses = []
    with Client(FeedError, pause=pauses.append) as client:
        with pytest.raises(FeedError, match=r"/busy: the server answers 503 Service Unavailable \(tried 4 times\)"):
            client.get(f"http://{server.host}/busy?secret=1", 10)
        assert pauses == [0.5, 1, 2]
        with pytest.raises(FeedError, match="tried 4 times"):
            client.get("http://127.0.0.1:1/", 10)


def test_a_server_that_asks_for_too_long_a_wait_is_left(server):
    server.special["/busy"] = lambda handler: registry_server.send(handler, 429, b"", {"Retry-After": "3600"})
    with Client(FeedError) as client, pytest.raises(FeedError, match="asks to wait 3600 seconds"):
        client.get(f"http://{server.host}/busy", 10)


def test_a_document_that_breaks_off_is_read_again(server):
    data = bytes(1000)
    broken = [registry_server.truncated(data)]

    def answer(handler):
        (broken.pop() if broken else lambda h: registry_server.send(h, 200, data))(handler)

    server.special["/once"] = answer
    with Client(FeedError, pause=lambda _: None) as client:
        assert client.get(f"http://{server.host}/once", 1000).body == data


@pytest.fixture
def tls(tmp_path, monkeypatch):
    """The TLS of a server on loopback that this process trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    public = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (tmp_path / "both.pem").write_bytes(private + public)
    (tmp_path / "trusted.pem").write_bytes(public)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "trusted.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "both.pem")
    return context


def test_a_redirect_from_https_to_http_is_not_followed(server, tls):
    server.special["/plain"] = lambda handler: registry_server.send(handler, 200, b"secret")
    with RegistryServer(tls) as safe, Client(FeedError) as client:
        safe.special["/here"] = lambda handler: registry_server.send(handler, 200, b"safe")
        assert client.get(f"https://{safe.host}/here", 10).body == b"safe"
        safe.special["/plain"] = registry_server.redirect(f"http://{server.host}/plain")
        with pytest.raises(FeedError, match="isn't encrypted: not followed"):
            client.get(f"https://{safe.host}/plain", 10)
    assert server.requests == []


def test_an_origin_is_the_same_however_it_is_spelled():
    assert same_origin("https://A.test:443/x", "https://a.test")
    assert not same_origin("https://a.test:8443", "https://a.test")
    assert not same_origin("http://a.test", "https://a.test")
    assert not same_origin("https://a.test:port", "https://a.test:port")


def test_a_form_is_not_redirected(server):
    server.special["/token"] = registry_server.redirect("/elsewhere")
    with Client(FeedError) as client, pytest.raises(FeedError, match="redirects a form"):
        client.get(f"http://{server.host}/token", 10, form={"refresh_token": "x"})
    assert len(server.requests) == 1


DIGEST = "sha256:" + "0a" * 32
REFERENCES = [
    ("alpine", ("registry-1.docker.io", "library/alpine", "latest", "")),
    ("alpine:3.20", ("registry-1.docker.io", "library/alpine", "3.20", "")),
    ("docker.io/alpine", ("registry-1.docker.io", "library/alpine", "latest", "")),
    ("bitnami/redis:7", ("registry-1.docker.io", "bitnami/redis", "7", "")),
    ("localhost/app", ("localhost", "app", "latest", "")),
    ("localhost:5000/a/b__c/d-e:x_1", ("localhost:5000", "a/b__c/d-e", "x_1", "")),
    ("[::1]:5000/app", ("[::1]:5000", "app", "latest", "")),
    (f"ghcr.io/a/b@{DIGEST}", ("ghcr.io", "a/b", "", DIGEST)),
    (f"quay.io/a/b:1@{DIGEST}", ("quay.io", "a/b", "1", DIGEST)),
]


@pytest.mark.parametrize(("text", "parts"), REFERENCES)
def test_references(text, parts):
    host, name, tag, digest = parts
    assert parse_reference(text) == Reference(host=host, name=name, tag=tag, digest=digest)


@pytest.mark.parametrize(
    "text",
    ["", "/", "UPPER", "a//b", "a/../b", "https://ghcr.io/a", "a:", "a@", "a@sha256:00", "a:-x", "h.io/a b", "a" * 300]
    + ["x@y.z/a", "host.io:99999999/a", "h.io/a?b", "h.io/a\n", f"a@{DIGEST.upper()}"],
)
def test_what_is_no_reference(text):
    with pytest.raises(UsageError, match="is not an image reference"):
        parse_reference(text)


def test_plain_http_is_for_this_machine_and_named_hosts(monkeypatch):
    monkeypatch.setenv("OPENINSPECTOR_INSECURE_REGISTRIES", "old.test:5000, lab.test")
    allowed = ["localhost:5000", "127.0.0.1", "[::1]:80", "[::1]", "old.test:5000", "lab.test", "lab.test:8080"]
    assert all(allows_plain_http(each) for each in allowed)
    assert not any(allows_plain_http(each) for each in ["old.test", "ghcr.io", "10.0.0.1", "", "localhost.test"])


def helper(folder, monkeypatch, script):
    program = folder / "docker-credential-test"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def test_a_credential_helper_is_asked(docker_config, tmp_path, monkeypatch):
    docker_config.write_text('{"credHelpers": {"a.test": "test"}, "credsStore": "gone", "auths": {"b.test": {}}}')
    helper(tmp_path, monkeypatch, """read host; printf '{"Username": "ann", "Secret": "%s"}' "$host" """)
    found = find_credentials("a.test")
    assert (found.user, found.password) == ("ann", "a.test")
    assert "a.test" not in repr(found)
    assert find_credentials("b.test") is None  # its store is not installed, and it has no entry of use
    helper(tmp_path, monkeypatch, """echo '{"Username": "<token>", "Secret": "refresh"}'""")
    assert find_credentials("a.test").identity_token == "refresh"
    helper(tmp_path, monkeypatch, "echo credentials not found in native keychain; exit 1")
    assert find_credentials("a.test") is None
    helper(tmp_path, monkeypatch, "echo locked >&2; exit 1")
    with pytest.raises(AcquireError, match="docker-credential-test failed for a.test: locked"):
        find_credentials("a.test")


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ('{"credHelpers": {"a.test": "gone"}}', "is not installed"),
        ('{"credHelpers": {"a.test": "../x"}}', "is not the name of a docker credential helper"),
        ('{"auths": {"a.test": {"auth": "%%"}}}', "is not base64"),
        ('{"auths": {"a.test": {"auth": "YQ=="}}}', "is not base64"),
        ("[" * 100_000, "can't be read"),
    ],
)
def test_a_broken_docker_configuration_is_an_error(docker_config, config, message):
    docker_config.write_text(config)
    with pytest.raises(AcquireError, match=message):
        find_credentials("a.test")


def test_docker_hub_is_known_under_its_old_name(docker_config):
    auth = base64.b64encode(b"u:p").decode()
    docker_config.write_text(json.dumps({"auths": {"https://index.docker.io/v1/": {"auth": auth}}}))
    assert find_credentials("registry-1.docker.io").basic == "Basic dTpw"


ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"


def test_ecr_without_boto3_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(AcquireError, match="install boto3"):
        find_credentials(ECR)
    assert find_credentials(f"{ECR}.evil.test") is None


def test_ecr_gives_a_token(monkeypatch):
    asked = []

    def client(service, region_name):
        asked.append((service, region_name))
        token = base64.b64encode(b"AWS:secret").decode()
        return SimpleNamespace(get_authorization_token=lambda: {"authorizationData": [{"authorizationToken": token}]})

    monkeypatch.setattr(credentials.importlib, "import_module", lambda _: SimpleNamespace(client=client))
    assert (find_credentials(ECR).user, find_credentials(ECR).password) == ("AWS", "secret")
    assert asked[0] == ("ecr", "eu-west-1")
