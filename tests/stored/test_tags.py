"""What is stored takes tags, and loses them with itself."""

import pytest
from sqlalchemy import func, select
from tests.stored.organization import ADMIN
from tests.stored.test_cis_configurations import GIVEN as CIS
from tests.stored.test_code_security import GIVEN as RULES
from tests.stored.test_connectors import GIVEN as AZURE
from tests.stored.test_connectors import refused

from openinspector.store.account_tables import tag


def test_what_is_tagged_shows_it_and_takes_it_along_when_it_goes(client, database):
    ours = client(ADMIN)
    cis = ours.create_cis_scan_configuration(**CIS)["scanConfigurationArn"]
    integration = ours.create_code_security_integration(name="github", type="GITHUB")["integrationArn"]
    rules = ours.create_code_security_scan_configuration(**RULES)["scanConfigurationArn"]
    connector = ours.create_connector(**AZURE)["connectorArn"]
    for arn in (cis, integration, rules, connector):
        ours.tag_resource(resourceArn=arn, tags={"team": "red"})
        assert ours.list_tags_for_resource(resourceArn=arn)["tags"] == {"team": "red"}
    assert ours.list_cis_scan_configurations()["scanConfigurations"][0]["tags"] == {"team": "red"}
    assert ours.get_code_security_integration(integrationArn=integration)["tags"] == {"team": "red"}
    assert ours.get_code_security_scan_configuration(scanConfigurationArn=rules)["tags"] == {"team": "red"}
    assert ours.list_connectors()["items"][0]["tags"] == {"team": "red"}
    ours.delete_cis_scan_configuration(scanConfigurationArn=cis)
    ours.delete_code_security_integration(integrationArn=integration)
    ours.delete_code_security_scan_configuration(scanConfigurationArn=rules)
    ours.delete_connector(connectorArn=connector)
    with database.system() as connection:
        assert connection.execute(select(func.count()).select_from(tag)).scalar_one() == 0


@pytest.mark.parametrize("tags", [{"aws:x": "y"}, {"a<b": "c"}, {f"k{number}": "" for number in range(51)}])
def test_nothing_is_made_with_tags_that_will_not_do(client, tags):
    ours = client(ADMIN)
    for call, given in (
        (ours.create_cis_scan_configuration, CIS),
        (ours.create_code_security_integration, {"name": "github", "type": "GITHUB"}),
        (ours.create_code_security_scan_configuration, RULES),
        (ours.create_connector, AZURE),
    ):
        assert refused(call, **given, tags=tags) == "ValidationException"
    assert ours.list_connectors()["items"] == []
