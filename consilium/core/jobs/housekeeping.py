"""What the installation does for itself, whatever it is used for."""

from datetime import timedelta
from importlib import import_module

from django.conf import settings

from consilium.core import clock
from consilium.core.jobs.outbox import task
from consilium.core.jobs.timers import every

KEEP_DONE = timedelta(days=30)  # so long a key that was used is remembered by its job; Effect rows stay
KEEP_BEATS = timedelta(days=1)


@every(seconds=3600)
@task()
def tidy() -> None:
    """Forget finished jobs, gone workers and sessions that ended."""
    from django_tasks_db.models import DBTaskResult

    from consilium.core.models.jobs import WorkerBeat

    now = clock.now()
    DBTaskResult.objects.filter(status="SUCCESSFUL", finished_at__lt=now - KEEP_DONE).delete()
    WorkerBeat.objects.filter(beat_at__lt=now - KEEP_BEATS).delete()
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()


@every(seconds=6 * 3600)
@task()
def sign_checkpoint() -> None:
    """Sign the present end of the audit log, so that what is behind it can be proved later."""
    from consilium.core import audit

    audit.checkpoint()
