"""What the generators share: exact inputs, a small MLP in wgrad's layout, writing npz files.

Shapes follow wgrad: a weight is (in, out), y = x.W + b, parameters are named
`layers.0.weight`, `layers.0.bias`, ... Everything is computed in float64 on the CPU with one
thread. Data and initial parameters are rounded to float32 first, so that a float32 program can
start from exactly the same numbers.
"""

from pathlib import Path

import numpy as np
import torch

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent

IDENTITY = lambda x: x  # noqa: E731


def f32(array):
    """Rounds to float32 and widens again: the values a float32 program can hold exactly."""
    return np.asarray(array, dtype=np.float64).astype(np.float32).astype(np.float64)


def shortened(array, bits):
    """Rounds to `bits` significant bits, which the zip file then stores in fewer bytes."""
    mantissa, exponent = np.frexp(array)
    return np.ldexp(np.rint(np.ldexp(mantissa, bits)), exponent - bits)


def save(name, arrays, bits=53):
    """Writes `name`.npz beside the scripts (deflate): float64 throughout, a scalar as (1,)."""
    path = HERE / f"{name}.npz"
    as_f64 = {k: np.atleast_1d(np.asarray(v, dtype=np.float64)) for k, v in arrays.items()}
    if bits < 53:
        as_f64 = {k: shortened(v, bits) for k, v in as_f64.items()}
    np.savez_compressed(path, **as_f64)
    print(f"{path.name}: {len(as_f64)} arrays, {path.stat().st_size} bytes")


def check_or_save(name, arrays, tolerance):
    """Writes `name`.npz if it is missing; else compares with it and leaves it as it is.

    Key by key, relative to each array's largest entry; a difference beyond `tolerance` is an error.
    """
    path = HERE / f"{name}.npz"
    if not path.exists():
        save(name, arrays)
        return
    with np.load(path) as stored:
        if set(stored) != set(arrays):
            raise SystemExit(f"{path.name}: keys {sorted(stored)} stored, {sorted(arrays)} made")
        for key in stored:
            old, new = stored[key], np.asarray(arrays[key])
            if old.shape != new.shape:
                raise SystemExit(f"{path.name}, {key}: {old.shape} stored, {new.shape} made")
            off = np.abs(old - new).max() / np.abs(old).max()
            if not off <= tolerance:
                raise SystemExit(f"{path.name}, {key}: differs by {off:.1e}")
            print(f"{path.name}, {key}: agrees to {off:.1e}")


class Mlp:
    """x -> phi_k(x.W_k + b_k), layer by layer; `parameters` maps names to leaf tensors."""

    def __init__(self, initial, activations):
        self.activations = activations
        self.parameters = {
            name: torch.tensor(value, requires_grad=True) for name, value in initial.items()
        }

    def __call__(self, x):
        for k, phi in enumerate(self.activations):
            x = x @ self.parameters[f"layers.{k}.weight"]
            bias = self.parameters.get(f"layers.{k}.bias")
            x = phi(x if bias is None else x + bias)
        return x

    def snapshot(self):
        return {name: p.detach().numpy().copy() for name, p in self.parameters.items()}

    def gradients(self):
        return {name: p.grad.numpy().copy() for name, p in self.parameters.items()}


def initial_parameters(rng, widths, biased=None):
    """Uniform in +-1/sqrt(n_in), weights and biases; without a bias where not `biased[k]`."""
    params = {}
    for k, (n_in, n_out) in enumerate(zip(widths[:-1], widths[1:])):
        bound = n_in**-0.5
        params[f"layers.{k}.weight"] = f32(rng.uniform(-bound, bound, (n_in, n_out)))
        if biased is None or biased[k]:
            params[f"layers.{k}.bias"] = f32(rng.uniform(-bound, bound, n_out))
    return params


def minibatches(n, batch_size, steps):
    """Row ranges in order, starting over after the last row; the last of an epoch may be short."""
    per_epoch = -(-n // batch_size)
    for step in range(steps):
        first = (step % per_epoch) * batch_size
        yield slice(first, min(first + batch_size, n))


def prefixed(prefix, arrays):
    return {f"{prefix}/{name}": value for name, value in arrays.items()}
