"""Form uploads are sealed as they arrive: no plaintext ever lies in a temporary file (trust.md, threat 4).

The view names the space before it touches `request.FILES` by calling `prepare(request, case)`.
"""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, StopUpload
from django.http import HttpRequest

from consilium.vault import blobs
from consilium.vault.blobs import BlobInfo, BlobWriter


class SealedUpload(UploadedFile):
    """A received file: its bytes are sealed in the vault, only `blob` is at hand."""

    def __init__(self, name: str, blob: BlobInfo) -> None:
        super().__init__(file=None, name=name, size=blob.size)
        self.blob = blob

    def close(self) -> None:
        """Nothing is open: Django calls this when a request ends or breaks off."""


class SealedUploadHandler(FileUploadHandler):
    """Writes each part of a multipart body straight into the vault."""

    chunk_size = 256 * 1024

    def __init__(self, request: HttpRequest | None = None) -> None:
        super().__init__(request)
        self.writer: BlobWriter | None = None
        self.received = 0
        self.finished: list[BlobInfo] = []

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        target = getattr(self.request, "upload_target", None)
        if target is None:  # a view that expects no file: drop the bytes unread
            raise StopUpload(connection_reset=False)
        space, tenant = target
        self.writer = blobs.writer(space=space, tenant=tenant)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self.received += len(raw_data)
        if self.writer is None or self.received > settings.MAX_UPLOAD_BYTES:
            self._abort()
            raise StopUpload(connection_reset=True)
        self.writer.write(raw_data)

    def file_complete(self, file_size: int) -> SealedUpload | None:
        if self.writer is None:
            return None
        info, self.writer = self.writer.finish(), None
        self.finished.append(info)
        return SealedUpload(str(self.file_name or ""), info)

    def upload_interrupted(self) -> None:
        self._abort()

    def _abort(self) -> None:
        if self.writer is not None:
            self.writer.abort()
            self.writer = None


def prepare(request: HttpRequest, *, space: Any, tenant: Any) -> None:
    """Say where the files of this request belong. Call before `request.POST` or `request.FILES`."""
    request.upload_target = (space, tenant)  # type: ignore[attr-defined]


def discard(request: HttpRequest, *, keep: Collection[UUID] = ()) -> None:
    """Remove what this request brought, except the blobs of `keep`: for refused or broken-off uploads and duplicates.

    What is kept is settled: a second call does not touch it.
    """
    for each in _handlers(request):
        each.upload_interrupted()
        for info in each.finished:
            if info.id not in keep:
                blobs.delete(info.id)
        each.finished = []


def was_too_large(request: HttpRequest) -> bool:
    """Whether reading stopped because the request brought more than MAX_UPLOAD_BYTES."""
    return any(each.received > settings.MAX_UPLOAD_BYTES for each in _handlers(request))


def _handlers(request: HttpRequest) -> list[SealedUploadHandler]:
    return [each for each in request.upload_handlers if isinstance(each, SealedUploadHandler)]
