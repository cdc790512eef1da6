"""Idempotency tokens: a call that is repeated, because its answer got lost on the way, is answered as before."""

import functools
from typing import Any

from openinspector.api.context import Context, Handler
from openinspector.api.errors import field_failed
from openinspector.store.client_tokens import Once, earlier, remember


def once(handler: Handler) -> Handler:
    """The handler, which does nothing a second time for one `clientToken`. Its answers have nothing but JSON in them.

    Errors aren't kept, nor are answers with `failedAccounts`: Terraform tries those again, with the token that it had.

    Raises:
        ValidationFailed: The token was for another request.
    """

    @functools.wraps(handler)
    def answer(context: Context, given: dict[str, Any]) -> dict[str, Any]:
        token: str | None = given.get("clientToken")
        if token is None:
            return handler(context, given)
        call = Once(
            account=context.account_id,
            region=context.region,
            operation=context.operation.name,
            token=token,
            request={name: value for name, value in given.items() if name != "clientToken"},
        )
        with context.connect(context.account_id) as connection:
            before = earlier(connection, call, context.now)
        if before is not None:
            if not before.is_same:
                raise field_failed("clientToken", "The token was used for a request with other parameters.")
            return before.answer
        output = handler(context, given)
        if not output.get("failedAccounts"):
            with context.connect(context.account_id) as connection:
                if earlier(connection, call, context.now) is None:
                    remember(connection, call, output, context.now)
        return output

    return answer
