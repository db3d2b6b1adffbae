"""The bound: what receiving, writing and fdatasync cost under the same HTTP server, and nothing else.

To a tus client it answers as far as its next request needs it.
"""

import asyncio
import os
import uuid
from pathlib import Path
from typing import Any

FOLDER = Path(os.environ.get("BENCH_SINK", "."))


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Write a request's body to a new file, make it durable in a thread, answer."""
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    sent = dict(scope["headers"])
    status, headers = 200, [(b"content-length", b"0")]
    size = 0
    if scope["method"] != "GET":
        size = await _keep(receive)
    if scope["method"] == "POST" and b"upload-length" in sent:
        status, headers = 201, [*headers, (b"location", scope["path"].encode() + b"/1")]
    elif scope["method"] == "PATCH":
        offset = int(sent[b"upload-offset"]) + size
        status, headers = 204, [(b"upload-offset", str(offset).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


async def _keep(receive: Any) -> int:
    """The length of the body; a request without one leaves no file."""
    message = await receive()
    if not message.get("body") and not message.get("more_body"):
        return 0
    file = os.open(FOLDER / uuid.uuid4().hex, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    size = 0
    try:
        while True:
            size += os.write(file, message.get("body", b""))
            if not message.get("more_body", False):
                break
            message = await receive()
        await asyncio.get_running_loop().run_in_executor(None, os.fdatasync, file)
    finally:
        os.close(file)
    return size
