"""What a backup contains, so that nothing in it can be changed, added or taken away unnoticed.

`manifest.json` lists every file with size and SHA-256; `manifest.hmac` is its HMAC-SHA256 under a key derived
from the root key, which is never stored with the data.
"""

import hashlib
import hmac
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from consilium.core.secretfile import fsync_directory
from consilium.vault.derive import subkey

FORMAT = "consilium-backup-1"
NAME, SEAL = "manifest.json", "manifest.hmac"
BLOCK = 1024 * 1024


def digest(path: Path) -> str:
    """SHA-256 of a file in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def files_below(folder: Path) -> Iterator[str]:
    """Relative paths of everything below `folder` that is no directory, links included."""
    for place, _directories, names in os.walk(folder):
        for name in names:
            yield (Path(place) / name).relative_to(folder).as_posix()


def copy_file(source: Path, target: Path) -> None:
    """Copy durably with private permissions."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with source.open("rb") as reading, os.fdopen(descriptor, "wb") as writing:
        while block := reading.read(BLOCK):
            writing.write(block)
        writing.flush()
        os.fsync(writing.fileno())


def write(folder: Path, facts: dict[str, Any], root_secret: bytes) -> None:
    """List and seal everything in `folder`; the manifest comes last, so half a backup has none."""
    listed = {
        name: {"size": (folder / name).stat().st_size, "sha256": digest(folder / name)}
        for name in sorted(files_below(folder))
    }
    text = json.dumps({"format": FORMAT, **facts, "files": listed}, indent=1, sort_keys=True).encode()
    for name, content in ((NAME, text), (SEAL, seal(text, root_secret).encode())):
        path = folder / name
        path.write_bytes(content)
        path.chmod(0o600)
        with path.open("rb") as file:
            os.fsync(file.fileno())
    fsync_directory(folder)


def seal(text: bytes, root_secret: bytes) -> str:
    return hmac.new(subkey(root_secret, b"consilium/backup/manifest/v1"), text, hashlib.sha256).hexdigest()


def problems(folder: Path, root_secret: bytes | None) -> list[str]:
    """What is wrong with the backup in `folder`, in sentences; without the root key the seal is not checked."""
    try:
        text = (folder / NAME).read_bytes()
        manifest = json.loads(text)
        listed = dict(manifest["files"])
        given = (folder / SEAL).read_text().strip()
    except (OSError, ValueError, KeyError, TypeError):
        return [f"{folder} holds no complete backup: its manifest is missing or damaged."]
    if manifest.get("format") != FORMAT:
        return [f"{folder} was written in another format ({manifest.get('format')}) than this version reads."]
    found = []
    if root_secret is not None and not hmac.compare_digest(seal(text, root_secret), given):
        found.append("The manifest was altered, or these are not the keys that belong to this backup.")
    present = set(files_below(folder)) - {NAME, SEAL}
    found += [f"A file was added: {name}" for name in sorted(present - set(listed))]
    found += [f"A file is missing: {name}" for name in sorted(set(listed) - present)]
    for name in sorted(present & set(listed)):
        path = folder / name
        if path.is_symlink() or path.stat().st_size != listed[name]["size"] or digest(path) != listed[name]["sha256"]:
            found.append(f"A file was altered: {name}")
    return found


def read(folder: Path) -> dict[str, Any]:
    """The manifest of a backup that was found to be without problems."""
    return json.loads((folder / NAME).read_bytes())
