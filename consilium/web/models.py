"""The few rows that the web itself keeps: shared limits, and requests to delete an account."""

from django.conf import settings
from django.db import models

from consilium.core import clock


class CacheEntry(models.Model):
    """A value that every web process must see (attempts, used codes); keys are keyed hashes, values JSON."""

    key = models.CharField(primary_key=True, max_length=64)
    value = models.TextField()
    expires_at = models.DateTimeField(db_index=True)


class DeletionRequest(models.Model):
    """Somebody wants their account deleted; an administrator decides after the duties to keep records were checked."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="deletion_requests")
    requested_at = models.DateTimeField(default=clock.now)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user"], condition=models.Q(withdrawn_at__isnull=True), name="one_open_deletion_request"
            )
        ]
