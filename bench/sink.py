"""The bound: what receiving, writing and fdatasync cost under the same HTTP server, and nothing else."""

import asyncio
import os
import uuid
from pathlib import Path
from typing import Any

FOLDER = Path(os.environ.get("BENCH_SINK", "."))


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Write a request's body to a new file, make it durable in a thread, answer 200."""
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    if scope["method"] != "GET":
        await _keep(receive)
    headers = [(b"content-length", b"0")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


async def _keep(receive: Any) -> None:
    file = os.open(FOLDER / uuid.uuid4().hex, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        more = True
        while more:
            message = await receive()
            os.write(file, message.get("body", b""))
            more = message.get("more_body", False)
        await asyncio.get_running_loop().run_in_executor(None, os.fdatasync, file)
    finally:
        os.close(file)
