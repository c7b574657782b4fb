"""The benchmark's workloads in other frameworks, microseconds a step, beside ours.

    cargo build --release --example benchmark
    cargo build --release --manifest-path benches/peers/burn/Cargo.toml
    cargo build --release --manifest-path benches/peers/candle/Cargo.toml
    python benches/peers/compare.py [--seconds 2] [--rounds 3] [--awake] [--json FILE] [WORKLOAD ...]

Needs the Python packages torch, scikit-learn and numpy, and for torch.compile a C++ compiler. It
installs nothing: a peer that is not there is left out, and the script says what it lacks. Each round
measures ours and the peers in turn, so that a machine whose speed drifts is the same for all; medians
over rounds are shown, and how many times as long the best peer takes.

A step is one minibatch: gather, forward, loss, backward, update. An epoch is shuffled; its first
runs warm up and do not count. All use as many threads as they like. `--awake` is for virtual machines
(see `keep_awake`).
"""

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from statistics import median

HERE = Path(__file__).parent
ROOT = HERE.parent.parent

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
COLUMNS = ["wgrad", "PyTorch", "compiled", "sklearn", "burn", "candle"]
# The others are too small, or take scikit-learn too long.
SKLEARN = ["reynolds_10", "reynolds_100", "reynolds_100_b512", "mnist_50"]


# A loop that gives way to whatever else wants to run, and ends with the process that began it.
IDLE_LOOP = """
import os
os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
while os.getppid() == {parent}:
    sum(range(100_000))
"""


def keep_awake():
    """Keeps all cores busy with loops of idle priority, on Linux, while this process lives.

    A core of a virtual machine that has nothing to do is given back to its host, and takes up to a
    millisecond to be had again: whoever waits for threads, as a software driver does at each dispatch,
    would be measured by that.
    """
    loop = IDLE_LOOP.format(parent=os.getpid())
    for _ in range(os.cpu_count()):
        subprocess.Popen([sys.executable, "-c", loop])


def data(widths, rows, loss):
    import numpy as np

    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, widths[0])).astype(np.float32)
    if loss == "mse":
        return x, rng.normal(size=(rows, widths[-1])).astype(np.float32)
    return x, rng.integers(0, widths[-1], rows)


def torch_parts(widths, rows, activation, loss, optimizer, device="cpu", capturable=False):
    """The loss of picked rows, and an optimizer; `capturable` by a CUDA graph or not."""
    import torch

    x, y = (torch.from_numpy(array).to(device) for array in data(widths, rows, loss))
    phi = torch.nn.Tanh if activation == "tanh" else torch.nn.ReLU
    layers = []
    for i, (n_in, n_out) in enumerate(zip(widths, widths[1:])):
        layers += [torch.nn.Linear(n_in, n_out)] + [phi()] * (i < len(widths) - 2)
    net = torch.nn.Sequential(*layers).to(device)
    criterion = torch.nn.MSELoss() if loss == "mse" else torch.nn.CrossEntropyLoss()
    if optimizer == "adam":
        opt = torch.optim.Adam(net.parameters(), capturable=capturable)
    else:
        momentum = 0.5 if optimizer == "momentum" else 0.0
        opt = torch.optim.SGD(net.parameters(), lr=0.01, momentum=momentum)
    return lambda picked: criterion(net(x[picked]), y[picked]), opt


def torch_epoch(widths, rows, batch, activation, loss, optimizer, compiled):
    import torch

    loss_of, opt = torch_parts(widths, rows, activation, loss, optimizer)
    forward, update = loss_of, opt.step
    if compiled:
        forward, update = torch.compile(loss_of), torch.compile(opt.step)

    def epoch():
        order = torch.randperm(rows)
        for first in range(0, rows, batch):
            opt.zero_grad()
            forward(order[first : first + batch]).backward()
            update()

    return epoch


def sklearn_epoch(widths, rows, batch, activation, loss, optimizer):
    from sklearn.neural_network import MLPClassifier, MLPRegressor

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


