"""CIS reports as PDF, read back."""

import os
import re
import subprocess
import sys
import tracemalloc
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pypdfium2
import pytest
from pypdf import PdfReader
from pypdf.generic import IndirectObject

from openinspector.render.cis_pdf import CheckCounts, CisRun, TargetCounts, write

ARN = "arn:aws:inspector2:us-east-1:111122223333:owner/111122223333/cis-scan/624b746d-e080-44ae-8c1d-48e653365a38"
ROOT = Path(__file__).parents[3]
DATE = datetime(2026, 3, 2, 10, 15, 30, tzinfo=UTC)
COUNTED_CHECK = CheckCounts(
    check_id="1.1.1",
    title="Ensure cramfs is disabled",
    level="LEVEL_1",
    platform="UBUNTU_22_04",
    passed=1,
    failed=2,
    skipped=3,
)
COUNTED_TARGET = TargetCounts(
    account="111122223333",
    resource="i-0aaaabbbbccccddd1",
    platform="UBUNTU_22_04",
    benchmark="Server 3.0.0",
    status="CANCELLED",
    reason="UNSUPPORTED_OS",
    passed=4,
    failed=5,
    skipped=6,
)


def result(check="1.1.1", host="i-0aaaabbbbccccddd1", **more):
    return {
        "Scan ARN": ARN,
        "Account Id": "111122223333",
        "Target Resource Id": host,
        "Platform": "UBUNTU_22_04",
        "Check Id": check,
        "Title": "Ensure cramfs is disabled",
        "Level": "LEVEL_1",
        "Status": "PASSED",
        "Status Reason": "",
        "Check Description": "It is seldom needed.",
        "Remediation": "Disable it.\nThen reboot.",
    } | more


def report(*results, by_check=(), by_target=(), most_pages=100, **run):
    """The bytes of a report of these results."""
    told = {"scan_arn": ARN, "date": DATE, "starts": True, "accounts": ["111122223333"], "name": "Nightly"} | run
    file = BytesIO()
    subject = CisRun(**({"total": len(results)} | told))
    write(file, subject, iter(by_check), iter(by_target), iter(results), most_pages=most_pages)
    return file.getvalue()


def read(data):
    return PdfReader(BytesIO(data), strict=True)


def texts(data):
    return [page.extract_text() for page in read(data).pages]


def squeezed(data):
    """All text without white space, and so without the ends of lines."""
    return "".join("".join(texts(data)).split())


def hosts(count):
    return [result(host=f"i-{number:017x}") for number in range(count)]


def test_what_a_report_says():
    data = report(
        result(),
        result(host="i-0aaaabbbbccccddd2", Status="FAILED", **{"Status Reason": "cramfs is loaded"}),
        result("2.1", Status="SKIPPED", Title="", Level="", Remediation="", **{"Check Description": ""}),
        by_check=[COUNTED_CHECK],
        by_target=[COUNTED_TARGET],
        level="LEVEL_1",
        scheduled_by="o-abcdefghij",
        benchmarks=["Server 3.0.0", "Server 2.0.0"],
        accounts=["111122223333", "444455556666"],
        instances=2,
        checks=2,
        passed=1,
        failed=1,
        skipped=1,
    )
    assert len(texts(data)) == 1
    told = [
        *("openinspector", "Page 1 of 1"),
        "CIS scan report: Nightly",
        *("Scan name", "Nightly"),
        *("Scan", ARN),
        *("Started", "2026-03-02 10:15:30 UTC"),
        *("Level", "Level 1"),
        *("Benchmarks", "Server 3.0.0, Server 2.0.0"),
        *("Scheduled by", "o-abcdefghij"),
        *("Accounts", "111122223333, 444455556666"),
        *("Results", "3: 2 checks on 2 instances"),
        *("Outcome", "1 passed, 1 failed, 1 skipped"),
        *("Whole: every result of this scan that the account may see.", "This report"),
        "Checks, counted",
        *("Check", "Title", "Level", "Platform", "Passed", "Failed", "Skipped"),
        *("1.1.1", "Ensure cramfs is disabled", "Level 1", "UBUNTU_22_04", "1", "2", "3"),
        "Instances, counted",
        *("Account", "Instance", "Platform", "Benchmark", "Session", "Passed", "Failed", "Skipped"),
        *("111122223333", "i-0aaaabbbbccccddd1", "UBUNTU_22_04", "Server 3.0.0", "CANCELLED", "4", "5", "6"),
        "UNSUPPORTED_OS",
        "Results by check",
        "1.1.1  Ensure cramfs is disabled",
        "Level 1, UBUNTU_22_04",
        *("Description", "It is seldom needed."),
        *("Remediation", "Disable it.", "Then reboot."),
        *("Account", "Instance", "Status", "Reason"),
        *("111122223333", "i-0aaaabbbbccccddd1", "PASSED"),
        *("111122223333", "i-0aaaabbbbccccddd2", "FAILED", "cramfs is loaded"),
        "2.1  (the check has no title)",
        "UBUNTU_22_04",
        *("Account", "Instance", "Status", "Reason"),
        *("111122223333", "i-0aaaabbbbccccddd1", "SKIPPED"),
    ]
    assert squeezed(data) == "".join("".join(told).split())


