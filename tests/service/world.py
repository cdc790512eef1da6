"""The whole service on a loopback port, over a real database, with real keys; and five accounts that have something.

    MANAGER    manages an organization
    ADMIN      administers Inspector for it; MEMBER is its member, JOINER an account of the organization that is none
    OWNER      stands alone
    STRANGER   stands alone too, and is who tries to get at what the others have

Each of ADMIN, MEMBER, OWNER and STRANGER has an estate: an instance and an image with findings, coverage, usage, a
cluster, a repository with a snippet of its code, a CIS run and scans on demand.
"""

import http.client
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.parsers import create_parser
from sqlalchemy import insert, text
from tests.unit.api.server import serving
from tests.unit.api.wire import operation_model, sent

from openinspector.api import operations as folder
from openinspector.api.gate import Doorkeeper, Gate
from openinspector.api.handlers import Offer, discover
from openinspector.api.model import Operation
from openinspector.api.model import operations as known_operations
from openinspector.api.service import Circumstances, Service
from openinspector.api.throttle import Rate, Throttle
from openinspector.find.identity import finding_arn
from openinspector.model.finding import Finding, Life, Observation, PackageVulnerability, VulnerablePackage
from openinspector.model.match import Vulnerability
from openinspector.model.moment import moment_text
from openinspector.model.package import Location, Package
from openinspector.model.resource import Ec2Instance, EcrImage, Resource
from openinspector.pipeline.starter import build_starter
from openinspector.store import cis, estate, organizations
from openinspector.store.account_tables import (
    cis_scan_configuration,
    code_security_scan,
    code_snippet,
    image_use,
    on_demand_scan,
    usage_record,
)
from openinspector.store.audit import record
from openinspector.store.database import Database, connect_embedded
from openinspector.store.embedded import EmbeddedPostgres
from openinspector.store.findings import Written, write_findings
from openinspector.store.key_ring import DatabaseKeyRing
from openinspector.store.keys import NewKey
from openinspector.store.rows import store_vulnerabilities
from openinspector.store.sealing import Sealer
from openinspector.store.tables import coverage, metadata, resource

REGION = "us-east-1"
MANAGER, ADMIN, MEMBER, JOINER = "100000000001", "200000000002", "300000000003", "400000000004"
OWNER, STRANGER = "500000000005", "600000000006"
ORGANIZATION = "o-abcdefghij"
CVE = "CVE-2019-10906"  # the starter advisories have it
AMI = "ami-0123456789abcdef0"
ALL_TYPES = ["EC2", "ECR", "LAMBDA", "LAMBDA_CODE", "CODE_REPOSITORY"]
UNBOUNDED = Rate(burst=1e9, per_second=1e9)
# What a refused call may leave behind: that it was made.
TRACES = frozenset({"audit", "access_key"})


@dataclass(frozen=True)
class Message:
    """A request before it is signed."""

    method: str
    path: str  # with its query
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def with_body(self, body: Any, content_type: str = "application/json") -> "Message":
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return replace(self, body=data, headers=(("content-type", content_type),))

    def with_query(self, query: str) -> "Message":
        return replace(self, path=self.path.partition("?")[0] + (f"?{query}" if query else ""))


