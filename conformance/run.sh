#!/usr/bin/env bash
# Runs others' clients and suites against a started server. Needs Node 20.19 or newer with npm, Python 3.11 or newer, and
# what --help says of each option.
set -euo pipefail

# Names of files and folders are the caller's, and so is where the program finds its data.
export DUALCASTER_CALLER=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")"

# front-door comes last: what it sends is meant to hurt a server without limits.
checks=(http-audits persisted-queries manifests relay codegen inspector eslint websocket sse gql_client subscriptions
    live uploads gql_upload graphiql rust_client schemathesis_run cop front-door)
limit_seconds=120

usage() {
    cat <<'END'
conformance/run.sh [--url URL] [--contract FOLDER | --without-contract] [--binary PATH | --without-binary]
                   [--stage URL | --without-stage] [--browser PATH | --without-browser]
                   [--cargo PATH | --without-cargo] [--complete] [NAME…]

  --url URL            the server; http://127.0.0.1:8080 without it
  --contract FOLDER    the public contract: schema.graphql, and a folder of operations for each client
  --without-contract   leaves out what needs the contract, instead of failing
  --binary PATH        the program; the environment has to be the server's, so that both have the same database
  --without-binary     leaves out what needs the program
  --stage URL          the server of uploads and subscriptions
  --without-stage      leaves out what needs the stage
  --browser PATH       Chromium; without it the one that is installed, or, for root, that of apt-get
  --without-browser    leaves out what needs a browser
  --cargo PATH         cargo, to build the Rust client with; without it the one that is installed
  --without-cargo      leaves out what needs cargo
  --complete           what the contract has and the server has not is a failure too
  NAME                 only these checks:
END
    printf '                       %s\n' "${checks[@]}"
}

wrong_use() {
    printf '%s\n' "$1" 'conformance/run.sh --help says more.' >&2
    exit 2
}

export DUALCASTER_URL=${DUALCASTER_URL:-http://127.0.0.1:8080}
names=()
while (($# > 0)); do
    case $1 in
    --url | --contract | --binary | --stage | --browser | --cargo)
        (($# > 1)) || wrong_use "$1 needs a value."
        case $1 in
        --url) DUALCASTER_URL=$2 ;;
        --contract) export DUALCASTER_CONTRACT=$2 ;;
        --binary) export DUALCASTER_BINARY=$2 ;;
        --stage) export DUALCASTER_STAGE_URL=$2 ;;
        --browser) export CHROMIUM=$2 ;;
        --cargo) export CARGO=$2 ;;
        esac
        shift
        ;;
    --without-contract) export DUALCASTER_WITHOUT_CONTRACT=1 ;;
    --without-binary) export DUALCASTER_WITHOUT_BINARY=1 ;;
    --without-stage) export DUALCASTER_WITHOUT_STAGE=1 ;;
    --without-browser) export DUALCASTER_WITHOUT_BROWSER=1 ;;
    --without-cargo) export DUALCASTER_WITHOUT_CARGO=1 ;;
    --complete) export DUALCASTER_COMPLETE=1 ;;
    -h | --help)
        usage
        exit
        ;;
    -*) wrong_use "$1 is no option." ;;
    *)
        [[ " ${checks[*]} " == *" $1 "* ]] || wrong_use "There is no check $1."
        names+=("$1")
        ;;
    esac
    shift
