"""Method and path to operation and labels."""

from dataclasses import replace

import pytest

from openinspector.api.errors import NoSuchOperation, ValidationFailed
from openinspector.api.model import operations
from openinspector.api.router import Router
from openinspector.errors import PluginError

OPERATIONS = operations()
ROUTER = Router(OPERATIONS.values())
ARN = "arn:aws:inspector2:us-east-1:111122223333:owner/111122223333/filter/0123456789abcdef"


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_an_arn_is_one_segment_with_its_slashes_encoded(method):
    encoded = ARN.replace(":", "%3A").replace("/", "%2F")
    half = ARN.replace("/", "%2f")  # some clients leave colons as they are
    for path in (f"/tags/{encoded}", f"/tags/{half}"):
        route = ROUTER.route(method, path)
        assert route.labels == {"resourceArn": ARN}
        assert route.operation.method == method


def test_both_services_live_on_one_server():
    assert ROUTER.route("POST", "/scan/sbom").operation.name == "ScanSbom"
    assert ROUTER.route("POST", "/findings/list").operation.name == "ListFindings"


@pytest.mark.parametrize(
    "path",
    ["", "/", "/nothing", "/findings", "/findings/list/", "//findings/list", "/FINDINGS/LIST", "/tags", "/tags/"]
    + ["/tags/a/b", "/findings%2Flist", "/findings/list;v=1", "/x/{resourceArn}", "/findings/../findings/list"],
)
def test_a_path_that_nothing_lives_at(path):
    with pytest.raises(NoSuchOperation) as raised:
        ROUTER.route("POST", path)
    assert raised.value.allow == ()


def test_a_method_that_a_path_does_not_know_is_told_which_it_knows():
    with pytest.raises(NoSuchOperation, match="goes by POST") as raised:
        ROUTER.route("GET", "/findings/list")
    assert raised.value.allow == ("POST",)
    with pytest.raises(NoSuchOperation, match="DELETE or GET or POST") as raised:
        ROUTER.route("PUT", "/tags/a")
    assert raised.value.allow == ("DELETE", "GET", "POST")


def test_a_label_that_is_no_utf8_is_refused():
    with pytest.raises(ValidationFailed, match="resourceArn is not UTF-8") as raised:
        ROUTER.route("GET", "/tags/%ff%fe")
    assert raised.value.reason == "CANNOT_PARSE"


def test_a_percent_sign_that_encodes_nothing_stays():
    assert ROUTER.route("GET", "/tags/100%").labels == {"resourceArn": "100%"}


def test_two_operations_at_one_place_are_an_error_at_start():
    enable = OPERATIONS["Enable"]
    with pytest.raises(PluginError, match="Enable2 lives at POST /enable, as another does"):
        Router([enable, replace(enable, name="Enable2")])
    with pytest.raises(PluginError, match="a kind of path unknown"):
        Router([replace(enable, path="/a/{b+}")])
