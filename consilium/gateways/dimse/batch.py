"""Images for one or several places, sealed, made durable and noted in the database together."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import transaction

from consilium.gateways.dimse.part10 import Received
from consilium.gateways.dimse.status import DUPLICATE, SUCCESS
from consilium.records import content
from consilium.records.instances import NewInstance
from consilium.records.returning import MALWARE
from consilium.vault import blobs
from consilium.vault.segments import SegmentWriter, joined

AT_ONCE = 4  # waits for the disk at the same time


@dataclass
class Place:
    """A case or a study of the inbox, and what comes there.

    add: notes images that are durable, within a transaction: "stored" or "duplicate" for each. held: what is there
    under the UID of an image.
    """

    space: UUID
    tenant: UUID
    images: list[tuple[Received, dict[str, Any]]]  # each with its header
    add: Callable[[list[NewInstance]], list[str]]
    held: Callable[[Received], Any]
    out: SegmentWriter | None = None
    new: list[NewInstance] = field(default_factory=list)

    def seal(self) -> None:
        """Write all into one segment; `new` says where each lies."""
        self.out = SegmentWriter(space=self.space, tenant=self.tenant)
        for came, header in self.images:
            slices = joined([*self.out.add(came.preamble), *self.out.add(came.dataset)])
            self.new.append(NewInstance(slices, header))

    def finish(self) -> None:
        if self.out is not None:
            self.out.finish()

    def abort(self) -> None:
        if self.out is not None:
            self.out.abort()

    def statuses(self, codes: list[str]) -> list[int]:
        """What to answer; segments of which nothing was needed are deleted. Success means that it can be seen."""
        stored = [one for one, code in zip(self.new, codes, strict=True) if code == "stored"]
        used = {part.blob for one in stored for part in one.slices}
        for blob in set(self.out.blobs if self.out else ()) - used:
            blobs.delete(blob)
        return [
            SUCCESS if code == "stored" or (code != MALWARE and same(self.held(came), came, header)) else DUPLICATE
            for (came, header), code in zip(self.images, codes, strict=True)
        ]


def store(places: list[Place]) -> list[list[int]]:
    """The statuses of each place's images. When it raises, nothing of them is stored.

    What is durable when the database fails stays where it is: whether a commit that broke off came through is not
    known, and the collection of orphans deletes what no row names.
    """
    try:
        for place in places:
            place.seal()
        _finish(places)
    except BaseException:
        for place in places:
            place.abort()
        raise
    with transaction.atomic():
        codes = [place.add(place.new) for place in places]
    return [place.statuses(found) for place, found in zip(places, codes, strict=True)]


def _finish(places: list[Place]) -> None:
    """Wait for the disk, for all places at the same time."""
    if len(places) == 1:
        places[0].finish()
        return
    waiting = [_pool.submit(place.finish) for place in places]
    wait(waiting)
    for one in waiting:
        one.result()


def same(held: Any, came: Received, header: dict[str, Any]) -> bool:
    """Whether what is there has the same transfer syntax and data set; the file meta may differ."""
    if held is None or not held.header or held.header["ts"] != header["ts"]:
        return False
    at, position = held.header["dataset"], 0
    if held.size - at != len(came.dataset):
        return False
    for chunk in content.chunks(held, at):
        if came.dataset[position : position + len(chunk)] != chunk:
            return False
        position += len(chunk)
    return True


_pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="dimse-disk")
