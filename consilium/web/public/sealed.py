"""Does an uploaded PDF carry our seal, unchanged? Read in the sandbox: anybody may send anything here."""

from consilium.opinions.report import seal_key
from consilium.records import sandbox

JOB = "consilium.web.public.sealed_in_jail:check"
SECONDS = 20.0


def carries_our_seal(data: bytes) -> bool:
    """Whether the bytes are a PDF sealed by this organisation and unchanged since. False for everything else."""
    if not data.startswith(b"%PDF-"):
        return False
    root = seal_key.load()[2].decode()
    try:
        frames = list(sandbox.run(JOB, [data], {"root": root}, seconds=SECONDS, max_output=64 * 1024))
    except (sandbox.JobFailed, sandbox.SandboxError):
        return False
    return any(header.get("genuine") is True for header, _parts in frames)
