"""AWS in miniature on a loopback port: moto's server, with clients for it, and credentials that nobody else takes.

tests/conftest.py has the fixtures for everybody: imported a second time, they would be a second server.
"""

import logging
import urllib.request
import warnings

import pytest

REGION = "us-east-1"


class Aws:
    """Where it is, and clients; each test gets it empty."""

    def __init__(self, address, session):
        self.address = address
        self._session = session
        self._made = {}

    def client(self, service, region=REGION):
        from botocore.config import Config

        if (service, region) not in self._made:
            config = Config(retries={"total_max_attempts": 1}, read_timeout=120, s3={"addressing_style": "path"})
            self._made[service, region] = self._session.client(
                service, region_name=region, endpoint_url=self.address, config=config
            )
        return self._made[service, region]

    def bucket(self, name="our-reports", region=REGION):
        """Makes a bucket."""
        where = {} if region == REGION else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        self.client("s3", region).create_bucket(Bucket=name, **where)
        return name

    def key(self, region=REGION, **options):
        """The ARN of a new key of KMS."""
        return self.client("kms", region).create_key(**options)["KeyMetadata"]["Arn"]

    def keys_in(self, bucket):
        """The keys of all objects in a bucket."""
        pages = self.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket)
        return [each["Key"] for page in pages for each in page.get("Contents", ())]

    def uploads_in(self, bucket):
        """The uploads to a bucket that are neither finished nor given up."""
        return self.client("s3").list_multipart_uploads(Bucket=bucket).get("Uploads", [])

    def read(self, bucket, key):
        """An object, and what S3 says of it."""
        found = self.client("s3").get_object(Bucket=bucket, Key=key)
        with found["Body"] as body:
            return body.read(), found

    def close(self):
        for each in self._made.values():
            each.close()


@pytest.fixture(scope="session")
def _aws():
    import boto3
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    session = boto3.session.Session(aws_access_key_id="testing", aws_secret_access_key="testing")
    made = Aws(f"http://{host}:{port}", session)
    yield made
    made.close()
    server.stop()


@pytest.fixture
def aws(_aws, monkeypatch):
    """An empty `Aws`, which boto3's default credentials are of."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    reset = urllib.request.Request(f"{_aws.address}/moto-api/reset", method="POST")
    with urllib.request.urlopen(reset):
        pass
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=ResourceWarning)  # moto's own temporary files
        yield _aws
