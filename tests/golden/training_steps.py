"""Ten training steps of four small networks, in float64 with PyTorch's autograd and optimizers.

    python tests/golden/training_steps.py      writes tests/golden/training_steps.npz

Rows are taken in order, `batch_size` at a time, and from the top again after the last row;
a loss is the mean over the rows at hand, so that a short last batch divides by its own size.

    name            widths    activations              loss           optimizer           rows,batch
    regression      7-13-5-3  tanh, sigmoid, identity  MSE            SGD 0.1, nesterov   40, 8
    classification  10-16-4   relu, identity           cross-entropy  Adam 0.01           48, 16
    no_bias         5-8-1     tanh, sigmoid            MSE            SGD 0.25            30, 10
    short_batch     6-9-2     relu, identity           MSE            SGD 0.05, momentum  22, 8

Momentum is 0.9 in both. `no_bias` has no `layers.0.bias`; `short_batch` runs batches of 8, 8, 6.
MSE is the mean over rows and outputs; cross-entropy is log-softmax + NLL on integer
labels, mean over rows. Adam has PyTorch's defaults: betas (0.9, 0.999), eps 1e-8.
"""

import numpy as np
import torch
import torch.nn.functional as F

from golden import IDENTITY, Mlp, f32, initial_parameters, minibatches, prefixed, save

STEPS = 10


def run(net, loss_fn, optimizer, x, target, batch_size):
    """Trains `net` for STEPS steps; returns everything a test compares."""
    x, target = torch.tensor(x), torch.tensor(target)
    found = prefixed("init", net.snapshot())
    losses = []
    for step, rows in enumerate(minibatches(len(x), batch_size, STEPS), start=1):
        optimizer.zero_grad()
        loss = loss_fn(net(x[rows]), target[rows])
        loss.backward()
        losses.append(loss.item())
        if step == 1:
            found |= prefixed("grad1", net.gradients())
        optimizer.step()
        if step in (1, STEPS):
            found |= prefixed(f"after{step}", net.snapshot())
    return found | {
        "x": x.numpy(),
        "target": target.numpy(),
        "batch_size": batch_size,
        "losses": losses,
    }


def sgd(lr, **options):
    return lambda p: torch.optim.SGD(p, lr=lr, foreach=False, **options)


def adam(lr):
    return lambda p: torch.optim.Adam(p, lr=lr, foreach=False)


def regression():
    rng = np.random.default_rng(1)
    net = Mlp(initial_parameters(rng, [7, 13, 5, 3]), [torch.tanh, torch.sigmoid, IDENTITY])
    x, target = f32(rng.standard_normal((40, 7))), f32(rng.standard_normal((40, 3)))
    return net, F.mse_loss, sgd(0.1, momentum=0.9, nesterov=True), x, target, 8


def classification():
    rng = np.random.default_rng(2)
    net = Mlp(initial_parameters(rng, [10, 16, 4]), [torch.relu, IDENTITY])
    x, labels = f32(rng.standard_normal((48, 10))), rng.integers(0, 4, 48)
    return net, F.cross_entropy, adam(0.01), x, labels, 16


def no_bias():
    rng = np.random.default_rng(3)
    params = initial_parameters(rng, [5, 8, 1], biased=[False, True])
    net = Mlp(params, [torch.tanh, torch.sigmoid])
    x, target = f32(rng.standard_normal((30, 5))), f32(rng.uniform(0, 1, (30, 1)))
    return net, F.mse_loss, sgd(0.25), x, target, 10


def short_batch():
    rng = np.random.default_rng(4)
    net = Mlp(initial_parameters(rng, [6, 9, 2]), [torch.relu, IDENTITY])
    x, target = f32(rng.standard_normal((22, 6))), f32(rng.standard_normal((22, 2)))
    return net, F.mse_loss, sgd(0.05, momentum=0.9), x, target, 8


if __name__ == "__main__":
    arrays = {}
    for network in (regression, classification, no_bias, short_batch):
        net, loss_fn, optimizer, x, target, batch_size = network()
        optimizer = optimizer(list(net.parameters.values()))
        arrays |= prefixed(network.__name__, run(net, loss_fn, optimizer, x, target, batch_size))
    save("training_steps", arrays)
