"""From a signed request to a caller who may, and every way in which that ends early."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from types import SimpleNamespace

import msgspec
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from openinspector.api.context import Request
from openinspector.api.errors import AccessDenied, NotAuthenticated, Throttled
from openinspector.api.gate import Doorkeeper, Gate
from openinspector.api.sessions import issue
from openinspector.api.throttle import DEFAULT_RATES, Rate, Throttle
from openinspector.errors import StoreError
from openinspector.model.moment import moment_text
from openinspector.store.keys import NewKey, make_key
from openinspector.store.sealing import Sealer

ACCOUNT, OTHER = "111111111111", "222222222222"
REGION = "eu-west-1"
SEALER = Sealer([b"k" * 32])


class Ring:
    """A key ring in memory."""

    def __init__(self):
        self.keys = {}
        self.uses = []

    def create(self, account, role, now, *, lifetime=None, note="") -> NewKey:
        new = make_key(SEALER, account, role, now, lifetime=lifetime, note=note)
        self.keys[new.key.id] = new.key
        return new

    def lookup(self, key_id):
        return self.keys.get(key_id)

    def of_account(self, account):
        return [key for key in self.keys.values() if key.account == account]

    def disable(self, key_id, now):
        return self._change(key_id, disabled_at=self.keys[key_id].disabled_at or moment_text(now))

    def used(self, key_id, now):
        self.uses.append(key_id)
        self._change(key_id, last_used_at=moment_text(now))

    def reseal(self, key_id, was, sealed):
        return self.keys[key_id].sealed_secret == was and self._change(key_id, sealed_secret=sealed)

    def _change(self, key_id, **changes):
        self.keys[key_id] = msgspec.structs.replace(self.keys[key_id], **changes)
        return True


class World:
    """A ring, a gate and a clock that stands at the time of the last signature."""

    def __init__(self, rates=DEFAULT_RATES):
        self.ring = Ring()
        self.now = datetime.now(UTC)
        self.ticks = 0.0
        self.gate = Gate(
            Doorkeeper(self.ring, SEALER),
            Throttle(rates),
            regions=[REGION],
            clock=lambda: self.now,
            ticks=lambda: self.ticks,
        )

    def key(self, role="admin", account=ACCOUNT, **named):
        return self.ring.create(account, role, self.now, **named)

    def request(
        self, key_id, secret, operation="ListFindings", service="inspector2", token=None, body=b"{}", headers=None
    ):
        signed = AWSRequest("POST", "http://127.0.0.1:8080/findings/list?a=b%20c", data=body, headers=headers)
        SigV4Auth(Credentials(key_id, secret, token), service, REGION).add_auth(signed)
        return Request(
            operation=SimpleNamespace(service=service, name=operation),
            labels={},
            method="POST",
            path="/findings/list",
            query="a=b%20c",
            headers=(
                ("host", "127.0.0.1:8080"),
                *((name.lower(), value) for name, value in signed.headers.items()),
            ),
            body=body,
            request_id="r",
        )

    def call(self, new, operation="ListFindings", **named):
        return self.gate.caller(self.request(new.key.id, new.secret, operation, **named))

    def session(self, credentials, operation="ListFindings", key_id=None):
        return self.gate.caller(
            self.request(
                key_id or credentials.access_key_id,
                credentials.secret_access_key,
                operation,
                token=credentials.session_token,
            )
        )


def code_of(call):
    with pytest.raises(NotAuthenticated) as caught:
        call()
    return caught.value.code


def test_a_signed_request_is_from_the_keys_account_in_its_role():
    world = World()
    caller = world.call(world.key("reader", OTHER))
    assert (caller.account, caller.role, caller.region, caller.session_id) == (OTHER, "reader", REGION, "")
    new = world.key()
    principal = world.gate.authenticate(world.request(new.key.id, new.secret))
    assert (principal.account_id, principal.role, principal.key_id) == (ACCOUNT, "admin", new.key.id)


def test_a_role_may_what_it_may():
    world = World()
    reader, ingest = world.key("reader"), world.key("ingest")
    with pytest.raises(AccessDenied, match=f"arn:aws:iam::{ACCOUNT}:user/{reader.key.id}.*inspector2:CreateFilter"):
        world.call(reader, "CreateFilter")
    with pytest.raises(AccessDenied):
        world.call(ingest)
    assert world.call(ingest, "Ingest").role == "ingest"


def test_a_wrong_secret_and_an_unknown_key_are_told_alike():
    world = World()
    new = world.key()
    wrong = world.request(new.key.id, "x" * 40)
    unknown = world.request("OIAKAAAAAAAAAAAAAAAA", new.secret)
    told = []
    for request in (wrong, unknown):
        with pytest.raises(NotAuthenticated) as caught:
            world.gate.caller(request)
        told.append((caught.value.code, str(caught.value), caught.value.status))
    assert told[0] == told[1]
    assert world.ring.uses == []


def test_a_key_that_does_not_exist_opens_as_much_as_one_that_does():
    opened = []

    class Spy(Sealer):
        def open(self, sealed, *belongs_to):
            opened.append(len(sealed))
            return super().open(sealed, *belongs_to)

    world = World()
    world.gate._doorkeeper = Doorkeeper(world.ring, Spy([b"k" * 32]))
    new = world.key()
    world.call(new)
    code_of(lambda: world.gate.caller(world.request("OIAKAAAAAAAAAAAAAAAA", new.secret)))
    assert len(opened) == 2 and opened[0] == opened[1]


def test_only_who_knows_the_secret_learns_that_a_key_is_over():
    world = World()
    disabled, expired = world.key(), world.key(lifetime=timedelta(0))
    world.ring.disable(disabled.key.id, world.now)
    for new in (disabled, expired):
        assert code_of(lambda new=new: world.call(new)) == "UnrecognizedClientException"
        wrong = world.request(new.key.id, "x" * 40)
        assert code_of(lambda wrong=wrong: world.gate.caller(wrong)) == "InvalidSignatureException"


def test_a_request_is_signed_for_the_service_of_its_operation():
    world = World()
    new = world.key()
    assert world.call(new, "ScanSbom", service="inspector-scan")
    request = world.request(new.key.id, new.secret)
    request = Request(
        **{
            **{name: getattr(request, name) for name in Request.__slots__},
            "operation": SimpleNamespace(service="inspector-scan", name="ScanSbom"),
        }
    )
    assert code_of(lambda: world.gate.caller(request)) == "InvalidSignatureException"


def test_a_body_that_was_changed_on_the_way_is_refused():
    world = World()
    new = world.key()
    request = world.request(new.key.id, new.secret)
    changed = Request(**{**{name: getattr(request, name) for name in Request.__slots__}, "body": b'{"a": 1}'})
    assert code_of(lambda: world.gate.caller(changed)) == "InvalidSignatureException"


def test_a_session_acts_for_its_account_in_its_role():
    world = World()
    new = world.key()
    session = issue(SEALER, new.key, "reader", world.now, timedelta(hours=1))
    caller = world.session(session)
    assert (caller.account, caller.role, caller.key_id) == (ACCOUNT, "reader", new.key.id)
    assert caller.session_id == session.access_key_id
    with pytest.raises(AccessDenied):
        world.session(session, "CreateFilter")


def test_a_session_ends_with_its_time_and_with_its_key():
    world = World()
    new = world.key()
    old = world.ring.create(ACCOUNT, "admin", world.now - timedelta(days=1))
    over = issue(SEALER, old.key, "admin", world.now - timedelta(hours=2), timedelta(hours=1))
    assert code_of(lambda: world.session(over)) == "ExpiredTokenException"
    session = issue(SEALER, new.key, "admin", world.now, timedelta(hours=1))
    assert world.session(session)
    world.ring.disable(new.key.id, world.now)
    assert code_of(lambda: world.session(session)) == "UnrecognizedClientException"
    del world.ring.keys[new.key.id]
    assert code_of(lambda: world.session(session)) == "UnrecognizedClientException"


def test_a_token_belongs_to_its_own_key_id():
    world = World()
    new, other = world.key(), world.key()
    one, two = (issue(SEALER, key.key, "admin", world.now, timedelta(hours=1)) for key in (new, other))
    assert code_of(lambda: world.session(one, key_id=two.access_key_id)) == "InvalidSignatureException"
    assert code_of(lambda: world.session(one, key_id=new.key.id)) == "InvalidSignatureException"
    bare = world.request(one.access_key_id, one.secret_access_key)
    assert code_of(lambda: world.gate.caller(bare)) == "InvalidSignatureException"
    forged = msgspec.structs.replace(one, session_token="QUFB" * 40)
    assert code_of(lambda: world.session(forged)) == "InvalidSignatureException"


def test_an_account_that_calls_too_often_is_told_when_to_come_back():
    world = World(dict(DEFAULT_RATES, read=Rate(burst=2, per_second=0.5)))
    mine, also_mine, theirs = world.key(), world.key(), world.key(account=OTHER)
    world.call(mine)
    world.call(also_mine)
    with pytest.raises(Throttled, match="Rate exceeded") as caught:
        world.call(mine)
    assert caught.value.retry_after == 2
    world.call(theirs)
    world.call(mine, "CreateFilter")
    world.ticks = 2.0
    world.call(mine)


def test_requests_that_are_not_signed_use_up_nobodys_rate():
    world = World(dict(DEFAULT_RATES, read=Rate(burst=1, per_second=0.5)))
    new = world.key()
    for _ in range(3):
        code_of(lambda: world.gate.caller(world.request(new.key.id, "x" * 40)))
    world.call(new)


def test_the_last_use_is_noted_now_and_then():
    world = World()
    new = world.key()
    for _ in range(3):
        world.call(new)
    assert world.ring.uses == [new.key.id]
    world.ring._change(new.key.id, last_used_at=moment_text(world.now - timedelta(minutes=15)))
    world.call(new)
    assert len(world.ring.uses) == 2


def test_a_row_that_was_tampered_with_is_our_fault_and_signs_nothing():
    world = World()
    mine, theirs = world.key(account=ACCOUNT), world.key(account=OTHER)
    world.ring._change(theirs.key.id, sealed_secret=mine.key.sealed_secret)
    with pytest.raises(StoreError):
        world.gate.caller(world.request(theirs.key.id, mine.secret))


# Before there is a body


def without_body(request):
    return replace(request, body=b"")


def test_who_writes_the_hash_of_its_body_is_checked_in_full_before_it_comes():
    world = World()
    new = world.key()
    large = b"x" * 100_000
    declared = {"X-Amz-Content-SHA256": hashlib.sha256(large).hexdigest()}
    request = world.request(new.key.id, new.secret, body=large, headers=declared)
    assert world.gate.admit(without_body(request)) == ACCOUNT
    world.gate.authenticate(request)
    assert code_of(lambda: world.gate.authenticate(without_body(request))) == "InvalidSignatureException"
    forged = world.request(new.key.id, "x" * 40, body=large, headers=declared)
    stranger = world.request("OIAKAAAAAAAAAAAAAAAA", "x" * 40, body=large, headers=declared)
    for each in (forged, stranger):
        assert code_of(lambda each=each: world.gate.admit(without_body(each))) == "InvalidSignatureException"


@pytest.mark.parametrize("hash_", ["UNSIGNED-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "0" * 63, ""])
def test_what_is_no_hash_gets_no_body_read_or_none_that_counts(hash_):
    world = World()
    new = world.key()
    request = world.request(new.key.id, new.secret, headers={"X-Amz-Content-SHA256": hash_})
    if hash_:
        assert code_of(lambda: world.gate.admit(without_body(request))) == "InvalidSignatureException"
    assert code_of(lambda: world.gate.authenticate(request)) == "InvalidSignatureException"


def test_who_writes_no_hash_has_at_least_a_key_of_ours():
    world = World()
    new, over = world.key(), world.key()
    world.ring.disable(over.key.id, world.now)
    assert world.gate.admit(without_body(world.request(new.key.id, new.secret))) == ACCOUNT
    for key_id in ("OIAKAAAAAAAAAAAAAAAA", over.key.id, "x", "\x00"):
        request = without_body(world.request(key_id, "x" * 40))
        assert code_of(lambda request=request: world.gate.admit(request)) == "UnrecognizedClientException"
    assert world.ring.uses == []


def test_a_session_is_known_by_its_token():
    world = World()
    made = issue(SEALER, world.key().key, "reader", world.now, timedelta(hours=1))
    asked = partial(world.request, made.access_key_id, made.secret_access_key)
    assert world.gate.admit(without_body(asked(token=made.session_token))) == ACCOUNT
    for token in ("AAAA", made.session_token[:-4], None):
        request = without_body(asked(token=token))
        assert code_of(lambda request=request: world.gate.admit(request)) == "UnrecognizedClientException"
    other = without_body(world.request("OISKAAAAAAAAAAAAAAAA", "x" * 40, token=made.session_token))
    assert code_of(lambda: world.gate.admit(other)) == "UnrecognizedClientException"


def test_an_unsigned_or_old_request_gets_no_body_read():
    world = World()
    new = world.key()
    request = without_body(world.request(new.key.id, new.secret))
    bare = replace(request, headers=tuple(each for each in request.headers if each[0] != "authorization"))
    assert code_of(lambda: world.gate.admit(bare)) == "MissingAuthenticationTokenException"
    world.now += timedelta(minutes=6)
    assert code_of(lambda: world.gate.admit(request)) == "InvalidSignatureException"
