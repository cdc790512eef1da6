"""BatchGetCodeSnippet: the lines that findings in code are about.

An account's snippets are for itself: a delegated administrator doesn't see its members'.

Source: Inspector's API reference, BatchGetCodeSnippet; user guide, "Code snippets".
"""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from openinspector.api.context import Context, Handler
from openinspector.model.arn import parse_arn
from openinspector.store.code_snippets import snippets


def batch_get(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """A snippet or an error for each finding, in the order asked."""
    asked = list(dict.fromkeys(given["findingArns"]))
    wanted = {arn: UUID(arn[-32:]) for arn in asked}  # the model's pattern: an ARN ends in 32 hexadecimal digits
    with context.connect(context.account_id) as connection:
        found = snippets(connection, context.account_id, context.region, wanted.values())
    results: list[dict[str, Any]] = []
    errors: list[dict[str, Any]] = []
    for arn in asked:
        parts = parse_arn(arn)
        if parts is None or parts.account != context.account_id:
            errors.append(_error(arn, "ACCESS_DENIED", "Invoking account does not have access to this finding."))
        elif parts.region != context.region or wanted[arn] not in found:
            errors.append(_error(arn, "CODE_SNIPPET_NOT_FOUND", "There is no code snippet of this finding."))
        else:
            document = found[wanted[arn]]
            results.append({"findingArn": arn, **{name: document.get(name) for name in _MEMBERS}})
    return {"codeSnippetResults": results, "errors": errors}


_MEMBERS: Final = ("startLine", "endLine", "codeSnippet", "suggestedFixes")


def _error(arn: str, code: str, message: str) -> dict[str, Any]:
    return {"findingArn": arn, "errorCode": code, "errorMessage": message}


OPERATIONS: Final[Mapping[str, Handler]] = {"BatchGetCodeSnippet": batch_get}
