"""Every exception we raise.

OpenInspectorError
├── UsageError          the caller asked for something that makes no sense
├── VersionError        a version that its scheme can't read
├── CatalogError        a file that its format can't read
├── AcquireError        a target that can't be read
│   ├── LimitError      …because it exceeds a limit (size, ratio, entries, depth, time)
│   └── SbomError       …because it is no SBOM that the service takes; says why in the API's word
├── ConfinedError       a child process that died or exceeded its bounds while it read what a stranger sent
├── FeedError           a publisher's document that can't be fetched or read
├── StoreError          the advisory file, the database or a sealed secret is missing, broken or of another version
├── PublishError        a sink that takes no events at the moment
├── DestinationError    a place that a report is written to and that doesn't take it; says why in the API's word
├── RefusedError        a service that refuses what is handed in, or doesn't answer
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


class ConfinedError(OpenInspectorError):
    """A child process that gave no answer.

    `kind` is a bound that it exceeded (`memory`, `cpu`, `time`, `answer`), `crashed` for an error of its own, `killed`
    where somebody else ended it, `lost` where none can be started, `busy` where all are at work.
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class FeedError(OpenInspectorError):
    """A publisher's document that can't be fetched or read."""


class StoreError(OpenInspectorError):
    """The advisory file, the database or a sealed secret is missing, broken or of another version."""


class DestinationError(OpenInspectorError):
    """A place that doesn't take a report. `code` is the service model's word, `BUCKET_NOT_FOUND`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class PublishError(OpenInspectorError):
    """A sink that takes no events at the moment. `seconds` is how long it asks to be left alone, 0 if it doesn't."""

    def __init__(self, message: str, seconds: float = 0) -> None:
        super().__init__(message)
        self.seconds = seconds


class RefusedError(OpenInspectorError):
    """A service that refuses what is handed in, or doesn't answer. `code` is the API's word, "" for none."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class PluginError(OpenInspectorError):
    """A plug-in folder that breaks its own rules."""
