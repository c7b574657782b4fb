"""Linear regression of one feature by full-batch gradient descent, 1,000 steps, in numpy.

    python tests/golden/linear_1d.py           checks tests/golden/linear_1d.npz

Compares every array with the stored one (to 1e-12); writes the file if it is missing.

MSE is the mean of (wx + b - y)^2; the gradient is the mean of 2 (wx + b - y) x and of
2 (wx + b - y); lr 0.1. `loss[k]` is the loss before update k; `w`, `b` follow after 1,000.
"""

import numpy as np

from golden import check_or_save

LR, STEPS = 0.1, 1000


def data():
    rng = np.random.RandomState(42)
    x = rng.rand(100, 1)
    y = 1 + 2 * x + 0.1 * rng.randn(100, 1)
    order = np.arange(100)
    rng.shuffle(order)
    train, val = order[:80], order[80:]
    return x[train], y[train], x[val], y[val]


def start():
    """The bias is drawn first, then the weight, from a generator seeded anew."""
    rng = np.random.RandomState(42)
    b = rng.randn(1)
    w = rng.randn(1)
    return w, b


def descend(x, y, w, b):
    losses = []
    for _ in range(STEPS):
        error = w * x + b - y
        losses.append((error**2).mean())
        w = w - LR * 2 * (error * x).mean()
        b = b - LR * 2 * error.mean()
    return np.array(losses), w, b


if __name__ == "__main__":
    x_train, y_train, x_val, y_val = data()
    w0, b0 = start()
    loss, w, b = descend(x_train, y_train, w0, b0)
    closed = np.linalg.lstsq(np.hstack([x_train, np.ones_like(x_train)]), y_train)[0].ravel()
    print(f"w {w[0]:.8f}, b {b[0]:.8f}; closed form {closed[0]:.8f}, {closed[1]:.8f}")
    arrays = {
        "x_train": x_train,
        "y_train": y_train,
        "x_val": x_val,
        "y_val": y_val,
        "w0": w0,
        "b0": b0,
        "loss": loss,
        "w": w,
        "b": b,
    }
    check_or_save("linear_1d", arrays, tolerance=1e-12)
