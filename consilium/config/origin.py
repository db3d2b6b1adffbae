"""Scheme and host under which a request reached us, for the absolute URLs that other programs get."""

from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import split_domain_port, validate_host

from consilium.config.environ import AmbiguousRequest, Scope, TrustedProxies, checked_headers


def origin_of(scope: Scope, proxies: TrustedProxies) -> str:
    """Such as "https://example.org"; "" for a host that is not ours, so that URLs stay relative to the request.

    Some clients and proxies leave the port out of Host: then the site's own address counts, when it is that host.
    """
    peer = (scope.get("client") or ("", 0))[0]
    try:
        headers = checked_headers(scope, trusted=peer in proxies)
    except AmbiguousRequest:
        return ""
    host = headers.get(b"host", b"").decode("latin-1").lower()
    domain, port = split_domain_port(host)
    if not validate_host(domain, settings.ALLOWED_HOSTS):
        return ""
    ours = urlsplit(settings.PUBLIC_URL)
    if not port and domain.strip("[]") == ours.hostname:
        return f"{ours.scheme}://{ours.netloc}"
    scheme = headers.get(b"x-forwarded-proto", b"").decode("latin-1") or str(scope.get("scheme", "http"))
    return f"{'https' if scheme == 'https' else 'http'}://{host}"
