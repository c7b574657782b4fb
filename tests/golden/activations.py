"""Every activation and its derivative at float32-representable points, to float64 rounding.

    python tests/golden/activations.py         writes tests/golden/activations.npz

`x` holds the points, ascending; `NAME/value` and `NAME/derivative` are aligned with it. Points:
the neighbourhoods of 0, +-1, +-3, 6 (each with the next float32 on either side and +-1e-3), a
grid over [-10, 10], tails to +-100, and magnitudes from 2^-126 (the least normal float32) and
1e-37 on to 1e30, both signs. A result beyond float64 is inf; one beyond float32 is not marked.

Each formula is evaluated by mpmath with 60 digits, in a form without cancellation, and rounded
once. Where PyTorch is accurate (|x| <= 10), its float64 value and autograd derivative must agree
to 1e-12 (1e-7 for the derivatives of celu, hard_sigmoid and hard_swish: PyTorch rounds 1/alpha
and 1/6 to float32 there). At kinks the derivative is a convention and PyTorch's is stored:

    relu'(0) = 0               leaky_relu'(0) = 0.01        relu6'(0) = relu6'(6) = 0
    elu'(0) = celu'(0) = 1     selu'(0) = scale alpha       hard_tanh'(+-1) = 0
    hard_sigmoid'(+-3) = 0     hard_swish'(-3) = 0          hard_swish'(3) = 1

Two points for those who compare: `sine` is sin(30 x) for the exact product, while a float32
program rounds 30 x first, so that its error grows as |30 x| 2^-24; and softplus is
log(1 + e^(bx))/b everywhere, while PyTorch returns x itself once b x > 20.
"""

from types import SimpleNamespace

import numpy as np
import torch
import torch.nn.functional as F
from mpmath import mp, mpf

from golden import IDENTITY, save

mp.dps = 60
ONE, HALF = mpf(1), mpf("0.5")
SELU_ALPHA = mpf("1.6732632423543772848170429916717")
SELU_SCALE = mpf("1.0507009873554804934193349852946")


def logistic(x):
    return 1 / (1 + mp.exp(-x)) if x > -1000 else mp.exp(x)


def normal_cdf(x):
    return mp.erfc(-x / mp.sqrt(2)) / 2 if abs(x) < 1000 else (ONE if x > 0 else mpf(0))


def normal_pdf(x):
    return mp.exp(-x * x / 2) / mp.sqrt(2 * mp.pi)


def leaky(slope):
    return lambda x: (x, ONE) if x > 0 else (slope * x, slope)


def clamped(low, high):
    return lambda x: (min(max(x, low), high), ONE if low < x < high else mpf(0))


def elu(alpha, width, scale):
    """scale x above 0, scale alpha (e^(x/width) - 1) below."""
    return lambda x: (
        (scale * x, scale)
        if x > 0
        else (scale * alpha * mp.expm1(x / width), scale * alpha / width * mp.exp(x / width))
    )


def gelu_erf(x):
    return x * normal_cdf(x), normal_cdf(x) + x * normal_pdf(x)


def gelu_tanh(x):
    """x (1 + tanh u)/2 = x logistic(2u), u = sqrt(2/pi) (x + 0.044715 x^3)."""
    c = mp.sqrt(2 / mp.pi)
    u, slope = c * (x + mpf("0.044715") * x**3), c * (1 + 3 * mpf("0.044715") * x**2)
    s = logistic(2 * u)
    return x * s, s + 2 * x * s * logistic(-2 * u) * slope


def silu(x):
    s = logistic(x)
    return x * s, s + x * s * logistic(-x)


def mish(x):
    """tanh(log(1 + e)) = (e^2 + 2e)/(e^2 + 2e + 2), e = e^x; its derivative is 4e(1+e)/(..)^2."""
    if x > 1000:
        return x, ONE
    e = mp.exp(x)
    over = e * e + 2 * e
    t = over / (over + 2)
    return x * t, t + x * 4 * e * (1 + e) / (over + 2) ** 2


def softplus(beta):
    def both(x):
        z = beta * x
        value = mp.log1p(mp.exp(-abs(z))) if abs(z) < 1e4 else mp.exp(-abs(z))
        return (max(z, 0) + value) / beta, logistic(z)

    return both


def softsign(x):
    return x / (1 + abs(x)), 1 / (1 + abs(x)) ** 2


def sigmoid(x):
    return logistic(x), logistic(x) * logistic(-x)


def log_sigmoid(x):
    return -softplus(ONE)(-x)[0], logistic(-x)


def hard_sigmoid(x):
    return min(max(x / 6 + HALF, mpf(0)), ONE), (ONE / 6 if -3 < x < 3 else mpf(0))


def hard_swish(x):
    value = x * min(max(x / 6 + HALF, mpf(0)), ONE)
    return value, ONE if x >= 3 else (mpf(0) if x <= -3 else x / 3 + HALF)


def tanh(x):
    return mp.tanh(x) if abs(x) < 1000 else mp.sign(x), 4 * logistic(2 * x) * logistic(-2 * x)


def sine(x):
    return mp.sin(30 * x), 30 * mp.cos(30 * x)


