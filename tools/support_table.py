"""Writes docs/support.md from the plug-ins that are there; with --check, says whether the page is current."""

from page import settle

from openinspector.model.distro import FAMILIES
from openinspector.model.ecosystem import ECOSYSTEMS
from openinspector.pipeline.registry import feeds, formats
from openinspector.versions.order import schemes


def page() -> str:
    """The support page."""
    lines = ["# What is supported", "", "This page is made from the code by `make docs`.", "", "## File formats", ""]
    lines += ["| format | reads | packages |", "|---|---|---|"]
    lines += [f"| `{each.name}` | {each.title} | {each.type or 'facts of the system'} |" for each in formats().values()]
    lines += [
        "",
        "## Distributions",
        "",
        "| family | distribution | versions | release | judged by |",
        "|---|---|---|---|---|",
    ]
    for family in FAMILIES.values():
        lines.append(f"| `{family.id}` | {family.title} | {family.scheme} | {family.release} | {family.by} package |")
    lines += ["", "## Language ecosystems", "", "| type | ecosystem | versions |", "|---|---|---|"]
    lines += [f"| `{each.type}` | {each.title} | {each.scheme} |" for each in ECOSYSTEMS.values()]
    lines += ["", "## Feeds", "", "| feed | publisher's documents | where they lie |", "|---|---|---|"]
    for feed in feeds().values():
        lines.append(f"| `{feed.name}` | {feed.title} | {', '.join(f'`{each.path}`' for each in feed.sources[:4])} |")
    lines += ["", "## Version schemes", "", "| scheme | versions of |", "|---|---|"]
    lines += [f"| `{each.name}` | {each.title} |" for each in schemes().values()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    raise SystemExit(settle("support.md", page()))
