#!/usr/bin/env python3
"""What an image is made of, as CycloneDX (https://cyclonedx.org/docs/1.6/json/), an empty line, and a list of licences.

build-containers.sh runs it within each image that it built, with the image's own Python:

    podman run --rm -i --entrypoint python extrophi-backend - extrophi-backend 0.1.0 REVISION <sbom.py

It lists the packages of the distribution, Python's, and what lies packed (docs/decisions/0015). Two builds of the same
give the same text. It needs the standard library alone.
"""

import hashlib
import importlib.metadata
import json
import platform
import re
import subprocess
import sys
import tarfile
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesHeaderParser
from pathlib import Path, PurePath, PurePosixPath
from urllib.parse import quote


@dataclass(frozen=True, order=True)
class Package:
    """`kind` is its purl's type (https://github.com/package-url/purl-spec); `licences` are as it states them."""

    kind: str
    name: str
    version: str
    licences: tuple[str, ...]
    qualifiers: str = ""

    @property
    def purl(self) -> str:
        name = "/".join(quote(part, safe="") for part in self.name.split("/"))
        return f"pkg:{self.kind}/{name}@{quote(self.version, safe='')}{self.qualifiers}"


def packages() -> list[Package]:
    found = [*of_python(), *of_debian(), *of_alpine(), *packed(), *listed()]
    return sorted({one.purl: one for one in found}.values())


def of_python() -> Iterator[Package]:
    yield Package("generic", "python", platform.python_version(), ("PSF-2.0",))
    folders = {Path(one) for one in sys.path if one.endswith("-packages")}
    folders |= {*Path("/app").glob(".venv/lib/python*/site-packages")}
    folders |= {*Path("/usr/local/lib").glob("python*/site-packages"), *Path("/usr/lib").glob("python3/dist-packages")}
    for one in importlib.metadata.distributions(path=[str(folder) for folder in folders]):
        yield distribution(one.metadata)  # pyright: ignore[reportArgumentType]  a Message, as documented


def distribution(metadata: Message) -> Package:
    """Of the METADATA that lies in it (https://packaging.python.org/en/latest/specifications/core-metadata/)."""
    stated = metadata.get("License-Expression") or metadata.get("License") or ""
    classes = {one.rpartition(" :: ")[2] for one in metadata.get_all("Classifier", []) if one.startswith("License ::")}
    # Some put the whole text there.
    licences = (stated,) if stated and "\n" not in stated and len(stated) < 100 else tuple(sorted(classes))
    name = re.sub(r"[-_.]+", "-", metadata["Name"]).lower()
    return Package("pypi", name, metadata["Version"], licences)


def of_debian() -> Iterator[Package]:
    status = Path("/var/lib/dpkg/status")
    if not status.exists():
        return
    release = dict(re.findall(r'^(\w+)="?([^"\n]*)', Path("/etc/os-release").read_text(), re.MULTILINE))
    for paragraph in status.read_text().split("\n\n"):
        fields = dict(re.findall(r"^([\w-]+): (.*)", paragraph, re.MULTILINE))
        if fields.get("Status", "").endswith(" installed"):
            copyright_ = Path(f"/usr/share/doc/{fields['Package']}/copyright")
            licences = of_copyright(copyright_.read_text(errors="replace"), copyright_) if copyright_.exists() else ()
            distro = f"debian-{release.get('VERSION_ID', '')}"
            yield debian(fields["Package"], fields["Version"], fields["Architecture"], distro, licences)


def debian(name: str, version: str, architecture: str, distro: str, licences: tuple[str, ...]) -> Package:
    return Package("deb", f"debian/{name}", version, licences, f"?arch={architecture}&distro={distro}")


def of_copyright(text: str, path: PurePath) -> tuple[str, ...]:
    """Licences as https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/ has them, or as referred to.

    Some files hold nothing but the texts: then those are to be read.
    """
    names = re.findall(r"^License: *(\S.*)", text, re.MULTILINE) if text.startswith("Format:") else []
    names = names or re.findall(r"/usr/share/common-licenses/([\w.-]*\w)", text)
    return tuple(sorted({one.strip() for one in names})) or (f"see {path}",)


