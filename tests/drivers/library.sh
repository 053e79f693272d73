# What the suites share. Each file of suites/ has `install`, which may be run again and again, and `run`, which
# prints `ok NAME`, `failed NAME` or `skipped NAME` for each test. They have WORK, a directory of their own that
# is kept, LOG, a file for what the suite says, and HOST, PORT, USER and PASSWORD of the server to test.
export DEBIAN_FRONTEND=noninteractive PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
PROGRAMS=$PWD/programs

# Installs Debian's packages that are not there.
packages() {
    local missing
    missing=$(for package in "$@"; do dpkg -s "$package" >/dev/null 2>&1 || echo "$package"; done)
    if [[ -z $missing ]]; then return; fi
    if [[ $(id -u) != 0 ]]; then
        echo "missing packages: $missing"
        return 1
    fi
    apt-get update -qq && apt-get install -y -qq --no-install-recommends $missing
}

# A virtual environment in WORK with these Python packages.
python_packages() {
    if [[ ! -x $WORK/python/bin/pip ]]; then python3 -m venv "$WORK/python" || return; fi
    "$WORK/python/bin/pip" install --quiet "$@"
}

python_version() {
    "$WORK/python/bin/python" -c 'import importlib.metadata as m, sys; print(m.version(sys.argv[1]))' "$1"
}

# Unpacks a source distribution of Python into WORK/source: python_source PACKAGE==VERSION
python_source() {
    if [[ -d $WORK/source ]]; then return; fi
    python_packages setuptools wheel || return
    "$WORK/python/bin/pip" download --quiet --no-deps --no-binary "${1%%==*}" --dest "$WORK" "$1" || return
    mkdir "$WORK/source.new" && tar xzf "$WORK"/*.tar.gz --strip-components=1 -C "$WORK/source.new" &&
        mv "$WORK/source.new" "$WORK/source"
}

# Unpacks the upstream part of a Debian source package into WORK/source: debian_source SUITE PACKAGE
debian_source() {
    if [[ -d $WORK/source ]]; then return; fi
    packages dpkg-dev || return
    local apt=$WORK/apt
    mkdir -p "$apt/parts" "$apt/lists/partial" "$WORK/download"
    # The machine's own entries, for sources and of that suite, without those for security updates.
    cat /etc/apt/sources.list.d/debian.sources | awk 'BEGIN { RS = ""; ORS = "\n\n" } !/-security/' |
        sed "s/^Types: .*/Types: deb-src/; s/^Suites: .*/Suites: $1/" >"$apt/parts/source.sources"
    local options=(-o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$apt/parts"
        -o "Dir::State::lists=$apt/lists" -o APT::Sandbox::User=root)
    apt-get "${options[@]}" update -qq
    # Only the upstream part counts: Debian's patches may be missing.
    (cd "$WORK/download" && apt-get "${options[@]}" source -qq --download-only "$2")
    mkdir -p "$WORK/source.new"
    tar xf "$WORK/download/"*.orig.tar.?z --strip-components=1 -C "$WORK/source.new" &&
        mv "$WORK/source.new" "$WORK/source"
    ls "$WORK/download/" | sed -n 's/.*_\(.*\)\.orig\.tar\..z$/\1/p' >"$WORK/version"
}

# The client for what a suite needs done beforehand.
client() {
    mariadb --host="$HOST" --port="$PORT" --user="$USER" --password="$PASSWORD" --protocol=tcp "$@"
}

# Drops all tables of the schemas.
clean() {
    local kind schema table
    client -N -e "SELECT IF(table_type = 'VIEW', 'VIEW', 'TABLE'), table_schema, table_name
        FROM information_schema.tables WHERE table_schema IN ('shop', 'test', 'test2', 'copy')" |
        while read -r kind schema table; do
            echo "SET foreign_key_checks = 0; DROP $kind IF EXISTS \`$schema\`.\`$table\`;"
        done | client
}

# The results of a program that prints what it finds, which must be the same on both servers.
report() {
    export NODE_PATH=$WORK/node_modules PYTHONHASHSEED=0
    local status
    "$@" >"$LOG" 2>"$LOG.errors"
    status=$?
    sed -n '=;p' "$LOG" | paste -d ' ' - - | sed 's/^/ok /'
    if ((status != 0)); then
        echo "failed with status $status"
        tail -n 30 "$LOG.errors" >>"$LOG"
    else
        echo "ok to the end"
    fi
}

