"""Operations that this version does not answer, and why. Whoever writes a handler takes its line away from here."""

from collections.abc import Mapping
from typing import Final

DECLINED: Final[Mapping[str, str]] = {}
