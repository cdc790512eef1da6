"""The clusters in which images run."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, or_, select
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, aggregate_order_by

from openinspector.store.account_tables import image_use
from openinspector.store.listing import page_of
from openinspector.store.tables import resource


def clusters(
    connection: Connection,
    region: str,
    image: str,
    since: datetime,
    most_uses: int,
    *,
    after: Sequence[Any] | None,
    size: int,
) -> Sequence[Row[Any]]:
    """A page of the clusters that an image has run in `since`, and one more, by ARN.

    `image` is an image's ARN, or its repository's for all of its images. `uses` are JSON objects, the latest first and
    `most_uses` at most: `last_seen_at`, how many were `running`, and the `document`.
    """
    use, images = image_use.c, resource.c
    told = func.jsonb_build_object(
        *("last_seen_at", use.last_seen_at, "running", use.running, "document", use.document)
    )
    uses = func.array_agg(aggregate_order_by(told, use.last_seen_at.desc()), type_=ARRAY(JSONB))
    of_image = or_(images.external_id == image, images.external_id.startswith(f"{image}/sha256:", autoescape=True))
    rows = (
        select(use.cluster, uses[1:most_uses].label("uses"))
        .select_from(image_use.join(resource, images.id == use.resource_id))
        .where(images.region == region, images.type == "AWS_ECR_CONTAINER_IMAGE", of_image)
        .where(images.gone_at.is_(None), use.last_seen_at >= since)
        .group_by(use.cluster)
    )
    return connection.execute(page_of(rows, (use.cluster,), after, size)).all()
