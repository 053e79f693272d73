# Python's Django over mysqlclient: its tests of databases, queries and models.
install() {
    packages libmariadb-dev gcc pkg-config || return
    python_packages mysqlclient 'django<6' || return
    python_version django >"$WORK/version"
    python_source "django==$(cat "$WORK/version")" || return
    python_packages -r "$WORK/source/tests/requirements/py3.txt"
}

run() {
    cd "$WORK/source/tests"
    cat >test_server.py <<END
SERVER = {"ENGINE": "django.db.backends.mysql", "HOST": "$HOST", "PORT": "$PORT", "USER": "$USER", "PASSWORD": "$PASSWORD"}
DATABASES = {
    "default": {**SERVER, "NAME": "test", "TEST": {"NAME": "test"}},
    "other": {**SERVER, "NAME": "test2", "TEST": {"NAME": "test2"}},
}
SECRET_KEY = "django_tests_secret_key"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
USE_TZ = False
END
    "$WORK/python/bin/python" runtests.py --settings=test_server --keepdb --noinput --parallel=1 --verbosity=2 \
        backends basic queries transactions introspection aggregation expressions ordering lookup bulk_create \
        get_or_create inspectdb schema custom_columns datatypes select_for_update delete update \
        2>&1 | unittest_results
}
