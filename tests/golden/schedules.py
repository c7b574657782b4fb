"""Learning rates of every schedule over 60 epochs (or steps), and training with three of them.

    python tests/golden/schedules.py           writes tests/golden/schedules.npz

Base rate b = 0.1. `NAME/lr[k]` is the rate used in epoch k, k = 0..59, so that lr[0] is what the
schedule starts with. PyTorch's schedulers where there are such; the script asserts that each
agrees with its closed form below:

    step              StepLR(10, 0.5)                 b 0.5^floor(k/10)
    multi_step        MultiStepLR([15, 40], 0.1)      b 0.1^(number of milestones <= k)
    exponential       ExponentialLR(0.95)             b 0.95^k
    polynomial        PolynomialLR(50, power 2)       b (1 - min(k, 50)/50)^2
    cosine            CosineAnnealingLR(60, 0.001)    e + (b - e)(1 + cos(pi k/60))/2, e = 0.001
    warm_restarts     CosineAnnealingWarmRestarts(T_0 10, T_mult 2): cycles begin at 0, 10, 30;
                                                      b (1 + cos(pi j/T))/2, j epochs into T
    warmup_cosine     SequentialLR: LinearLR(0.1 -> 1 over 5), from epoch 5 on
                      CosineAnnealingLR(55, 0.001)    b (0.1 + 0.9 k/5), then as cosine with k - 5
    one_cycle         OneCycleLR(max_lr 0.1, 60 steps), defaults: lr from 0.004 up to 0.1 at step
                      17, down to 4e-7 at step 59, momentum 0.95 -> 0.85 -> 0.95, each on a half
                      cosine (`one_cycle/momentum`)

ReduceLROnPlateau sees `plateau/losses[k]` after epoch k: `plateau` is factor 0.5, patience 3,
cooldown 2, min_lr 0.01 (threshold 1e-4, relative: a loss is better when < best (1 - 1e-4)),
`plateau_default` has PyTorch's defaults (factor 0.1, patience 10).

scikit-learn's rules, from its SGDOptimizer (momentum plays no part):

    invscaling        after each epoch lr = b / (t + 1)^0.5, with t the number of samples seen so
                      far; `invscaling` has 1 sample an epoch, `invscaling_samples` has 40.
    adaptive          after each epoch: count += 1 if loss > best - tol, else count = 0; then best
                      = min(best, loss). If count > n_iter_no_change: stop if lr <= 1e-6, else lr
                      /= 5 and count = 0. tol = 1e-4, absolute. On plateau/losses with
                      n_iter_no_change 10 (`adaptive`) and 3 (`adaptive_3`); on a constant loss
                      with 3 it ends early, `adaptive_stops/lr` holds the epochs that were run.

`train_step`, `train_warmup_cosine`, `train_one_cycle` are 50 steps of the network, data and
batches of optimizers.py (in optimizers.npz) with SGD, momentum 0.9 and the schedule moved on
after every step: StepLR(10, 0.5); LinearLR(0.1 -> 1 over 5) + CosineAnnealingLR(45, 0.001);
OneCycleLR(0.1, 50 steps), momentum cycled. Final parameters and all losses.
"""

from math import cos, pi

import numpy as np
import torch
from sklearn.neural_network._stochastic_optimizers import SGDOptimizer
from torch.optim import lr_scheduler as lrs

from golden import f32, prefixed, save
from optimizers import train

BASE, EPOCHS, FLOOR = 0.1, 60, 0.001


def sgd(params):
    return torch.optim.SGD(params, lr=BASE, momentum=0.9, foreach=False)


def warmup_cosine(optimizer, total):
    warmup = lrs.LinearLR(optimizer, start_factor=0.1, total_iters=5)
    decay = lrs.CosineAnnealingLR(optimizer, T_max=total - 5, eta_min=FLOOR)
    return lrs.SequentialLR(optimizer, [warmup, decay], milestones=[5])


def half_cosine(start, end, part):
    return end + (start - end) * (1 + cos(pi * part)) / 2


def warm_restarts(k):
    first, length = next((f, n) for f, n in ((30, 40), (10, 20), (0, 10)) if k >= f)
    return half_cosine(BASE, 0, (k - first) / length)


def one_cycle(k, start, peak, end):
    turn, last = 0.3 * EPOCHS - 1, EPOCHS - 1
    if k <= turn:
        return half_cosine(start, peak, k / turn)
    return half_cosine(peak, end, (k - turn) / (last - turn))


