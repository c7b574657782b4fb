"""The benchmark's workloads and a matrix product on a GPU: PyTorch, JAX and burn beside wgrad.

    cargo build --release --example benchmark
    cargo build --profile gpu --manifest-path benches/peers/burn/Cargo.toml --features wgpu --bin peer-burn-wgpu
    python benches/peers/compare_gpu.py [--seconds 2] [--rounds 3] [--skip PEER] [--awake] [--json FILE] [WORKLOAD ...]

One command for the whole comparison; at its end it shows what many networks at once gain. Needs torch
and jax with CUDA, and a Vulkan driver for ours and burn; it installs nothing, and a peer that is not
there, or finds no GPU, is left out. `--platform cpu` runs PyTorch and JAX on the processor instead, to
try the script; `--awake` is for software drivers on virtual machines (see `keep_awake`). TF32 is off, so
that all compute in f32. `--strategy` names ours; else the rule chooses, which looks at how many steps the
measurement takes, where a driver is slow in compiling. The JSON says what was chosen and why.

burn's crate has some 260 dependencies: two cores take an hour to build it. `CARGO_TARGET_DIR` says
where all of them are built, and looked for.

burn tries several kernels for each shape in the first epoch of a process, which warms up and does not
count: on a driver that is slow in compiling that takes longer than all else.

PyTorch runs eagerly and, as `graph`, with the whole step in a CUDA graph; JAX scans over the steps of
an epoch in one compiled function. A step is one minibatch: gather, forward, loss, backward, update;
the epoch is shuffled, a short last minibatch is left out. Times are synchronised at both ends.
"""

import argparse
import functools
import importlib
import importlib.util
import json
import time
import warnings
from statistics import median

from compare import HERE, ROOT, WORKLOADS, built, data, measured, ours, rust_peer, timed
from compare import keep_awake, torch_parts, tried

# Only on a GPU: as in examples/common/workloads.rs.
WORKLOADS = WORKLOADS | {
    "wide_4096": ([784, 4096, 4096, 10], 16384, 4096, "relu", "cross_entropy", "adam"),
}
COLUMNS = ["wgrad", "eager", "graph", "jax", "burn"]
# How many networks of `tiny` are trained at once.
NETWORKS = 1024
# The side of the square matrices whose product is timed.
SIDE = 4096


def torch_epoch(widths, rows, batch, activation, loss, optimizer, device, graph):
    """A function that trains an epoch, synchronised at its end."""
    import torch

    loss_of, opt = torch_parts(widths, rows, activation, loss, optimizer, device, graph)
    picked = torch.arange(batch, device=device)

    def step():
        opt.zero_grad(set_to_none=False)
        loss_of(picked).backward()
        opt.step()

    run = step
    if graph:
        # A few steps on another stream first, as capturing asks for.
        stream = torch.cuda.Stream()
        with torch.cuda.stream(stream):
            for _ in range(3):
                step()
        torch.cuda.current_stream().wait_stream(stream)
        captured = torch.cuda.CUDAGraph()
        with torch.cuda.graph(captured):
            step()
        run = captured.replay

    def epoch():
        order = torch.randperm(rows, device=device)
        for first in range(0, rows - batch + 1, batch):
            picked.copy_(order[first : first + batch])
            run()
        if device == "cuda":
            torch.cuda.synchronize()

    return epoch


def jax_epoch(widths, rows, batch, activation, loss, optimizer):
    """A function that trains an epoch by one compiled scan."""
    import jax
    import jax.numpy as jnp

    x, y = (jnp.asarray(array) for array in data(widths, rows, loss))
    keys = jax.random.split(jax.random.key(0), len(widths))
    shapes = list(zip(widths, widths[1:]))
    params = [
        (jax.random.normal(key, shape) / shape[0] ** 0.5, jnp.zeros(shape[1]))
        for key, shape in zip(keys, shapes)
    ]
    phi = jnp.tanh if activation == "tanh" else jax.nn.relu

    def loss_of(params, x, y):
        for w, b in params[:-1]:
            x = phi(x @ w + b)
        out = x @ params[-1][0] + params[-1][1]
        if loss == "mse":
            return jnp.mean((out - y) ** 2)
        return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(out), y[:, None], 1))

    def update(state, grads):
        params, m, v, t = state
        tree = jax.tree.map
        if optimizer != "adam":
            momentum = 0.5 if optimizer == "momentum" else 0.0
            m = tree(lambda m, g: momentum * m + g, m, grads)
            return tree(lambda p, m: p - 0.01 * m, params, m), m, v, t
        t = t + 1
        m = tree(lambda m, g: 0.9 * m + 0.1 * g, m, grads)
        v = tree(lambda v, g: 0.999 * v + 0.001 * g * g, v, grads)
        c1, c2 = 1 - 0.9**t, 1 - 0.999**t
        move = lambda p, m, v: p - 0.001 * (m / c1) / (jnp.sqrt(v / c2) + 1e-8)
        return tree(move, params, m, v), m, v, t

    @jax.jit
    def scan(state, key):
        steps = rows // batch
        order = jax.random.permutation(key, rows)[: steps * batch].reshape(steps, batch)

        def step(state, picked):
            value, grads = jax.value_and_grad(loss_of)(state[0], x[picked], y[picked])
            return update(state, grads), value

        return jax.lax.scan(step, state, order)

    zeros = jax.tree.map(jnp.zeros_like, params)
    kept = {"state": (params, zeros, zeros, jnp.float32(0)), "key": jax.random.key(1)}

    def epoch():
        kept["key"], key = jax.random.split(kept["key"])
        kept["state"], losses = scan(kept["state"], key)
        losses.block_until_ready()

    return epoch


