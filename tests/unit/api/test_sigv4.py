"""Requests that botocore's own signers signed, whole and tampered with."""

import contextlib
import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from urllib.parse import quote, urlsplit

import msgspec
import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given, settings
from hypothesis import strategies as st

from openinspector.api import sigv4
from openinspector.api.sigv4 import SignatureRefused, SignedRequest, canonical_path, verify

KEY_ID = "OIAK0123456789ABCDEF"
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
REGION = "eu-west-1"
HOST = "inspector2.eu-west-1.example.com:8443"
MISMATCH = "The request signature we calculated does not match the signature you provided."
FORM = "%Y%m%dT%H%M%SZ"


def secret_of(key_id):
    return SECRET.encode() if key_id == KEY_ID else None


def wire(request, *, extra=()):
    """What a server gets to see of a request that botocore signed."""
    prepared = request.prepare()
    url = urlsplit(prepared.url)
    body = prepared.body or b""
    body = body.encode() if isinstance(body, str) else body
    headers = [(name.encode(), value.encode()) for name, value in request.headers.items()]
    if not any(name.lower() == b"host" for name, _ in headers):
        headers.append((b"Host", url.netloc.encode()))
    return SignedRequest(
        method=request.method,
        path=url.path.encode("ascii"),
        query=url.query.encode("ascii"),
        headers=[*headers, (b"User-Agent", b"Boto3/1.40"), (b"Content-Length", str(len(body)).encode()), *extra],
        body_sha256=hashlib.sha256(body).hexdigest(),
    )


def signed(
    method="POST",
    target="/findings/list",
    body=b"{}",
    headers=(),
    params=None,
    *,
    signer=SigV4Auth,
    service="inspector2",
    region=REGION,
    secret=SECRET,
    key_id=KEY_ID,
    token=None,
    **options,
):
    request = AWSRequest(method, f"https://{HOST}{target}", data=body, params=params)
    for name, value in headers:
        request.headers[name] = value
    signer(Credentials(key_id, secret, token), service, region, **options).add_auth(request)
    return wire(request)


def presigned(*args, expires=3600, **named):
    return signed(*args, signer=SigV4QueryAuth, body=None, expires=expires, **named)


def signed_at(request):
    """When botocore signed it, so that no test depends on the clock."""
    headers = {name.lower(): value for name, value in request.headers}
    stamp = headers.get(b"x-amz-date")
    if stamp is None:
        stamp = next(part[11:] for part in request.query.split(b"&") if part.startswith(b"X-Amz-Date="))
    return datetime.strptime(stamp.decode(), FORM).replace(tzinfo=UTC)


def check(request, now=None, **named):
    return verify(request, secret_of, now or signed_at(request), regions=[REGION, "us-east-1"], **named)


def refused(request, now=None, **named):
    with pytest.raises(SignatureRefused) as caught:
        check(request, now, **named)
    return caught.value


def with_header(request, name, value):
    """With every header of that name replaced."""
    kept = [(given, was) for given, was in request.headers if given.lower() != name.lower()]
    return msgspec.structs.replace(request, headers=kept if value is None else [*kept, (name, value)])


def authorization(request):
    return next(value for name, value in request.headers if name == b"Authorization")


def altered(request, old, new):
    """With something else in its Authorization header."""
    value = authorization(request)
    assert old in value
    return with_header(request, b"Authorization", value.replace(old, new))


# What botocore signs is taken

METHODS = st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH"])
TEXTS = st.one_of(
    st.sampled_from(["arn:aws:inspector2:eu-west-1:123456789012:owner/123456789012/filter/0a", "a b", "~", "ü/…", "+"]),
    st.text(st.characters(codec="utf-8"), max_size=12),
)
SEGMENTS = st.one_of(
    TEXTS.map(lambda text: quote(text, safe="~")), st.sampled_from(["", ".", "..", "...", "%2F", "%2e"])
)
PATHS = st.lists(SEGMENTS, max_size=6).map(lambda segments: "/" + "/".join(segments))
PAIRS = st.lists(st.tuples(TEXTS, TEXTS), max_size=6).flatmap(
    lambda pairs: st.permutations(pairs + pairs[:2])  # keys that come twice, in any order
)
TOKENS = st.text("abcdefghijklmnopqrstuvwxyz0123456789-_", min_size=1, max_size=12)
VALUES = st.text([chr(code) for code in range(32, 127)] + ["\t"], max_size=30)
HEADERS = st.lists(
    st.tuples(st.one_of(TOKENS.map("X-Custom-".__add__), st.sampled_from(["X-Amz-Meta", "content-type"])), VALUES),
    max_size=5,
)
BODIES = st.one_of(st.just(b""), st.binary(max_size=60), st.just(b'{"maxResults": 5}'))


