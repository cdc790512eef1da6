"""The samples in docs/howto/send-events.md are what is sent."""

import json
import re
from pathlib import Path

from tests.publish.messages import AT, HOST, IMAGE, finding

from openinspector.model.coverage import Coverage, ScanStatus
from openinspector.render.asff_findings import security_finding
from openinspector.render.inspector2_events import Notice, coverage_event, finding_event, scan_event

PAGE = Path(__file__).resolve().parents[3] / "docs" / "howto" / "send-events.md"


def test_the_samples_are_what_is_sent():
    notice = Notice(id="0d6e3a52-9c7c-4a0e-8a34-5f1b2f6a7c10", at=AT)
    status = ScanStatus(code="INACTIVE", reason="UNMANAGED_EC2_INSTANCE")
    product = "arn:aws:securityhub:us-east-1:111122223333:product/111122223333/default"
    wanted = [
        finding_event(notice, HOST, finding()),
        scan_event(notice, IMAGE, {"CRITICAL": 1, "HIGH": 2}),
        coverage_event(notice, Coverage(resource=HOST, scan_type="PACKAGE", status=status)),
        security_finding(HOST, finding("CLOSED"), product, notice.id),
    ]
    shown = re.findall(r"^```json\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert [json.loads(each) for each in shown] == wanted