done
((${#names[@]} > 0)) || names=("${checks[@]}")
for variable in DUALCASTER_CONTRACT DUALCASTER_BINARY CHROMIUM CARGO; do
    [[ -z ${!variable:-} || ${!variable} == /* ]] || declare -x "$variable=$DUALCASTER_CALLER/${!variable}"
done
if [[ -n ${DUALCASTER_CONTRACT:-} && ! -f $DUALCASTER_CONTRACT/schema.graphql ]]; then
    wrong_use "There is no schema.graphql in $DUALCASTER_CONTRACT."
fi
for variable in DUALCASTER_BINARY CHROMIUM CARGO; do
    [[ -z ${!variable:-} || -x ${!variable} ]] || wrong_use "There is no program ${!variable}."
done

for tool in node npm python3; do
    command -v "$tool" >/dev/null || wrong_use "$tool is missing."
done

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Installs quietly, and only when the lock has changed since.
set_up() {
    local lock=$1 mark=$2
    shift 2
    cmp --silent "$lock" "$mark" && return
    echo "installing what $lock names"
    "$@" >"$scratch/install" 2>&1 || {
        cat "$scratch/install"
        echo "$lock could not be installed." >&2
        exit 1
    }
    cp "$lock" "$mark"
}

install_python() {
    python3 -m venv --clear .venv
    .venv/bin/pip install --disable-pip-version-check --require-hashes --only-binary :all: -r python/requirements.txt
}

# The browser that is named, or is there, or that Debian has.
set_up_browser() {
    [[ -z ${DUALCASTER_WITHOUT_BROWSER:-} ]] || return 0
    set_up ../tests/graphiql/package-lock.json ../tests/graphiql/node_modules/.lock npm ci --prefix ../tests/graphiql
    [[ -z ${CHROMIUM:-} ]] || return 0
    if ! command -v chromium >/dev/null && command -v apt-get >/dev/null && ((EUID == 0)); then
        echo 'installing chromium'
        {
            apt-get update --quiet=2
            apt-get install --yes --quiet=2 --no-install-recommends chromium
        } >"$scratch/install" 2>&1 || cat "$scratch/install"
    fi
    # Where there is none, the check says so.
    CHROMIUM=$(command -v chromium || true)
    export CHROMIUM
}

# Builds what the check then runs: it takes minutes where nothing has been built.
set_up_cargo() {
    [[ -z ${DUALCASTER_WITHOUT_CARGO:-} ]] || return 0
    [[ -n ${CARGO:-} ]] || CARGO=$(PATH=$PATH:${CARGO_HOME:-$HOME/.cargo}/bin command -v cargo || true)
    export CARGO
    [[ -n $CARGO ]] || return 0
    echo 'building the Rust client'
    # Where it fails, so does the check.
    (cd .. && "$CARGO" test --locked --workspace --test suite --no-run >"$scratch/install" 2>&1) || cat "$scratch/install"
}

set_up package-lock.json node_modules/.lock npm ci
for name in "${names[@]}"; do
    case $name in
    graphiql) set_up_browser ;;
    rust_client) set_up_cargo ;;
    *) [[ ! -f python/$name.py ]] || set_up python/requirements.txt .venv/.lock install_python ;;
    esac
done

# shellcheck disable=SC2016 # The script is JavaScript.
node --input-type=module -e '
    const url = `${process.env.DUALCASTER_URL}/ready`;
    for (let i = 0; i < 20; i += 1) {
      if (await fetch(url).then((r) => r.ok, () => false)) process.exit(0);
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    console.error(`${url} does not answer. Start the server first: cargo run --release`);
    process.exit(1);
'

lines=()
passed=0
failed=0
for name in "${names[@]}"; do
    printf '\n== %s\n' "$name"
    command=(node "$name.mjs")
    [[ ! -f python/$name.py ]] || command=(.venv/bin/python "python/$name.py")
    timeout --kill-after=5 "$limit_seconds" "${command[@]}" 2>&1 | tee "$scratch/output" || true
    # The check's own count; a check that did not get so far has failed.
    line=$(grep --text -E "^$name: [0-9]+ passed, [0-9]+ failed$" "$scratch/output" | tail -n 1 || true)
    if [[ -z $line ]]; then
        line="$name: 0 passed, 1 failed"
        echo "not ok: $name did not end within $limit_seconds s, or broke"
    fi
    lines+=("$line")
    [[ $line =~ :\ ([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]
    passed=$((passed + BASH_REMATCH[1]))
    failed=$((failed + BASH_REMATCH[2]))
done

printf '\n'
printf '%s\n' "${lines[@]}"
printf 'total: %d passed, %d failed, %d s\n' "$passed" "$failed" "$SECONDS"
((failed == 0))