@dataclass(frozen=True)
class Said:
    """An answer: its status, headers in lower case, body, and what a client makes of it."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    parsed: dict[str, Any]

    @property
    def code(self) -> str:
        return self.parsed.get("Error", {}).get("Code", "")

    @property
    def message(self) -> str:
        return self.parsed.get("Error", {}).get("Message", "")


@dataclass
class World:
    """The running service and all that a test needs of it."""

    database: Database
    ring: DatabaseKeyRing
    offer: Offer
    address: str
    keys: dict[tuple[str, str], NewKey] = field(default_factory=dict)  # by account and role
    estates: dict[str, "Estate"] = field(default_factory=dict)
    calls: int = 0
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict)
    _connection: http.client.HTTPConnection | None = None

    def key(self, account: str, role: str = "admin") -> NewKey:
        if (account, role) not in self.keys:
            self.keys[account, role] = self.ring.create(account, role, datetime.now(UTC))
        return self.keys[account, role]

    def client(self, account: str, service: str = "inspector2") -> Any:
        """A boto3 client that sends what it is given."""
        if (account, service) not in self._clients:
            key = self.key(account)
            self._clients[account, service] = boto3.client(
                service,
                region_name=REGION,
                endpoint_url=self.address,
                aws_access_key_id=key.key.id,
                aws_secret_access_key=key.secret,
                config=Config(retries={"total_max_attempts": 1}, read_timeout=120, parameter_validation=False),
            )
        return self._clients[account, service]

    def message(self, operation: Operation, params: Mapping[str, Any]) -> Message:
        """What a client sends, not signed yet."""
        request = sent(operation, dict(params))
        parts = urlsplit(request.url)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        headers = (("content-type", "application/json"),) if request.body else ()
        return Message(request.method, path, headers, request.body or b"")

    def signed(self, asked: Message, key: NewKey, *, service: str, region: str = REGION, secret: str = "") -> Message:
        """A message as its sender signs it."""
        request = AWSRequest(asked.method, self.address + asked.path, dict(asked.headers), asked.body)
        SigV4Auth(Credentials(key.key.id, secret or key.secret), service, region).add_auth(request)
        return replace(asked, headers=tuple(request.headers.items()))

    def send(self, operation: Operation, asked: Message) -> Said:
        """The answer to a message as it is."""
        self.calls += 1
        connection = self._connection or http.client.HTTPConnection(urlsplit(self.address).netloc, timeout=120)
        self._connection = connection
        try:
            connection.request(asked.method, asked.path, asked.body or None, dict(asked.headers))
            response = connection.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException):
            connection.close()  # so that the next request doesn't stumble over it
            raise
        headers = {name.lower(): value for name, value in response.getheaders()}
        model = operation_model(operation)
        given = {"status_code": response.status, "headers": headers, "body": body}
        parsed = create_parser("rest-json").parse(given, model.output_shape)
        return Said(response.status, headers, body, parsed)

    def ask(self, operation: Operation, asked: Message, account: str, role: str = "admin") -> Said:
        """The answer to a message that an account's key signs."""
        return self.send(operation, self.signed(asked, self.key(account, role), service=operation.service))

    def digest(self, *, but: str = "") -> dict[str, str]:
        """What each table holds: of all accounts, or of all but one. Equal digests are equal tables."""
        found = {}
        with self.database.system() as connection:
            for name, table in metadata.tables.items():
                if table.name in TRACES:
                    continue
                of = "WHERE account <> :but" if but and "account" in table.c else "WHERE :but = :but"
                found[name] = connection.execute(
                    text(f"SELECT count(*) || md5(coalesce(string_agg(t::text, chr(1) ORDER BY t::text), ''))"
                         f" FROM {name} t {of}"),
                    {"but": but},
                ).scalar_one()  # fmt: skip
        return found

    def close(self) -> None:
        for client in self._clients.values():
            client.close()
        if self._connection:
            self._connection.close()


@dataclass(frozen=True)
class Estate:
    """What an account has, by the names that the API has for it."""

    account: str
    instance: str
    image: str
    finding: str  # of the instance
    code_finding: str  # one with a snippet
    project: str
    code_scan: str
    on_demand_scan: str
    cis_scan: str
    cis_job: str  # one that no session was started for

    def names(self) -> tuple[str, ...]:
        """What nobody else may be told."""
        return (
            self.account, self.instance, self.project, self.code_scan, self.on_demand_scan,
            self.cis_scan.rpartition("/")[2], self.finding.rpartition("/")[2],
        )  # fmt: skip


