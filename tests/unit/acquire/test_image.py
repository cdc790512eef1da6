"""Images: layers are stacked as a container run time would."""

import io
import tarfile

import pytest
from tests.unit.acquire.layers import OS_RELEASE, digest, docker_archive, layer, oci_files, packed, status

from openinspector.acquire.contract import Reader
from openinspector.acquire.limits import Limits
from openinspector.acquire.targets.archive import read_archive, read_layout
from openinspector.errors import AcquireError, LimitError
from openinspector.pipeline.registry import formats


def reader(cache=None, **limits):
    return Reader(formats(), Limits(**limits), cache)


def versions(inventory):
    return {package.name: package.version for package in inventory.packages}


BASE = layer({"etc/os-release": OS_RELEASE, "var/lib/dpkg/status": status(openssl="1", bash="5")})


@pytest.mark.parametrize("how", ["", "gzip", "zstd"])
def test_every_compression_gives_the_same_packages(tmp_path, how):
    inventory = read_archive(reader(), docker_archive(tmp_path / "i.tar", BASE, how=how))
    assert versions(inventory) == {"openssl": "1", "bash": "5"}
    assert inventory.distribution.namespace == "debian:12"
    assert inventory.status == "whole"


def test_the_topmost_database_counts_and_the_introducing_layer_is_told(tmp_path):
    upper = layer({"var/lib/dpkg/status": status(openssl="2", bash="5")})
    inventory = read_archive(reader(), docker_archive(tmp_path / "i.tar", BASE, upper))
    introduced = {each.name: each.location.introduced for each in inventory.packages}
    assert versions(inventory) == {"openssl": "2", "bash": "5"}
    assert introduced == {"openssl": digest(upper), "bash": digest(BASE)}
    assert {each.location.layer for each in inventory.packages} == {digest(upper)}


@pytest.mark.parametrize(
    "whiteout", ["app/.wh.requirements.txt", ".wh.app", "app/.wh..wh..opq", ".wh..wh..opq"], ids=str
)
def test_what_a_whiteout_hides_is_gone(tmp_path, whiteout):
    lower = layer({"app/requirements.txt": "jinja2==2.10\n"})
    inventory = read_archive(reader(), docker_archive(tmp_path / "i.tar", lower, layer({whiteout: ""})))
    assert versions(inventory) == {}


def test_an_opaque_folder_keeps_what_its_own_layer_brings(tmp_path):
    lower = layer({"app/requirements.txt": "jinja2==2.10\n"})
    upper = layer({"app/.wh..wh..opq": "", "app/requirements.txt": "flask==1.0\n"})
    assert versions(read_archive(reader(), docker_archive(tmp_path / "i.tar", lower, upper))) == {"flask": "1.0"}


def test_a_link_in_place_of_a_folder_hides_what_was_in_it(tmp_path):
    lower = layer({"app/requirements.txt": "jinja2==2.10\n"})
    upper = layer({}, links={"app": "elsewhere"})
    assert versions(read_archive(reader(), docker_archive(tmp_path / "i.tar", lower, upper))) == {}


def test_a_database_behind_a_link_is_read(tmp_path):
    only = layer(
        {"etc/os-release": OS_RELEASE, "data/packages/status": status(openssl="1")},
        links={"var/lib/dpkg": "../../data/packages"},
    )
    assert versions(read_archive(reader(), docker_archive(tmp_path / "i.tar", only))) == {"openssl": "1"}


def test_a_link_out_of_the_image_reaches_nothing(tmp_path):
    only = layer({"etc/os-release": OS_RELEASE}, links={"var/lib/dpkg": "../../../../../../var/lib/dpkg"})
    assert versions(read_archive(reader(), docker_archive(tmp_path / "i.tar", only))) == {}


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT], ids=["gnu", "pax"])
def test_long_names_are_read(tmp_path, form):
    path = "/".join(["deep" * 20] * 4) + "/requirements.txt"
    only = layer({path: "jinja2==2.10\n"}, form=form)
    inventory = read_archive(reader(), docker_archive(tmp_path / "i.tar", only))
    assert [package.location.path for package in inventory.packages] == [path]


def test_an_oci_archive_and_a_layout_are_read_alike(tmp_path):
    files = oci_files(BASE)
    (tmp_path / "oci.tar").write_bytes(layer(files))
    for name, content in files.items():
        target = tmp_path / "layout" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.encode())
    archive = read_archive(reader(), tmp_path / "oci.tar")
    layout = read_layout(reader(), tmp_path / "layout")
    assert versions(archive) == versions(layout) == {"openssl": "1", "bash": "5"}


def test_the_platform_is_chosen_and_a_missing_one_lists_those_there_are(tmp_path):
    (tmp_path / "oci.tar").write_bytes(layer(oci_files(BASE, architectures=("arm64", "riscv64"))))
    assert read_archive(reader(), tmp_path / "oci.tar", "linux/riscv64").target.platform == "linux/riscv64"
    with pytest.raises(AcquireError, match="linux/arm64, linux/riscv64"):
        read_archive(reader(), tmp_path / "oci.tar", "linux/s390x")


def test_an_archive_compressed_as_a_whole_is_read(tmp_path):
    plain = docker_archive(tmp_path / "i.tar", BASE)
    (tmp_path / "i.tar.gz").write_bytes(packed(plain.read_bytes(), "gzip"))
    assert versions(read_archive(reader(), tmp_path / "i.tar.gz")) == {"openssl": "1", "bash": "5"}


