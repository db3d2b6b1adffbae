"""Pictures of pages and frames: from the store when rendered before, else rendered in the sandbox and kept."""

from django.db import IntegrityError, transaction

from consilium.imaging import frames
from consilium.records import checking, content
from consilium.records.models import Preview, RecordFile
from consilium.records.slides import is_dicom_slide
from consilium.vault import blobs, keys


def picture(file: RecordFile, kind: str, index: int) -> bytes | None:
    """PNG or JPEG of page or frame `index` (from 0); None when there is none."""
    found = preview(file, kind, index)
    return blobs.read_all(found.blob, space=file.space) if found else None


def preview(file: RecordFile, kind: str, index: int) -> Preview | None:
    """The stored preview; a frame that nobody looked at before is rendered now. None while it is to be checked."""
    if checking.is_hidden(file):
        return None
    found = file.previews.filter(kind=kind, index=index).first()
    if found or kind != Preview.Kind.FRAME or not 0 <= index < file.frames:
        return found
    if is_dicom_slide(file):  # a frame is a tile, shown by the slide viewer; a label may state a name
        return None
    try:
        data = frames.render_frame(lambda: content.chunks(file), index)
    except frames.NotRendered:
        return None
    return _keep(file, index, data)


def _keep(file: RecordFile, index: int, data: bytes) -> Preview:
    info = blobs.put([data], space=file.space, tenant=keys.space_key(file.space).tenant)
    try:
        with transaction.atomic():
            return Preview.objects.create(
                file=file, kind=Preview.Kind.FRAME, index=index, blob=info.id, media_type="image/png"
            )
    except IntegrityError:  # somebody else rendered the same frame meanwhile
        blobs.delete(info.id)
        return file.previews.get(kind=Preview.Kind.FRAME, index=index)


def windowed(file: RecordFile, index: int, *, centre: float, width: float) -> bytes | None:
    """A frame in another window (PS3.3 C.11.2.1.2), rendered on demand and not kept."""
    if not 0 <= index < file.frames or is_dicom_slide(file) or checking.is_hidden(file):
        return None
    try:
        return frames.render_frame(lambda: content.chunks(file), index, centre=centre, width=width)
    except frames.NotRendered:
        return None