def gaussian(x):
    return mp.exp(-x * x), -2 * x * mp.exp(-x * x)


def exponential(x):
    return mp.exp(x), mp.exp(x)


SMOOTH_EVERYWHERE = float("inf")  # torch's threshold for softplus, switched off
DERIVATIVE_TOLERANCE = {"celu": 1e-7, "hard_sigmoid": 1e-7, "hard_swish": 1e-7}

# name -> (exact value and derivative at x, the same activation in PyTorch, its kinks)
ACTIVATIONS = {
    "identity": (lambda x: (x, ONE), IDENTITY, []),
    "relu": (leaky(mpf(0)), F.relu, [0]),
    "leaky_relu": (leaky(mpf("0.01")), lambda x: F.leaky_relu(x, 0.01), [0]),
    "relu6": (clamped(mpf(0), mpf(6)), F.relu6, [0, 6]),
    "elu": (elu(ONE, ONE, ONE), F.elu, []),
    "selu": (elu(SELU_ALPHA, ONE, SELU_SCALE), F.selu, [0]),
    "celu": (elu(mpf("1.3"), mpf("1.3"), ONE), lambda x: F.celu(x, 1.3), []),
    "gelu_erf": (gelu_erf, F.gelu, []),
    "gelu_tanh": (gelu_tanh, lambda x: F.gelu(x, approximate="tanh"), []),
    "silu": (silu, F.silu, []),
    "mish": (mish, F.mish, []),
    "softplus": (softplus(ONE), lambda x: F.softplus(x, 1, SMOOTH_EVERYWHERE), []),
    "softplus_beta2": (softplus(mpf(2)), lambda x: F.softplus(x, 2, SMOOTH_EVERYWHERE), []),
    "softsign": (softsign, F.softsign, []),
    "sigmoid": (sigmoid, torch.sigmoid, []),
    "log_sigmoid": (log_sigmoid, F.logsigmoid, []),
    "hard_sigmoid": (hard_sigmoid, F.hardsigmoid, [-3, 3]),
    "hard_swish": (hard_swish, F.hardswish, [-3, 3]),
    "tanh": (tanh, torch.tanh, []),
    "hard_tanh": (clamped(mpf(-1), mpf(1)), F.hardtanh, [-1, 1]),
    "sine": (sine, lambda x: torch.sin(30 * x), []),
    "gaussian": (gaussian, lambda x: torch.exp(-x * x), []),
    "exponential": (exponential, torch.exp, []),
}


def points():
    tiny = 2.0**-126
    xs = [0.0, tiny, -tiny]
    for kink in (-3.0, -1.0, 1.0, 3.0, 6.0):
        at = np.float32(kink)
        xs += [at, np.nextafter(at, np.float32(-1e9)), np.nextafter(at, np.float32(1e9))]
        xs += [kink - 1e-3, kink + 1e-3]
    grid = [0.05, 0.2, 0.4, 0.7, 0.85, 1.3, 1.7, 2.2, 2.6, 3.5, 4.1, 4.8, 5.4, 6.7, 7.3, 8.2, 9.1]
    tails = [10, 12, 15, 17.4, 19.9, 20.1, 25, 30, 40, 55, 70, 87, 88.8, 95, 100]
    magnitudes = [10.0**e for e in (-37, -30, -23, -16, -12, -9, -7, -6, -5, -4, -3, -2)]
    magnitudes += [10.0**e for e in (3, 4, 5, 6, 8, 10, 13, 16, 19, 22, 26, 30)]
    for magnitude in grid + tails + magnitudes:
        xs += [magnitude, -magnitude]
    return np.unique(np.array(xs, dtype=np.float32)).astype(np.float64)


def from_torch(phi, x):
    leaf = torch.tensor(x, requires_grad=True)
    value = phi(leaf)
    value.sum().backward()
    return SimpleNamespace(value=value.detach().numpy(), derivative=leaf.grad.numpy())


def largest_difference(ours, theirs):
    return (np.abs(ours - theirs) / np.maximum(1, np.abs(theirs))).max()


if __name__ == "__main__":
    x = points()
    moderate = np.abs(x) <= 10
    arrays = {"x": x}
    for name, (exact, phi, kinks) in ACTIVATIONS.items():
        value, derivative = np.array([[float(v) for v in exact(mpf(xi))] for xi in x]).T
        torch_says = from_torch(phi, x)
        at_kink = np.isin(x, kinks)
        derivative[at_kink] = torch_says.derivative[at_kink]
        off = largest_difference(value[moderate], torch_says.value[moderate])
        off_d = largest_difference(derivative[moderate], torch_says.derivative[moderate])
        at = ", ".join(f"f'({k}) = {v:g}" for k, v in zip(x[at_kink], derivative[at_kink]))
        print(f"{name:15} PyTorch differs by {off:.1e}, {off_d:.1e}  {at}")
        assert off < 1e-12 and off_d < DERIVATIVE_TOLERANCE.get(name, 1e-12), name
        assert not np.isnan(value).any() and not np.isnan(derivative).any(), name
        arrays[f"{name}/value"], arrays[f"{name}/derivative"] = value, derivative
    save("activations", arrays)
    print(f"{len(x)} points")
