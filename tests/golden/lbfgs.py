"""Full-batch L-BFGS on the problem of optimizers.py, in float64: the loss that it comes to.

    python tests/golden/lbfgs.py               seconds; writes tests/golden/lbfgs.npz

torch.optim.LBFGS with strong Wolfe line search, history 10, on all 40 rows as one batch, from the
initial parameters of optimizers.npz. `losses[k]` is the loss after `iterations[k]` iterations, each
run anew: PyTorch's goes astray if it is called again for each iteration.
`least_squares/x`, `y` are a linear regression with noise, `weight` and `bias` its closed form
(numpy's lstsq).
"""

import numpy as np
import torch
import torch.nn.functional as F

from golden import IDENTITY, Mlp, f32, save
from optimizers import problem

ITERATIONS = [0, 10, 20, 40, 60]


def loss_after(iterations):
    initial, x, target = problem()
    net = Mlp(initial, [torch.tanh, torch.sigmoid, IDENTITY])
    x, target = torch.tensor(x), torch.tensor(target)
    optimizer = torch.optim.LBFGS(
        net.parameters.values(), max_iter=iterations, max_eval=10_000, history_size=10,
        line_search_fn="strong_wolfe", tolerance_grad=0, tolerance_change=0,
    )

    def closure():
        optimizer.zero_grad()
        loss = F.mse_loss(net(x), target)
        loss.backward()
        return loss

    if iterations:
        optimizer.step(closure)
    return closure().item()


def least_squares():
    rng = np.random.default_rng(8)
    x = f32(rng.normal(size=(60, 5)) * [1, 3, 0.3, 1, 1] + [0, 1, 0, -2, 0])
    y = f32(x @ rng.normal(size=(5, 2)) + [0.5, -1] + 0.1 * rng.normal(size=(60, 2)))
    solution = np.linalg.lstsq(np.hstack([x, np.ones((60, 1))]), y, rcond=None)[0]
    return {"x": x, "y": y, "weight": solution[:5], "bias": solution[5]}


if __name__ == "__main__":
    found = [loss_after(k) for k in ITERATIONS]
    print(dict(zip(ITERATIONS, found)))
    arrays = {"iterations": ITERATIONS, "losses": found}
    save("lbfgs", arrays | {f"least_squares/{k}": v for k, v in least_squares().items()})
