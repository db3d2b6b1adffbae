"""What a disc holds beside medical data: viewer programs, autorun files, help pages, the bookkeeping of computers.

One table for zips, tar bundles and folders. Content is asked first: an image stays an image whatever it is
called and wherever it lies; a program is one whatever it is called. Only then does the name decide.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import takewhile

from consilium.records.sniff import Kind

# Never left out, wherever they lie.
_MEDICAL = {Kind.DICOM, Kind.FHIR_JSON, Kind.CCDA_XML, Kind.HL7V2}
# A document in a viewer's folder is its manual or licence only when its name says so.
_DOCUMENTS = {Kind.PDF, Kind.DOCX, Kind.ODT, Kind.RTF}
_PROGRAMS = (
    ".exe", ".dll", ".com", ".bat", ".cmd", ".scr", ".msi", ".sys", ".ocx", ".vbs", ".ps1", ".jar", ".dylib", ".so",
    ".class", ".lnk", ".apk", ".command", ".desktop", ".jnlp", ".war",
)  # fmt: skip
_LIBRARIES = (".dll", ".jar", ".ocx", ".dylib", ".so", ".class")  # where these lie, a program lives
_FURNITURE = (
    ".cab", ".ini", ".inf", ".chm", ".hlp", ".manifest", ".ico", ".icns", ".cur", ".ttf", ".otf", ".woff", ".css",
    ".js", ".lng", ".qm", ".mo", ".cfg", ".conf", ".config", ".properties", ".pdb", ".lib", ".nib", ".plist", ".url",
    ".webloc", ".torrent",
)  # fmt: skip
_CLUTTER = frozenset(
    (
        ".ds_store", "thumbs.db", "ehthumbs.db", "desktop.ini", "autorun.inf", "autorun", "autorun.sh", ".localized",
        "dicomdir", "pkginfo", ".volumeicon.icns", ".metadata_never_index", "icon\r", "icon_", "checksum.md5",
        "md5sums", "md5sum.txt", "sha256sums", "bootsect.bak", "desktop.lnk",
    )
)  # fmt: skip
_SYSTEM_FOLDERS = frozenset(
    (
        "__macosx", ".trashes", ".spotlight-v100", ".fseventsd", ".temporaryitems", "$recycle.bin", "recycler",
        "system volume information", "lost+found", ".git", ".svn",
    )
)  # fmt: skip
_BUNDLES = (".app", ".framework", ".bundle", ".kext", ".lproj")
_VIEWER_FOLDER = re.compile(
    r"(?:^|[\W_\d])(?:viewer|viewers|ohif|weasis|radiant|osirix|horos|microdicom|jivex|efilm|syngo|synapse|onis|"
    r"java|jre\d*|jre-[\w.]+|plugins?|redist|setup|install|autorun|help|hilfe|aide|manual|manuals|license|licenses|"
    r"licence|licences|lizenz|lizenzen|drivers|fonts|locale|locales)(?:$|[\W_\d])"
)
_LEGAL = re.compile(
    r"^(?:licen[cs]e|lizenz|eula|copying|copyright|notice|third[\W_]?party|readme|read[\W_]me|liesmich|lisezmoi|"
    r"leggimi|manual|user[\W_]?manual|user[\W_]?guide|handbuch|bedienungsanleitung|gebrauchsanweisung|help|hilfe|"
    r"changelog|release[\W_]?notes|version|credits|about)(?:$|[\W_\d])"
)
_DISGUISE = (".pdf", ".doc", ".docx", ".txt", ".rtf", ".odt", ".jpg", ".jpeg", ".png", ".tif", ".tiff", ".dcm", ".xml")


@dataclass(frozen=True)
class Disc:
    """What all names together tell: folders in which programs lie, and whether an index of images is there."""

    program_folders: frozenset[str] = frozenset()
    has_index: bool = False


def survey(names: Iterable[str]) -> Disc:
    """Look at all (safe) names once. Folders with program libraries are the viewer's, except the disc's own root."""
    folders: set[str] = set()
    roots: set[str] = set()
    common: list[str] | None = None
    has_index = False
    for name in names:
        folder, _, base = name.casefold().rpartition("/")
        parts = folder.split("/") if folder else []
        common = parts if common is None else _shared(common, parts)
        has_index = has_index or base == "dicomdir"
        if base in ("dicomdir", "autorun.inf"):
            roots.add(folder)
        elif base.endswith(_LIBRARIES):
            folders.add(folder)
    roots |= {"/".join((common or [])[:depth]) for depth in range(len(common or []) + 1)}
    return Disc(frozenset(folders - roots), has_index)


def _shared(one: list[str], other: list[str]) -> list[str]:
    return [a for a, _b in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))]


def verdict(name: str, kind: Kind, disc: Disc) -> str:
    """ "left_out", "executable" (a program that calls itself a document), or "" for what is to be kept.

    `name`: the safe relative path; `kind`: as sniffed from the first bytes.
    """
    folded = name.casefold()
    parts = folded.split("/")
    if kind is Kind.EXECUTABLE:
        return "executable" if folded.endswith(_DISGUISE) else "left_out"
    if kind is Kind.DICOMDIR:
        return "left_out"
    if kind in _MEDICAL and not _is_system(parts):
        return ""
    return "left_out" if _is_system(parts) or _is_named_so(parts, kind, disc) else ""


def is_kept(name: str, kind: Kind) -> bool:
    """Whether it is to be kept whatever else lies on the disc: medical data, but for the bookkeeping of computers."""
    return kind in _MEDICAL and not _is_system(name.casefold().split("/"))


def _is_system(parts: list[str]) -> bool:
    """Written by the computer, not by a person: an AppleDouble file may even begin like its original."""
    return parts[-1].startswith("._") or any(part in _SYSTEM_FOLDERS for part in parts[:-1])


def _is_named_so(parts: list[str], kind: Kind, disc: Disc) -> bool:
    base = parts[-1]
    if base in _CLUTTER or base.endswith(_PROGRAMS):
        return True
    if any(part.endswith(_BUNDLES) for part in parts[:-1]):
        return True
    legal = bool(_LEGAL.match(base))
    if kind in _DOCUMENTS:
        return legal and (disc.has_index or _in_viewer(parts, disc))
    if base.endswith(_FURNITURE) or _in_viewer(parts, disc):
        return True
    # The start page of a disc and its licence texts lie in its root; the same names beside letters are letters.
    return disc.has_index and (legal or (kind is Kind.HTML and base.startswith(("index.", "default.", "start."))))


def _in_viewer(parts: list[str], disc: Disc) -> bool:
    folders = ["/".join(parts[:depth]) for depth in range(1, len(parts))]
    return any(folder in disc.program_folders for folder in folders) or (
        (disc.has_index or bool(disc.program_folders)) and any(_VIEWER_FOLDER.search(part) for part in parts[:-1])
    )