SCHEDULES = {
    "step": (lambda o: lrs.StepLR(o, 10, 0.5), lambda k: BASE * 0.5 ** (k // 10)),
    "multi_step": (
        lambda o: lrs.MultiStepLR(o, [15, 40], 0.1),
        lambda k: BASE * 0.1 ** ((k >= 15) + (k >= 40)),
    ),
    "exponential": (lambda o: lrs.ExponentialLR(o, 0.95), lambda k: BASE * 0.95**k),
    "polynomial": (
        lambda o: lrs.PolynomialLR(o, total_iters=50, power=2),
        lambda k: BASE * (1 - min(k, 50) / 50) ** 2,
    ),
    "cosine": (
        lambda o: lrs.CosineAnnealingLR(o, T_max=60, eta_min=FLOOR),
        lambda k: half_cosine(BASE, FLOOR, k / 60),
    ),
    "warm_restarts": (
        lambda o: lrs.CosineAnnealingWarmRestarts(o, T_0=10, T_mult=2),
        warm_restarts,
    ),
    "warmup_cosine": (
        lambda o: warmup_cosine(o, EPOCHS),
        lambda k: BASE * (0.1 + 0.9 * k / 5) if k < 5 else half_cosine(BASE, FLOOR, (k - 5) / 55),
    ),
    "one_cycle": (
        lambda o: lrs.OneCycleLR(o, max_lr=BASE, total_steps=EPOCHS),
        lambda k: one_cycle(k, BASE / 25, BASE, BASE / 25 / 1e4),
    ),
}


def rates(make_schedule, losses=None):
    """(lr, momentum) of each epoch; `losses` are shown to a schedule that wants them."""
    optimizer = sgd([torch.zeros(1, requires_grad=True)])
    schedule = make_schedule(optimizer)
    seen = []
    for epoch in range(EPOCHS):
        group = optimizer.param_groups[0]
        seen.append((group["lr"], group["momentum"]))
        optimizer.step()
        if epoch + 1 < EPOCHS:
            schedule.step(*([] if losses is None else [losses[epoch]]))
    return np.array(seen).T


def plateau_losses():
    """Falls, rests with noise from epoch 12, falls again at 30, rests from 40."""
    rng = np.random.default_rng(6)
    k = np.arange(EPOCHS)
    first = 0.5 + 0.5 * np.exp(-np.minimum(k, 12) / 4)
    second = 0.3 * (1 - np.exp(-np.clip(k - 30, 0, 10) / 3))
    resting = ((k >= 12) & (k < 30)) | (k >= 40)
    return f32(first - second + 0.02 * rng.uniform(0, 1, EPOCHS) * resting)


def assert_no_near_ties(losses):
    """No loss lies so close to the best before it that rounding could decide."""
    best = np.minimum.accumulate(losses)[:-1]
    for threshold in (best, best * (1 - 1e-4), best - 1e-4):
        assert np.abs(losses[1:] - threshold).min() > 1e-6, "choose another seed"


def invscaling(samples_per_epoch):
    rule = SGDOptimizer([], BASE, "invscaling", power_t=0.5)
    seen = []
    for epoch in range(EPOCHS):
        seen.append(rule.learning_rate)
        rule.iteration_ends((epoch + 1) * samples_per_epoch)
    return np.array(seen)


def adaptive(losses, n_iter_no_change, tol=1e-4):
    """The count is kept as MLPClassifier keeps it; the optimizer divides or asks to stop."""
    rule = SGDOptimizer([], BASE, "adaptive")
    best, count, seen = np.inf, 0, []
    for loss in losses:
        seen.append(rule.learning_rate)
        count = count + 1 if loss > best - tol else 0
        best = min(best, loss)
        if count > n_iter_no_change:
            if rule.trigger_stopping("", False):
                break
            count = 0
    return np.array(seen)


def plateau(optimizer):
    return lrs.ReduceLROnPlateau(optimizer, factor=0.5, patience=3, cooldown=2, min_lr=0.01)


if __name__ == "__main__":
    arrays = {}
    for name, (make_schedule, closed_form) in SCHEDULES.items():
        lr, momentum = rates(make_schedule)
        closed = np.array([closed_form(k) for k in range(EPOCHS)])
        off = np.abs(lr - closed).max()
        assert off < 1e-14, f"{name}: {off} from its closed form"
        arrays[f"{name}/lr"] = lr
        if name == "one_cycle":
            closed = [one_cycle(k, 0.95, 0.85, 0.95) for k in range(EPOCHS)]
            assert np.abs(momentum - closed).max() < 1e-14
            arrays[f"{name}/momentum"] = momentum

    losses = plateau_losses()
    assert_no_near_ties(losses)
    arrays["plateau/losses"] = losses
    arrays["plateau/lr"] = rates(plateau, losses)[0]
    arrays["plateau_default/lr"] = rates(lrs.ReduceLROnPlateau, losses)[0]
    arrays["invscaling/lr"] = invscaling(1)
    arrays["invscaling_samples/lr"] = invscaling(40)
    arrays["adaptive/lr"] = adaptive(losses, 10)
    arrays["adaptive_3/lr"] = adaptive(losses, 3)
    arrays["adaptive_stops/lr"] = adaptive(np.ones(EPOCHS), 3)

    steps = {
        "train_step": lambda o: lrs.StepLR(o, 10, 0.5),
        "train_warmup_cosine": lambda o: warmup_cosine(o, 50),
        "train_one_cycle": lambda o: lrs.OneCycleLR(o, max_lr=BASE, total_steps=50),
    }
    for name, make_schedule in steps.items():
        found = train(sgd, make_schedule)
        print(f"{name}: loss {found['losses'][0]:.6f} -> {found['losses'][-1]:.6f}")
        arrays |= prefixed(name, found)
    save("schedules", arrays)
