"""AWS in miniature."""

from tests.edge.aws_server import _aws_server, aws  # noqa: F401
