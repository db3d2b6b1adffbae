"""Dates and moments in words, the same on every page of desk and administration."""

from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from consilium.core.text import iso_date


def day(when: date | datetime | None) -> str:
    """A date in words; a dash without one."""
    if when is None:
        return "–"
    local = localtime(when) if isinstance(when, datetime) else when
    # Translators: Django's date format, for example "j. F Y" in German
    return date_format(local, pgettext("date format", "j F Y"))


def short_day(when: date | datetime) -> str:
    """A date without its year."""
    local = localtime(when) if isinstance(when, datetime) else when
    # Translators: Django's date format, for example "j. F" in German
    return date_format(local, pgettext("date format", "j F"))


def moment(when: datetime | None) -> str:
    """A date and time in words, local; nothing without one."""
    # Translators: Django's date format, for example "j. F Y, H:i" in German
    return date_format(localtime(when), pgettext("date format", "j F Y, H:i")) if when else ""


def day_of(text: str) -> str:
    """An ISO 8601 or DICOM date (YYYYMMDD, PS3.5 §6.2 DA) in words; what is no date stays as it is."""
    plain = f"{text[:4]}-{text[4:6]}-{text[6:]}" if len(text) == 8 and text.isdigit() else text
    found = iso_date(plain)
    return day(found) if found else text or _("not given")


def span(length: timedelta) -> str:
    """A length of time in its largest useful unit."""
    minutes = max(1, round(length.total_seconds() / 60))
    if minutes < 90:
        return ngettext("%(n)s minute", "%(n)s minutes", minutes) % {"n": minutes}
    if minutes < 48 * 60:
        hours = round(minutes / 60)
        return ngettext("%(n)s hour", "%(n)s hours", hours) % {"n": hours}
    days = round(minutes / 1440)
    return ngettext("%(n)s day", "%(n)s days", days) % {"n": days}


def languages(codes: Any) -> str:
    """Languages by name."""
    known = dict(settings.LANGUAGES)
    return ", ".join(str(known.get(code, code)) for code in codes)
