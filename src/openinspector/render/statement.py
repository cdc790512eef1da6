"""A VEX statement in one line."""

from openinspector.model.vex import Statement


def statement_line(statement: Statement) -> str:
    """`under investigation, says Acme on 2024-05-01 (acme.vex.json): the reason`."""
    line = statement.status.replace("_", " ")
    if statement.justification:
        line += f" ({statement.justification.replace('_', ' ')})"
    if statement.author:
        line += f", says {statement.author}"
    if statement.timestamp:
        line += f" on {statement.timestamp[:10]}"
    if statement.file:
        line += f" ({statement.file})"
    reason = statement.impact or statement.action
    return f"{line}: {reason}" if reason else line
