"""A directory as the root of a system: an unpacked image, a mounted disk, a source tree, or the running host itself.

Directories are walked by descriptors and opened without following links, so nothing outside of the root is reached,
not even by a link that is put in place while the walk is under way. Other file systems mounted below the root are
walked when they hold files on disk; pseudo file systems (proc, sysfs, …) and network mounts are not.
"""

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import cast

from openinspector.acquire.contract import Reader
from openinspector.acquire.links import leading_nowhere, resolve
from openinspector.acquire.stream import Stretch
from openinspector.catalog.assemble import assemble
from openinspector.catalog.contract import MEGABYTE, Format
from openinspector.catalog.harvest import Harvester
from openinspector.errors import AcquireError, LimitError
from openinspector.model.inventory import Inventory, Target
from openinspector.model.problem import Problem

_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK
_OPEN_FOLDER = _OPEN | os.O_DIRECTORY
_PIECEWISE_FROM = 64 << 10  # bytes of a file from which on reading it here and there beats reading it
_COUNT_EVERY = 1024
_VANISHED = frozenset({errno.ENOENT, errno.ELOOP, errno.ENOTDIR, errno.ESTALE})

_PSEUDO = frozenset(
    "autofs bdev binfmt_misc bpf cgroup cgroup2 configfs debugfs devpts devtmpfs efivarfs fuse.gvfsd-fuse fusectl"
    " hugetlbfs mqueue nfs nfs4 cifs smb3 9p ceph glusterfs fuse.sshfs fuse.s3fs nsfs proc pstore rpc_pipefs securityfs"
    " selinuxfs sysfs tracefs".split()
)
_CONTAINER_STORES = frozenset(
    {b"var/lib/docker", b"var/lib/containerd", b"var/lib/containers/storage", b"var/lib/kubelet/pods"}
)


def read_directory(reader: Reader, folder: Path, target: Target | None = None) -> Inventory:
    """The inventory of a directory tree.

    Raises:
        AcquireError: The directory itself can't be opened.
    """
    try:
        root = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise AcquireError(f"{folder} can't be read: {error.strerror or error}") from error
    harvester = Harvester(reader.formats.values())
    walk = _Walk(reader, harvester, root, _mounted_away(folder))
    try:
        walk.folder(root, b"", 0)
        walk.follow_links()
    except LimitError as error:
        harvester.problem(Problem(path=str(folder), reason=str(error), partial=True))
    finally:
        with suppress(OSError):
            os.close(root)
    return assemble(target or Target(kind="directory", name=str(folder)), [harvester.finish()])


def read_host(reader: Reader) -> Inventory:
    """The inventory of the running host."""
    facts = os.uname()
    target = Target(kind="host", name=facts.nodename, running_kernel=facts.release, platform=f"linux/{facts.machine}")
    return read_directory(reader, Path("/"), target)


