"""The database roles that the service works as. Neither owns anything, and neither can evade row security."""

from typing import Final

SCHEMA: Final = "openinspector"
APP_ROLE: Final = "openinspector_app"  # answers requests; sees the rows of the accounts of its transaction
SYSTEM_ROLE: Final = "openinspector_system"  # scans, matches, delivers; sees every row