def estate_of(world: World, account: str) -> Estate:
    """Gives an account one of everything, and switches all scans on."""
    now = datetime.now(UTC)
    moment, digit = moment_text(now), account[0]
    machine = Resource(
        account=account, region=REGION, type="AWS_EC2_INSTANCE", id=f"i-{digit * 17}", platform="AMAZON_LINUX_2023",
        tags={"team": "red"}, details=Ec2Instance(image_id=AMI, vpc_id="vpc-01234567"),
    )  # fmt: skip
    digest = "sha256:" + digit * 64
    picture = Resource(
        account=account, region=REGION, type="AWS_ECR_CONTAINER_IMAGE",
        id=f"arn:aws:ecr:{REGION}:{account}:repository/web/{digest}",
        details=EcrImage(repository="web", digest=digest, registry=account, tags=("latest",), architecture="amd64"),
    )  # fmt: skip
    life = Life(status="ACTIVE", first_observed_at=moment, last_observed_at=moment, updated_at=moment)
    package = Package(type="pypi", name="jinja2", version="2.10", location=Location(path="usr/lib"))
    told = Observation(
        key=CVE, title=f"{CVE} - jinja2", description="d", severity="HIGH",
        details=PackageVulnerability(id=CVE, source="NVD", packages=(VulnerablePackage(package=package),)),
    )  # fmt: skip
    project, code_scan_id, on_demand_id = f"project-{uuid4()}", str(uuid4()), uuid4().hex
    code_finding = uuid4()
    with world.database.system() as connection:
        store_vulnerabilities(connection, [Vulnerability(id=CVE, cwes=("CWE-79",))], {})
        arns = []
        for place in (machine, picture):
            entered = estate.enter(connection, place, now)
            estate.describe(connection, entered, place, "running", now, None)
            found = Finding(arn=finding_arn(place, CVE, moment), observation=told, life=life)
            write_findings(connection, place, entered.id, None, [Written(finding=found, digest=None)])
            arns.append(found.arn)
            seen = {"account": account, "region": REGION, "scan_type": "PACKAGE", "status": "ACTIVE"}
            seen |= {"resource_id": entered.id, "reason": "SUCCESSFUL", "last_scanned_at": now}
            connection.execute(insert(coverage).values(seen))
            used = {"account": account, "region": REGION, "day": now.date(), "resource_id": entered.id}
            kind = "EC2_INSTANCE_HOURS" if place is machine else "ECR_INITIAL_SCAN"
            connection.execute(insert(usage_record).values(used | {"type": kind, "quantity": 1.0}))
        ran = {"account": account, "region": REGION, "resource_id": entered.id, "last_seen_at": now, "running": 2}
        where = {"awsEcsMetadataDetails": {"detailsGroup": "service:web", "taskDefinitionArn": "arn:aws:ecs:task"}}
        cluster = f"arn:aws:ecs:{REGION}:{account}:cluster/web"
        connection.execute(insert(image_use).values(ran | {"cluster": cluster, "document": where}))
        row = {"account": account, "region": REGION, "type": "CODE_REPOSITORY", "external_id": f"x/{project}"}
        connection.execute(insert(resource).values(row))
        lines = {"startLine": 1, "endLine": 2, "codeSnippet": [{"content": "eval(x)", "lineNumber": 1}]}
        row = {"account": account, "region": REGION, "finding_id": code_finding, "document": lines}
        connection.execute(insert(code_snippet).values(row))
        row = {"account": account, "region": REGION, "id": code_scan_id, "project_id": project, "status": "SUCCESSFUL"}
        connection.execute(insert(code_security_scan).values(row))
        row = {"account": account, "region": REGION, "id": on_demand_id, "resource": AMI, "status": "SUCCESSFUL"}
        connection.execute(insert(on_demand_scan).values(row | {"completed_at": now}))
    scan, job = cis_run(world, account, machine.id, [("1.1", "FAILED"), ("1.2", "PASSED")])
    world.client(account).enable(resourceTypes=ALL_TYPES)
    return Estate(
        account=account,
        instance=machine.id,
        image=picture.id,
        finding=arns[0],
        code_finding=f"arn:aws:inspector2:{REGION}:{account}:finding/{code_finding.hex}",
        project=project,
        code_scan=code_scan_id,
        on_demand_scan=on_demand_id,
        cis_scan=scan,
        cis_job=job,
    )


