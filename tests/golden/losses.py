"""Values and input gradients of every loss on a batch of 6 rows and 4 outputs, in float64.

    python tests/golden/losses.py              writes tests/golden/losses.npz

For each loss NAME: `NAME/input`, `NAME/target` (and `sigma`, `weight`, `pos_weight` where it has
one), then for each reduction R: `NAME/R`, the value, and `NAME/grad_R`, its gradient with respect
to the input. `sum` adds all terms up; `mean` divides by the number of terms (24, or 6 where a
loss has one term a row; with class weights by the sum of the rows' weights); `batchmean` divides
the sum by the 6 rows. With x the input and y the target:

    mse                      (x - y)^2
    l1                       |x - y|
    huber                    d^2/2 where |d| <= 1.5, else 1.5 (|d| - 0.75); d = x - y
    smooth_l1                d^2/(2 beta) where |d| < beta, else |d| - beta/2; beta = 0.7
    half_squared             (x - y)^2 / 2
    log_cosh                 log cosh(x - y)
    quantile                 tau (y - x) where y > x, else (1 - tau)(x - y); tau = 0.3
    chi_square               ((x - y)/sigma_row)^2, one sigma a row
    poisson_nll              exp(x) - y x (log input, without the Stirling term)
    bce                      -y log x - (1 - y) log(1 - x), probabilities; y in [0, 1]
    bce_edge                 the same with x exactly 0 and 1: logarithms are cut off at -100 and the
                             gradient is (x - y)/max(x(1 - x), 1e-12)
    bce_with_logits          softplus(x) - y x
    bce_with_logits_edge     the same on logits up to +-100
    bce_with_logits_weighted -p y log s(x) - (1 - y) log s(-x), one p (`pos_weight`) an output
    cross_entropy            -log softmax(x)[y], integer labels
    cross_entropy_edge       the same on logits up to +-100
    cross_entropy_soft       -sum_j y_j log softmax(x)_j, one term a row
    cross_entropy_smoothed   integer labels with label_smoothing 0.1: y is 0.9 one-hot + 0.1/4
    cross_entropy_weighted   weight[y] times cross_entropy; mean divides by sum of weight[y]
    nll                      -x[y], x log-probabilities
    kl_div                   y (log y - x), x log-probabilities, y probabilities
    hinge                    max(0, 1 - y x), y = -1 or +1
    squared_hinge            max(0, 1 - y x)^2
    cosine_similarity        1 - x.y/(|x||y|), one term a row

Inputs, targets and weights are exact in float32. No element sits on a kink.
"""

import numpy as np
import torch
import torch.nn.functional as F

from golden import f32, save

ROWS, OUTPUTS = 6, 4

rng = np.random.default_rng(7)


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def normal(scale=1.0):
    return f32(scale * rng.standard_normal((ROWS, OUTPUTS)))


def terms(loss):
    """The three reductions of a loss that is written as its terms; `batchmean` is a row's share."""
    return lambda r: lambda x, *rest: {
        "mean": torch.mean,
        "sum": torch.sum,
        "batchmean": lambda t: t.sum() / ROWS,
    }[r](loss(x, *rest))


def torch_loss(loss, **options):
    return lambda r: lambda x, y: loss(x, y, reduction=r, **options)


def log_cosh(d):
    return d.abs() + torch.log1p(torch.exp(-2 * d.abs())) - np.log(2)


def pinball(x, y, tau=0.3):
    return torch.where(y > x, tau * (y - x), (1 - tau) * (x - y))


def kl_terms(x, y):
    return F.kl_div(x, y, reduction="none")


def with_pos_weight(r):
    return lambda x, y, p: F.binary_cross_entropy_with_logits(x, y, pos_weight=p, reduction=r)


def with_class_weight(r):
    return lambda x, y, w: F.cross_entropy(x, y, weight=w, reduction=r)


