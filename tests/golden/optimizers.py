"""Fifty training steps with every optimizer, in float64: the final parameters and all losses.

    python tests/golden/optimizers.py          writes tests/golden/optimizers.npz

The network is 7-13-5-3 (tanh, sigmoid, identity) with MSE, mean over rows and outputs; 40 rows
in order, 8 at a time, five batches an epoch, ten epochs. `losses[k]` is the batch's loss before
update k. Hyperparameters are PyTorch's defaults but for those written in RUNS. With the default
beta2 AMSGrad hardly differs from Adam in 50 steps, so it runs with a short memory as well.
To save space numbers are rounded to 36 bits (1.5e-11, relative); x, target, init stay exact.

PyTorch has no Lion and no LAMB; they are written out here, from their papers.

Lion (Chen et al. 2023, "Symbolic Discovery of Optimization Algorithms", algorithm 2), with
beta1 0.9, beta2 0.99, m_0 = 0, the same for every entry:

    c_t     = beta1 m_{t-1} + (1 - beta1) g_t
    theta_t = theta_{t-1} - lr (sign(c_t) + lambda theta_{t-1})
    m_t     = beta2 m_{t-1} + (1 - beta2) g_t

A sign is a step function: a program in float32 follows only while no c_t comes within its
rounding of zero. The script asserts that none does (least |c_t| against max |c_t| of its tensor).

LAMB (You et al. 2019, "Large Batch Optimization for Deep Learning", algorithm 2 of v3 and later),
with beta1 0.9, beta2 0.999, eps 1e-6, lambda 0.01, phi = identity, one trust ratio for each
parameter tensor (a weight, a bias), Euclidean norms:

    m_t     = beta1 m_{t-1} + (1 - beta1) g_t          m^ = m_t / (1 - beta1^t)
    v_t     = beta2 v_{t-1} + (1 - beta2) g_t^2        v^ = v_t / (1 - beta2^t)
    u       = m^ / (sqrt(v^) + eps) + lambda theta_{t-1}
    theta_t = theta_{t-1} - lr (|theta_{t-1}| / |u|) u

and the trust ratio |theta|/|u| is 1 where either norm is 0 (here none is).
"""

import numpy as np
import torch
import torch.nn.functional as F

from golden import IDENTITY, Mlp, f32, initial_parameters, minibatches, prefixed, save

STEPS, BATCH_SIZE = 50, 8


class Lion(torch.optim.Optimizer):
    least_margin = np.inf

    def __init__(self, params, lr, betas=(0.9, 0.99), weight_decay=0.0):
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            (beta1, beta2), lr = group["betas"], group["lr"]
            for p in group["params"]:
                m = self.state[p].setdefault("m", torch.zeros_like(p))
                c = beta1 * m + (1 - beta1) * p.grad
                Lion.least_margin = min(Lion.least_margin, (c.abs().min() / c.abs().max()).item())
                p.sub_(lr * (c.sign() + group["weight_decay"] * p))
                m.mul_(beta2).add_((1 - beta2) * p.grad)


class Lamb(torch.optim.Optimizer):
    def __init__(self, params, lr, betas=(0.9, 0.999), eps=1e-6, weight_decay=0.01):
        super().__init__(
            params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        )

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            (beta1, beta2), lr = group["betas"], group["lr"]
            for p in group["params"]:
                s = self.state[p]
                if not s:
                    s.update(t=0, m=torch.zeros_like(p), v=torch.zeros_like(p))
                s["t"] += 1
                s["m"] = beta1 * s["m"] + (1 - beta1) * p.grad
                s["v"] = beta2 * s["v"] + (1 - beta2) * p.grad**2
                m_hat = s["m"] / (1 - beta1 ** s["t"])
                v_hat = s["v"] / (1 - beta2 ** s["t"])
                u = m_hat / (v_hat.sqrt() + group["eps"]) + group["weight_decay"] * p
                p_norm, u_norm = p.norm(), u.norm()
                trust = p_norm / u_norm if p_norm > 0 and u_norm > 0 else 1.0
                p.sub_(lr * trust * u)


