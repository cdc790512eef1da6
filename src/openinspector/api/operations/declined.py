"""Operations that this version does not answer, and why. Whoever writes a handler takes its line away from here."""

from collections.abc import Mapping
from typing import Final

_NOT_YET: Final = "It is planned, and has no handler yet."

DECLINED: Final[Mapping[str, str]] = {
    "CancelFindingsReport": _NOT_YET,
    "CancelSbomExport": _NOT_YET,
    "CreateFindingsReport": _NOT_YET,
    "CreateSbomExport": _NOT_YET,
    "GetFindingsReportStatus": _NOT_YET,
    "GetSbomExport": _NOT_YET,
}