@settings(max_examples=150)
@given(METHODS, PATHS, PAIRS, HEADERS, BODIES)
def test_whatever_botocore_signs_in_a_header_is_verified(method, path, pairs, headers, body):
    query = "&".join(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in pairs)
    request = signed(method, path + ("?" + query if query else ""), body, headers)
    verified = check(request)
    assert (verified.key_id, verified.region, verified.service) == (KEY_ID, REGION, "inspector2")
    assert not verified.is_presigned


@settings(max_examples=60)
@given(METHODS, PATHS, PAIRS)
def test_parameters_that_botocore_encodes_itself_are_verified(method, path, pairs):
    # It signs `%20` here, but sends `+`.
    check(signed(method, path, b"", params=pairs))


@settings(max_examples=60)
@given(METHODS, PATHS, st.dictionaries(TEXTS.filter(bool), TEXTS, max_size=5), st.integers(1, 604800))
def test_whatever_botocore_presigns_is_verified(method, path, parameters, expires):
    query = "&".join(f"{quote(name)}={quote(value)}" for name, value in parameters.items())
    verified = check(presigned(method, path + ("?" + query if query else ""), expires=expires))
    assert verified.is_presigned and verified.key_id == KEY_ID


@pytest.mark.parametrize(
    "query", ["a", "a&b", "b=1&a=2&a=1", "a=&=b", "a=b=c", "a+b=c+d", "a=%2f", "&a=1&&", "a=~&b=%7E"]
)
def test_a_query_is_verified_as_it_stands(query):
    check(signed("GET", f"/tags/x?{query}", b""))


def test_a_query_that_a_proxy_encoded_anew_is_verified():
    request = signed("GET", "/tags/x?tagKeys=a%20b~&tagKeys=%C3%BC", b"")
    check(msgspec.structs.replace(request, query=b"tagKeys=%c3%bc&tagKeys=a+b%7E"))


@given(PATHS)
def test_paths_are_normalised_as_botocore_does(path):
    signer = SigV4Auth(Credentials(KEY_ID, SECRET), "inspector2", REGION)
    assert canonical_path(path.encode()) == signer._normalize_url_path(path).encode()


@pytest.mark.parametrize(
    ("path", "canonical"),
    [
        (b"", b"/"),
        (b"/", b"/"),
        (b"//", b"/"),
        (b"/a//./b/../c/", b"/a/c/"),
        (b"/..", b"/"),
        (b"/../../a", b"/a"),
        (b"/a/..", b"/"),
        (b"/tags/arn%3Aaws%2Fx", b"/tags/arn%253Aaws%252Fx"),
        (b"/%7E~", b"/%257E~"),
        (b"/\xff", b"/%FF"),
    ],
)
def test_a_path_is_signed_encoded_twice(path, canonical):
    assert canonical_path(path) == canonical


def test_a_date_header_does_in_place_of_x_amz_date():
    request = signed(headers=[("Date", "x")])
    assert not any(name.lower() == b"x-amz-date" for name, _ in request.headers)
    date = next(value for name, value in request.headers if name == b"Date").decode()
    now = datetime.strptime(date[:25], "%a, %d %b %Y %H:%M:%S").replace(tzinfo=UTC)
    assert check(request, now).signed_at == now
    assert refused(with_header(request, b"Date", b"soon"), now).code == "IncompleteSignatureException"
    assert refused(with_header(request, b"Date", b"Mon, 01 Jan 0001 00:00:00 +2300"), now).code.endswith("Exception")