def measured(binary, device, seconds, *what):
    """What the benchmark measures on a device, as it says in JSON."""
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        command = [binary, "--device", device, *what, "--seconds", str(seconds)]
        subprocess.run(command + ["--json", file.name], check=True, stdout=subprocess.DEVNULL)
        return json.load(open(file.name))


def ours(binary, device, seconds, *what):
    """The same where it is one thing."""
    return measured(binary, device, seconds, *what)[0]


def rust_peer(binary, name, seconds):
    widths, *rest = WORKLOADS[name]
    command = [binary, ",".join(map(str, widths)), *map(str, rest), str(seconds)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def built(crate, binary, manifest, profile="release"):
    """The path of a binary, or None after saying how to build it."""
    target = Path(os.environ.get("CARGO_TARGET_DIR", crate / "target"))
    path = target / profile / binary
    if path.exists():
        return str(path)
    print(f"{path} is not there: {manifest}")
    return None


def tried(what, make):
    """The epoch that `make` gives, which has run once: compiling takes long, or is not possible."""
    try:
        epoch = make()
        epoch()
        return epoch
    except Exception as error:  # whatever a compiler or a driver throws
        print(f"{what}: {(str(error) or repr(error)).splitlines()[0]}")
        return None


def peers(name, skip):
    """By peer, a function from seconds to microseconds a step."""
    rows, batch = WORKLOADS[name][1:3]
    steps = -(-rows // batch)
    list_of = {}
    for peer, compiled in [("PyTorch", False), ("compiled", True)]:
        if peer not in skip and importlib.util.find_spec("torch"):
            make = lambda: torch_epoch(*WORKLOADS[name], compiled)
            if epoch := tried(f"{peer}, {name}", make):
                list_of[peer] = lambda seconds, epoch=epoch: timed(epoch, steps, seconds)
    if "sklearn" not in skip and name in SKLEARN and importlib.util.find_spec("sklearn"):
        epoch = sklearn_epoch(*WORKLOADS[name])
        list_of["sklearn"] = lambda seconds: timed(epoch, steps, seconds)
    for peer in ["burn", "candle"]:
        manifest = f"cargo build --release --manifest-path benches/peers/{peer}/Cargo.toml"
        if peer not in skip and (path := built(HERE / peer, f"peer-{peer}", manifest)):
            list_of[peer] = lambda seconds, path=path: rust_peer(path, name, seconds)
    return list_of


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD")
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--skip", action="append", default=[], choices=COLUMNS[1:])
    parser.add_argument("--awake", action="store_true", help="keep the cores awake")
    parser.add_argument("--json", metavar="FILE")
    args = parser.parse_args()
    warnings.filterwarnings("ignore")
    binary = built(ROOT, "examples/benchmark", "cargo build --release --example benchmark")
    if not binary:
        return
    if args.awake:
        keep_awake()
    for package in ["torch", "sklearn"]:
        if not importlib.util.find_spec(package):
            print(f"the Python package {package} is not there")
    header = "".join(f"{column:>12}" for column in COLUMNS)
    print(f"{'us a step':20}{header}{'best / wgrad':>14}")
    results = []
    for name in args.workloads or WORKLOADS:
        measure = {
            "wgrad": lambda seconds: ours(binary, "cpu", seconds, "--workload", name)["us_per_step"]
        }
        measure |= peers(name, args.skip)
        rounds = {who: [] for who in measure}
        for _ in range(args.rounds):
            for who, run in measure.items():
                rounds[who].append(run(args.seconds))
        row = {who: median(times) for who, times in rounds.items()}
        best = min((row[who] for who in row if who != "wgrad"), default=float("nan"))
        cells = "".join(f"{row[c]:12.1f}" if c in row else " " * 12 for c in COLUMNS)
        print(f"{name:20}{cells}{best / row['wgrad']:14.2f}", flush=True)
        results.append({"workload": name, "us_per_step": row, "ratio": best / row["wgrad"]})
        if args.json:
            json.dump(results, open(args.json, "w"), indent=1)


if __name__ == "__main__":
    main()