def test_a_second_scan_reads_from_the_cache_and_says_the_same(tmp_path):
    path = docker_archive(tmp_path / "i.tar", BASE, how="gzip")
    first = read_archive(reader(tmp_path / "cache"), path)
    assert list((tmp_path / "cache" / "layers").iterdir())
    assert read_archive(reader(tmp_path / "cache"), path) == first


def test_a_truncated_layer_is_a_partial_scan_and_is_not_cached(tmp_path):
    broken = BASE[:700]  # in the middle of the first file
    path = docker_archive(tmp_path / "i.tar", broken)
    inventory = read_archive(reader(tmp_path / "cache"), path)
    assert inventory.status == "partial"
    assert not (tmp_path / "cache" / "layers").exists()


def test_a_broken_gzip_stream_is_a_partial_scan(tmp_path):
    data = bytearray(packed(BASE, "gzip"))
    data[len(data) // 2] ^= 0xFF
    path = tmp_path / "i.tar"
    docker_archive(path, BASE)
    files = {
        "manifest.json": '[{"Config":"c.json","Layers":["l.tar"]}]',
        "c.json": '{"rootfs":{"diff_ids":["sha256:00"]}}',
        "l.tar": bytes(data),
    }
    path.write_bytes(layer(files))
    inventory = read_archive(reader(), path)
    assert inventory.status == "partial"
    assert "gzip" in inventory.problems[-1].reason or "header" in inventory.problems[-1].reason


def test_a_name_that_climbs_out_is_told_and_not_read(tmp_path):
    only = layer({"../../etc/requirements.txt": "jinja2==2.10\n", "a/../b/requirements.txt": "flask==1.0\n"})
    inventory = read_archive(reader(), docker_archive(tmp_path / "i.tar", only))
    assert versions(inventory) == {"flask": "1.0"}
    assert inventory.status == "partial"
    assert "climbs out" in inventory.problems[0].reason


def test_too_many_members_end_in_a_partial_scan(tmp_path):
    only = layer({f"f{at}": "" for at in range(5000)})
    inventory = read_archive(reader(entries=4000), docker_archive(tmp_path / "i.tar", only))
    assert inventory.status == "partial"
    assert "OPENINSPECTOR_LIMIT_ENTRIES" in inventory.problems[-1].reason


def test_a_bomb_ends_in_an_error_that_says_so():
    from openinspector.acquire.limits import Meter

    with pytest.raises(LimitError, match="bomb"):
        Meter(Limits()).out((1 << 30) + 1, 1000)


@pytest.mark.parametrize("content", [b"", b"hello", b"\x00" * 512, b"{}" * 600, b"\x1f\x8b" + b"x" * 600], ids=repr)
def test_what_is_no_image_is_a_clear_error(tmp_path, content):
    path = tmp_path / "no-image"
    path.write_bytes(content)
    with pytest.raises(AcquireError, match=r"no-image|broken"):
        read_archive(reader(), path)


def test_a_digest_that_is_none_opens_no_file(tmp_path):
    index = '{"manifests":[{"digest":"sha256:../../../../etc/passwd"}]}'
    (tmp_path / "index.json").write_text(index)
    (tmp_path / "blobs").mkdir()
    with pytest.raises(AcquireError, match="is not a digest"):
        read_layout(reader(), tmp_path)


def test_damage_in_the_middle_of_a_gzip_stream_is_a_partial_scan(tmp_path):
    """Not at a header: isal has an error of its own for that."""
    data = bytearray(packed(BASE, "gzip"))
    data[20:24] = b"\xff" * 4
    inventory = read_archive(reader(), docker_archive(tmp_path / "i.tar", bytes(data)))
    assert inventory.status == "partial"
    assert "gzip stream is broken" in inventory.problems[-1].reason


def test_a_layer_with_names_that_are_no_text_is_read_again_rather_than_kept(tmp_path):
    data = layer({"xxxx/requirements.txt": "jinja2==2.10\n"}).replace(b"xxxx", b"caf\xe9")
    data = data[:148] + b"%06o\0 " % (sum(data[:148]) + 256 + sum(data[156:512])) + data[156:]
    path = docker_archive(tmp_path / "i.tar", data)
    for _ in range(2):
        assert versions(read_archive(reader(tmp_path / "cache"), path)) == {"jinja2": "2.10"}


def test_a_hard_link_to_what_is_not_in_the_layer_is_told(tmp_path):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        info = tarfile.TarInfo("app/requirements.txt")
        info.type, info.linkname = tarfile.LNKTYPE, "elsewhere"
        archive.addfile(info)
    inventory = read_archive(reader(), docker_archive(tmp_path / "i.tar", buffer.getvalue()))
    assert [(each.path, each.partial) for each in inventory.problems] == [("app/requirements.txt", True)]


def test_a_link_that_a_later_layer_replaces_with_the_database_is_no_doubt(tmp_path):
    lower = layer({"etc/os-release": OS_RELEASE}, links={"var/lib/dpkg/status": "nowhere"})
    upper = layer({"var/lib/dpkg/status": status(openssl="1")})
    inventory = read_archive(reader(), docker_archive(tmp_path / "i.tar", lower, upper))
    assert (versions(inventory), inventory.status) == ({"openssl": "1"}, "whole")


@pytest.mark.parametrize("name", ["manifest.json", "config.json"])
def test_documents_that_are_no_utf_8_are_an_error(tmp_path, name):
    data = docker_archive(tmp_path / "i.tar", BASE).read_bytes()
    (tmp_path / "i.tar").write_bytes(
        data.replace(b"app:1", b"app\xff1")
        if name == "manifest.json"
        else data.replace(b'"os": "linux"', b'"os": "li\xff\xffx"')
    )
    with pytest.raises(AcquireError, match="can't be read"):
        read_archive(reader(), tmp_path / "i.tar")
