"""Run inside an installation (`python -m e2e.arrived <case>`): what lies in the newest upload of a case, as JSON.

A bundle is read by Python's own tarfile, so that two readers agree on what the browser packed.
"""

import hashlib
import io
import json
import sys
import tarfile
from uuid import UUID

MARK = "=== arrived ==="


def arrived(case: UUID) -> dict[str, str]:
    """Path → SHA-256 of every file inside."""
    from consilium.records import content
    from consilium.records.models import Upload

    upload = Upload.objects.filter(space=case).latest("uploaded_at")
    source = io.BytesIO(b"".join(content.chunks(upload)))
    with tarfile.open(fileobj=source) as bundle:
        files = [member for member in bundle if member.isfile()]
        return {one.name: hashlib.sha256(bundle.extractfile(one).read()).hexdigest() for one in files}  # type: ignore[union-attr]


if __name__ == "__main__":
    import os

    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "consilium.config.settings")
    django.setup()
    sys.stdout.write(MARK + json.dumps(arrived(UUID(sys.argv[1]))) + MARK)