class _Walk:
    """One walk over a tree."""

    def __init__(self, reader: Reader, harvester: Harvester, root: int, away: frozenset[bytes]) -> None:
        self._reader, self._selector, self._harvester = reader, reader.selector, harvester
        self._root, self._away = root, away
        self._counted = 0
        self._too_deep = False

    def folder(self, descriptor: int, path: bytes, depth: int) -> None:
        """Everything in an open folder and below."""
        if depth > self._reader.limits.depth or len(path) > self._reader.limits.path:
            self._is_too_deep(path)
            return
        select, may_be_executable = self._selector.select, self._selector.may_be_executable
        keep_names = self._harvester.keep_names
        folders: list[bytes] = []
        prefix = path + b"/" if path else b""
        try:
            with os.scandir(descriptor) as listing:
                for entry in listing:
                    name = os.fsencode(entry.name)
                    whole = prefix + name
                    self._count()
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(name)
                    elif entry.is_symlink():
                        if self._selector.is_above_landmark(whole):
                            target = os.readlink(entry.name, dir_fd=descriptor)
                            self._harvester.harvest.links[os.fsdecode(whole)] = target
                    elif entry.is_file(follow_symlinks=False):
                        formats = select(whole)
                        if formats or name in keep_names:
                            self._wanted(descriptor, name, whole, formats)
                        elif may_be_executable(whole, 1 << 62) and may_be_executable(
                            whole, entry.stat(follow_symlinks=False).st_size
                        ):
                            self._executable(descriptor, name, whole)
        except OSError as error:
            self._unreadable(path, error)
            return
        for name in folders:
            whole = prefix + name
            if whole in self._away or whole in _CONTAINER_STORES:
                continue
            try:
                below = os.open(name, _OPEN_FOLDER, dir_fd=descriptor)
            except OSError as error:
                self._unreadable(whole, error)
                continue
            try:
                self.folder(below, whole, depth + 1)
            except RecursionError:  # the limit may be set higher than Python's own
                self._is_too_deep(whole)
            finally:
                os.close(below)

    def follow_links(self) -> None:
        """Read the databases whose well-known place is a link."""
        links = self._harvester.harvest.links
        if not links:
            return
        for mark in self._selector.landmarks:
            path = mark.decode()
            real = resolve(path, links)
            if real is None or real == path:
                continue
            if self._selector.select(os.fsencode(real)):
                continue  # it was read where it lies
            formats = self._selector.select(mark)
            with suppress(OSError), self._below_root(real) as (folder, name):
                self._wanted(folder, name, mark, formats)
        self._harvester.harvest.problems += leading_nowhere(self._selector, links, self._harvester.taken.__contains__)

    @contextmanager
    def _below_root(self, path: str) -> Iterator[tuple[int, bytes]]:
        """The open folder of a path and the last name in it; no part of the way may be a link."""
        parts = os.fsencode(path).split(b"/")
        folder = os.dup(self._root)
        try:
            for part in parts[:-1]:
                below = os.open(part, _OPEN_FOLDER, dir_fd=folder)
                os.close(folder)
                folder = below
            yield folder, parts[-1]
        finally:
            os.close(folder)

    def _wanted(self, folder: int, name: bytes, path: bytes, formats: Sequence[Format]) -> None:
        text = os.fsdecode(path)
        try:
            with _open(folder, name) as (descriptor, size):
                largest = max((each.wants.max_size for each in formats), default=MEGABYTE)
                if size > largest:
                    for each in formats:
                        self._harvester.too_large(text, each, size)
                    return
                data = _content(descriptor, size, formats)
                if name in self._harvester.keep_names:
                    self._harvester.keep(text, data)
                if formats:
                    self._harvester.take(text, formats, data)
        except OSError as error:
            self._unreadable(path, error)
        except AcquireError as error:
            self._harvester.problem(Problem(path=text, reason=str(error), partial=True))

    def _executable(self, folder: int, name: bytes, path: bytes) -> None:
        try:
            with _open(folder, name) as (descriptor, size):
                formats = self._selector.by_magic(path, os.pread(descriptor, 8, 0), size)
                if formats:
                    self._harvester.take(os.fsdecode(path), formats, _content(descriptor, size, formats))
        except OSError as error:
            self._unreadable(path, error)
        except AcquireError as error:
            self._harvester.problem(Problem(path=os.fsdecode(path), reason=str(error), partial=True))

    def _is_too_deep(self, path: bytes) -> None:
        """Say so, for the first of such folders: there may be as many as there are files."""
        if not self._too_deep:
            self._too_deep = True
            limits = self._reader.limits
            reason = (
                f"folders are nested more than {limits.depth} deep (OPENINSPECTOR_LIMIT_DEPTH), or their path has more"
                f" than {limits.path:,} bytes (OPENINSPECTOR_LIMIT_PATH): what is below was not read"
            )
            self._harvester.problem(Problem(path=os.fsdecode(path[:200]), reason=reason, partial=True))

    def _unreadable(self, path: bytes, error: OSError) -> None:
        if error.errno in _VANISHED:
            return  # between the listing and the look, on a running system
        text = os.fsdecode(path) or "."
        self._harvester.problem(Problem(path=text, reason=f"can't be read: {error.strerror}", partial=True))

    def _count(self) -> None:
        self._counted += 1
        if self._counted % _COUNT_EVERY == 0:
            self._reader.meter.entries(_COUNT_EVERY)
            self._reader.progress("files", self._counted, 0)


@contextmanager
def _open(folder: int, name: bytes) -> Iterator[tuple[int, int]]:
    """A regular file in a folder: its descriptor and size."""
    descriptor = os.open(name, _OPEN, dir_fd=folder)
    try:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode):
            raise OSError(errno.ELOOP, "it is no longer a regular file")
        yield descriptor, facts.st_size
    finally:
        os.close(descriptor)


def _content(descriptor: int, size: int, formats: Sequence[Format]) -> bytes:
    """The bytes of a file, or a large one to be read here and there by the reader."""
    file = Stretch(descriptor, 0, size)
    if size >= _PIECEWISE_FROM and formats and all(each.wants.piecewise for each in formats):
        return cast(bytes, file)  # like bytes, as `File` says
    return bytes(file)


def _mounted_away(folder: Path) -> frozenset[bytes]:
    """The mount points below a folder that are not walked, relative to it."""
    root = os.path.realpath(os.fsencode(folder))
    away = set()
    try:
        lines = Path("/proc/self/mountinfo").read_bytes().splitlines()
    except OSError:
        return frozenset()
    for line in lines:
        before, _, after = line.partition(b" - ")
        fields = before.split(b" ")
        kind = after.partition(b" ")[0].decode("ascii", "replace")
        if len(fields) > 4 and kind in _PSEUDO:
            point = fields[4].replace(b"\\040", b" ")
            if point.startswith(root.rstrip(b"/") + b"/"):
                away.add(point[len(root.rstrip(b"/")) + 1 :])
    return frozenset(away)
