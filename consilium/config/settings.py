"""The one settings file; everything that differs between sites comes from the environment.

See docs/how-to/configure.md for every variable. Unsafe combinations are refused by
`consilium serve` and explained by `consilium doctor` (consilium/ops/preflight.py).
"""

import os
import secrets
from datetime import timedelta
from pathlib import Path

import environ
from django.utils.translation import gettext_lazy as _

from consilium.config import viewer_policy
from consilium.config.testing import private_directories

TESTING = "PYTEST_VERSION" in os.environ
if TESTING:
    private_directories()

env = environ.Env()

PACKAGE_DIR = Path(__file__).resolve().parent.parent
BASE_DIR = PACKAGE_DIR.parent

# --- where things live -------------------------------------------------------------------------
DATA_DIR = Path(env("CONSILIUM_DATA_DIR", default=str(BASE_DIR / "var" / "data"))).resolve()
KEY_DIR = Path(env("CONSILIUM_KEY_DIR", default=str(BASE_DIR / "var" / "keys"))).resolve()
MAIL_DIR = Path(env("CONSILIUM_MAIL_DIR", default=str(DATA_DIR.parent / "mail"))).resolve()

DEBUG = env.bool("DEBUG", default=False)
DEMO = env.bool("CONSILIUM_DEMO", default=False)

PUBLIC_URL = env("CONSILIUM_PUBLIC_URL", default="http://127.0.0.1:8000").rstrip("/")
ALLOWED_HOSTS = env.list("CONSILIUM_ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]", "testserver"])
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if PUBLIC_URL.startswith("https://") else []
# Shown on open pages: who runs the site (lines joined by \n), and where weaknesses are reported (RFC 9116).
IMPRINT = env("CONSILIUM_IMPRINT", default="")
SECURITY_CONTACT = env("CONSILIUM_SECURITY_CONTACT", default="")
SECURE_TRANSPORT = PUBLIC_URL.startswith("https://")
TRUSTED_PROXIES = env.list("CONSILIUM_TRUSTED_PROXIES", default=[])


def _secret_key() -> str:
    """The signing key lives beside the root key; without a file, sessions last one process only."""
    if "CONSILIUM_SECRET_KEY" in os.environ:
        return os.environ["CONSILIUM_SECRET_KEY"]
    path = KEY_DIR / "django.key"
    return path.read_text().strip() if path.is_file() else secrets.token_urlsafe(48)


SECRET_KEY = _secret_key()

# --- applications ------------------------------------------------------------------------------
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_linear_migrations",
    "django_tasks",
    "django_tasks_db",
    "django_htmx",
    "csp",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "consilium.core",
    "consilium.vault",
    "consilium.access",
    "consilium.channels",
    "consilium.people",
    "consilium.consents",
    "consilium.records",
    "consilium.imaging",
    "consilium.cases",
    "consilium.opinions",
    "consilium.talks",
    "consilium.web",
]
FIRST_PARTY_APPS = [app for app in INSTALLED_APPS if app.startswith("consilium.")]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "consilium.web.middleware.headers.privacy_headers",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",  # outside of all that answers by itself
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "consilium.web.middleware.sessions.session_limits",
    "consilium.web.middleware.sessions.principal",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "consilium.web.middleware.refusals.Refusals",
    "consilium.web.middleware.methods.ListedMethods",
]

ROOT_URLCONF = "consilium.config.urls"
WSGI_APPLICATION = "consilium.config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [PACKAGE_DIR / "web" / "templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "consilium.web.context.site",
            ],
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    [
                        "django.template.loaders.filesystem.Loader",
                        "django.template.loaders.app_directories.Loader",
                    ],
                )
            ]
            if not DEBUG
            else [
                "django.template.loaders.filesystem.Loader",
                "django.template.loaders.app_directories.Loader",
            ],
        },
    }
]

# --- database: SQLite by default, PostgreSQL by DATABASE_URL ------------------------------------
DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'consilium.sqlite3'}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # IMMEDIATE takes the write lock at BEGIN, so two writers queue instead of failing half-way;
    # FULL makes an acknowledged commit survive a power cut.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
    }
    if TESTING:
        # A real file: processes and threads that a test starts see the same database. Nothing in it must last.
        DATABASES["default"]["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")}
        DATABASES["default"]["OPTIONS"]["init_command"] = "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;"
    else:
        DATABASES["default"]["CONN_MAX_AGE"] = 300  # opening reads the whole schema: 2 ms of CPU a request
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 300
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TASKS = {
    "default": {
        "BACKEND": "django_tasks_db.DatabaseBackend",
        "QUEUES": ["default", "ingest", "mail", "ocr"],
    }
}

