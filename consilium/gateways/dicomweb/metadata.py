"""Metadata of a series as a product (PS3.18 §10.4.1.1.2): made once, kept sealed as gzip, sent as it lies there.

The text of a product is JSON without its closing bracket, in deflate blocks that end at a byte (RFC 1951 §3.2.4): what
comes later is appended as further blocks, and the bracket and the gzip trailer are put behind when it is sent.
"""

import gzip
import json
import struct
import zlib
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from django.db import transaction

from consilium.gateways.data.grants import Grant
from consilium.gateways.dicomweb import bulk
from consilium.gateways.dicomweb.index import CaseIndex, Instance, Series
from consilium.gateways.dicomweb.qido import url_of
from consilium.gateways.dicomweb.reply import json_body
from consilium.records import filing
from consilium.records.models import SeriesMetadata
from consilium.vault import blobs
from consilium.vault.errors import BlobMissing

MEMORY = 48 * 2**20
MOST_PIECES = 32  # each begins with an empty window: after so many it is smaller to make it anew
_HEAD = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"  # RFC 1952 §2.3: deflate, no name, no time
_closing = zlib.compressobj(9, zlib.DEFLATED, -15)
_END = _closing.compress(b"]") + _closing.flush()


@dataclass
class Product:
    """The metadata of some instances.

    root: what its bulk data URLs begin with; files: the instances it describes, in its order; crc, size: CRC-32 and
    length of the text so far; blocks: the text, compressed.
    """

    root: str
    files: list[UUID] = field(default_factory=list)
    pieces: int = 0
    crc: int = 0
    size: int = 0
    blocks: bytes = b""

    def add(self, texts: Iterable[tuple[UUID, bytes]]) -> None:
        """Append what is said of further instances; never all of it in memory uncompressed."""
        squeeze = zlib.compressobj(6, zlib.DEFLATED, -15)
        parts = [self.blocks]
        for file, text in texts:
            parts.append(self._put(squeeze, (b"," if self.files else b"[") + text))
            self.files.append(file)
        parts.append(squeeze.flush(zlib.Z_SYNC_FLUSH))
        self.blocks = b"".join(parts)
        self.pieces += 1

    def _put(self, squeeze: "zlib._Compress", text: bytes) -> bytes:
        self.crc, self.size = zlib.crc32(text, self.crc), self.size + len(text)
        return squeeze.compress(text)

    def gzip(self) -> bytes:
        """The whole JSON array as one gzip member."""
        trailer = struct.pack("<II", zlib.crc32(b"]", self.crc), (self.size + 1) & 0xFFFFFFFF)
        return b"".join([_HEAD, self.blocks, _END, trailer])

    def moved(self, root: str) -> "Product":
        """The same for the site under another name: only the URLs differ."""
        text = gzip.decompress(self.gzip())[:-1]
        old, new = (b'"' + json.dumps(one)[1:-1].encode() + b"/studies/" for one in (self.root, root))
        squeeze = zlib.compressobj(6, zlib.DEFLATED, -15)
        found = Product(root, self.files, 1)
        found.blocks = found._put(squeeze, text.replace(old, new)) + squeeze.flush(zlib.Z_SYNC_FLUSH)
        return found

    def to_bytes(self) -> bytes:
        """One line of JSON about it, then the blocks."""
        head = {"root": self.root, "pieces": self.pieces, "crc": self.crc, "size": self.size}
        return json.dumps(head | {"files": "".join(one.hex for one in self.files)}).encode() + b"\n" + self.blocks

    @classmethod
    def from_bytes(cls, data: bytes) -> "Product | None":
        """None for what an earlier version kept."""
        head, _, blocks = data.partition(b"\n")
        if not head.startswith(b"{"):
            return None
        kept = json.loads(head)
        ids = kept["files"]
        files = [UUID(ids[start : start + 32]) for start in range(0, len(ids), 32)]
        return cls(kept["root"], files, kept["pieces"], kept["crc"], kept["size"], blocks)


class Products:
    """The products that were sent last, ready to be sent again: (case, series, instances, root) → gzip."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[UUID, str, int, int, str], bytes] = OrderedDict()
        self._size = 0

    def get(self, index: CaseIndex, series: Series, root: str) -> bytes | None:
        """What is in memory for a series as it is now."""
        return self._kept.get((index.space, series.uid, len(series.members), index.replaced, root))

    def make(self, grant: Grant, index: CaseIndex, series: Series, root: str) -> bytes:
        """Read the product and add what came since, or make it. Runs in a thread."""
        kept = index.tree.studies[series.study.uid].series[series.uid]
        if len(kept.members) != len(series.members):  # a holder who may see a part of it: nothing to keep
            return made(series.instances, root).gzip()
        product = _stored(grant, series, root) or Product(root)
        there = set(product.files)
        missing = [one for one in series.instances if one.file not in there]
        if product.files and (product.pieces > MOST_PIECES or len(there) + len(missing) != len(series.members)):
            product, missing = Product(root), series.instances
        if missing:
            product.add(_texts(missing, root))
            _store(grant, series, product)
        found = product.gzip()
        self._keep((grant.space, series.uid, len(series.members), index.replaced, root), found)
        return found

    def _keep(self, key: tuple[UUID, str, int, int, str], found: bytes) -> None:
        self._size += len(found) - len(self._kept.pop(key, b""))
        self._kept[key] = found
        while self._size > MEMORY and self._kept:
            _key, oldest = self._kept.popitem(last=False)
            self._size -= len(oldest)


def made(instances: Iterable[Instance], root: str) -> Product:
    """The product of instances that nothing was kept of."""
    product = Product(root)
    product.add(_texts(instances, root))
    return product


def _texts(instances: Iterable[Instance], root: str) -> Iterable[tuple[UUID, bytes]]:
    return ((one.file, json_body(bulk.annex_f(one, root + url_of(one)))) for one in instances)


def _stored(grant: Grant, series: Series, root: str) -> Product | None:
    token = filing.hashed(grant.owner, "series", series.uid)
    row = SeriesMetadata.objects.filter(space=grant.space, series=token).first()
    if row is None:
        return None
    try:
        found = Product.from_bytes(blobs.read_all(row.blob, space=grant.space))
    except BlobMissing:  # another process has just renewed it
        return None
    return found if found is None or found.root == root else found.moved(root)


def _store(grant: Grant, series: Series, product: Product) -> None:
    token = filing.hashed(grant.owner, "series", series.uid)
    info = blobs.put([product.to_bytes()], space=grant.space, tenant=grant.tenant)
    with transaction.atomic():
        mine = SeriesMetadata.objects.select_for_update().filter(space=grant.space, series=token)
        former = mine.values_list("blob", flat=True).first()
        fields = {"instances": len(product.files), "blob": info.id, "size": info.size}
        SeriesMetadata.objects.update_or_create(space=grant.space, series=token, defaults=fields)
    if former is not None:
        blobs.delete(former)
