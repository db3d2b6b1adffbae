"""Content security policies of the image viewer: looser than the product's, and only where it runs.

Its pages set styles in elements, so these pages alone allow it; scripts come from this site, without exception.
Its decoders are WebAssembly whose glue code is compiled at run time. A worker takes the policy of its own file's
answer and not the page's (CSP 3 §4.2.3), so the viewer's files carry one that allows compiling and nothing beyond
this site. Under the page's policy JPEG 2000 and JPEG-LS would stay black, and nothing would say why.
"""

import re
from wsgiref.headers import Headers

PAGE = {
    "default-src": ["'none'"],
    "script-src": ["'self'", "'wasm-unsafe-eval'"],
    "style-src": ["'self'", "'unsafe-inline'"],
    "img-src": ["'self'", "data:", "blob:"],
    "font-src": ["'self'"],
    "media-src": ["'self'", "blob:"],
    "connect-src": ["'self'", "data:", "blob:"],
    "worker-src": ["'self'", "blob:"],
    "form-action": ["'none'"],
    "base-uri": ["'none'"],
    "frame-ancestors": ["'none'"],
    "object-src": ["'none'"],
}
FILES = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self' 'unsafe-eval' 'wasm-unsafe-eval'",
        "connect-src 'self' data: blob:",
        "worker-src 'self' blob:",
        "img-src 'self' data: blob:",
    )
)
# Each build lies in a folder named by what it was made from: what is there never changes.
LASTING = r"^/static/viewer/[0-9a-f]{16}/"


def add_headers(headers: Headers, _path: str, url: str) -> None:
    """WHITENOISE_ADD_HEADERS_FUNCTION: the policy of the viewer's scripts and workers."""
    if re.match(LASTING, url) and url.endswith(".js"):
        headers["Content-Security-Policy"] = FILES