def test_words_of_the_service_are_not_broken():
    target = {"account": "111122223333", "benchmark": "", "passed": 0, "failed": 123_456, "skipped": 0}
    rows = [
        TargetCounts(resource="i-0ddddddddddddddd1", platform=platform, status=status, reason=reason, **target)
        for platform, status, reason in (
            ("AMAZON_LINUX_2023", "IN_PROGRESS", ""),
            ("UBUNTU_22_04", "CANCELLED", "UNSUPPORTED_OS"),
            ("UBUNTU_24_04", "CANCELLED", "SSM_UNMANAGED"),
        )
    ]
    words = "".join(texts(report(by_target=rows))).split()
    for row in rows:
        whole = (row.account, row.resource, row.platform, row.status, row.reason, "123456")
        assert {each for each in whole if each} <= set(words)


def test_what_a_member_does_not_see_of_the_run_is_said_not_guessed():
    text = squeezed(report(result(), name="", starts=False))
    assert text.count("notvisibletotheaccountthataskedforthereport") == 3
    assert "Firstresult2026-03-0210:15:30UTC" in text
    assert "Benchmarksnottoldbytheinstances" in text


def test_a_run_without_results_has_a_report():
    text = squeezed(report())
    assert "Therearenoresults." in text
    assert "Whole:" in text


def test_readers_are_told_the_language_the_title_and_the_sections():
    document = read(report(result(), result("1.1.2", Title="Another")))
    root = document.trailer["/Root"]
    assert root["/Lang"] == "en"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"] == True  # noqa: E712 - of pypdf's
    assert document.metadata.title == "CIS scan report: Nightly"
    *sections, results, below = document.outline
    assert [each.title for each in (*sections, results)] == [
        "Checks, counted",
        "Instances, counted",
        "Results by check",
    ]
    assert [each.title for each in below] == ["1.1.1 Ensure cramfs is disabled", "1.1.2 Another"]


def test_nothing_of_the_machine_is_in_the_file():
    data = report(result())
    assert read(data).metadata == {
        "/Title": "CIS scan report: Nightly",
        "/Subject": ARN,
        "/Author": "",
        "/Creator": "openinspector",
        "/Producer": "openinspector",
        "/CreationDate": "D:20260302101530+00'00'",
        "/ModDate": "D:20260302101530+00'00'",
        "/Keywords": "",
        "/Trapped": "/False",
    }
    assert "/Metadata" not in read(data).trailer["/Root"]
    assert b"/home" not in data
    assert b"site-packages" not in data


def test_the_same_results_give_the_same_bytes_elsewhere():
    code = (
        "import sys; from tests.unit.render.test_cis_pdf import *;"
        "sys.stdout.buffer.write(report(result(), result('1.2', Title='Größe שלום'), by_check=[COUNTED_CHECK]))"
    )
    made = {
        subprocess.run(
            [sys.executable, "-c", code], env=os.environ | more, cwd=ROOT, capture_output=True, check=True
        ).stdout
        for more in ({"TZ": "Asia/Tokyo", "PYTHONHASHSEED": "1"}, {"TZ": "America/Lima", "PYTHONHASHSEED": "2"})
    }
    assert made == {report(result(), result("1.2", Title="Größe שלום"), by_check=[COUNTED_CHECK])}


@pytest.mark.parametrize(
    ("hostile", "drawn"),
    [
        ("<b>bold</b> & <para> </font>", "<b>bold</b>&<para></font>"),
        ('<img src="file:///etc/passwd"/>&#65;', '<imgsrc="file:///etc/passwd"/>&#65;'),
        ("(a) Tj ET \\ ) endstream endobj", "(a)TjET\\)endstreamendobj"),
        ("NUL \0 \u202eturned\u2069", "NUL[U+0000][U+202E]turned[U+2069]"),
        ("שלום 漢 \U0001f600", "[U+05E9][U+05DC][U+05D5][U+05DD][U+6F22][U+1F600]"),
        ("\ud800", "[U+D800]"),
        ("{{form}} %s {0} $x", "{{form}}%s{0}$x"),
    ],
)
def test_text_is_text_wherever_it_stands(hostile, drawn):
    everywhere = dict.fromkeys(("Title", "Status Reason", "Check Description", "Remediation", "Status"), hostile)
    data = report(
        result(hostile, hostile, Level=hostile, Platform=hostile, **everywhere),
        name=hostile,
        accounts=[hostile],
        benchmarks=[hostile],
        scheduled_by=hostile,
    )
    assert squeezed(data).count(drawn) >= 10  # in a narrow cell it has several lines, which others stand between
    assert "".join(read(data).metadata.title.split()) == f"CISscanreport:{drawn}"


