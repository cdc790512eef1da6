"""Small archives for tests: layers, and images made of them."""

import gzip
import hashlib
import io
import json
import tarfile

import zstandard

OS_RELEASE = 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n'


def status(**packages):
    """A dpkg status file: status(openssl="3.0.7-1")."""
    return "".join(
        f"Package: {name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: {version}\n\n"
        for name, version in packages.items()
    )


def layer(files, links=None, form=tarfile.GNU_FORMAT):
    """An uncompressed layer of {path: content}; a whiteout is a file of that name; links are {path: target}."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        for path, target in (links or {}).items():
            info = tarfile.TarInfo(path)
            info.type, info.linkname = tarfile.SYMTYPE, target
            archive.addfile(info)
        for path, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            info = tarfile.TarInfo(path)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def packed(data, how):
    if how == "gzip":
        return gzip.compress(data)
    if how == "zstd":
        return zstandard.ZstdCompressor().compress(data)
    return data


def docker_archive(path, *layers, how=""):
    """An image as `docker save` writes it."""
    config = json.dumps(
        {"os": "linux", "architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": [digest(x) for x in layers]}}
    )
    names = [f"{at}/layer.tar" for at in range(len(layers))]
    manifest = json.dumps([{"Config": "config.json", "RepoTags": ["app:1"], "Layers": names}])
    inside = dict(zip(names, (packed(each, how) for each in layers), strict=True))
    path.write_bytes(layer({"manifest.json": manifest, "config.json": config, **inside}))
    return path


def oci_files(*layers, how="gzip", architectures=("amd64",)):
    """The files of an OCI layout with one image for each architecture."""
    blobs = {}

    def put(data):
        name = digest(data)
        blobs[f"blobs/sha256/{name.removeprefix('sha256:')}"] = data
        return {"digest": name, "size": len(data)}

    images = []
    for architecture in architectures:
        diff_ids = [digest(each) for each in layers]
        config = {"os": "linux", "architecture": architecture, "rootfs": {"type": "layers", "diff_ids": diff_ids}}
        manifest = {
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": put(json.dumps(config).encode()),
            "layers": [put(packed(each, how)) for each in layers],
        }
        platform = {"os": "linux", "architecture": architecture}
        images.append({**put(json.dumps(manifest).encode()), "platform": platform})
    index = json.dumps({"schemaVersion": 2, "manifests": images})
    return {"oci-layout": '{"imageLayoutVersion":"1.0.0"}', "index.json": index, **blobs}
