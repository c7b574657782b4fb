"""The benchmark's workloads in PyTorch and scikit-learn, microseconds a step, beside ours.

    cargo build --release --example benchmark
    python benches/peers/pytorch.py [--seconds 2] [--rounds 3] [--json FILE] [WORKLOAD ...]

Needs the packages torch, scikit-learn and numpy, and installs nothing. Each round measures ours and
the peers in turn, so that a machine whose speed drifts is the same for all; medians over rounds are
shown, and how many times as long the best peer takes.

A step is one minibatch: gather, forward, loss, backward, update. An epoch is shuffled; its first
runs warm up and do not count. PyTorch is eager (its compiler was no faster on these networks).
"""

import argparse
import json
import os
import subprocess
import tempfile
import time
import warnings
from statistics import median

import numpy as np
import torch
from sklearn.neural_network import MLPClassifier, MLPRegressor

# id: widths, rows, batch, activation, loss, optimizer; as in examples/common/workloads.rs.
WORKLOADS = {
    "tiny": ([2, 4, 1], 100, 100, "tanh", "mse", "sgd"),
    "five_points": ([2, 8, 8, 1], 5, 5, "tanh", "mse", "sgd"),
    "reynolds_10": ([4096, 10, 10, 1], 1920, 32, "relu", "mse", "adam"),
    "reynolds_100": ([4096, 100, 100, 1], 1920, 32, "relu", "mse", "adam"),
    "reynolds_100_b512": ([4096, 100, 100, 1], 1920, 512, "relu", "mse", "adam"),
    "mnist_50": ([784, 50, 10], 5000, 64, "relu", "cross_entropy", "momentum"),
    "wide_2048": ([784, 2048, 2048, 10], 4096, 1024, "relu", "cross_entropy", "adam"),
}
# The others are too small, or take scikit-learn too long.
SKLEARN = ["reynolds_10", "reynolds_100", "reynolds_100_b512", "mnist_50"]


def data(widths, rows, loss):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, widths[0])).astype(np.float32)
    if loss == "mse":
        return x, rng.normal(size=(rows, widths[-1])).astype(np.float32)
    return x, rng.integers(0, widths[-1], rows)


def torch_epoch(widths, rows, batch, activation, loss, optimizer):
    x, y = (torch.from_numpy(array) for array in data(widths, rows, loss))
    phi = torch.nn.Tanh if activation == "tanh" else torch.nn.ReLU
    layers = []
    for i, (n_in, n_out) in enumerate(zip(widths, widths[1:])):
        layers += [torch.nn.Linear(n_in, n_out)] + [phi()] * (i < len(widths) - 2)
    net = torch.nn.Sequential(*layers)
    criterion = torch.nn.MSELoss() if loss == "mse" else torch.nn.CrossEntropyLoss()
    if optimizer == "adam":
        opt = torch.optim.Adam(net.parameters())
    else:
        momentum = 0.5 if optimizer == "momentum" else 0.0
        opt = torch.optim.SGD(net.parameters(), lr=0.01, momentum=momentum)

    def epoch():
        order = torch.randperm(rows)
        for first in range(0, rows, batch):
            picked = order[first : first + batch]
            opt.zero_grad()
            criterion(net(x[picked]), y[picked]).backward()
            opt.step()

    return epoch


def sklearn_epoch(widths, rows, batch, activation, loss, optimizer):
    x, y = data(widths, rows, loss)
    kind = MLPRegressor if loss == "mse" else MLPClassifier
    net = kind(
        hidden_layer_sizes=widths[1:-1],
        activation=activation,
        solver="adam" if optimizer == "adam" else "sgd",
        alpha=0.0,
        batch_size=batch,
        learning_rate_init=0.001 if optimizer == "adam" else 0.01,
        momentum=0.5,
        nesterovs_momentum=False,
        max_iter=1,
        warm_start=True,
        tol=0.0,
    )
    return lambda: net.fit(x, y.ravel())


def timed(epoch, steps, seconds):
    """Microseconds a step: the median of epochs, after warming up for a third of the time."""
    start = time.perf_counter()
    while time.perf_counter() - start < seconds / 3:
        epoch()
    times = []
    start = time.perf_counter()
    while time.perf_counter() - start < seconds or len(times) < 3:
        before = time.perf_counter()
        epoch()
        times.append(time.perf_counter() - before)
    return 1e6 * median(times) / steps


def ours(name, seconds):
    target = os.environ.get("CARGO_TARGET_DIR", "target")
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        command = [f"{target}/release/examples/benchmark", "--device", "cpu", "--workload", name]
        command += ["--seconds", str(seconds), "--json", file.name]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return json.load(open(file.name))[0]["us_per_step"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD")
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json")
    args = parser.parse_args()
    warnings.filterwarnings("ignore")
    print(f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads")
    print(f"{'workload':20}{'wgrad':>10}{'PyTorch':>10}{'sklearn':>10}{'best / wgrad':>14}")
    results = []
    for name in args.workloads or WORKLOADS:
        steps = -(-WORKLOADS[name][1] // WORKLOADS[name][2])
        peers = {"pytorch": torch_epoch(*WORKLOADS[name])}
        if name in SKLEARN:
            peers["scikit-learn"] = sklearn_epoch(*WORKLOADS[name])
        rounds = {"wgrad": [], **{peer: [] for peer in peers}}
        for _ in range(args.rounds):
            rounds["wgrad"].append(ours(name, args.seconds))
            for peer, epoch in peers.items():
                rounds[peer].append(timed(epoch, steps, args.seconds))
        row = {key: median(values) for key, values in rounds.items()}
        ratio = min(row[peer] for peer in peers) / row["wgrad"]
        cells = [f"{row[key]:10.1f}" if key in row else " " * 10 for key in ("wgrad", "pytorch", "scikit-learn")]
        print(f"{name:20}{''.join(cells)}{ratio:14.2f}", flush=True)
        results.append({"workload": name, "us_per_step": row, "ratio": ratio})
    if args.json:
        json.dump(results, open(args.json, "w"), indent=1)


if __name__ == "__main__":
    main()