# --- languages and time ---------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("de", _("German"))]
LOCALE_PATHS = [PACKAGE_DIR / "locale"]
LANGUAGE_COOKIE_NAME = "consilium_language"
FORMAT_MODULE_PATH = "consilium.config.formats"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
DISPLAY_TIME_ZONE = env("CONSILIUM_TIME_ZONE", default="Europe/Berlin")

# --- static files -----------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = None  # served from where the assets are built; nothing is collected
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
WHITENOISE_ADD_HEADERS_FUNCTION = viewer_policy.add_headers
WHITENOISE_IMMUTABLE_FILE_TEST = viewer_policy.LASTING
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

# --- uploads never touch a temporary file: records/upload.py seals them as they arrive --------------
FILE_UPLOAD_HANDLERS = ["consilium.gateways.upload.handler.SealedUploadHandler"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000
DATA_UPLOAD_MAX_NUMBER_FILES = 500
MAX_UPLOAD_BYTES = env.int("CONSILIUM_MAX_UPLOAD_BYTES", default=4 * 1024**3)

# A virus scanner, clamd: /run/clamav/clamd.ctl or tcp://127.0.0.1:3310; empty: none. Without an answer "note" goes
# on and `consilium doctor` says so; "require" lets uploads wait.
CLAMD = env("CONSILIUM_CLAMD", default="")
MALWARE_POLICY = env("CONSILIUM_MALWARE_POLICY", default="note")
# Text recognition for scans: the program, found in PATH; empty: none.
TESSERACT = env("CONSILIUM_TESSERACT", default="tesseract")

# --- accounts ---------------------------------------------------------------------------------------
AUTH_USER_MODEL = "people.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
if TESTING:
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "home"

# --- sessions and cookies ---------------------------------------------------------------------------
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_NAME = "__Host-consilium" if SECURE_TRANSPORT else "consilium"
SESSION_COOKIE_SECURE = SECURE_TRANSPORT
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = int(timedelta(hours=12).total_seconds())
SESSION_IDLE_LIMIT = timedelta(minutes=env.int("CONSILIUM_IDLE_MINUTES", default=30))
SESSION_ABSOLUTE_LIMIT = timedelta(hours=12)
STEP_UP_LIMIT = timedelta(minutes=env.float("CONSILIUM_STEP_UP_MINUTES", default=5))
CSRF_COOKIE_NAME = "__Host-csrf" if SECURE_TRANSPORT else "csrf"
CSRF_COOKIE_SECURE = SECURE_TRANSPORT
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "consilium.web.errors.csrf_failure"
SECURE_HSTS_SECONDS = 31_536_000 if SECURE_TRANSPORT else 0
SECURE_SSL_REDIRECT = False
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:", "blob:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "media-src": ["'self'", "blob:"],
        "manifest-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'self'"],
        "frame-ancestors": ["'none'"],
        "object-src": ["'none'"],
    }
}

VIEWER_CONTENT_SECURITY_POLICY = viewer_policy.PAGE  # of the image viewer's pages alone

# --- mail: written by the outbox, never with health data ---------------------------------------------
EMAIL_CONFIG = env.email_url("CONSILIUM_EMAIL_URL", default="filemail://")
EMAIL_BACKEND = EMAIL_CONFIG["EMAIL_BACKEND"]
if EMAIL_CONFIG["EMAIL_BACKEND"] == "django.core.mail.backends.filebased.EmailBackend":
    EMAIL_BACKEND = "consilium.channels.email.folder.FolderBackend"  # one file a message, shown in demo mode
for _name in ("EMAIL_HOST", "EMAIL_PORT", "EMAIL_HOST_USER", "EMAIL_HOST_PASSWORD", "EMAIL_USE_TLS"):
    if EMAIL_CONFIG.get(_name):
        globals()[_name] = EMAIL_CONFIG[_name]
DEFAULT_FROM_EMAIL = env("CONSILIUM_MAIL_FROM", default="Consilium <no-reply@consilium.invalid>")

from consilium.config.accounts import *  # noqa: E402, F403 - allauth's many settings sit in their own file
from consilium.config.dimse import *  # noqa: E402, F403 - the DIMSE gateway's settings

LOGGING_CONFIG = "consilium.core.logs.configure"
LOGGING = {"configured": "above"}  # Django calls LOGGING_CONFIG only when this is not empty
