"""Every test process gets its own data and key directories before Django reads its settings."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

_root = Path(tempfile.mkdtemp(prefix="consilium-test-"))
(_root / "data").mkdir()
atexit.register(shutil.rmtree, _root, ignore_errors=True)
os.environ["CONSILIUM_DATA_DIR"] = str(_root / "data")
os.environ["CONSILIUM_KEY_DIR"] = str(_root / "keys")
os.environ["CONSILIUM_MAIL_DIR"] = str(_root / "mail")
os.environ["CONSILIUM_SECRET_KEY"] = "only-for-tests"  # noqa: S105
os.environ.setdefault("CONSILIUM_SAMPLES", str(Path(__file__).resolve().parent.parent / "shared" / "samples"))
os.environ.pop("CONSILIUM_DEMO", None)