# The results in what pytest prints with `-rA`.
pytest_results() {
    tee "$LOG" | sed -n 's/^PASSED /ok /p; s/^FAILED \([^ ]*\).*/failed \1/p; s/^ERROR \([^ ]*\).*/failed \1/p'
}

# The results in what unittest prints with `-v`; a test's doc comment may stand before its result.
unittest_results() {
    tee "$LOG" | awk '
        match($0, /^[a-zA-Z_0-9]+ \([a-zA-Z_0-9.]+\)/) { name = $1 " " $2 }
        / \.\.\. ok$/ { print "ok " name }
        / \.\.\. (FAIL|ERROR)$/ { print "failed " name }
        / \.\.\. skipped / { print "skipped " name }'
}

# The results in what PHP's run-tests.php prints, which tries what fails a second time.
php_results() {
    tr '\r' '\n' | sed -n 's/^PASS .*\[\(ext.*\)\].*/ok \1/p; s/^WARN .*\[\(ext.*\)\].*passed on retry.*/ok \1/p; s/^FAIL .*\[\(ext.*\)\].*/failed \1/p; s/^SKIP .*\[\(ext.*\)\].*/skipped \1/p'
}

# The results of Perl's tests in TAP: perl_results FILE ...
perl_results() {
    local file
    for file in "$@"; do
        timeout 120 perl -Mblib "$file" 2>&1 | tee -a "$LOG" |
            sed -n "s|^ok \([0-9]*\).*# [Ss][Kk][Ii][Pp].*|skipped $file \1|p; t; s|^ok \([0-9]*\).*|ok $file \1|p
                s|^not ok \([0-9]*\).*|failed $file \1|p"
    done
}

# Tables with rows in the schema shop, sharded in Margay, for the programs.
seed() {
    client shop <"$PROGRAMS/tables.sql"
    awk 'BEGIN {
        split("de fr us jp br", country, " ")
        for (id = 1; id <= 2000; id++)
            printf "%s(%d, \047person %04d\047, \047%s\047, \0471%03d-0%d-1%d\047, %d.%02d)%s\n", \
                id % 500 == 1 ? "INSERT INTO people (id, name, country, born, balance) VALUES " : "", \
                id, id, country[id % 5 + 1], 900 + id % 100, id % 9 + 1, id % 10, id * 7 % 1000 - 300, id % 100, \
                id % 500 == 0 ? ";" : ","
        for (id = 1; id <= 3000; id++)
            printf "%s(%d, %d, %d.50, \0472026-01-%02d 10:%02d:00\047)%s\n", \
                id % 500 == 1 ? "INSERT INTO orders (id, person_id, total, placed) VALUES " : "", \
                id, id * 13 % 2000 + 1, id * 31 % 997, id % 28 + 1, id % 60, id % 500 == 0 ? ";" : ","
    }' | client shop
}

# Packages of Node in WORK; the first one gives the version.
node_packages() {
    npm install --silent --no-audit --no-fund --prefix "$WORK" "$@" || return
    node -p 'require(process.argv[1]).version' "$WORK/node_modules/$1/package.json" >"$WORK/version"
}

# Jars from Maven in WORK/lib, with all that they need: java_packages GROUP:ARTIFACT:VERSION ...
java_packages() {
    local artifact
    if [[ "$*" == "$(cat "$WORK/jars" 2>/dev/null)" ]]; then return; fi
    {
        echo '<project><modelVersion>4.0.0</modelVersion><groupId>matrix</groupId><artifactId>matrix</artifactId><version>1</version><dependencies>'
        for artifact in "$@"; do
            echo "$artifact" | sed 's|\(.*\):\(.*\):\(.*\)|<dependency><groupId>\1</groupId><artifactId>\2</artifactId><version>\3</version></dependency>|'
        done
        echo '</dependencies></project>'
    } >"$WORK/pom.xml"
    mvn -q -f "$WORK/pom.xml" org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies -DoutputDirectory="$WORK/lib" || return
    echo "$*" >"$WORK/jars"
    echo "${1##*:}" >"$WORK/version"
}

# Builds a program of Rust, and tells the version of the crate that it is about.
rust_program() {
    mkdir -p "$WORK/package" && cp -r "$PROGRAMS/$1/." "$WORK/package/" || return
    CARGO_TARGET_DIR=$WORK/target cargo build --quiet --manifest-path "$WORK/package/Cargo.toml" || return
    sed -n "/^name = \"$1\"/{n; s/version = \"\(.*\)\"/\1/p}" "$WORK/package/Cargo.lock" >"$WORK/version"
}
