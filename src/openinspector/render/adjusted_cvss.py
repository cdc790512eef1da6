"""A score in its environment as Inspector's API writes it.

Source: Inspector's API reference, InspectorScoreDetails and CvssScoreDetails. Which words stand in `metric` and in
`reason` is nowhere published; ours are the metric's name in the CVSS specification and a sentence.
"""

from typing import Any

from openinspector.model.environment import Adjusted
from openinspector.render.text import cvss_version


def adjusted_cvss(adjusted: Adjusted, score_source: str, cvss_source: str = "") -> dict[str, Any] | None:
    """`InspectorScoreDetails`; None where there is no score, or nobody to name for it.

    `score_source` assigned the score and `cvss_source` the vector ("" where that is the same publisher).
    """
    if adjusted.score is None or not (adjusted.vector and score_source):
        return None
    return {
        "adjustedCvss": {
            "scoreSource": score_source,
            "cvssSource": cvss_source or score_source,
            "version": cvss_version(adjusted.vector),
            "score": adjusted.score,
            "scoringVector": adjusted.vector,
            "adjustments": [{"metric": each.metric, "reason": each.reason} for each in adjusted.adjustments],
        }
    }
