"""From an ASGI scope to a WSGI environment (PEP 3333), refusing what two parsers could read differently."""

import sys
from collections.abc import Iterable
from io import BytesIO
from ipaddress import ip_address, ip_network
from typing import Any

Scope = dict[str, Any]
Header = tuple[bytes, bytes]

# A proxy may set these; from anybody else they are lies about who is asking and how.
FORWARDED = {b"forwarded", b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", b"x-forwarded-port"}
FORWARDED |= {b"x-real-ip", b"x-forwarded-prefix", b"x-forwarded-server", b"x-forwarded-ssl"}
ONCE = {b"host", b"content-length", b"content-type", b"transfer-encoding", b"authorization", b"range"}


class AmbiguousRequest(Exception):  # noqa: N818
    """The request head can be read in two ways (RFC 9112 §6.3, §11.2); it is answered with 400."""


class TrustedProxies:
    """Whose X-Forwarded-* headers count: addresses and networks from CONSILIUM_TRUSTED_PROXIES."""

    def __init__(self, names: Iterable[str]) -> None:
        self.networks = [ip_network(name.strip()) for name in names if name.strip()]

    def __contains__(self, address: str) -> bool:
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self.networks)

    def client(self, peer: str, forwarded_for: str) -> str:
        """The right-most address that is not one of our proxies; further left anybody may have written."""
        if peer not in self:
            return peer
        for hop in reversed([part.strip() for part in forwarded_for.split(",") if part.strip()]):
            try:
                address = str(ip_address(hop))
            except ValueError:
                return peer
            if address not in self:
                return address
        return peer


def checked_headers(scope: Scope, *, trusted: bool) -> dict[bytes, bytes]:
    """The headers that the application may see, repeated ones joined (RFC 9110 §5.3).

    Names with an underscore are dropped: in CGI variables they collide with the hyphenated ones. `Proxy` is
    dropped: it would become HTTP_PROXY. Raises AmbiguousRequest for framing or host given twice.
    """
    headers: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        name = name.lower()
        if b"_" in name or name == b"proxy" or (name in FORWARDED and not trusted):
            continue
        if name in headers:
            if name in ONCE:
                raise AmbiguousRequest
            headers[name] += (b"; " if name == b"cookie" else b", ") + value
        else:
            headers[name] = value
    if b"transfer-encoding" in headers and b"content-length" in headers:
        raise AmbiguousRequest
    if not headers.get(b"content-length", b"0").isdigit():
        raise AmbiguousRequest
    return headers


def wsgi_environ(scope: Scope, proxies: TrustedProxies) -> dict[str, Any]:
    """PEP 3333 environment without `wsgi.input`'s bytes; text is latin-1 "native strings"."""
    peer = (scope.get("client") or ("", 0))[0]
    headers = checked_headers(scope, trusted=peer in proxies)
    host, port = scope.get("server") or ("localhost", "80")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": scope["path"].encode().decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": proxies.client(peer, headers.get(b"x-forwarded-for", b"").decode("latin-1")),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "wsgi.input": BytesIO(),
    }
    for name, value in headers.items():
        key = name.decode("latin-1").upper().replace("-", "_")
        environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value.decode("latin-1")
    return environ