def test_header_names_in_any_case_and_the_order_of_headers_do_not_matter():
    request = signed(headers=[("X-Custom", "  a   b ")])
    check(
        msgspec.structs.replace(
            request, headers=[(name.swapcase(), value) for name, value in reversed(request.headers)]
        )
    )


def test_unsigned_headers_that_are_not_aws_own_may_come_on_the_way():
    check(with_header(signed(), b"X-Forwarded-For", b"192.0.2.1"))
    check(with_header(signed(), b"x-amzn-trace-id", b"Root=1"))


def test_a_signed_payload_hash_that_is_right_is_taken():
    body = b'{"a": 1}'
    check(signed(body=body, headers=[("X-Amz-Content-SHA256", hashlib.sha256(body).hexdigest())]))


@pytest.mark.parametrize("value", ["UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "0" * 64, ""])
def test_a_payload_that_is_not_signed_is_refused(value):
    assert "payload" in refused(signed(headers=[("X-Amz-Content-SHA256", value)])).message


def test_a_session_is_asked_for_by_its_token():
    asked = []

    def session_secret_of(key_id, token):
        asked.append((key_id, token))
        return SECRET.encode()

    for request in (signed(token="tok/en+="), presigned(token="tok/en+=")):
        assert check(request, session_secret_of=session_secret_of).session_token == "tok/en+="
        assert refused(request).message.startswith(MISMATCH)  # where there are no sessions
    assert asked == [(KEY_ID, "tok/en+=")] * 2


def test_a_token_that_is_too_long_is_refused():
    assert refused(signed(token="x" * 5000)).code == "UnrecognizedClientException"


# What is tampered with is not

ONE = signed(
    "POST", "/tags/a%2Fb?k=1&k=2", b'{"maxResults": 5}', [("Content-Type", "application/json"), ("X-Amz-Meta", "1")]
)
URL = presigned("GET", "/tags/a%2Fb?k=1&l=2")
CHANGES = {
    "method": {"method": "PUT"},
    "path": {"path": b"/tags/a%2Fc"},
    "path decoded": {"path": b"/tags/a/b"},
    "path in another case": {"path": b"/tags/a%2fb"},
    "body": {"body_sha256": hashlib.sha256(b'{"maxResults": 6}').hexdigest()},
    "no body": {"body_sha256": hashlib.sha256(b"").hexdigest()},
}


@pytest.mark.parametrize("request_", [ONE, URL], ids=["header", "presigned"])
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_request_that_was_changed_is_refused(request_, change):
    if change == CHANGES["no body"] and request_ is URL:
        change = {"body_sha256": "0" * 64}
    assert refused(msgspec.structs.replace(request_, **change)).code == "InvalidSignatureException"


@pytest.mark.parametrize("request_", [ONE, URL], ids=["header", "presigned"])
@pytest.mark.parametrize(("old", "new"), [(b"k=1", b"k=3"), (b"k=1", b"K=1"), (b"k=1", b"k=1&m="), (b"k=1&", b"")])
def test_a_query_that_was_changed_is_refused(request_, old, new):
    assert refused(msgspec.structs.replace(request_, query=request_.query.replace(old, new))).message.startswith(
        MISMATCH
    )


def test_each_signed_header_is_bound():
    names = authorization(ONE).split(b"SignedHeaders=")[1].split(b",")[0].split(b";")
    assert set(names) == {b"content-type", b"host", b"x-amz-date", b"x-amz-meta"}
    for name in names:
        if name != b"x-amz-date":
            assert refused(with_header(ONE, name, b"something else")).message.startswith(MISMATCH)
        assert refused(with_header(ONE, name, None), signed_at(ONE)).code in {
            "InvalidSignatureException",
            "IncompleteSignatureException",
        }
    later = (signed_at(ONE) + timedelta(seconds=1)).strftime(FORM).encode()
    assert refused(with_header(ONE, b"X-Amz-Date", later), signed_at(ONE)).message.startswith(MISMATCH)


def test_each_parameter_of_a_presigned_url_is_bound():
    for part in URL.query.split(b"&"):
        name, _, value = part.partition(b"=")
        if not name.startswith(b"X-Amz-"):
            continue
        without = b"&".join(other for other in URL.query.split(b"&") if other != part)
        assert refused(msgspec.structs.replace(URL, query=without), signed_at(URL)).code in {
            "IncompleteSignatureException",
            "MissingAuthenticationTokenException",
        }
        changed = URL.query.replace(part, name + b"=" + (b"4" if value[:1] == b"3" else b"3") + value[1:])
        refused(msgspec.structs.replace(URL, query=changed), signed_at(URL))
        twice = URL.query + b"&" + part
        assert refused(msgspec.structs.replace(URL, query=twice)).code == "IncompleteSignatureException"


def test_every_character_of_the_signature_counts():
    signature = authorization(ONE)[-64:]
    for at in range(64):
        other = b"0" if signature[at : at + 1] != b"0" else b"1"
        assert refused(altered(ONE, signature, signature[:at] + other + signature[at + 1 :])).message.startswith(
            MISMATCH
        )
    for other in (signature[:-1], signature + b"0", signature.upper(), b"0", b"\xff" * 64):
        assert refused(altered(ONE, signature, other)).message.startswith(MISMATCH)


def test_a_header_of_aws_that_is_not_signed_is_refused():
    assert "'x-amz-target'" in refused(with_header(ONE, b"X-Amz-Target", b"x")).message
    assert "'x-amz-target'" in refused(with_header(URL, b"X-Amz-Target", b"x")).message


def test_host_and_date_have_to_be_signed():
    assert "'Host'" in refused(altered(ONE, b"content-type;host;", b"content-type;")).message
    assert "'X-Amz-Date'" in refused(altered(ONE, b";x-amz-date", b"")).message
    dated = with_header(altered(ONE, b";x-amz-date", b""), b"X-Amz-Date", None)
    now = signed_at(ONE)
    dated = with_header(dated, b"Date", now.strftime("%a, %d %b %Y %H:%M:%S GMT").encode())
    assert refused(dated, now).message == "'X-Amz-Date' must be a 'SignedHeader' in the AWS Authorization."


def test_a_signed_header_that_did_not_come_is_named_as_missing():
    assert (
        "not in the request" in refused(altered(with_header(ONE, b"X-Amz-Meta", None), b"x-amz-meta", b"x-zzz")).message
    )


@pytest.mark.parametrize("names", [b"host;content-type", b"content-type;host;host", b"Host", b"", b"a b", b";host"])
def test_signed_headers_are_in_lower_case_and_order(names):
    assert (
        refused(altered(ONE, b"content-type;host;x-amz-date;x-amz-meta", names)).code == "IncompleteSignatureException"
    )


# Another place, another time, another key

SCOPES = [
    (b"/eu-west-1/", b"/us-east-1/", MISMATCH),
    (b"/eu-west-1/", b"/mars-1/", "Credential should be scoped to a valid region, not 'mars-1'."),
    (b"/inspector2/", b"/inspector-scan/", MISMATCH),
    (b"/inspector2/", b"/s3/", "Credential should be scoped to correct service: 'inspector-scan' or 'inspector2'."),
    (b"/aws4_request", b"/aws4_reques", "Credential should be scoped with a valid terminator: 'aws4_request'."),
]


@pytest.mark.parametrize(("old", "new", "message"), SCOPES)
def test_a_scope_that_was_changed_is_refused(old, new, message):
    assert refused(altered(ONE, old, new)).message.startswith(message)
    query = URL.query.replace(old.replace(b"/", b"%2F"), new.replace(b"/", b"%2F"))
    assert refused(msgspec.structs.replace(URL, query=query)).message.startswith(message)


def test_a_request_for_another_region_or_service_is_not_replayed_here():
    for request in (signed(region="ap-south-1"), presigned(region="ap-south-1")):
        assert "valid region" in refused(request).message
    for request in (signed(service="sts"), presigned(service="sts")):
        assert "correct service" in refused(request).message
    assert "'inspector-scan'" in refused(signed(), services=["inspector-scan"]).message
    assert check(signed(service="inspector-scan"), services=["inspector-scan"]).service == "inspector-scan"


def test_the_day_of_the_scope_is_the_day_of_the_signature():
    now = signed_at(ONE)
    other = (now + timedelta(days=1)).strftime("%Y%m%d").encode()
    assert (
        "Date in Credential scope"
        in refused(altered(ONE, b"/" + now.strftime("%Y%m%d").encode(), b"/" + other)).message
    )


@pytest.mark.parametrize("sign", [1, -1])
def test_clocks_may_be_five_minutes_apart(sign):
    now = signed_at(ONE)
    check(ONE, now + sign * timedelta(minutes=5))
    error = refused(ONE, now + sign * timedelta(minutes=5, microseconds=1))
    assert error.code == "InvalidSignatureException"
    assert error.message.startswith("Signature expired" if sign > 0 else "Signature not yet current")


def test_a_presigned_url_lives_as_long_as_it_says():
    now = signed_at(URL)
    check(URL, now + timedelta(hours=1))
    assert refused(URL, now + timedelta(hours=1, microseconds=1)).code == "RequestExpired"
    check(URL, now - timedelta(minutes=5))
    assert refused(URL, now - timedelta(minutes=5, microseconds=1)).message.startswith("Signature not yet current")


@pytest.mark.parametrize("expires", [0, 604801, 9999999, -1, "x", ""])
def test_a_presigned_url_lives_for_a_week_at_most(expires):
    assert refused(presigned(expires=expires)).code == "IncompleteSignatureException"


@pytest.mark.parametrize(
    "stamp", [b"20260131T040000", b"20261331T040000Z", b"20260131T040060Z", b"now", b"", b"\xff" * 16]
)
def test_a_moment_that_is_none_is_refused(stamp):
    assert refused(with_header(ONE, b"X-Amz-Date", stamp), signed_at(ONE)).code == "IncompleteSignatureException"


def test_moments_at_the_ends_of_time_are_refused():
    for stamp in (b"00010101T000000Z", b"99991231T235959Z"):
        request = with_header(ONE, b"X-Amz-Date", stamp)
        request = altered(request, b"/" + signed_at(ONE).strftime("%Y%m%d").encode(), b"/" + stamp[:8])
        assert refused(request, signed_at(ONE)).message.startswith("Signature ")


def test_an_unknown_key_and_a_wrong_secret_look_alike():
    wrong, unknown = refused(signed(secret="another")), refused(signed(key_id="OIAKNOBODYNOBODYNOBO"))
    assert (wrong.code, wrong.message, wrong.status) == (unknown.code, unknown.message, 403)


@pytest.mark.parametrize("key_id", ["short", "x" * 129, "OIAK 23456789ABCDEF0", "ÄÖÜ4567890123456"])
def test_what_is_no_key_id_is_not_even_looked_up(key_id):
    request = altered(ONE, KEY_ID.encode(), key_id.encode())
    with pytest.raises(SignatureRefused, match="does not match"):
        verify(request, lambda _: pytest.fail("looked up"), signed_at(request), regions=[REGION])


@pytest.mark.parametrize("request_", [ONE, URL, signed("GET", "/x?a+b=c", b"")], ids=["header", "presigned", "query"])
def test_a_key_that_does_not_exist_takes_the_same_steps(monkeypatch, request_):
    steps = []

    def spied(name):
        def call(*args):
            steps.append((name, *(len(part) for part in args if isinstance(part, bytes))))
            return getattr(hmac, name)(*args)

        return call

    spies = SimpleNamespace(digest=spied("digest"), compare_digest=spied("compare_digest"))
    monkeypatch.setattr(sigv4, "hmac", spies)
    seen = []
    for answer in (SECRET.encode(), b"0" * len(SECRET), None):
        steps.clear()
        with contextlib.suppress(SignatureRefused):
            verify(request_, lambda _, answer=answer: answer, signed_at(request_), regions=[REGION])
        seen.append(list(steps))
    assert seen[0] == seen[1] == seen[2]
    assert {name for name, *_ in seen[0]} == {"digest", "compare_digest"}


# Not signed, or not so


@pytest.mark.parametrize("headers", [[], [(b"Host", b"x")]])
def test_a_request_without_a_signature_says_so(headers):
    request = SignedRequest(method="POST", path=b"/", query=b"", headers=headers, body_sha256="")
    error = refused(request, datetime(2026, 1, 31, tzinfo=UTC))
    assert (error.code, error.message) == ("MissingAuthenticationTokenException", "Missing Authentication Token")


GOOD = f"Credential={KEY_ID}/20260131/eu-west-1/inspector2/aws4_request, SignedHeaders=host, Signature={'0' * 64}"
BROKEN = [
    "",
    "Bearer abc",
    "Basic dXNlcjpwYXNz",
    "AWS4-HMAC-SHA256",
    "AWS4-HMAC-SHA256 ",
    "AWS4-ECDSA-P256-SHA256 " + GOOD,
    "AWS4-HMAC-SHA256 " + GOOD.replace("Credential", "credential"),
    "AWS4-HMAC-SHA256 " + GOOD.replace("Signature=", "Sig="),
    "AWS4-HMAC-SHA256 " + GOOD.replace("/aws4_request", ""),
    "AWS4-HMAC-SHA256 " + GOOD.replace("/aws4_request", "/aws4_request/x"),
    "AWS4-HMAC-SHA256 " + GOOD + ", Signature=1",
    "AWS4-HMAC-SHA256 " + GOOD + ", More=1",
    "AWS4-HMAC-SHA256 " + GOOD + ",",
    "AWS4-HMAC-SHA256 " + GOOD + "," * 20_000,
]


@pytest.mark.parametrize("value", BROKEN)
def test_an_authorization_header_that_makes_no_sense_is_refused(value):
    headers = [(b"Host", b"x"), (b"X-Amz-Date", b"20260131T000000Z"), (b"Authorization", value.encode())]
    request = SignedRequest(method="POST", path=b"/", query=b"", headers=headers, body_sha256="")
    assert refused(request, datetime(2026, 1, 31, tzinfo=UTC)).code == "IncompleteSignatureException"


@pytest.mark.parametrize("name", [b"Authorization", b"Host", b"X-Amz-Date"])
def test_a_header_that_may_come_once_may_not_come_twice(name):
    value = next(value for given, value in ONE.headers if given == name)
    doubled = msgspec.structs.replace(ONE, headers=[*ONE.headers, (name.lower(), value)])
    assert refused(doubled).code == "IncompleteSignatureException"


def test_two_signatures_are_refused():
    assert "Only one" in refused(msgspec.structs.replace(URL, headers=[*URL.headers, (b"Authorization", b"x")])).message


def test_requests_that_are_too_large_are_refused():
    assert refused(msgspec.structs.replace(ONE, query=b"&" * 70_000)).code == "IncompleteSignatureException"
    assert refused(msgspec.structs.replace(ONE, headers=[*ONE.headers, *[(b"a", b"b")] * 300])).code.startswith(
        "Incomp"
    )


@settings(max_examples=300)
@given(
    st.text(max_size=8),
    st.binary(max_size=40),
    st.binary(max_size=80),
    st.lists(
        st.tuples(
            st.sampled_from([b"authorization", b"host", b"x-amz-date", b"date", b"x-amz-security-token", b"x-amz-x"]),
            st.one_of(
                st.binary(max_size=60), st.just(b"AWS4-HMAC-SHA256 " + GOOD.encode()), st.just(b"20260131T000000Z")
            ),
        ),
        max_size=6,
    ),
    st.text(max_size=64),
)
def test_noise_is_refused_and_never_more(method, path, query, headers, digest):
    request = SignedRequest(method=method, path=path, query=query, headers=headers, body_sha256=digest)
    refused(request, datetime(2026, 1, 31, tzinfo=UTC))


@settings(max_examples=150)
@given(st.sampled_from(["path", "query", "Host", "Authorization"]), st.integers(0, 400), st.integers(1, 255))
def test_any_byte_of_a_signed_request_that_changes_is_noticed(part, position, flip):
    is_header = part.istitle()
    text = dict(ONE.headers)[part.encode()] if is_header else getattr(ONE, part)
    at = position % len(text)
    other = text[:at] + bytes([text[at] ^ flip]) + text[at + 1 :]
    changed = with_header(ONE, part.encode(), other) if is_header else msgspec.structs.replace(ONE, **{part: other})
    try:
        check(changed, signed_at(ONE))
    except SignatureRefused:
        return
    assert part == "Authorization" and other.split() == text.split()  # another kind of space after a comma
