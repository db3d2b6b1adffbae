"""In which language people behind a program are answered: what a request accepts, as far as there is a translation."""

from django.conf import settings
from django.utils.translation import get_supported_language_variant
from django.utils.translation.trans_real import parse_accept_lang_header

MOST = 500  # characters of the header that are looked at


def of(headers: list[tuple[bytes, bytes]]) -> str:
    """The first translated language of Accept-Language (RFC 9110 §12.5.4), or the site's own."""
    said = next((value for name, value in headers if name.lower() == b"accept-language"), b"")
    for code, _quality in parse_accept_lang_header(said[:MOST].decode("latin-1")):
        try:
            return get_supported_language_variant(code)
        except LookupError:  # "*", or a language without a translation
            continue
    return settings.LANGUAGE_CODE
