"""Every exception we raise.

OpenInspectorError
├── UsageError          the caller asked for something that makes no sense
├── VersionError        a version that its scheme can't read
├── CatalogError        a file that its format can't read
├── AcquireError        a target that can't be read
│   ├── LimitError      …because it exceeds a limit (size, ratio, entries, depth, time)
│   └── SbomError       …because it is no SBOM that the service takes; says why in the API's word
├── FeedError           a publisher's document that can't be fetched or read
├── StoreError          the advisory file, the database or a sealed secret is missing, broken or of another version
├── PluginError         a plug-in folder that breaks its own rules
├── ApiError            what a caller of the service is told (api/errors.py has its kinds)
├── SignatureRefused    a request that is not validly signed (api/sigv4.py)
└── OutputError         an answer of ours that the service model does not allow (api/errors.py)
"""


class OpenInspectorError(Exception):
    """The root: catching it catches everything that is ours."""


class UsageError(OpenInspectorError):
    """The caller asked for something that makes no sense."""


class VersionError(OpenInspectorError):
    """A version that its scheme can't read."""


class CatalogError(OpenInspectorError):
    """A file that its format can't read."""


class AcquireError(OpenInspectorError):
    """A target that can't be read."""


class LimitError(AcquireError):
    """A target that exceeds a limit."""


class SbomError(AcquireError):
    """An SBOM that the service does not take. `reason` is the service model's word, `CANNOT_PARSE`."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class FeedError(OpenInspectorError):
    """A publisher's document that can't be fetched or read."""


class StoreError(OpenInspectorError):
    """The advisory file, the database or a sealed secret is missing, broken or of another version."""


class PluginError(OpenInspectorError):
    """A plug-in folder that breaks its own rules."""
