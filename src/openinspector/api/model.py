"""Inspector's two service models, from botocore's data: operations, what goes in, what comes out, what goes wrong.

Source: botocore's `inspector2/2020-06-08` and `inspector-scan/2023-08-08`; the API reference where a note says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal

from openinspector.api.shapes import (
    Blob,
    Boolean,
    Decimal,
    Document,
    Integer,
    ListOf,
    Location,
    MapOf,
    Member,
    Shape,
    Structure,
    Text,
    Timestamp,
    TimestampFormat,
)
from openinspector.errors import PluginError

ServiceName = Literal["inspector2", "inspector-scan"]
SERVICES: Final[tuple[ServiceName, ...]] = ("inspector2", "inspector-scan")

ALSO_ACCEPTED: Final[Mapping[str, tuple[str, ...]]] = {
    # The user guide enables machine images by this value, which the SDKs' model lacks.
    "ResourceScanType": ("MACHINE_IMAGE",),
}
ALSO_FITTING: Final[Mapping[str, str]] = {
    # On-demand scans are of machine images, whose ids the SDKs' model forbids.
    "ResourceId": "ami-[a-f0-9]{8}([a-f0-9]{9})?",
}

_LOCATIONS: Final[Mapping[str | None, Location]] = {
    None: "body",
    "uri": "uri",
    "querystring": "querystring",
    "header": "header",
}
_TIMESTAMPS: Final[Mapping[str | None, TimestampFormat | None]] = {
    None: None,
    "unixTimestamp": "unixTimestamp",
    "iso8601": "iso8601",
}
_STRANGE: Final = frozenset({"jsonvalue", "timestampFormat", "streaming", "hostLabel", "eventpayload"})


@dataclass(frozen=True, slots=True, eq=False)
class ErrorShape:
    """A modelled exception: its HTTP status, and what it carries."""

    code: str
    status: int
    structure: Structure


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """One thing that can be asked for. `service` is also the name in a signature's scope.

    `errors` are the exceptions of the whole service by code; `modelled` names those that the model lists for this
    operation.
    """

    service: ServiceName
    name: str
    method: str
    path: str  # `/tags/{resourceArn}`
    status: int
    input: Structure
    output: Structure
    errors: Mapping[str, ErrorShape]
    modelled: frozenset[str]

    @property
    def paged(self) -> bool:
        """Whether its answer may come in pages."""
        return "nextToken" in self.input.members and "nextToken" in self.output.members


@cache
def operations() -> Mapping[str, Operation]:
    """Every operation of both services by its name. Read once."""
    found: dict[str, Operation] = {}
    for service in SERVICES:
        for operation in _service(service):
            if operation.name in found:
                raise PluginError(f"two services have an operation called {operation.name}")
            found[operation.name] = operation
    return found


def _service(service: ServiceName) -> list[Operation]:
    raw = _load(service)
    shapes = _Shapes(raw["shapes"])
    errors = {
        name: ErrorShape(name, fields.get("error", {}).get("httpStatusCode", 500), shapes.structure(name))
        for name, fields in raw["shapes"].items()
        if fields.get("exception")
    }
    return [_operation(service, fields, shapes, errors) for fields in raw["operations"].values()]


def _load(service: ServiceName) -> dict[str, Any]:
    from pathlib import Path

    import botocore
    from botocore.loaders import Loader

    # Only botocore's own data: a model in somebody's home directory must not change what the service accepts.
    data = Path(botocore.__file__).parent / "data"
    loader = Loader(extra_search_paths=[str(data)], include_default_search_paths=False)
    model: dict[str, Any] = loader.load_service_model(service, "service-2")
    return model


def _operation(
    service: ServiceName, fields: Mapping[str, Any], shapes: "_Shapes", errors: Mapping[str, ErrorShape]
) -> Operation:
    return Operation(
        service=service,
        name=fields["name"],
        method=fields["http"]["method"],
        path=fields["http"]["requestUri"],
        status=fields["http"].get("responseCode", 200),
        input=shapes.structure(fields["input"]["shape"]) if "input" in fields else Structure("", {}),
        output=shapes.structure(fields["output"]["shape"]) if "output" in fields else Structure("", {}),
        errors=errors,
        modelled=frozenset(error["shape"] for error in fields.get("errors", ())),
    )


class _Shapes:
    """A model's raw shapes, built on demand; each once."""

    def __init__(self, raw: Mapping[str, Mapping[str, Any]]) -> None:
        self._raw = raw
        self._built: dict[str, Shape] = {}
        self._building: set[str] = set()

    def structure(self, name: str) -> Structure:
        """A shape that must be a structure."""
        shape = self.build(name)
        if not isinstance(shape, Structure):
            raise PluginError(f"the service model's {name} is no structure")
        return shape

    def build(self, name: str) -> Shape:
        """A shape by its name. No shape of these models contains itself, and the rest of `api/` counts on it."""
        if name not in self._built:
            if name in self._building:
                raise PluginError(f"the service model's {name} contains itself")
            self._building.add(name)
            self._built[name] = self._new(name, self._raw[name])
            self._building.discard(name)
        return self._built[name]

    def _new(self, name: str, raw: Mapping[str, Any]) -> Shape:
        low, high = raw.get("min"), raw.get("max")
        match raw["type"]:
            case "structure" if raw.get("document"):
                return Document(name)
            case "structure":
                return self._structure(name, raw)
            case "list":
                return ListOf(name, self.build(raw["member"]["shape"]), low, high)
            case "map":
                key = self.build(raw["key"]["shape"])
                if not isinstance(key, Text):
                    raise PluginError(f"the service model's {name} has keys that are no strings")
                return MapOf(name, key, self.build(raw["value"]["shape"]), low, high)
            case "string":
                choices = tuple(raw.get("enum", ()))
                if choices:
                    choices += tuple(more for more in ALSO_ACCEPTED.get(name, ()) if more not in choices)
                pattern = raw.get("pattern")
                if pattern and name in ALSO_FITTING:
                    pattern = f"{pattern}|{ALSO_FITTING[name]}"
                return Text(name, low, high, pattern, choices, bool(raw.get("sensitive")))
            case "integer":
                return Integer(name, 32, low, high)
            case "long":
                return Integer(name, 64, low, high)
            case "float" | "double":
                return Decimal(name, low, high)
            case "boolean":
                return Boolean(name)
            case "timestamp":
                if raw.get("timestampFormat") not in _TIMESTAMPS:
                    raise PluginError(f"the service model's {name} is a moment in a form unknown to us")
                return Timestamp(name, _TIMESTAMPS[raw.get("timestampFormat")])
            case "blob":
                return Blob(name, low, high)
            case other:
                raise PluginError(f"the service model's {name} is of an unknown type, {other}")

    def _structure(self, name: str, raw: Mapping[str, Any]) -> Structure:
        if "payload" in raw:
            raise PluginError(f"the service model's {name} has a payload of its own, which no operation had before")
        members: dict[str, Member] = {}
        for member, traits in raw["members"].items():
            location = traits.get("location")
            if location not in _LOCATIONS or not _STRANGE.isdisjoint(traits):
                raise PluginError(f"the service model's {name}.{member} travels in a way unknown to us")
            wire = traits.get("locationName", member)
            members[member] = Member(member, self.build(traits["shape"]), _LOCATIONS[location], wire)
        return Structure(name, members, tuple(raw.get("required", ())), bool(raw.get("union")))
