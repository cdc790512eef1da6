"""GetClustersForImage: where an image ran in the last 24 hours.

A use's document is the API's `ClusterMetadata`.

Source: Inspector's API reference, GetClustersForImage.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from openinspector.api.context import Context, Handler
from openinspector.api.operations._view import accounts_in_view
from openinspector.model.moment import read_moment
from openinspector.store.clusters import clusters

if TYPE_CHECKING:
    from sqlalchemy import Row

LATELY: Final = timedelta(hours=24)
_MOST_USES: Final = 100  # details of a cluster


def clusters_for_image(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """The clusters of an image, or of all images of a repository."""
    page = context.page(given)
    image = given["filter"]["resourceId"]
    with context.connect(*accounts_in_view(context)) as connection:
        rows = clusters(
            connection, context.region, image, context.now - LATELY, _MOST_USES, after=page.after, size=page.size
        )
    shown = rows[: page.size]
    answer: dict[str, Any] = {"cluster": [_told(row) for row in shown]}
    if len(rows) > page.size:
        answer["nextToken"] = page.token((shown[-1].cluster,))
    return answer


def _told(row: "Row[Any]") -> dict[str, Any]:
    details = [
        {
            "lastInUse": read_moment(use["last_seen_at"]),
            "runningUnitCount": use["running"],
            "clusterMetadata": use["document"],
        }
        for use in row.uses
    ]
    return {"clusterArn": row.cluster, "clusterDetails": details}


OPERATIONS: Final[Mapping[str, Handler]] = {"GetClustersForImage": clusters_for_image}
