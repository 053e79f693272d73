#!/bin/bash
# Proves the image and the playground on a machine without a registry: the images that the Dockerfile and
# compose.yaml start from are made here, out of Debian packages and a binary built on the spot.
#
# Needs root on Debian, the MySQL tree of tests/run (MARGAY_MYSQLD_ROOT), a Rust toolchain.
set -euo pipefail
cd "$(dirname "$0")/.."

cache=${MARGAY_TEST_CACHE:-/var/cache/margay}
mysql_tree=${MARGAY_MYSQLD_ROOT:-$cache/mysql}
binary=${MARGAY_BINARY:-}
port=${MARGAY_PORT:-33070}
export MYSQL_IMAGE=margay-test/mysql MARGAY_IMAGE=margay-test/margay MARGAY_PORT=$port
export COMPOSE_PROJECT_NAME=margay-test DOCKER_BUILDKIT=0
scratch=$(mktemp -d)
dockerd_pid=

compose() {
    if docker compose version >/dev/null 2>&1; then
        docker compose -f docker/compose.yaml "$@"
    else
        docker-compose -f docker/compose.yaml "$@"
    fi
}

finish() {
    local status=$?
    if [[ $status != 0 ]]; then compose logs --tail=20 2>&1 | tail -n 100 || true; fi
    compose down --volumes --remove-orphans >/dev/null 2>&1 || true
    if [[ -n $dockerd_pid ]]; then kill "$dockerd_pid"; fi
    rm -rf "$scratch"
    exit $status
}
trap finish EXIT

step() {
    printf '\n==> %s\n' "$*"
}

packages() {
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

step 'docker'
command -v docker >/dev/null || packages docker.io
docker compose version >/dev/null 2>&1 || command -v docker-compose >/dev/null || packages docker-compose
if ! docker info >/dev/null 2>&1; then
    dockerd >"$scratch/dockerd.log" 2>&1 &
    dockerd_pid=$!
    for _ in {1..60}; do
        docker info >/dev/null 2>&1 && break
        sleep 0.5
    done
    docker info >/dev/null
fi

step 'base image'
base=$cache/bookworm
if [[ ! -e $base/complete ]]; then
    command -v debootstrap >/dev/null || packages debootstrap
    rm -rf "$base"
    debootstrap --variant=minbase bookworm "$base" ${MARGAY_TEST_MIRROR:+"$MARGAY_TEST_MIRROR"} \
        >"$scratch/base.log"
    touch "$base/complete"
fi
tar -C "$base" --exclude=./var/cache/apt --exclude=./var/lib/apt/lists --exclude=./usr/share/doc -c . |
    docker import - margay-test/base >/dev/null

step 'image of MySQL'
if [[ ! -x $mysql_tree/usr/bin/mysql ]]; then
    chroot "$mysql_tree" apt-get install -y -qq --no-install-recommends mysql-client-core >/dev/null
fi
install -m 755 docker/entrypoint.sh "$scratch/entrypoint.sh"
{
    tar -C "$mysql_tree" --exclude='./tmp/*' --exclude=./var/cache/apt --exclude=./var/lib/apt/lists \
        --exclude='./root/*' --exclude='./root/.*' --exclude='./proc/*' --exclude='./sys/*' \
        -cf "$scratch/mysql.tar" .
    tar -C "$scratch" -rf "$scratch/mysql.tar" ./entrypoint.sh
    docker import -c 'ENTRYPOINT ["/entrypoint.sh"]' -c 'CMD ["mysqld"]' -c 'EXPOSE 3306' \
        "$scratch/mysql.tar" "$MYSQL_IMAGE" >/dev/null
    rm "$scratch/mysql.tar"
}

step 'image of Margay'
if [[ -z $binary ]]; then
    cargo build --release --locked --bin margay
    binary=${CARGO_TARGET_DIR:-target}/release/margay
fi
# In the place of the builder's cargo, a script that hands over the binary.
mkdir -p "$scratch/usr/local/bin" "$scratch/prebuilt"
cp "$binary" "$scratch/prebuilt/margay"
cat >"$scratch/usr/local/bin/cargo" <<'SCRIPT'
#!/bin/bash
set -e
[[ -f Cargo.lock && -f src/main.rs ]]
mkdir -p target/release
cp /prebuilt/margay target/release/margay
SCRIPT
chmod 755 "$scratch/usr/local/bin/cargo"
printf 'FROM margay-test/base\nCOPY usr /usr\nCOPY prebuilt /prebuilt\n' >"$scratch/Dockerfile"
docker build -q -t margay-test/build "$scratch" >/dev/null
docker build -q -f docker/Dockerfile -t "$MARGAY_IMAGE" \
    --build-arg BUILD_IMAGE=margay-test/build --build-arg BASE_IMAGE=margay-test/base . >/dev/null
docker run --rm "$MARGAY_IMAGE" --version
[[ $(docker run --rm --entrypoint id "$MARGAY_IMAGE" -u) == 10001 ]]

step 'playground'
compose up -d --no-build
query() {
    MYSQL_PWD=app mariadb --no-defaults --protocol=tcp -h 127.0.0.1 -P "$port" -u app --batch \
        --skip-column-names shop -e "$1"
}
for _ in {1..90}; do
    query 'SELECT 1' >/dev/null 2>&1 && break
    sleep 1
done
query "CREATE TABLE users (id BIGINT PRIMARY KEY, name VARCHAR(50))"
query "INSERT INTO users VALUES (1, 'Ann'), (2, 'Bob'), (3, 'Cid'), (4, 'Dora'), (5, 'Eve')"
[[ $(query 'SELECT COUNT(*) FROM users') == 5 ]]
[[ $(query 'SELECT name FROM users WHERE id = 4') == Dora ]]
sleep 2
[[ $(query 'SELECT name FROM users ORDER BY id DESC' | paste -sd,) == Eve,Dora,Cid,Bob,Ann ]]
for host in c0-replica c1-replica; do
    state=$(compose exec -T "$host" mysql -uroot -proot -h127.0.0.1 --vertical -e 'SHOW REPLICA STATUS' 2>/dev/null)
    grep -q 'Replica_IO_Running: Yes' <<<"$state"
    grep -q 'Replica_SQL_Running: Yes' <<<"$state"
done
echo 'the image and the playground work'
