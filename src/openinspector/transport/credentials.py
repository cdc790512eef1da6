"""Whom a registry knows us as: docker's config.json, its credential helpers, and tokens of Amazon ECR.

Source: docker CLI reference, "Credential stores" (config.json; the `get` call of a helper); Amazon ECR API reference,
GetAuthorizationToken.
"""

import base64
import binascii
import importlib
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import msgspec

from openinspector.errors import AcquireError

_LARGEST_CONFIG = 1 << 20
_HELPER_SECONDS = 30
_HELPER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_ECR = re.compile(r"[0-9]{12}\.dkr\.ecr(?:-fips)?\.([a-z0-9-]{1,40})\.amazonaws\.com(?:\.cn)?")
_DOCKER_HUB = ("https://index.docker.io/v1/", "docker.io", "index.docker.io", "registry-1.docker.io")


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """A user and password, or an identity token (an OAuth2 refresh token) in place of both."""

    user: str = ""
    password: str = ""
    identity_token: str = ""

    def __repr__(self) -> str:
        return f"Credentials(user={self.user!r})"  # never a secret in a log

    @property
    def basic(self) -> str:
        """The value of an Authorization header."""
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()


class _Auth(msgspec.Struct, frozen=True):
    auth: str = ""
    username: str = ""
    password: str = ""
    identitytoken: str = ""


class _DockerConfig(msgspec.Struct, frozen=True, rename="camel"):
    auths: dict[str, _Auth] = {}
    cred_helpers: dict[str, str] = {}
    creds_store: str = ""


class _Helped(msgspec.Struct, frozen=True, rename="pascal"):
    username: str = ""
    secret: str = ""


def find_credentials(host: str) -> Credentials | None:
    """Who to be at a registry (`host[:port]`); None for nobody.

    Raises:
        AcquireError: The configuration or the helper that is named for this host doesn't work.
    """
    known = _of_docker(host)
    if known is not None:
        return known
    ecr = _ECR.fullmatch(host)
    return _of_ecr(host, ecr[1]) if ecr else None


def _of_docker(host: str) -> Credentials | None:
    folder = os.environ.get("DOCKER_CONFIG")
    path = (Path(folder) if folder else Path.home() / ".docker") / "config.json"
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST_CONFIG)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise AcquireError(f"{path} can't be read: {error.strerror or error}") from error
    try:
        config = msgspec.json.decode(data, type=_DockerConfig)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise AcquireError(f"{path} can't be read: {error}") from error
    names = _DOCKER_HUB if host in _DOCKER_HUB else (host, f"https://{host}", f"https://{host}/v1/", f"http://{host}")
    for name in names:
        if name in config.cred_helpers:
            helper = config.cred_helpers[name]
            helped = _ask_helper(helper, name)
            if helped is None:
                raise AcquireError(f"docker-credential-{helper}, which {path} names for {name}, is not installed")
            return _of_helper(helped)
    if config.creds_store:
        # A store that isn't there must not keep a public image from being read.
        stored = _ask_helper(config.creds_store, names[0])
        if stored is not None and stored.secret:
            return _of_helper(stored)
    for name in names:
        if name in config.auths:
            return _of_auth(config.auths[name], path, name)
    return None


def _of_auth(auth: _Auth, path: Path, name: str) -> Credentials | None:
    if auth.identitytoken:
        return Credentials(identity_token=auth.identitytoken)
    if auth.auth:
        return _decoded(auth.auth, f"{path}: the entry of {name}")
    return Credentials(user=auth.username, password=auth.password) if auth.username else None


def _decoded(text: str, what: str) -> Credentials:
    try:
        user, colon, password = base64.b64decode(text, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise AcquireError(f"{what} is not base64 of user:password") from error
    if not colon:
        raise AcquireError(f"{what} is not base64 of user:password")
    return Credentials(user=user, password=password.rstrip("\0"))


def _ask_helper(helper: str, name: str) -> _Helped | None:
    """What a credential helper says of a name; an empty answer if it knows nothing, None if it isn't installed."""
    if not _HELPER.fullmatch(helper):
        raise AcquireError(f"{helper[:100]!r} is not the name of a docker credential helper")
    program = f"docker-credential-{helper}"
    try:
        # The user's own configuration names the program; the name is checked and no shell is involved.
        done = subprocess.run(  # noqa: S603
            [program, "get"], input=name.encode(), capture_output=True, timeout=_HELPER_SECONDS, check=False
        )
    except FileNotFoundError:
        return None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise AcquireError(f"{program} can't be run: {error}") from error
    if done.returncode:
        if b"credentials not found" in done.stdout + done.stderr:
            return _Helped()
        said = (done.stderr or done.stdout)[:200].decode("utf-8", "replace").strip()
        raise AcquireError(f"{program} failed for {name}: {said}")
    try:
        return msgspec.json.decode(done.stdout, type=_Helped)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise AcquireError(f"{program}: its answer for {name} can't be read") from error


def _of_helper(helped: _Helped) -> Credentials | None:
    if not helped.secret:
        return None
    if helped.username == "<token>":
        return Credentials(identity_token=helped.secret)
    return Credentials(user=helped.username, password=helped.secret)


def _of_ecr(host: str, region: str) -> Credentials:
    try:
        boto3: Any = importlib.import_module("boto3")
    except ImportError as error:
        raise AcquireError(
            f"{host} is an Amazon ECR registry: install boto3 to sign in with your AWS credentials,"
            " or log in with docker"
        ) from error
    try:
        answer = boto3.client("ecr", region_name=region).get_authorization_token()
        token = str(answer["authorizationData"][0]["authorizationToken"])
    except Exception as error:
        # botocore's errors share no importable base with those of its credential providers
        raise AcquireError(f"no token for {host}: {error}") from error
    return _decoded(token, f"the token for {host}")
