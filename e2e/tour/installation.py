"""A fresh installation in a temporary folder: keys, database, staff, one running service, and its mail folder."""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.error import URLError

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "seven quiet boats at noon"
STEP_UP_SECONDS = 20  # so that signing really asks for the second step within a tour of a few minutes


class Installation:
    """Directories, environment and the service; `with` starts it, leaving stops it and removes everything."""

    def __init__(self, log: Path) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="consilium-tour-"))
        self.log = log
        self.port = free_port()
        # `localhost`, not an address: passkeys exist for names only (WebAuthn §5.1.2).
        self.url = f"http://localhost:{self.port}"
        self.mail = self.home / "mail"
        self.environment = self._environment()
        self.process: subprocess.Popen[bytes] | None = None

    def _environment(self) -> dict[str, str]:
        ours = ("CONSILIUM_", "DATABASE_URL", "DEBUG", "DJANGO_")
        kept = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
        return kept | {
            "CONSILIUM_DATA_DIR": str(self.home / "data"),
            "CONSILIUM_KEY_DIR": str(self.home / "keys"),
            "CONSILIUM_MAIL_DIR": str(self.mail),
            "CONSILIUM_PUBLIC_URL": self.url,
            "CONSILIUM_STEP_UP_MINUTES": str(STEP_UP_SECONDS / 60),
            "PYTHONUNBUFFERED": "1",
        }

    def __enter__(self) -> "Installation":
        try:
            self._install()
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        if self.process and self.process.poll() is None:
            self.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(15)
        if self.process and self.process.poll() is None:
            self.process.kill()
        if "CONSILIUM_TOUR_KEEP" not in os.environ:
            shutil.rmtree(self.home, ignore_errors=True)

    def _install(self) -> None:
        self.command("migrate", "--init-keys")
        admin = ("create-admin", "ada.kowalski@example.org", "--organisation", "Lakeside Second Opinions")
        self.command(*admin, typed=f"{PASSWORD}\n")
        self.python("e2e.tour.staff", typed=PASSWORD)

    def _start(self) -> None:
        log = self.log.open("wb")
        command = [sys.executable, "-m", "consilium", "serve", "--bind", f"127.0.0.1:{self.port}"]
        self.process = subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=log, stderr=log)
        wait_for(self._answers, "the service to answer", seconds=120)

    def _answers(self) -> bool:
        if self.process and self.process.poll() is not None:
            raise RuntimeError(f"consilium serve ended with {self.process.returncode}: {self.log.read_text()[-2000:]}")
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=1) as response:
                return bool(response.status == 200)
        except (URLError, OSError):
            return False

    def command(self, *arguments: str, typed: str = "", status: int = 0) -> str:
        """Run `consilium <arguments>` as its operator; the output. Another exit status than `status` is an error."""
        return self.python("consilium", *arguments, typed=typed, status=status)

    def python(self, module: str, *arguments: str, typed: str = "", status: int = 0) -> str:
        """Run a module, or a script by its path, in this installation's environment."""
        start = [module] if module.endswith(".py") else ["-m", module]
        done = subprocess.run(
            [sys.executable, *start, *arguments],
            cwd=ROOT,
            env=self.environment,
            input=typed,
            capture_output=True,
            text=True,
            check=False,
        )
        said = done.stdout + done.stderr
        if done.returncode != status:
            raise RuntimeError(f"{module} {' '.join(arguments)} ended with {done.returncode}:\n{said}")
        return said

    # -- mail
    def mails(self, to: str = "") -> list[EmailMessage]:
        """Messages in the folder, oldest first; `to` keeps those to one address."""
        paths = sorted(self.mail.glob("*.eml"), key=lambda path: path.stat().st_mtime_ns)
        parsed: list[Any] = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in paths]
        return [mail for mail in parsed if to in str(mail["To"])]

    def mailed(self, to: str, pattern: str, *, after: int = 0) -> str:
        """The first group of `pattern` in a mail to `to`, waiting for it; the first `after` mails do not count."""

        def found() -> str:
            for mail in reversed(self.mails(to)[after:]):
                if match := re.search(pattern, body(mail)):
                    return match[1]
            return ""

        return wait_for(found, f"a mail to {to} with “{pattern}”", seconds=120)


def body(mail: EmailMessage) -> str:
    """The plain text of a message."""
    part = mail.get_body(("plain",))
    return str(part.get_content()) if part else ""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(question: Callable[[], Any], what: str, *, seconds: float = 20) -> Any:
    """Ask until the answer is true."""
    for _ in moments(seconds):
        if answer := question():
            return answer
    raise TimeoutError(f"Waited {seconds:.0f} s in vain for {what}.")


def moments(seconds: float) -> Iterator[None]:
    """Turns of a waiting loop, for at most `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        yield
        time.sleep(0.2)
