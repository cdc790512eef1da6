"""Keys of one's own: GetEncryptionKey, UpdateEncryptionKey, ResetEncryptionKey."""

import pytest
from tests.unit.api.operations.callers import ONE, TWO, calling

from openinspector.api.operations.encryption import OPERATIONS

KEY = f"arn:aws:kms:us-east-1:{ONE}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
OTHER = f"arn:aws:kms:us-east-1:{ONE}:key/mrk-{'0a' * 16}"
LAMBDA = {"scanType": "CODE", "resourceType": "AWS_LAMBDA_FUNCTION"}
REPOSITORY = {"scanType": "CODE", "resourceType": "CODE_REPOSITORY"}


@pytest.fixture(scope="module")
def service(postgres, template):
    with calling(postgres, template, OPERATIONS) as made:
        yield made


@pytest.fixture
def callers(service):
    service.forget()
    return service


def test_a_key_is_set_changed_and_taken_back(callers):
    client = callers[ONE]
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_encryption_key(**LAMBDA)
    for key in (KEY, OTHER):
        client.update_encryption_key(kmsKeyId=key, **LAMBDA)
        assert client.get_encryption_key(**LAMBDA)["kmsKeyId"] == key
    for stranger, kind in ((callers[TWO], LAMBDA), (client, REPOSITORY)):
        with pytest.raises(client.exceptions.ResourceNotFoundException):
            stranger.get_encryption_key(**kind)
    client.reset_encryption_key(**LAMBDA)
    for gone in (client.get_encryption_key, client.reset_encryption_key):
        with pytest.raises(client.exceptions.ResourceNotFoundException):
            gone(**LAMBDA)


@pytest.mark.parametrize(
    "changed",
    [
        {"scanType": "NETWORK"},
        {"resourceType": "AWS_EC2_INSTANCE"},
        {"kmsKeyId": "alias/mine"},
        {"kmsKeyId": None},
    ],
)
def test_what_makes_no_sense_is_refused(callers, changed):
    client = callers[ONE]
    asked = {"kmsKeyId": KEY, **LAMBDA, **changed}
    with pytest.raises(client.exceptions.ValidationException):
        client.update_encryption_key(**{name: value for name, value in asked.items() if value})
