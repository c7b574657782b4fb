#!/usr/bin/env bash
# Every check of the project, on the CPU and on a GPU: formatting, lints, documentation, tests, and
# each example in a short mode. Sets itself up on a fresh machine.
set -euo pipefail
cd "$(dirname "$0")/.."

# Nothing is built twice there, so that what makes a second build quick only costs time.
[ -z "${CI:-}" ] || export CARGO_INCREMENTAL=0

step() { printf '\n== %s\n' "$*"; }

# The GPU of machines without one is Mesa's software Vulkan driver.
has_adapter() { cargo run --quiet --example devices 2>/dev/null | grep "^gpu:0" >/dev/null; }
install_adapter() {
    command -v apt-get >/dev/null || return 0
    local sudo=''
    [ "$(id -u)" = 0 ] || sudo=sudo
    $sudo apt-get update -q
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -qy mesa-vulkan-drivers libvulkan1
}

step 'formatting'
cargo fmt --check

step 'a GPU adapter'
cargo build --examples
has_adapter || install_adapter
has_adapter || {
    echo 'No GPU adapter found, and none could be installed: see `cargo run --example devices`.' >&2
    exit 1
}
cargo run --quiet --example devices
# From here on a GPU test that finds no adapter fails instead of being skipped.
export WGRAD_REQUIRE_GPU=1
# Costs that are measured while tests keep the processor busy are not to be remembered.
export WGRAD_CACHE=off

step 'lints'
cargo clippy --all-targets -- -D warnings
cargo clippy --lib --no-default-features -- -D warnings

step 'documentation'
RUSTDOCFLAGS='-D warnings' cargo doc --no-deps

step 'tests on the CPU and the GPU'
cargo test

step 'without GPU code'
env -u WGRAD_REQUIRE_GPU cargo test --no-default-features --test network

step 'the dependency tree'
crates=$(cargo tree -e normal --prefix none | sed 's/ (.*//' | sort -u | wc -l)
echo "$crates crates"
[ "$crates" -lt 170 ]

step 'examples'
bash tests/examples.sh

step 'all checks passed'
