"""What the documents show is true: commands parse, settings exist, links lead somewhere, code runs."""

import re
import shlex
from pathlib import Path

import pytest

from openinspector.acquire.limits import Limits
from openinspector.cli.arguments import parser

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
VARIABLE = re.compile(r"OPENINSPECTOR_[A-Z]+(?:_[A-Z]+)*")


def fenced(language=None):
    for page in PAGES:
        for found in FENCE.finditer(page.read_text()):
            if language is None or found[1] in language:
                yield page.relative_to(ROOT), found[2]


def shown_commands():
    for page, block in fenced(("", "sh", "bash", "console", "text")):
        for line in block.replace("\\\n", " ").splitlines():
            words = line.strip().removeprefix("$ ").removeprefix(".venv/bin/")
            if words.startswith("openinspector ") and not re.search(r"[\[\]…]|\.\.\.", words):
                yield pytest.param(words, id=f"{page}: {words}")


@pytest.mark.parametrize("line", list(shown_commands()))
def test_every_command_shown_is_understood(line):
    given = []
    for word in shlex.split(line, comments=True)[1:]:
        if word in ("|", "||", "&&", ";", ">", "2>"):
            break
        given.append(word)
    if line.partition("  ")[2] and given:
        given = shlex.split(line.partition("  ")[0])[1:]  # what follows two spaces says what it does
    parser().parse_args(given)


def test_every_setting_is_on_the_page_of_settings_and_every_one_there_exists():
    code = "\n".join(path.read_text() for path in (ROOT / "src").rglob("*.py"))
    limits = {f"OPENINSPECTOR_LIMIT_{name.upper()}" for name in Limits.__struct_fields__}
    used = {each for each in VARIABLE.findall(code) if each != "OPENINSPECTOR_LIMIT"} | limits
    assert set(VARIABLE.findall((ROOT / "docs/settings.md").read_text())) == used


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_within_the_project_leads_somewhere(page):
    text = FENCE.sub("", page.read_text())
    for target in re.findall(r"\]\(([^)#\s]+)", text):
        if "://" not in target and not target.startswith("mailto:"):
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize(("page", "block"), list(fenced(("python",))))
def test_python_in_the_documents_compiles_and_its_imports_exist(page, block):
    compile(block, str(page), "exec")
    for line in block.splitlines():
        if line.startswith(("import openinspector", "from openinspector")):
            exec(line, {})  # noqa: S102  our own document