def of_alpine() -> Iterator[Package]:
    """Of apk's own list (https://wiki.alpinelinux.org/wiki/Apk_spec)."""
    installed = [one for one in (Path("/lib/apk/db/installed"), Path("/usr/lib/apk/db/installed")) if one.exists()]
    for paragraph in installed[0].read_text().split("\n\n") if installed else []:
        fields = dict(re.findall(r"^(\w):(.*)", paragraph, re.MULTILINE))
        if "P" in fields:
            licence = (fields["L"],) if fields.get("L") else ()
            yield Package("apk", f"alpine/{fields['P']}", fields["V"], licence, f"?arch={fields['A']}")


def packed() -> Iterator[Package]:
    """Of /app/packs: Python's by their METADATA, others by the list `packages` and the copyright of each."""
    for pack in sorted(Path("/app/packs").glob("*.tar.zst")):
        listed: list[list[str]] = []
        copyrights: dict[str, tuple[str, ...]] = {}
        with (
            subprocess.Popen(["zstd", "-dcq", str(pack)], stdout=subprocess.PIPE) as zstd,  # noqa: S603, S607
            tarfile.open(fileobj=zstd.stdout, mode="r|") as tar,
        ):
            for member in tar:
                path = PurePosixPath(member.name)
                wanted = path.name in {"METADATA", "packages"} or path.parent.name == "copyright"
                if not wanted or not member.isfile() or (content := tar.extractfile(member)) is None:
                    continue
                data = content.read()
                if path.name == "METADATA" and path.parent.suffix == ".dist-info":
                    yield distribution(BytesHeaderParser().parsebytes(data))
                elif len(path.parts) == 1:
                    listed = [line.split() for line in data.decode().splitlines()]
                elif path.parts[0] == "copyright":
                    copyrights[path.name] = of_copyright(data.decode(errors="replace"), pack / path)
        if zstd.returncode:
            raise OSError(f"{pack} cannot be read")
        for kind, name, version, *rest in listed:
            if kind == "deb":
                yield debian(name, version, *rest, licences=copyrights.get(name, ()))
            else:
                yield Package(kind, name, version, tuple(rest))


def listed() -> Iterator[Package]:
    """Of the list in the Writer's image: what came neither with the distribution nor with Python."""
    file = Path("/opt/extrophi/packages")
    for line in file.read_text().splitlines() if file.exists() else ():
        kind, name, version, *rest = line.split()
        yield Package(kind, name, version, tuple(rest))


def cyclonedx(name: str, version: str, revision: str, found: Iterable[Package]) -> dict[str, object]:
    components = [
        {
            "type": "library",
            "bom-ref": one.purl,
            "name": one.name.rpartition("/")[2],
            "version": one.version,
            "purl": one.purl,
            **({"licenses": [{"license": {"name": licence}} for licence in one.licences]} if one.licences else {}),
        }
        for one in found
    ]
    image = {
        "type": "container",
        "bom-ref": name,
        "name": name,
        "version": version,
        "licenses": [{"license": {"id": "Apache-2.0"}}],
        "properties": [{"name": "org.opencontainers.image.revision", "value": revision}],
    }
    content = json.dumps([image, components], sort_keys=True).encode()
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.UUID(bytes=hashlib.sha256(content).digest()[:16], version=4)}",
        "version": 1,
        "metadata": {"component": image},
        "components": components,
        "dependencies": [{"ref": name, "dependsOn": [one.purl for one in found]}],
    }


def main(name: str, version: str, revision: str) -> None:
    found = packages()
    sys.stdout.write(json.dumps(cyclonedx(name, version, revision, found), indent=1) + "\n\n")
    for one in found:
        licences = ", ".join(one.licences) or "not stated"
        sys.stdout.write(f"{one.name.rpartition('/')[2]} {one.version}: {licences}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