def cases():
    """name -> (reduction -> loss, extra reductions, input, further arguments by name)."""
    x, y = normal(1.5), normal(1.5)
    labels = np.array([0, 2, 3, 1, 1, 2])
    signs = f32(np.where(rng.random((ROWS, OUTPUTS)) < 0.5, -1, 1))
    counts = f32(rng.poisson(2.0, (ROWS, OUTPUTS)))
    prob = f32(rng.uniform(0.03, 0.97, (ROWS, OUTPUTS)))
    binary = f32(rng.integers(0, 2, (ROWS, OUTPUTS)))
    binary[0] = f32([0.25, 0.9, 0.5, 0.1])
    soft = f32(softmax(normal()))
    log_prob = f32(np.log(softmax(normal())))
    edge_prob = f32([[0, 1, 0, 1]] * ROWS)
    edge_target = f32([[0, 1, 1, 0]] * ROWS)
    edge_logits = f32(rng.choice([-100, -40, -17, 0, 17, 40, 100], (ROWS, OUTPUTS)))
    sigma = f32(rng.uniform(0.3, 2, ROWS))
    weight = f32([0.5, 2.0, 1.25, 0.75])
    pos_weight = f32([0.5, 3.0, 1.0, 1.75])

    target = {"target": y}
    label = {"target": labels}
    rowwise_cosine = terms(lambda x, y: 1 - F.cosine_similarity(x, y, dim=1))
    bce_logits = torch_loss(F.binary_cross_entropy_with_logits)
    entropy = torch_loss(F.cross_entropy)
    return {
        "mse": (torch_loss(F.mse_loss), [], x, target),
        "l1": (torch_loss(F.l1_loss), [], x, target),
        "huber": (torch_loss(F.huber_loss, delta=1.5), [], x, target),
        "smooth_l1": (torch_loss(F.smooth_l1_loss, beta=0.7), [], x, target),
        "half_squared": (terms(lambda x, y: (x - y) ** 2 / 2), ["batchmean"], x, target),
        "log_cosh": (terms(lambda x, y: log_cosh(x - y)), [], x, target),
        "quantile": (terms(pinball), [], x, target),
        "chi_square": (
            terms(lambda x, y, sigma: ((x - y) / sigma[:, None]) ** 2),
            ["batchmean"],
            x,
            {"target": y, "sigma": sigma},
        ),
        "poisson_nll": (
            torch_loss(F.poisson_nll_loss, log_input=True, full=False),
            [],
            x,
            {"target": counts},
        ),
        "bce": (torch_loss(F.binary_cross_entropy), [], prob, {"target": binary}),
        "bce_edge": (torch_loss(F.binary_cross_entropy), [], edge_prob, {"target": edge_target}),
        "bce_with_logits": (bce_logits, [], x, {"target": binary}),
        "bce_with_logits_edge": (bce_logits, [], edge_logits, {"target": binary}),
        "bce_with_logits_weighted": (
            with_pos_weight,
            [],
            x,
            {"target": binary, "pos_weight": pos_weight},
        ),
        "cross_entropy": (entropy, [], x, label),
        "cross_entropy_edge": (entropy, [], edge_logits, label),
        "cross_entropy_soft": (entropy, [], x, {"target": soft}),
        "cross_entropy_smoothed": (torch_loss(F.cross_entropy, label_smoothing=0.1), [], x, label),
        "cross_entropy_weighted": (
            with_class_weight,
            [],
            x,
            {"target": labels, "weight": weight},
        ),
        "nll": (torch_loss(F.nll_loss), [], log_prob, label),
        "kl_div": (terms(kl_terms), ["batchmean"], log_prob, {"target": soft}),
        "hinge": (terms(lambda x, y: torch.relu(1 - y * x)), [], x, {"target": signs}),
        "squared_hinge": (terms(lambda x, y: torch.relu(1 - y * x) ** 2), [], x, {"target": signs}),
        "cosine_similarity": (rowwise_cosine, [], x, target),
    }


if __name__ == "__main__":
    arrays = {}
    for name, (reduced, extra, x, further) in cases().items():
        arrays[f"{name}/input"] = x
        arrays |= {f"{name}/{key}": value for key, value in further.items()}
        for reduction in ["mean", "sum", *extra]:
            leaf = torch.tensor(x, requires_grad=True)
            value = reduced(reduction)(leaf, *map(torch.tensor, further.values()))
            value.backward()
            assert torch.isfinite(value) and torch.isfinite(leaf.grad).all(), name
            arrays[f"{name}/{reduction}"] = value.item()
            arrays[f"{name}/grad_{reduction}"] = leaf.grad.numpy()
        print(f"{name:26} mean {arrays[f'{name}/mean']:.8f}")
    save("losses", arrays)
