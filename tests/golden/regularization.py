"""Fifty training steps with each kind of regularisation, in float64.

    python tests/golden/regularization.py      writes tests/golden/regularization.npz

Network, data and batches of optimizers.py; SGD with learning rate 0.1 and momentum 0.9. Keys are
`NAME/P`, P a parameter after 50 steps, and `NAME/losses`, without penalties:

    l1            0.003 sum |w| over weights is added to the loss
    l2            0.02 / 2 sum w^2 over weights is added to the loss
    l2_biases     the same over weights and biases
    clip_value    torch.nn.utils.clip_grad_value_(all, 0.01)
    clip_layer    torch.nn.utils.clip_grad_norm_ of each layer's weight and bias to 0.05
    clip_global   torch.nn.utils.clip_grad_norm_ of all parameters to 0.1
    max_norm      after each step torch.renorm of each weight to 0.6 by units (columns)
    average       torch.optim.swa_utils' exponential moving average with decay 0.9, from the initial
                  parameters on (`use_buffers` plays no part); P is the average
    accumulate    gradients of 4 batches of 2 rows make one step: a batch of 8
"""

import torch
import torch.nn.functional as F
from torch.optim.swa_utils import get_ema_multi_avg_fn

from golden import IDENTITY, Mlp, minibatches, prefixed, save
from optimizers import BATCH_SIZE, STEPS, problem


def weights(net):
    return [p for name, p in net.parameters.items() if name.endswith("weight")]


def layers(net):
    found = {}
    for name, p in net.parameters.items():
        found.setdefault(name.rsplit(".", 1)[0], []).append(p)
    return found.values()


def l1(net):
    return 0.003 * sum(w.abs().sum() for w in weights(net))


def l2(net):
    return 0.01 * sum((w**2).sum() for w in weights(net))


def l2_biases(net):
    return 0.01 * sum((p**2).sum() for p in net.parameters.values())


def clip_value(net):
    torch.nn.utils.clip_grad_value_(list(net.parameters.values()), 0.01)


def clip_layer(net):
    for layer in layers(net):
        torch.nn.utils.clip_grad_norm_(layer, 0.05)


def clip_global(net):
    torch.nn.utils.clip_grad_norm_(list(net.parameters.values()), 0.1)


@torch.no_grad()
def max_norm(net):
    for w in weights(net):
        w.copy_(torch.renorm(w, p=2, dim=1, maxnorm=0.6))


def train(penalty=None, clip=None, limit=None, decay=None, parts=1):
    initial, x, target = problem()
    net = Mlp(initial, [torch.tanh, torch.sigmoid, IDENTITY])
    x, target = torch.tensor(x), torch.tensor(target)
    parameters = list(net.parameters.values())
    optimizer = torch.optim.SGD(parameters, lr=0.1, momentum=0.9, foreach=False)
    averages = [p.detach().clone() for p in parameters]
    losses = []
    for rows in minibatches(len(x), BATCH_SIZE, STEPS):
        optimizer.zero_grad()
        total = 0.0
        for part in range(parts):
            size = BATCH_SIZE // parts
            some = slice(rows.start + part * size, rows.start + (part + 1) * size)
            loss = F.mse_loss(net(x[some]), target[some])
            total += loss.item() / parts
            ((loss + (penalty(net) if penalty else 0.0)) / parts).backward()
        losses.append(total)
        if clip:
            clip(net)
        optimizer.step()
        if limit:
            limit(net)
        if decay is not None:
            get_ema_multi_avg_fn(decay)(averages, [p.detach() for p in parameters], 1)
    if decay is not None:
        with torch.no_grad():
            for p, average in zip(parameters, averages):
                p.copy_(average)
    return net.snapshot() | {"losses": losses}


RUNS = {
    "l1": dict(penalty=l1),
    "l2": dict(penalty=l2),
    "l2_biases": dict(penalty=l2_biases),
    "clip_value": dict(clip=clip_value),
    "clip_layer": dict(clip=clip_layer),
    "clip_global": dict(clip=clip_global),
    "max_norm": dict(limit=max_norm),
    "average": dict(decay=0.9),
    "accumulate": dict(parts=4),
}

if __name__ == "__main__":
    plain = train()
    arrays = {}
    for name, options in RUNS.items():
        found = train(**options)
        moved = max(abs(found[p] - plain[p]).max() for p in found if p != "losses")
        print(f"{name:12} loss {found['losses'][-1]:.6f}, {moved:.1e} from plain SGD")
        assert moved > 1e-3 or name == "accumulate", "it must make a difference"
        arrays |= prefixed(name, found)
    save("regularization", arrays, bits=36)
