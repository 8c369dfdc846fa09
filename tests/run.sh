#!/usr/bin/env bash
# The tests of the whole workspace, on both stores, with a private Postgres and Redis. See --help.
set -euo pipefail

readonly MINIMUM_POSTGRES=15
# Rows, migrations and load tests hold no logic that a count of lines would tell anything about.
readonly COVERAGE_IGNORES='(migration/|loadtests/|entity/)'

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly root

usage() {
    cat <<'EOF'
Runs every test of the workspace.

    tests/run.sh [ARGUMENTS OF cargo test]
    tests/run.sh --coverage [ARGUMENTS OF cargo llvm-cov]
    tests/run.sh --help

    tests/run.sh                      everything
    tests/run.sh paging               only the tests with "paging" in their name
    tests/run.sh -- --nocapture       with what the tests print
    tests/run.sh --coverage           a table of the lines covered, file by file, instead (installs cargo-llvm-cov
                                      when it is missing)

The tests run on SQLite and on Postgres 15 or newer, with Redis. This script starts a Postgres and a Redis of its
own, in a temporary folder, on free ports of 127.0.0.1, and removes them at the end; it installs their packages with
apt-get when they are missing. To use servers of your own, set one or both of these (nothing is started for one that
is set; the Postgres user must be allowed to create databases):

    TEST_DATABASE_URL=postgres://postgres@127.0.0.1:5432/postgres
    TEST_REDIS_URL=redis://127.0.0.1:6379

The last line is "N passed, N failed, N skipped"; the exit status is cargo's.
EOF
}

say() { printf '%s\n' "tests/run.sh: $*" >&2; }
fail() {
    say "$*"
    exit 1
}

# ---- what has to be undone -----------------------------------------------------------------------------------

work=            # the temporary folder
postgres_data=   # set as soon as a postmaster may be running on it
redis_pid=
tests_group=     # the process group of cargo and of all that it starts
policy_file=     # the policy-rc.d that we made, if any

# Ends the process group of the tests: first asked, after five seconds forced.
stop_tests() {
    [[ -n $tests_group ]] || return 0
    local try
    kill -TERM -- "-$tests_group" 2>/dev/null || return 0
    for ((try = 0; try < 50; try++)); do
        kill -0 -- "-$tests_group" 2>/dev/null || return 0
        sleep 0.1
    done
    kill -KILL -- "-$tests_group" 2>/dev/null || true
}

stop_redis() {
    [[ -n $redis_pid ]] || return 0
    local try
    kill -TERM "$redis_pid" 2>/dev/null || true
    for ((try = 0; try < 50; try++)); do
        kill -0 "$redis_pid" 2>/dev/null || break
        sleep 0.1
    done
    kill -KILL "$redis_pid" 2>/dev/null || true
    wait "$redis_pid" 2>/dev/null || true
}

stop_postgres() {
    [[ -n $postgres_data ]] || return 0
    # Nothing in it is worth a checkpoint.
    as_postgres "$bin/pg_ctl" --pgdata="$postgres_data" --mode=immediate --wait --timeout=30 --silent stop \
        >/dev/null 2>&1 && return 0
    # No postmaster any more, or one that does not hear.
    local pid
    pid=$(head -n 1 "$postgres_data/postmaster.pid" 2>/dev/null) || return 0
    kill -KILL "$pid" 2>/dev/null || true
}

# shellcheck disable=SC2317,SC2329  # called by the trap
clean_up() {
    local status=$?
    set +e
    # A second Ctrl-C or a reader that went away must not stop the clean-up half-way.
    trap '' INT TERM HUP PIPE
    trap - EXIT
    stop_tests
    stop_redis
    stop_postgres
    [[ -z $policy_file ]] || as_root rm -f "$policy_file"
    [[ -z $work ]] || rm -rf "$work"
    exit "$status"
}

# ---- small helpers -------------------------------------------------------------------------------------------

as_root() {
    if [[ $EUID -eq 0 ]]; then
        "$@"
    elif [[ -t 2 ]]; then
        sudo "$@"
    else
        sudo --non-interactive "$@"
    fi
}

# Postgres refuses to run as root.
as_postgres() {
    if [[ $EUID -ne 0 ]]; then
        "$@"
    elif command -v runuser >/dev/null; then
        (cd / && runuser -u "$postgres_user" -- "$@")
    else
        (cd / && setpriv --reuid="$postgres_user" --regid="$postgres_user" --init-groups -- "$@")
    fi
}

# A port on which nobody listens, below the range from which the system takes ports for outgoing connections.
free_port() {
    local port try
    for ((try = 0; try < 100; try++)); do
        port=$((20000 + RANDOM % 12000))
        if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            echo "$port"
            return 0
        fi
    done
    fail "found no free port on 127.0.0.1."
}

# ---- the programs --------------------------------------------------------------------------------------------

