"""Scheme and host under which a request reached us, for the absolute URLs that other programs get."""

from django.conf import settings
from django.http.request import split_domain_port, validate_host

from consilium.config.environ import AmbiguousRequest, Scope, TrustedProxies, checked_headers


def origin_of(scope: Scope, proxies: TrustedProxies) -> str:
    """Such as "https://example.org"; "" for a host that is not ours, so that URLs stay relative to the request."""
    peer = (scope.get("client") or ("", 0))[0]
    try:
        headers = checked_headers(scope, trusted=peer in proxies)
    except AmbiguousRequest:
        return ""
    host = headers.get(b"host", b"").decode("latin-1").lower()
    if not validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS):
        return ""
    scheme = headers.get(b"x-forwarded-proto", b"").decode("latin-1") or str(scope.get("scheme", "http"))
    return f"{'https' if scheme == 'https' else 'http'}://{host}"
