"""The way in: a request becomes a caller, its account may call so often, its role may call so much.

`Gate` is what the router asks (api/context.py, Authenticator); `Doorkeeper` is the half of it that has no clock.
"""

import hashlib
import re
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Final

from openinspector.api.access import class_of, refusal
from openinspector.api.context import Principal, Request
from openinspector.api.errors import AccessDenied, NotAuthenticated, Throttled
from openinspector.api.sessions import read_token
from openinspector.api.sigv4 import SERVICES, SignatureRefused, SignedRequest, claimed, verify
from openinspector.api.throttle import Throttle
from openinspector.model.access import AccessKey, Caller, Session
from openinspector.model.moment import moment_text, read_moment
from openinspector.model.resource import AccountId
from openinspector.store.keys import USE_NOTED_EVERY, KeyRing, new_id, new_secret, secret_of
from openinspector.store.sealing import Sealer

_SHA256: Final = re.compile(r"[0-9a-f]{64}").fullmatch


class Doorkeeper:
    """Finds out whom a request is from. It may be used from several threads if its key ring may."""

    def __init__(self, ring: KeyRing, sealer: Sealer) -> None:
        self._ring = ring
        self._sealer = sealer
        self._decoy_id = new_id("")
        self._decoy = sealer.seal(new_secret().encode(), self._decoy_id)

    def caller(
        self, request: SignedRequest, now: datetime, *, regions: Collection[str], services: Collection[str] = SERVICES
    ) -> Caller:
        """Whom a request is from. `now` has a time zone; `services` are those that the called operation belongs to.

        Raises:
            SignatureRefused: It is not validly signed, or its key or session is over.
            StoreError: The keys can't be asked, or this one's secret doesn't open: the installation is at fault.
        """
        key: AccessKey | None = None
        session: Session | None = None

        def secret_of_key(key_id: str) -> bytes | None:
            nonlocal key
            key = self._ring.lookup(key_id)
            if key is None:
                self._sealer.open(self._decoy, self._decoy_id)  # what a key that exists costs
                return None
            return secret_of(self._sealer, key)

        def secret_of_session(key_id: str, token: str) -> bytes | None:
            nonlocal session
            session = read_token(self._sealer, token)
            return session.secret.encode() if session and session.id == key_id else None

        verified = verify(
            request,
            secret_of_key,
            now,
            regions=regions,
            services=services,
            session_secret_of=secret_of_session,
        )
        # From here on the caller has shown that it knows the secret, and may learn what became of its key.
        if session:
            key = self._ring.lookup(session.key_id)
        key = _live(key, session, moment_text(now))
        if not key.last_used_at or read_moment(key.last_used_at) + USE_NOTED_EVERY <= now:
            self._ring.used(key.id, now)
        return Caller(
            account=key.account,
            role=session.role if session else key.role,
            key_id=key.id,
            region=verified.region,
            session_id=session.id if session else "",
        )

    def check_known(
        self, request: SignedRequest, now: datetime, *, regions: Collection[str], services: Collection[str] = SERVICES
    ) -> AccountId:
        """The account of the live key or session that a request says it is signed with; its signature isn't looked at.

        Raises:
            SignatureRefused: There is no such key, or it is over, of which neither is told; or as `caller` does.
        """
        key_id, token = claimed(request, now, regions=regions, services=services)
        session = read_token(self._sealer, token) if token else None
        if token and (session is None or session.id != key_id):
            raise _unknown()
        moment = moment_text(now)
        key = self._ring.lookup(session.key_id if session else key_id)
        if key is None or not key.is_live(moment) or (session and session.expires_at <= moment):
            raise _unknown()
        return key.account


class Gate:
    """Signature, then rate, then role. `clock` tells the time, `ticks` seconds that only grow."""

    def __init__(
        self,
        doorkeeper: Doorkeeper,
        throttle: Throttle,
        *,
        regions: Collection[str],
        clock: Callable[[], datetime],
        ticks: Callable[[], float],
    ) -> None:
        self._doorkeeper = doorkeeper
        self._throttle = throttle
        self._regions = regions
        self._clock = clock
        self._ticks = ticks

    def caller(self, request: Request) -> Caller:
        """Who is asking, and may.

        Raises:
            NotAuthenticated: Nobody we know, or not signed as it must be.
            Throttled: Somebody who asks too often.
            AccessDenied: Somebody whose role doesn't cover `request.operation`.
            StoreError: The keys can't be asked.
        """
        operation = request.operation
        try:
            caller = self._doorkeeper.caller(
                signed_request(request), self._clock(), regions=self._regions, services=(operation.service,)
            )
        except SignatureRefused as refused:
            raise NotAuthenticated(refused.code, refused.message) from refused
        wait = self._throttle.take(caller.account, class_of(operation.name), self._ticks())
        if wait:
            raise Throttled("Rate exceeded", retry_after=wait)
        why = refusal(caller, operation.service, operation.name)
        if why:
            raise AccessDenied(why)
        return caller

    def admit(self, request: Request) -> AccountId:
        """Whose a request is that has no body yet, so that no stranger's is waited for.

        Where the hash of the body is in a header, as many clients write it, the signature is checked in full. Where it
        isn't, the key must at least be one of ours.

        Raises:
            NotAuthenticated: Nobody we know, or not signed as it must be.
            StoreError: The keys can't be asked.
        """
        declared = request.header("x-amz-content-sha256")
        head = _signed(request, declared.strip() if declared and _SHA256(declared.strip()) else "")
        about = {"regions": self._regions, "services": (request.operation.service,)}
        try:
            if declared is None:
                return self._doorkeeper.check_known(head, self._clock(), **about)
            return self._doorkeeper.caller(head, self._clock(), **about).account
        except SignatureRefused as refused:
            raise NotAuthenticated(refused.code, refused.message) from refused

    def authenticate(self, request: Request) -> Principal:
        """Who is asking, in the router's words. Raises as `caller` does."""
        caller = self.caller(request)
        return Principal(account_id=caller.account, key_id=caller.session_id or caller.key_id, role=caller.role)


def signed_request(request: Request) -> SignedRequest:
    """A request of the router's, as it came over the wire."""
    return _signed(request, hashlib.sha256(request.body).hexdigest())


def _signed(request: Request, body_sha256: str) -> SignedRequest:
    return SignedRequest(
        method=request.method,
        path=request.path.encode("latin-1", "backslashreplace"),
        query=request.query.encode("latin-1", "backslashreplace"),
        headers=[
            (name.encode("latin-1", "backslashreplace"), value.encode("latin-1", "backslashreplace"))
            for name, value in request.headers
        ],
        body_sha256=body_sha256,
    )


def _live(key: AccessKey | None, session: Session | None, moment: str) -> AccessKey:
    if key is None or not key.is_live(moment):
        raise _unknown()
    if session and session.expires_at <= moment:
        raise SignatureRefused("ExpiredTokenException", "The security token included in the request is expired")
    return key


def _unknown() -> SignatureRefused:
    return SignatureRefused("UnrecognizedClientException", "The security token included in the request is invalid.")
