"""Settings of a small Django project that stands in JHE's place for the bootstrap script."""

import os

SECRET_KEY = os.environ.get("SECRET_KEY", "of a test")
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "oauth2_provider", "core"]
# Tables straight from the models; a test of the smoke test wants migrations that nobody applied.
UNMIGRATED = bool(os.environ.get("UNMIGRATED"))
MIGRATION_MODULES = dict.fromkeys(["oauth2_provider", *([] if UNMIGRATED else ["auth", "contenttypes"])])
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # fast, and nobody's password
AUTH_USER_MODEL = "core.JheUser"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
OAUTH2_PROVIDER = {"OIDC_ENABLED": True, "OIDC_RSA_PRIVATE_KEY": os.environ.get("OIDC_RSA_PRIVATE_KEY")}
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": os.environ["DB_HOST"],
        "NAME": os.environ["DB_NAME"],
        "USER": os.environ["DB_USER"],
    }
}
