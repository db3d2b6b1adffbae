"""Run inside the installation: what our own verifier says about PDF files, as JSON; each also with a line added.

python -m e2e.tour.seal FILE …
"""

import json
import sys
from dataclasses import asdict
from pathlib import Path


def main() -> None:
    import django

    django.setup()
    from consilium.opinions.report import seal

    found = {}
    for name in sys.argv[1:]:
        pdf = Path(name).read_bytes()
        kinds = {"as downloaded": pdf, "with a line added": pdf + b"\n% added later"}
        checked = {kind: seal.verify(data) for kind, data in kinds.items()}
        found[Path(name).name] = {kind: asdict(one) | {"genuine": one.genuine} for kind, one in checked.items()}
    sys.stdout.write(json.dumps(found, default=str))


if __name__ == "__main__":
    import os

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "consilium.config.settings")
    main()
