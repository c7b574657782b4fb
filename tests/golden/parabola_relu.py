"""A 2-4-1 ReLU network without biases on a noisy parabola: 9,100 steps of batch descent, in numpy.

    python tests/golden/parabola_relu.py       checks tests/golden/parabola_relu.npz

Compares every array with the stored one (to 1e-9 of its largest entry); writes the file if it is
missing.

Columns are samples here, as in the notebook this comes from: x is (2, 100) with a row of ones
and a row t, W1 is (4, 2), W2 is (1, 4), prediction = W2 relu(W1 x). wgrad's weights are the
transposes. y = t^2 + 0.1 noise at 100 points t of [-10, 10]. The error is the mean of
1/2 (prediction - y)^2 and the gradients are the means over the samples; lr 0.001.
`error[k]`, `grad_W1[k]`, `grad_W2[k]` are taken at step k before its update, `W2[k]` after it.
"""

import numpy as np

from golden import check_or_save

LR, STEPS, KEPT = 0.001, 9100, 200


def data():
    t = np.linspace(-10, 10, 100)
    noise = np.random.RandomState(100).randn(100)
    return np.stack([np.ones(100), t]), (t**2 + 0.1 * noise)[None, :]


def start():
    """N(0,1)/n_in, first layer first."""
    rng = np.random.RandomState(10)
    return rng.randn(4, 2) / 2, rng.randn(1, 4) / 4


def descend(x, y, w1, w2):
    n = x.shape[1]
    errors, grads1, grads2, weights2 = [], [], [], []
    for step in range(STEPS):
        pre = w1 @ x
        hidden = np.maximum(pre, 0)
        delta = (w2 @ hidden - y) / n
        grad2 = delta @ hidden.T
        grad1 = ((w2.T @ delta) * (pre > 0)) @ x.T
        errors.append(0.5 * n * (delta**2).sum())
        if step < KEPT:
            grads1.append(grad1)
            grads2.append(grad2)
        w1 = w1 - LR * grad1
        w2 = w2 - LR * grad2
        if step < KEPT:
            weights2.append(w2)
    return np.array(errors), np.array(grads1), np.array(grads2), np.array(weights2)


if __name__ == "__main__":
    x, y = data()
    w1, w2 = start()
    error, grad_w1, grad_w2, trail_w2 = descend(x, y, w1, w2)
    print(f"error {error[0]:.8f} -> {error[-1]:.8f}")
    arrays = {
        "x": x,
        "y": y,
        "W1_init": w1,
        "W2_init": w2,
        "error": error,
        "grad_W1": grad_w1,
        "grad_W2": grad_w2,
        "W2": trail_w2,
    }
    check_or_save("parabola_relu", arrays, tolerance=1e-9)
