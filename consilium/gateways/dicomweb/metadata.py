"""Metadata of a series as a product (PS3.18 §10.4.1.1.2): made once, kept sealed as gzip, sent as it lies there.

A product begins with the root its bulk data URLs were made with, then a line feed, then the gzip stream. It is out of
date when the series has more instances than it describes.
"""

import gzip
import zlib
from collections import OrderedDict
from collections.abc import Iterable
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
GZIP = 31  # wbits of zlib for the gzip format


class Products:
    """The products that were sent last, ready to be sent again: (case, series, instances, root) → gzip."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[UUID, str, int, int, str], bytes] = OrderedDict()
        self._size = 0

    def get(self, index: CaseIndex, series: Series, root: str) -> bytes | None:
        """What is in memory for a series as it is now."""
        return self._kept.get((index.space, series.uid, len(series.members), index.replaced, root))

    def make(self, grant: Grant, index: CaseIndex, series: Series, root: str) -> bytes:
        """Read the product or make it. Runs in a thread."""
        kept = index.tree.studies[series.study.uid].series[series.uid]
        if len(kept.members) != len(series.members):  # a holder who may see a part of it: nothing to keep
            return packed(series.instances, root)
        found = _stored(grant, series, root) or _store(grant, series, root, packed(series.instances, root))
        self._keep((grant.space, series.uid, len(series.members), index.replaced, root), found)
        return found

    def _keep(self, key: tuple[UUID, str, int, int, str], found: bytes) -> None:
        self._size += len(found) - len(self._kept.pop(key, b""))
        self._kept[key] = found
        while self._size > MEMORY and self._kept:
            _key, oldest = self._kept.popitem(last=False)
            self._size -= len(oldest)


def packed(instances: Iterable[Instance], root: str) -> bytes:
    """The DICOM JSON of instances, as gzip; never all of it in memory uncompressed."""
    squeeze = zlib.compressobj(6, zlib.DEFLATED, GZIP)
    parts, before = [], b"["
    for one in instances:
        parts.append(squeeze.compress(before + json_body(bulk.annex_f(one, root + url_of(one)))))
        before = b","
    parts.append(squeeze.compress(b"]" if before == b"," else b"[]"))
    parts.append(squeeze.flush())
    return b"".join(parts)


def _stored(grant: Grant, series: Series, root: str) -> bytes | None:
    token = filing.hashed(grant.owner, "series", series.uid)
    row = SeriesMetadata.objects.filter(space=grant.space, series=token).first()
    if row is None or row.instances != len(series.members):
        return None
    try:
        made_for, _, found = blobs.read_all(row.blob, space=grant.space).partition(b"\n")
    except BlobMissing:  # another process has just renewed it
        return None
    if made_for.decode() == root:
        return found
    # The same site under another name: only the URLs differ.
    text = gzip.decompress(found).replace(b'"' + made_for + b"/studies/", b'"' + root.encode() + b"/studies/")
    return gzip.compress(text, 6)


def _store(grant: Grant, series: Series, root: str, found: bytes) -> bytes:
    token = filing.hashed(grant.owner, "series", series.uid)
    info = blobs.put([root.encode() + b"\n", found], space=grant.space, tenant=grant.tenant)
    with transaction.atomic():
        mine = SeriesMetadata.objects.select_for_update().filter(space=grant.space, series=token)
        former = mine.values_list("blob", flat=True).first()
        fields = {"instances": len(series.members), "blob": info.id, "size": len(found)}
        SeriesMetadata.objects.update_or_create(space=grant.space, series=token, defaults=fields)
    if former is not None:
        blobs.delete(former)
    return found
