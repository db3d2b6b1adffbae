"""Runs inside the measured installation beside its processes: makes cases, tokens and records, waits for jobs.

Reads one JSON list [verb, arguments] a line, writes one JSON object {"result": …} or {"error": …} a line.
"""

import json
import os
import sys
import time
from datetime import timedelta
from typing import Any
from uuid import UUID

QUIET_SECONDS = 0.3
SOON = timedelta(seconds=20)  # images are looked at some seconds after the last one came: not while Orthanc is timed
LONGEST_SECONDS = 900
PAGES = {"timeline": "records", "search": "record_search", "download": "download_all"}  # names of the routes


class Inside:
    """The verbs; each returns what JSON can carry."""

    def __init__(self) -> None:
        from consilium.testing.cast import Cast, member
        from consilium.web.tests.visitor import cookie_of

        self.cast = Cast()
        self.patient = member("Eva", "Müller", birth_date="1961-02-03", sex="female")  # the one of data.py
        self.cookie = cookie_of(self.patient)

    def new_case(self) -> dict[str, str]:
        """An empty case of the patient, with a token of hers that may read and add."""
        from consilium.testing import factories

        case = factories.draft(self.cast, patient=self.patient)
        return {"case": str(case.pk), "token": self._token(case.pk), "cookie": self.cookie}

    def _token(self, case: UUID) -> str:
        from consilium.records import tokens

        return tokens.issue(case, by=self.patient.by, label="bench", read=True, add=True)[1]

    def settle(self) -> float:
        """Wait until no job is due, due soon, or running; seconds waited."""
        from django.db.models import Q
        from django_tasks_db.models import DBTaskResult

        from consilium.core import clock

        started = quiet_since = time.monotonic()
        while time.monotonic() - quiet_since < QUIET_SECONDS:
            if time.monotonic() - started > LONGEST_SECONDS:
                raise TimeoutError("The job workers did not come to rest.")
            due = Q(status="READY") & (Q(run_after__isnull=True) | Q(run_after__lte=clock.now() + SOON))
            # looking at images begins some seconds after the last one came
            due |= Q(status="READY", task_path__endswith=".finish_space")
            if DBTaskResult.objects.filter(due | Q(status="RUNNING"), job__parked_at__isnull=True).exists():
                quiet_since = time.monotonic()
            time.sleep(0.05)
        return time.monotonic() - started

    def counts(self, case: str) -> dict[str, int]:
        """What a case holds."""
        from consilium.records.models import Record, RecordFile, Upload

        space = UUID(case)
        return {
            "uploads": Upload.objects.filter(space=space).count(),
            "records": Record.objects.filter(space=space).count(),
            "files": RecordFile.objects.filter(space=space).count(),
        }

    def filed(self, case: str, files: int) -> float:
        """Wait until a case shows this many files; seconds waited."""
        from consilium.records.models import RecordFile

        started = time.monotonic()
        while (found := RecordFile.objects.filter(space=UUID(case)).count()) < files:
            if time.monotonic() - started > LONGEST_SECONDS:
                raise TimeoutError(f"Only {found} of {files} files were filed.")
            time.sleep(0.05)
        return time.monotonic() - started

    def page(self, name: str, case: str) -> str:
        """The path of a page of the case."""
        from django.urls import reverse

        return reverse(PAGES[name], args=[UUID(case)])

    def many_records(self, case: str, count: int, pages: int) -> int:
        """`count` documents of `pages` pages each, with text of a few hundred words a page."""
        from consilium.cases.models import Case
        from consilium.core import clock
        from consilium.testing import factories

        found = Case.objects.get(pk=UUID(case))
        kinds = ["letter", "discharge", "laboratory", "imaging_report", "pathology_report", "medication"]
        for number in range(count):
            date = f"20{10 + number % 15:02}-{1 + number % 12:02}-{1 + number % 28:02}"
            record = factories.plain_record(
                found, f"Document {number}", kind=kinds[number % len(kinds)], clinical_date=date, language="en"
            )
            record.pages = pages
            record.save(update_fields=["pages"])
            file = record.files.get()
            file.text = [words(number * pages + page) for page in range(pages)]
            file.filed_at = clock.now()  # or the sweep would read the few bytes that stand for the document
            file.save(update_fields=["text", "filed_at"])
        return count


VOCABULARY = """
lumbar disc herniation at the level of L4 and L5 with compression of the nerve root spinal canal narrowing
degeneration conservative treatment physiotherapy operation fusion patient reports pain in the left leg since
winter magnetic resonance tomography shows no fracture blood count normal creatinine within reference range
""".split()  # noqa: SIM905


def words(seed: int) -> str:
    """About 300 words; every page differs and one in fifty holds the word that is searched for."""
    chosen = [VOCABULARY[(seed * 7 + position * (3 + seed % 11)) % len(VOCABULARY)] for position in range(300)]
    if seed % 50 == 0:
        chosen[150] = "spondylolisthesis"
    return " ".join(chosen)


def main() -> None:
    """Answer until the input ends."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "consilium.config.settings")
    import django

    django.setup()
    inside = Inside()
    out, sys.stdout = sys.stdout, sys.stderr  # nothing else may write between the answers
    for line in sys.stdin:
        verb, arguments = json.loads(line)
        try:
            answer: dict[str, Any] = {"result": getattr(inside, verb)(**arguments)}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        out.write(json.dumps(answer) + "\n")
        out.flush()


if __name__ == "__main__":
    main()
