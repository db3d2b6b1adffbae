"""Runs the chapters one after the other; see the package's docstring."""

import json
import platform
import shutil
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any

from playwright.sync_api import sync_playwright

from e2e.tour import chapters
from e2e.tour.checks import Checks
from e2e.tour.files import SAMPLES, Files
from e2e.tour.installation import ROOT, Installation
from e2e.tour.stage import Stage

OUT = ROOT / "build" / "tour"
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class Tour:
    """Times every step, says it aloud, and keeps what is needed to understand a failure."""

    def __init__(self) -> None:
        self.steps: list[dict[str, Any]] = []
        self.stage: Stage | None = None
        self.began = time.monotonic()

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """One step: its seconds go to tour.json; when it fails, page and picture go to failed/."""
        began = time.monotonic()
        try:
            yield
        except Exception as error:
            say(f"  FAILED {name}: {type(error).__name__}: {str(error)[:1500]}")
            self.keep_failure(name, traceback.format_exc())
            raise
        finally:
            self.note(name, time.monotonic() - began)

    def note(self, name: str, seconds: float) -> None:
        self.steps.append({"step": name, "seconds": round(seconds, 2)})
        say(f"  {seconds:6.1f} s  {name}")

    def keep_failure(self, name: str, trace: str) -> None:
        folder = OUT / "failed"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "error.txt").write_text(f"{name}\n\n{trace}")
        for persona in self.stage.personas() if self.stage else []:
            place = folder / persona.slug
            try:
                place.with_suffix(".txt").write_text(f"{persona.page.url}\n\n{persona.page.inner_text('body')}")
                place.with_suffix(".html").write_text(persona.page.content())
                persona.page.screenshot(path=place.with_suffix(".png"), full_page=True)
            except Exception as error:
                place.with_suffix(".txt").write_text(f"{persona.page.url}\n\nno picture: {error}")

    def write(self, checks: Checks, failed: str) -> None:
        seconds = round(time.monotonic() - self.began, 1)
        summary = {
            "passed": not failed and not checks.problems,
            "failed": failed,
            "seconds": seconds,
            "steps": self.steps,
            "problems": checks.problems,
            "pages": len(checks.pages),
            "pictures": len(list(checks.pictures.glob("*.png"))),
            "samples": SAMPLES.is_dir(),
            "versions": versions(),
        }
        (OUT / "tour.json").write_text(json.dumps(summary, indent=2, ensure_ascii=False) + "\n")
        say(f"{seconds:.0f} s, {summary['pages']} kinds of pages, {summary['pictures']} pictures in build/tour/")


def versions() -> dict[str, str]:
    git = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    browser = subprocess.run([CHROMIUM, "--version"], capture_output=True, text=True, check=False)
    return {
        "consilium": f"{version('consilium')} ({git.stdout.strip()})",
        "python": platform.python_version(),
        "django": version("django"),
        "chromium": browser.stdout.strip(),
        "playwright": version("playwright"),
    }


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> int:
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    tour, failed = Tour(), ""
    files = Files(OUT / "files")
    say("The tour begins: a fresh installation, then everybody in turn.")
    began = time.monotonic()
    with Installation(OUT / "service.log") as installation, sync_playwright() as playwright:
        tour.note("0 a fresh installation: keys, database, staff, service", time.monotonic() - began)
        checks = Checks(f"localhost:{installation.port}", OUT / "screenshots")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        stage = tour.stage = Stage(installation, browser, checks, files, OUT, tour.step)
        try:
            chapters.play(stage)
        except Exception as error:
            failed = f"{tour.steps[-1]['step'] if tour.steps else 'start'}: {type(error).__name__}"
        finally:
            tour.write(checks, failed)
            browser.close()
    for problem in checks.problems:
        say(f"  problem: {problem}")
    if failed or checks.problems:
        say(f"The tour failed: {failed or f'{len(checks.problems)} problems on pages'}")
        return 1
    say("The tour passed.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