optim = torch.optim
RUNS = {
    "sgd": (optim.SGD, dict(lr=0.1)),
    "sgd_momentum": (optim.SGD, dict(lr=0.1, momentum=0.9)),
    "sgd_dampening": (optim.SGD, dict(lr=0.1, momentum=0.9, dampening=0.5)),
    "sgd_nesterov": (optim.SGD, dict(lr=0.1, momentum=0.9, nesterov=True)),
    "sgd_weight_decay": (optim.SGD, dict(lr=0.1, weight_decay=0.01)),
    "adam": (optim.Adam, dict(lr=0.01)),
    "adam_amsgrad": (optim.Adam, dict(lr=0.01, amsgrad=True)),
    "adam_amsgrad_betas": (optim.Adam, dict(lr=0.01, amsgrad=True, betas=(0.9, 0.8))),
    "adam_weight_decay": (optim.Adam, dict(lr=0.01, weight_decay=0.01)),
    "adamw": (optim.AdamW, dict(lr=0.01)),
    "nadam": (optim.NAdam, dict(lr=0.01)),
    "radam": (optim.RAdam, dict(lr=0.01)),
    "adamax": (optim.Adamax, dict(lr=0.01)),
    "rmsprop": (optim.RMSprop, dict(lr=0.01)),
    "rmsprop_centered": (optim.RMSprop, dict(lr=0.01, centered=True)),
    "rmsprop_momentum": (optim.RMSprop, dict(lr=0.001, momentum=0.9)),
    "adagrad": (optim.Adagrad, dict(lr=0.05)),
    "adadelta": (optim.Adadelta, dict(lr=1.0)),
    "lion": (Lion, dict(lr=0.003)),
    "lion_weight_decay": (Lion, dict(lr=0.003, weight_decay=0.01)),
    "lamb": (Lamb, dict(lr=0.01)),
}


def problem():
    """Targets are a smooth function of x with a little noise, so there is something to learn."""
    rng = np.random.default_rng(5)
    initial = initial_parameters(rng, [7, 13, 5, 3])
    x = f32(rng.standard_normal((40, 7)))
    mixed = np.sin(x @ rng.standard_normal((7, 3)) / 2)
    target = f32(mixed + 0.1 * rng.standard_normal((40, 3)))
    return initial, x, target


def train(make_optimizer, make_schedule=None):
    """Runs the steps; a schedule, where there is one, is stepped after every update."""
    initial, x, target = problem()
    net = Mlp(initial, [torch.tanh, torch.sigmoid, IDENTITY])
    x, target = torch.tensor(x), torch.tensor(target)
    optimizer = make_optimizer(list(net.parameters.values()))
    schedule = make_schedule(optimizer) if make_schedule else None
    losses = []
    for rows in minibatches(len(x), BATCH_SIZE, STEPS):
        optimizer.zero_grad()
        loss = F.mse_loss(net(x[rows]), target[rows])
        loss.backward()
        losses.append(loss.item())
        optimizer.step()
        if schedule:
            schedule.step()
    return net.snapshot() | {"losses": losses}


if __name__ == "__main__":
    initial, x, target = problem()
    arrays = {"x": x, "target": target, "batch_size": BATCH_SIZE} | prefixed("init", initial)
    for name, (cls, options) in RUNS.items():
        one_by_one = {} if cls in (Lion, Lamb) else {"foreach": False}
        found = train(lambda p: cls(p, **options, **one_by_one))
        print(f"{name:18} loss {found['losses'][0]:.6f} -> {found['losses'][-1]:.6f}")
        arrays |= prefixed(name, found)
    print(f"Lion: least |c| / max |c| = {Lion.least_margin:.1e}")
    assert Lion.least_margin > 1e-5, "choose another seed in problem()"
    save("optimizers", arrays, bits=36)
