"""Statistics of every quantity of every layer of a network on one batch, PyTorch and numpy.

    python tests/golden/trace.py       writes tests/golden/trace.npz

7-16-9-4 with tanh, relu, sigmoid and the mean squared error on 60 rows. The first layer's weights are
three times as large, so that some of its units are saturated. For layer k and quantity Q (`input`,
`pre_activation`, `output`, `delta` = dL/dz, `weight`, `weight_gradient`) `k/Q` holds the array
itself, `k/Q/statistics` mean, std, min, max and the share of zeros, `k/Q/histogram` the counts in 32
bins from min to max; `k/saturated` is the share of |phi'(z)| <= 0.01 (relu: = 0).
"""

import numpy as np
import torch

from golden import f32, initial_parameters, save

WIDTHS, ROWS, BINS = [7, 16, 9, 4], 60, 32
ACTIVATIONS = [torch.tanh, torch.relu, torch.sigmoid]
SLOPES = [
    lambda z: 1 - np.tanh(z) ** 2,
    lambda z: (z > 0).astype(float),
    lambda z: 1 / (1 + np.exp(-z)) * (1 - 1 / (1 + np.exp(-z))),
]
LIMITS = [0.01, 0.0, 0.01]


def statistics(values):
    return [values.mean(), values.std(), values.min(), values.max(), (values == 0).mean()]


if __name__ == "__main__":
    rng = np.random.default_rng(31)
    x, target = f32(rng.normal(size=(ROWS, 7))), f32(rng.uniform(size=(ROWS, 4)))
    initial = initial_parameters(rng, WIDTHS)
    initial["layers.0.weight"] = f32(3 * initial["layers.0.weight"])
    parameters = {n: torch.tensor(p, requires_grad=True) for n, p in initial.items()}

    values, y = [], torch.tensor(x)
    for k, phi in enumerate(ACTIVATIONS):
        before = y
        z = before @ parameters[f"layers.{k}.weight"] + parameters[f"layers.{k}.bias"]
        z.retain_grad()
        y = phi(z)
        values.append({"input": before, "pre_activation": z, "output": y})
    loss = torch.nn.functional.mse_loss(y, torch.tensor(target))
    loss.backward()

    arrays = {"x": x, "target": target, "loss": loss.item()}
    arrays |= {f"init/{name}": value for name, value in initial.items()}
    for k, layer in enumerate(values):
        weight = parameters[f"layers.{k}.weight"]
        layer |= {"delta": layer["pre_activation"].grad, "weight": weight, "weight_gradient": weight.grad}
        for name, tensor in layer.items():
            array = tensor.detach().numpy()
            arrays[f"{k}/{name}"] = array
            arrays[f"{k}/{name}/statistics"] = statistics(array)
            arrays[f"{k}/{name}/histogram"] = np.histogram(array, BINS)[0]
        slope = SLOPES[k](layer["pre_activation"].detach().numpy())
        arrays[f"{k}/saturated"] = (np.abs(slope) <= LIMITS[k]).mean()
        print(k, arrays[f"{k}/saturated"], arrays[f"{k}/output/statistics"])
    save("trace", arrays)