@pytest.mark.parametrize("text", ["x" * 10_000, "word " * 2_000, "-" * 10_000, "\n" * 300 + "end", "W\u05d0" * 2_000])
def test_long_texts_stay_within_the_margins(text):
    data = report(result(text, text, Title=text, **{"Status Reason": text}), name=text)
    assert len(texts(data)) > 1
    assert "Whole:" in squeezed(data)
    document = pypdfium2.PdfDocument(data)
    try:
        for page in document:
            image = page.render(scale=1).to_pil().convert("L")
            width, height = image.size
            for margin in ((0, 0, 40, height), (width - 40, 0, width, height), (0, 0, width, 30)):
                assert image.crop(margin).getextrema()[0] > 250
    finally:
        document.close()


def test_a_long_title_is_told_in_full():
    words = [f"{number:05}" for number in range(2_000)]
    told = "\n".join(texts(report(result(Title=" ".join(words)))))
    title = told.partition("1.1.1")[2].partition("Level 1")[0]
    assert re.findall(r"\b\d{5}\b", title) == words


def test_a_table_repeats_its_header_on_each_page_and_pages_are_numbered():
    pages = texts(report(*hosts(300)))
    assert len(pages) > 4
    for number, page in enumerate(pages, 1):
        assert f"Page {number} of" in page
        assert re.search(rf"^\s*{len(pages)}\s*$", page, re.MULTILINE)
        assert page.count("Reason") == 1
        assert ("CIS scan report: Nightly" in page.splitlines()[:3]) == (number > 1)
    shown = re.findall(r"i-[0-9a-f]{17}", "".join(pages))
    assert shown == [f"i-{number:017x}" for number in range(300)]


def test_what_fits_on_no_page_is_left_out_and_counted():
    data = report(*hosts(300), most_pages=3)
    pages = texts(data)
    shown = len(re.findall(r"i-[0-9a-f]{17}", "".join(pages)))
    assert len(pages) == 3
    assert 50 < shown < 300
    assert f"Allbut{shown}of300resultsareleftout:areportendsafter3pages." in squeezed(data)


def test_an_instance_that_tells_a_check_otherwise_is_heard():
    text = squeezed(report(result(), result(host="i-2", Title="Other", Level="LEVEL_2", Remediation="")))
    assert text.count("Ensurecramfsisdisabled") == 1
    assert text.endswith("i-2PASSEDTitle:OtherLevel:Level2Remediation:(none)")


def test_a_check_has_a_section_for_each_platform():
    text = squeezed(report(result(), result(Platform="AMAZON_LINUX_2023", Title="Another benchmark's")))
    assert "1.1.1Ensurecramfsisdisabled" in text
    assert "1.1.1Anotherbenchmark'sLevel1,AMAZON_LINUX_2023" in text


def test_memory_is_that_of_the_file_not_of_the_results():
    def peak(count):
        rows = (result(host=f"i-{number:017x}", **{"Status Reason": "because " * 20}) for number in range(count))
        run = CisRun(scan_arn=ARN, date=DATE, starts=True, accounts=[], total=count)
        tracemalloc.start()
        try:
            write(BytesIO(), run, (), (), rows)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(1)
    assert (peak(1_500) - peak(300)) / 1_200 < 1_000  # bytes for a result


def test_nothing_is_imported_before_a_report_is_made():
    code = "import sys, openinspector.render.cis_pdf; assert not [each for each in sys.modules if 'reportlab' in each]"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_fonts_are_in_the_file():
    document = read(report(result()))
    fonts = document.pages[0]["/Resources"]["/Font"]
    resolved = [each.get_object() if isinstance(each, IndirectObject) else each for each in fonts.values()]
    names = {each["/BaseFont"].rpartition("+")[2].lstrip("/") for each in resolved}
    assert names == {"BitstreamVeraSans-Roman", "BitstreamVeraSans-Bold"}
    assert all("/FontFile2" in each["/FontDescriptor"] and "/ToUnicode" in each for each in resolved)
