"""What is a TARGET: said by its prefix, or found out from what lies there."""

from pathlib import Path

from msgspec import Struct

from openinspector.acquire.contract import Reader
from openinspector.errors import AcquireError, UsageError
from openinspector.model.inventory import Inventory

_PREFIXES = ("dir", "image", "oci-dir", "lambda", "sbom")


class Choice(Struct, frozen=True, kw_only=True):
    """How a target is to be read.

    `kind` is one of `host dir image registry oci-dir lambda sbom`; `name` is what stands behind the prefix.
    """

    kind: str
    name: str


def detect(text: str) -> Choice:
    """Find out what a TARGET is.

    Raises:
        UsageError: Nothing of that name is there, and it can't be a registry reference either; or what is there is
            of another kind than was said.
        AcquireError: A file can't be read.
    """
    if text == "host":
        return Choice(kind="host", name=text)
    prefix, colon, rest = text.partition(":")
    if colon and prefix in _PREFIXES:
        if not rest:
            raise UsageError(f"nothing follows {prefix}: in {text!r}")
        if prefix == "image" and not Path(rest).exists():
            return Choice(kind="registry", name=rest)
        if prefix == "image" and Path(rest).is_dir():
            return Choice(kind="oci-dir", name=rest)
        if not Path(rest).exists():
            raise UsageError(f"there is nothing at {rest}")
        folder = prefix in ("dir", "oci-dir")
        if not (Path(rest).is_dir() if folder else Path(rest).is_file()):  # to read a pipe might never end
            raise UsageError(f"{rest} is not a {'directory' if folder else 'file'}")
        return Choice(kind=prefix, name=rest)
    path = Path(text)
    if path.is_dir():
        layout = (path / "oci-layout").is_file() or ((path / "index.json").is_file() and (path / "blobs").is_dir())
        return Choice(kind="oci-dir" if layout else "dir", name=text)
    if path.is_file():
        return Choice(kind=_kind_of_file(path), name=text)
    if path.exists():
        raise UsageError(f"{text} is neither a file nor a directory")
    if ("/" in text or ":" in text) and not text.startswith((".", "/", "~")):
        return Choice(kind="registry", name=text)
    if "/" in text:
        raise UsageError(f"there is no file or directory {text!r}")
    raise UsageError(
        f"there is no file or directory {text!r};"
        f" for an image in a registry write image:{text}, for this machine write host"
    )


def _kind_of_file(path: Path) -> str:
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError as error:
        raise AcquireError(f"{path} can't be read: {error.strerror or error}") from error
    if head[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return "lambda"
    if head[257:262] == b"ustar":
        return "image"
    from openinspector.acquire.sbom.text import looks_like_an_sbom

    return "sbom" if looks_like_an_sbom(head) else "image"


def acquire(reader: Reader, choice: Choice, platform: str = "", lambda_layers: tuple[Path, ...] = ()) -> Inventory:
    """Read a target. Only the module of its kind is imported.

    Raises:
        AcquireError: It can't be read at all.
    """
    match choice.kind:
        case "host":
            from openinspector.acquire.targets.directory import read_host

            return read_host(reader)
        case "dir":
            from openinspector.acquire.targets.directory import read_directory

            return read_directory(reader, Path(choice.name))
        case "image":
            from openinspector.acquire.targets.archive import read_archive

            return read_archive(reader, Path(choice.name), platform)
        case "oci-dir":
            from openinspector.acquire.targets.archive import read_layout

            return read_layout(reader, Path(choice.name), platform)
        case "registry":
            from openinspector.acquire.targets.registry import read_registry

            return read_registry(reader, choice.name, platform)
        case "lambda":
            from openinspector.acquire.targets.lambda_zip import read_lambda

            return read_lambda(reader, Path(choice.name), lambda_layers)
        case "sbom":
            from openinspector.acquire.targets.sbom import read_sbom

            return read_sbom(Path(choice.name))
        case _:
            raise UsageError(f"there is no kind of target called {choice.kind!r}")
