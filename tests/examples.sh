#!/usr/bin/env bash
# Runs every example in a short mode on both devices and checks that its last line is a result.
set -euo pipefail
cd "$(dirname "$0")/.."

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
cargo build --examples
target=${CARGO_TARGET_DIR:-target}/debug/examples

run() {
    local name=$1
    shift
    echo "-- $name $*"
    "$target/$name" "$@" >"$out/log" 2>&1 || { cat "$out/log"; echo "$name failed" >&2; exit 1; }
    tail -n 1 "$out/log"
    tail -n 1 "$out/log" | grep -q '^result: {.*}$' || { echo "$name: no result line" >&2; exit 1; }
}

run vortex_street --data "$out/street" --out "$out/vortex_street" --short
for device in cpu gpu; do
    run digits --device "$device" --out "$out/digits" --short
    run mnist --device "$device" --out "$out/mnist" --short
    run activations --device "$device" --out "$out/activations" --short
    run reynolds --device "$device" --out "$out/reynolds" --data "$out/street" --short
    run benchmark --device "$device" --short --json "$out/benchmark.json"
done
run devices --json
