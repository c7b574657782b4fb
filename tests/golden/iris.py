"""Petals from sepals: a 2-100-2 network on iris without setosa, 50 steps of two variants, in numpy.

    python tests/golden/iris.py                a second; writes tests/golden/iris.npz

Of each species the first 25 flowers train and the last 25 validate; all four columns are
standardised with mean and standard deviation (over n) of the training flowers. The loss is the sum
of squares over rows and columns, y = relu(x.W0 + b0).W1 + b1.

`descent`: no biases, weights N(0, 1), gradient descent with rate 1e-4.
`adam`: weights and biases uniform within 1/sqrt(n_in), Adam (Kingma and Ba, 2015) with rate 1e-3.

`losses[k]` is the training loss before update k, `validation[k]` the validation loss after it.
"""

import numpy as np

from golden import ROOT, f32, initial_parameters, prefixed, save

STEPS, HIDDEN = 50, 100


def flowers():
    rows = np.genfromtxt(ROOT / "examples/data/iris.csv", delimiter=",", dtype=str, skip_header=1)
    species = [rows[rows[:, 4] == name, :4].astype(float) for name in ("versicolor", "virginica")]
    train = np.vstack([kind[:25] for kind in species])
    held_out = np.vstack([kind[25:] for kind in species])
    mean, deviation = train.mean(axis=0), train.std(axis=0)
    return [f32((part - mean) / deviation) for part in (train, held_out)]


def loss_and_gradients(p, x, y):
    sums = x @ p["layers.0.weight"] + p.get("layers.0.bias", 0)
    hidden = np.maximum(sums, 0)
    error = hidden @ p["layers.1.weight"] + p.get("layers.1.bias", 0) - y
    delta1 = 2 * error
    delta0 = (delta1 @ p["layers.1.weight"].T) * (sums > 0)
    gradients = {
        "layers.0.weight": x.T @ delta0,
        "layers.0.bias": delta0.sum(axis=0),
        "layers.1.weight": hidden.T @ delta1,
        "layers.1.bias": delta1.sum(axis=0),
    }
    return (error**2).sum(), {name: gradients[name] for name in p}


def descent(p, gradients, _step, _state):
    return {name: p[name] - 1e-4 * gradients[name] for name in p}


def adam(p, gradients, step, state, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    new = {}
    for name, g in gradients.items():
        m, v = state.get(name, (0.0, 0.0))
        m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g**2
        state[name] = m, v
        m, v = m / (1 - beta1**step), v / (1 - beta2**step)
        new[name] = p[name] - lr * m / (np.sqrt(v) + eps)
    return new


def run(p, update, train, held_out):
    arrays, state, losses, validation = prefixed("init", p), {}, [], []
    for step in range(1, STEPS + 1):
        loss, gradients = loss_and_gradients(p, train[:, :2], train[:, 2:])
        p = update(p, gradients, step, state)
        losses.append(loss)
        validation.append(loss_and_gradients(p, held_out[:, :2], held_out[:, 2:])[0])
    return arrays | {"losses": losses, "validation": validation} | prefixed("after", p)


if __name__ == "__main__":
    train, held_out = flowers()
    rng = np.random.default_rng(12)
    normal = {
        "layers.0.weight": f32(rng.normal(size=(2, HIDDEN))),
        "layers.1.weight": f32(rng.normal(size=(HIDDEN, 2))),
    }
    variants = {
        "descent": run(normal, descent, train, held_out),
        "adam": run(initial_parameters(rng, [2, HIDDEN, 2]), adam, train, held_out),
    }
    for name, arrays in variants.items():
        print(name, arrays["losses"][::10], arrays["losses"][-1], arrays["validation"][-1])
    arrays = {"train": train, "validation": held_out}
    for name, variant in variants.items():
        arrays |= prefixed(name, variant)
    save("iris", arrays)
