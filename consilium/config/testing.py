"""Private directories for every test process, chosen before the settings read the environment.

pytest-django reads the settings before any conftest.py runs, so this cannot live there. Processes that a test
starts inherit the environment and so share their parent's directories; each parallel test process has its own.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path


def private_directories() -> None:
    """Point CONSILIUM_* at a temporary folder that is removed when this process ends."""
    mine = os.environ.get("PYTEST_XDIST_WORKER", "main")
    if os.environ.get("CONSILIUM_TEST_PROCESS") == mine:
        return
    root = Path(tempfile.mkdtemp(prefix="consilium-test-"))
    for variable, name in (("DATA", "data"), ("KEY", "keys"), ("MAIL", "mail")):
        (root / name).mkdir(mode=0o700)
        os.environ[f"CONSILIUM_{variable}_DIR"] = str(root / name)
    os.environ["CONSILIUM_TEST_PROCESS"] = mine
    os.environ["CONSILIUM_TESSERACT"] = ""  # seconds a page: only tests of it switch it on
    os.environ["CONSILIUM_SECRET_KEY"] = "only-for-tests"  # noqa: S105
    repository = Path(__file__).resolve().parent.parent.parent
    os.environ.setdefault("CONSILIUM_SAMPLES", str(repository.parent / "shared" / "samples"))
    os.environ.pop("CONSILIUM_DEMO", None)
    os.environ.pop("DEBUG", None)
    atexit.register(_remove, root, os.getpid())


def _remove(root: Path, owner: int) -> None:
    if os.getpid() == owner:  # not in a forked child
        shutil.rmtree(root, ignore_errors=True)
