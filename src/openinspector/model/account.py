"""An account as it has set itself up: which kinds of resources are scanned, and how.

Source: Inspector's API reference (Status, EcrConfiguration, Ec2Configuration, AmiConfiguration,
Ec2DeepInspectionStatus); the user guide for the defaults. Those of machine images are ours, AWS publishes none.
"""

from collections.abc import Mapping
from typing import Final, Literal, get_args

from msgspec import Struct

from openinspector.model.resource import AccountId

ResourceScanType = Literal["EC2", "ECR", "LAMBDA", "LAMBDA_CODE", "CODE_REPOSITORY", "MACHINE_IMAGE"]
RESOURCE_SCAN_TYPES: Final[tuple[ResourceScanType, ...]] = get_args(ResourceScanType)
SCAN_TYPES: Final[Mapping[str, ResourceScanType]] = {  # that the packages of a resource come under, by its type
    "AWS_EC2_INSTANCE": "EC2",
    "AWS_ECR_CONTAINER_IMAGE": "ECR",
    "AWS_LAMBDA_FUNCTION": "LAMBDA",
    "CODE_REPOSITORY": "CODE_REPOSITORY",
    "MACHINE_IMAGE": "MACHINE_IMAGE",
}
Status = Literal["ENABLED", "DISABLED", "SUSPENDED"]
Section = Literal["ecr", "ec2", "ami"]  # of a configuration: set, and inherited from an administrator, as a whole
SECTIONS: Final[tuple[Section, ...]] = get_args(Section)

MOST_PATHS: Final = 5  # of an account's own for deep inspection, and as many of its organization's


class EcrSettings(Struct, frozen=True, kw_only=True):
    """How long an image is scanned again: while either window, of its push or of its pull or use, is open."""

    rescan_duration: str = "DAYS_14"  # or `LIFETIME`
    pull_date_rescan_duration: str = "DAYS_14"
    pull_date_rescan_mode: str = "LAST_IN_USE_AT"  # or `LAST_PULL_DATE`
    updated_at: str = ""  # as every time here: ISO 8601 in UTC, "" for never


class Ec2Settings(Struct, frozen=True, kw_only=True):
    """How instances are read."""

    scan_mode: str = "EC2_HYBRID"  # or `EC2_SSM_AGENT_BASED`
    has_vm_scanner: bool = False
    vm_scanner_since: str = ""


class AmiSettings(Struct, frozen=True, kw_only=True):
    """Which machine images are scanned: those made, or launched from, in these windows."""

    created_within: str = "DAYS_90"
    last_launched_within: str = "DAYS_90"
    scan_mode: str = "SCAN_ALL"  # but what has the tag; or `TARGET_SCANNING`: only what has it
    tag_key: str = ""
    tag_value: str | None = None  # None: any
    exclude_copied: bool = False
    exclude_backups: bool = False
    updated_at: str = ""


class Configuration(Struct, frozen=True, kw_only=True):
    """The settings of an account in a region."""

    ecr: EcrSettings = EcrSettings()
    ec2: Ec2Settings = Ec2Settings()
    ami: AmiSettings = AmiSettings()


class DeepInspection(Struct, frozen=True, kw_only=True):
    """Whether instances are searched for packages of languages, and where besides the usual directories."""

    is_active: bool = True
    paths: tuple[str, ...] = ()
    organization_paths: tuple[str, ...] = ()  # its administrator's


class Account(Struct, frozen=True, kw_only=True):
    """An account in a region. One that never enabled anything has the defaults."""

    id: AccountId
    enabled: frozenset[ResourceScanType] = frozenset()
    is_suspended: bool = False
    configuration: Configuration = Configuration()
    deep_inspection: DeepInspection = DeepInspection()

    @property
    def status(self) -> Status:
        """Of the account as a whole: on as long as anything is."""
        if not self.enabled:
            return "DISABLED"
        return "SUSPENDED" if self.is_suspended else "ENABLED"

    def status_of(self, scan_type: ResourceScanType) -> Status:
        """Of one kind of resource."""
        if scan_type not in self.enabled:
            return "DISABLED"
        return "SUSPENDED" if self.is_suspended else "ENABLED"

    @property
    def is_deeply_inspected(self) -> bool:
        """Whether deep inspection happens: it is on, and there are instances to inspect."""
        return self.deep_inspection.is_active and self.status_of("EC2") == "ENABLED"
