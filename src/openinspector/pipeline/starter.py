"""The starter advisories that ship with the package become an advisory file, for trying out."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import openinspector
from openinspector.feeds.contract import Document, Record
from openinspector.pipeline.build import parts_folder
from openinspector.pipeline.registry import feeds
from openinspector.store.compile import FeedState, compile_parts
from openinspector.store.part import write_part


def starter_folder() -> Path:
    """Where the starter advisories lie: OSV records in a folder per ecosystem."""
    return Path(openinspector.__file__).parent / "data" / "starter"


def build_starter(output: Path, cache: Path) -> str:
    """Compile the starter advisories; gives the digest of the generation.

    The file says of itself that it holds no more than these, and every scan with it says so too.

    Raises:
        StoreError: The advisory file or the cache can't be written.
    """
    files = sorted(starter_folder().rglob("*.json"))
    sha = hashlib.sha256()
    for file in files:
        sha.update(file.read_bytes())
    part = parts_folder(cache) / f"starter-{sha.hexdigest()[:32]}.sqlite"
    write_part(part, _records(files))
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    osv = feeds()["osv"]
    state = FeedState(name="osv", revision=osv.revision, digest=sha.hexdigest(), fetched=now, parts=(part,))
    return compile_parts(output, (state,), {"built": now, "starter": str(len(files))})


def _records(files: list[Path]) -> Iterator[Record]:
    osv = feeds()["osv"]
    for file in files:
        path = f"osv/{file.parent.name}/{file.name}"
        yield from osv.parse(Document(path=path, stream=BytesIO(file.read_bytes())))