def cis_run(world: World, account: str, instance: str, outcomes: list[tuple[str, str]] = ()) -> tuple[str, str]:  # type: ignore[assignment]
    """A CIS run on two instances of an account: its ARN, and the job of the second, which nobody began."""
    now = datetime.now(UTC)
    document = {
        "securityLevel": "LEVEL_1", "schedule": {"oneTime": {}},
        "targets": {"accountIds": ["SELF"], "targetResourceTags": {"team": ["red"]}},
    }  # fmt: skip
    key = str(uuid4())
    other = instance[:-1] + ("0" if instance[-1] != "0" else "1")
    with world.database.system() as connection:
        row = {"account": account, "region": REGION, "id": key, "owner_id": account, "name": "run"}
        connection.execute(insert(cis_scan_configuration).values(row | {"document": document}))
        configuration = cis.configuration(connection, account, REGION, key)
        hosts = [cis.CisTarget(account=account, resource=each, tags={"team": ["red"]}) for each in (instance, other)]
        scan, jobs = cis.open_scan(connection, configuration, hosts, now)
        target = cis.job(connection, account, REGION, jobs[instance])
        if outcomes:
            cis.start_session(connection, target, str(uuid4()), now)
            told = [cis.CisOutcome(check_id=rule, status=status) for rule, status in outcomes]
            cis.add_outcomes(connection, target, told, now)
    return f"arn:aws:inspector2:{REGION}:{account}:owner/{account}/cis-scan/{scan}", jobs[other]


@contextmanager
def world_of(database: Database) -> Iterator[World]:
    """The service with every operation it has, and the accounts with their estates."""
    sealer = Sealer([b"s" * 32])
    ring = DatabaseKeyRing(database, sealer)

    def clock() -> datetime:
        return datetime.now(UTC)

    throttle = Throttle(dict.fromkeys(("read", "write", "heavy", "ingest"), UNBOUNDED))
    gate = Gate(Doorkeeper(ring, sealer), throttle, regions=(REGION,), clock=clock, ticks=time.monotonic)
    offer = discover(folder)
    circumstances = Circumstances(
        authenticator=gate,
        connect=database.transaction,
        region=REGION,
        token_key=b"k" * 32,
        clock=clock,
        audit=lambda entry: record(database, entry),
        check_output=True,
        sealer=sealer,
    )
    with serving(Service(offer, circumstances)) as address:
        world = World(database, ring, offer, address)
        try:
            statuses = dict.fromkeys((ADMIN, MEMBER, JOINER), "ACTIVE")
            with database.system() as connection:
                organizations.register_organization(connection, ORGANIZATION, MANAGER, statuses, clock())
            world.client(MANAGER).enable_delegated_admin_account(delegatedAdminAccountId=ADMIN)
            world.client(ADMIN).associate_member(accountId=MEMBER)
            for account in (ADMIN, MEMBER, OWNER, STRANGER):
                world.estates[account] = estate_of(world, account)
            yield world
        finally:
            world.close()


@contextmanager
def world_on(server: EmbeddedPostgres, name: str, folder: Path) -> Iterator[World]:
    """The service over a new database of a server, with starter advisories in a folder."""
    build_starter(folder / "advisories.sqlite", folder / "cache")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("OPENINSPECTOR_DB", str(folder / "advisories.sqlite"))
        server.make_database(name)
        with connect_embedded(server, database=name, pool=2) as database, world_of(database) as made:
            yield made


def operation(name: str) -> Operation:
    return known_operations()[name]


def disabled_key(world: World, account: str) -> NewKey:
    made = world.ring.create(account, "admin", datetime.now(UTC))
    world.ring.disable(made.key.id, datetime.now(UTC))
    return made


def expired_key(world: World, account: str) -> NewKey:
    return world.ring.create(account, "admin", datetime.now(UTC) - timedelta(days=2), lifetime=timedelta(days=1))
