"""A file that is looked at and forgotten: kept in memory up to a limit, never written anywhere."""

from io import BytesIO
from typing import Any

from django.core.files.uploadedfile import InMemoryUploadedFile
from django.core.files.uploadhandler import FileUploadHandler, StopUpload

LIMIT = 25 * 1024 * 1024


class Bounded(FileUploadHandler):
    """Keeps one file of at most LIMIT bytes; `too_large` says that there was more."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.buffer = BytesIO()
        self.files = 0
        self.too_large = False

    def handle_raw_input(self, input_data: Any, META: Any, content_length: int, *rest: Any) -> None:  # noqa: N803
        self.too_large = content_length > LIMIT + 64 * 1024

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self.files += 1
        if self.too_large or self.files > 1:
            raise StopUpload(connection_reset=self.too_large)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if self.buffer.tell() + len(raw_data) > LIMIT:
            self.too_large = True
            raise StopUpload(connection_reset=True)
        self.buffer.write(raw_data)

    def file_complete(self, file_size: int) -> InMemoryUploadedFile:
        self.buffer.seek(0)
        return InMemoryUploadedFile(
            self.buffer, self.field_name, "file", self.content_type, file_size, self.charset, {}
        )
