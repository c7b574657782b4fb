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
    for example in double_well five_points iris linear_regression logistic_mnist lr_scan \
        network_maps parabola sincos trace; do
        run "$example" --device "$device" --out "$out/$example" --short
    done
    run linear_regression --device "$device" --out "$out/linear_5" --short --features 5
    run logistic_mnist --device "$device" --out "$out/logistic_l1" --short --penalty l1
    run mnist --device "$device" --out "$out/mnist_linear" --short --net linear
    run five_points --device "$device" --out "$out/study" --short --study depth
    run parabola --device "$device" --out "$out/frames" --short --frames 2 --hidden 8,8
    run benchmark --device "$device" --short --json "$out/benchmark.json"
    run benchmark --device "$device" --workload tiny --seconds 0.1 --networks 3 --profile
done
run devices --json