def product_seconds(device):
    """PyTorch's time for one product of two matrices."""
    import torch

    a = torch.randn(SIDE, SIDE, device=device)
    sync = torch.cuda.synchronize if device == "cuda" else lambda: None
    times = []
    for _ in range(5):
        sync()
        start = time.perf_counter()
        for _ in range(4):
            a @ a
        sync()
        times.append((time.perf_counter() - start) / 4)
    return median(times)


@functools.cache
def finds(package, platform):
    """Whether a Python package is there, and the GPU for it."""
    if not importlib.util.find_spec(package):
        print(f"the Python package {package} is not there")
        return False
    if platform == "cpu":
        return True
    try:
        module = importlib.import_module(package)
        there = module.cuda.is_available() if package == "torch" else module.devices("cuda")
    except Exception:  # whatever a driver throws
        there = False
    if not there:
        print(f"{package} finds no GPU")
    return bool(there)


def peers(name, platform, skip):
    """By peer, a function from seconds to microseconds a step."""
    workload = WORKLOADS[name]
    steps = workload[1] // workload[2]
    device = "cuda" if platform == "gpu" else "cpu"
    makers = {}
    if not {"eager", "graph"} <= set(skip) and finds("torch", platform):
        makers["eager"] = lambda: torch_epoch(*workload, device, False)
        if device == "cuda":
            makers["graph"] = lambda: torch_epoch(*workload, device, True)
    if "jax" not in skip and finds("jax", platform):
        makers["jax"] = lambda: jax_epoch(*workload)
    makers = {who: make for who, make in makers.items() if who not in skip}
    epochs = {who: tried(f"{who}, {name}", make) for who, make in makers.items()}
    list_of = {
        who: lambda seconds, epoch=epoch: timed(epoch, steps, seconds)
        for who, epoch in epochs.items()
        if epoch
    }
    manifest = "cargo build --profile gpu --manifest-path benches/peers/burn/Cargo.toml"
    manifest += " --features wgpu --bin peer-burn-wgpu"
    burn = HERE / "burn"
    if "burn" not in skip and (path := built(burn, "peer-burn-wgpu", manifest, "gpu")):
        list_of["burn"] = lambda seconds: rust_peer(path, name, seconds)
    return list_of


def compared(binary, name, args):
    """Microseconds a step of ours and the peers, in turn, and how ours were executed."""
    rounds = {who: [] for who in COLUMNS}
    others = peers(name, args.platform, args.skip)
    for _ in range(args.rounds):
        row = ours(binary, "gpu", args.seconds, "--workload", name, "--strategy", args.strategy)
        rounds["wgrad"].append(row["us_per_step"])
        for who, measure in others.items():
            rounds[who].append(measure(args.seconds))
    times = {who: median(list_of) for who, list_of in rounds.items() if list_of}
    about = {key: row[key] for key in ["workload", "adapter", "strategy", "strategy_reason"]}
    return about | {"us_per_step": times}


def product(binary, args):
    """GFLOP/s of one matrix product, by ours and by PyTorch."""
    mine = ours(binary, "gpu", args.seconds, "--product", str(SIDE))["gflops"]
    seconds = product_seconds("cuda" if args.platform == "gpu" else "cpu")
    theirs = 2e-9 * SIDE**3 / seconds
    print(f"product of {SIDE}^3: wgrad {mine:.0f}, PyTorch {theirs:.0f} GFLOP/s")
    return {"product": SIDE, "wgrad": mine, "PyTorch": theirs}


def networks(binary, args):
    """What training many networks at once gains."""
    what = ["--workload", "tiny", "--networks", str(NETWORKS)]
    one, many = measured(binary, "gpu", args.seconds, *what)
    times = many["samples_per_s"] / one["samples_per_s"]
    print(f"{NETWORKS} networks of tiny at once: {times:.0f} times the throughput of one")
    return {"networks": NETWORKS, "strategy": many["strategy"], "times_one": times}


def set_up(platform, skip):
    """All compute in f32, on the platform; whether PyTorch can take part."""
    torch_there = "eager" not in skip and finds("torch", platform)
    if torch_there:
        import torch

        torch.backends.cuda.matmul.allow_tf32 = False
    if "jax" not in skip and importlib.util.find_spec("jax"):
        import jax

        jax.config.update("jax_platforms", "cuda" if platform == "gpu" else "cpu")
        jax.config.update("jax_default_matmul_precision", "highest")
    return torch_there


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD")
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--platform", choices=["gpu", "cpu"], default="gpu")
    parser.add_argument("--skip", action="append", default=[], choices=COLUMNS[1:])
    parser.add_argument("--strategy", default="auto")
    parser.add_argument("--awake", action="store_true", help="keep the cores awake")
    parser.add_argument("--json", metavar="FILE")
    args = parser.parse_args()
    warnings.filterwarnings("ignore")
    binary = built(ROOT, "examples/benchmark", "cargo build --release --example benchmark")
    if not binary:
        return
    if args.awake:
        keep_awake()
    torch_there = set_up(args.platform, args.skip)
    print(f"{'us a step':20}{'strategy':12}" + "".join(f"{column:>12}" for column in COLUMNS))
    results = []
    for name in args.workloads or WORKLOADS:
        results.append(compared(binary, name, args))
        times = results[-1]["us_per_step"]
        cells = "".join(f"{times[c]:12.1f}" if c in times else f"{'':12}" for c in COLUMNS)
        print(f"{name:20}{results[-1]['strategy']:12}{cells}", flush=True)
    if torch_there and not args.workloads:
        results.append(product(binary, args))
    if not args.workloads:
        results.append(networks(binary, args))
    if args.json:
        with open(args.json, "w") as file:
            json.dump(results, file, indent=2)


if __name__ == "__main__":
    main()
