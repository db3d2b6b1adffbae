"""Settings of the DIMSE gateway (docs/how-to/dimse.md) and of the inbox that it fills.

Imported by settings.py, never read on its own. Nothing listens unless CONSILIUM_DIMSE_BIND is set or
`consilium dimse` is started, and nobody may send who is not listed.
"""

import environ

_env = environ.Env()

DIMSE_BIND = _env("CONSILIUM_DIMSE_BIND", default="")  # address:port; `consilium serve` then runs the gateway too
DIMSE_AE_TITLE = _env("CONSILIUM_DIMSE_AE_TITLE", default="CONSILIUM")
# "PACS1@10.0.0.5,MR2": calling AE titles, each with the one address it may come from, or from anywhere
DIMSE_PEERS = _env("CONSILIUM_DIMSE_PEERS", default="")
DIMSE_ORGANISATION = _env("CONSILIUM_DIMSE_ORGANISATION", default="")  # whose inbox; empty: the first one's
DIMSE_TLS_CERTIFICATE = _env("CONSILIUM_DIMSE_TLS_CERTIFICATE", default="")
DIMSE_TLS_KEY = _env("CONSILIUM_DIMSE_TLS_KEY", default="")
DIMSE_TLS_CA = _env("CONSILIUM_DIMSE_TLS_CA", default="")  # who signs the certificates of peers; all must show one
DIMSE_ALLOW_PLAIN = _env.bool("CONSILIUM_DIMSE_ALLOW_PLAIN", default=False)
DIMSE_MAX_ASSOCIATIONS = _env.int("CONSILIUM_DIMSE_MAX_ASSOCIATIONS", default=8)
DIMSE_MAX_PDU = _env.int("CONSILIUM_DIMSE_MAX_PDU", default=128 * 1024)
DIMSE_MAX_INSTANCE_BYTES = _env.int("CONSILIUM_DIMSE_MAX_INSTANCE_BYTES", default=1024**3)
DIMSE_MAX_ASSOCIATION_BYTES = _env.int("CONSILIUM_DIMSE_MAX_ASSOCIATION_BYTES", default=64 * 1024**3)
DIMSE_IDLE_SECONDS = _env.float("CONSILIUM_DIMSE_IDLE_SECONDS", default=60.0)
INBOX_DAYS = _env.int("CONSILIUM_INBOX_DAYS", default=30)  # what nobody assigned by then is destroyed