# Prints the folder of the newest complete Postgres of at least the version that is needed.
find_postgres() {
    local -a folders=()
    local folder program version best='' best_version=0
    folder=$(pg_config --bindir 2>/dev/null) && folders+=("$folder")
    folders+=(/usr/lib/postgresql/*/bin)
    folder=$(command -v postgres) && folders+=("$(dirname "$(readlink -f "$folder")")")
    for folder in "${folders[@]}"; do
        for program in initdb pg_ctl postgres; do
            [[ -x $folder/$program ]] || continue 2
        done
        version=$("$folder/postgres" --version 2>/dev/null | sed -E 's/^[^0-9]*([0-9]+).*/\1/') || continue
        [[ $version =~ ^[0-9]+$ ]] || continue
        if ((version >= MINIMUM_POSTGRES && version > best_version)); then
            best=$folder
            best_version=$version
        fi
    done
    [[ -n $best ]] && echo "$best"
}

find_redis() { command -v redis-server >/dev/null && command -v redis-cli >/dev/null; }

install_packages() {
    local by_hand="install Postgres $MINIMUM_POSTGRES or newer and Redis yourself, or set TEST_DATABASE_URL and TEST_REDIS_URL"
    command -v apt-get >/dev/null || fail "$* is missing and there is no apt-get here: $by_hand."
    [[ $EUID -eq 0 ]] || command -v sudo >/dev/null || fail "$* is missing, and installing it needs root or sudo: $by_hand."
    say "installing $* with apt-get."
    # The packages would start servers of their own, on the usual ports. We use only their programs.
    if [[ ! -e /usr/sbin/policy-rc.d ]]; then
        policy_file=/usr/sbin/policy-rc.d
        printf '#!/bin/sh\nexit 101\n' | as_root install -m 755 /dev/stdin "$policy_file" ||
            fail "cannot become root to install $*: $by_hand."
    fi
    as_root apt-get -q update ||
        say "apt-get update failed; trying with the lists that are there."
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -q install --yes --no-install-recommends -o DPkg::Lock::Timeout=120 "$@" ||
        fail "apt-get could not install $*: $by_hand."
    if [[ -n $policy_file ]]; then
        as_root rm -f "$policy_file"
        policy_file=
    fi
}

find_programs() {
    local -a missing=()
    if [[ -z ${TEST_DATABASE_URL:-} ]]; then
        bin=$(find_postgres) || missing+=(postgresql)
    fi
    if [[ -z ${TEST_REDIS_URL:-} ]]; then
        find_redis || missing+=(redis-server)
    fi
    if ((${#missing[@]})); then
        install_packages "${missing[@]}"
        hash -r
    fi
    if [[ -z ${TEST_DATABASE_URL:-} ]]; then
        bin=$(find_postgres) || fail "no Postgres $MINIMUM_POSTGRES or newer here, and the system's packages have none:" \
            "install one, or set TEST_DATABASE_URL."
    fi
    if [[ -z ${TEST_REDIS_URL:-} ]]; then
        find_redis || fail "no redis-server and redis-cli here: install them, or set TEST_REDIS_URL."
    fi
}

# ---- the servers ---------------------------------------------------------------------------------------------

start_postgres() {
    local data=$work/postgres/data log=$work/postgres/log port attempt sockets
    postgres_user=postgres
    mkdir "$work/postgres"
    if [[ $EUID -eq 0 ]]; then
        getent passwd "$postgres_user" >/dev/null || postgres_user=nobody
        chown "$postgres_user" "$work/postgres"
        # To pass through, not to read.
        chmod 711 "$work"
        as_postgres test -w "$work/postgres" ||
            fail "the user $postgres_user, as whom Postgres has to run, cannot reach $work: set TMPDIR to a folder open to all."
    fi
    # A linguistic order of text, as on most production servers, so that a query which takes the order of SQLite's
    # bytes for granted is found here. ICU's is the same on every machine.
    as_postgres "$bin/initdb" --pgdata="$data" --username=postgres --auth=trust --no-sync \
        --encoding=UTF8 --locale=C.UTF-8 --locale-provider=icu --icu-locale=en-US >"$work/initdb.log" 2>&1 || {
        cat "$work/initdb.log" >&2
        fail "initdb failed."
    }
    # The path of a socket has at most 107 bytes.
    sockets=$work/postgres
    ((${#sockets} < 90)) || sockets=
    # Durability is not tested with this one, and it is thrown away.
    cat >>"$data/postgresql.conf" <<EOF
listen_addresses = '127.0.0.1'
unix_socket_directories = '$sockets'
max_connections = 300
shared_buffers = 256MB
fsync = off
synchronous_commit = off
full_page_writes = off
EOF
    for ((attempt = 0; attempt < 5; attempt++)); do
        port=$(free_port)
        postgres_data=$data
        # pg_ctl detaches it, so that Ctrl-C reaches this script and not the server, and waits until
        # this very server says that it is ready. It fails where the port was taken in the meantime.
        if as_postgres "$bin/pg_ctl" --pgdata="$data" --log="$log" --options="-p $port" --wait --timeout=60 --silent \
            start >/dev/null 2>&1; then
            export TEST_DATABASE_URL="postgres://postgres@127.0.0.1:$port/postgres"
            return 0
        fi
        stop_postgres
    done
    tail -n 20 "$log" >&2 || true
    fail "Postgres did not start."
}

start_redis() {
    local log=$work/redis.log port attempt try
    mkdir "$work/redis"
    for ((attempt = 0; attempt < 5; attempt++)); do
        port=$(free_port)
        redis-server --bind 127.0.0.1 --port "$port" --save '' --appendonly no --daemonize no --dir "$work/redis" \
            </dev/null >>"$log" 2>&1 &
        redis_pid=$!
        for ((try = 0; try < 100; try++)); do
            sleep 0.05
            kill -0 "$redis_pid" 2>/dev/null || break
            if [[ $(redis-cli -h 127.0.0.1 -p "$port" ping 2>/dev/null) == PONG ]]; then
                # Ours, and not one that took the port in the meantime?
                redis-cli -h 127.0.0.1 -p "$port" info server | tr -d '\r' | grep -qx "process_id:$redis_pid" || break
                export TEST_REDIS_URL="redis://127.0.0.1:$port"
                return 0
            fi
        done
        stop_redis
        redis_pid=
    done
    tail -n 20 "$log" >&2 || true
    fail "Redis did not start."
}

# ---- the tests -----------------------------------------------------------------------------------------------

prepare_coverage() {
    if ! cargo llvm-cov --version >/dev/null 2>&1; then
        say "installing cargo-llvm-cov."
        cargo install cargo-llvm-cov --locked || fail "cargo-llvm-cov could not be installed."
    fi
    if command -v rustup >/dev/null; then
        rustup component add llvm-tools || fail "the llvm-tools of this toolchain could not be installed."
    fi
}

# Runs its arguments in a process group of its own, shows what they print and keeps it in $work/output. Returns
# their status.
run_tests() {
    # setsid: one name for cargo, the tests and whatever they leave behind, to stop them all by; and `wait`, unlike a
    # command in the foreground, lets a signal through at once. env: bash starts a command in the background deaf to
    # SIGINT, and the tests must not inherit that.
    # shellcheck disable=SC2016  # the inner shell expands it
    setsid env --default-signal=INT,QUIT bash -c '
        output=$1
        shift
        exec 3> >(exec tee "$output")
        tee=$!
        "$@" >&3 2>&3 3>&-
        status=$?
        exec 3>&-
        # tee ends when the last holder of the pipe does: a process that a test left running must not hold us up.
        for ((try = 0; try < 100; try++)); do
            kill -0 "$tee" 2>/dev/null || exit "$status"
            sleep 0.05
        done
        echo "tests/run.sh: a test left a process running; it is stopped." >&2
        exit "$status"
    ' tests "$work/output" "$@" </dev/null &
    tests_group=$!
    local status=0
    wait "$tests_group" || status=$?
    stop_tests
    tests_group=
    return "$status"
}

# "N passed, N failed, N skipped", over all test binaries.
print_counts() {
    sed -E 's/\x1b\[[0-9;]*m//g' "$work/output" | awk '
        match($0, /test result: (ok|FAILED)\. [0-9]+ passed; [0-9]+ failed; [0-9]+ ignored/) {
            split(substr($0, RSTART, RLENGTH), word, " ")
            passed += word[4]; failed += word[6]; skipped += word[8]
        }
        END { printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped }
    '
}

main() {
    local coverage=false status=0
    case ${1:-} in
    -h | --help)
        usage
        exit 0
        ;;
    --coverage)
        coverage=true
        shift
        ;;
    esac

    cd "$root"
    command -v cargo >/dev/null || PATH=$PATH:${CARGO_HOME:-$HOME/.cargo}/bin
    command -v cargo >/dev/null || fail "cargo is not here: install Rust first (the version in Cargo.toml, or newer)."

    trap clean_up EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM

    find_programs
    work=$(mktemp -d "${TMPDIR:-/tmp}/dualcaster-tests.XXXXXXXX")
    # The one spelling of it, to compare with what Postgres says.
    work=$(cd "$work" && pwd -P)
    [[ -n ${TEST_DATABASE_URL:-} ]] || start_postgres
    [[ -n ${TEST_REDIS_URL:-} ]] || start_redis
    export TEST_DATABASE_URL TEST_REDIS_URL
    # What the tests put into temporary folders goes with ours.
    mkdir "$work/files"
    export TMPDIR=$work/files

    if $coverage; then
        prepare_coverage
        run_tests cargo llvm-cov --workspace --summary-only --ignore-filename-regex "$COVERAGE_IGNORES" "$@" || status=$?
    else
        run_tests cargo test --workspace --no-fail-fast "$@" || status=$?
    fi

    ((status == 0)) || say "cargo ended with status $status."
    print_counts
    exit "$status"
}

bin=
postgres_user=
main "$@"
