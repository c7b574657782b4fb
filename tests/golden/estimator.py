"""scikit-learn's MLPRegressor and MLPClassifier: exact runs, and scores over seeds.

    python tests/golden/estimator.py      about a minute

Exact runs (`CASE/...`): equal initial parameters, no shuffling, alpha 0, batches of 32 of 90 rows,
so that another implementation has to give the same loss curve and the same number of epochs.
scikit-learn itself, but for Adam's epsilon: added to sqrt(v / (1 - b2^t)) as in the paper's
algorithm 1 and in PyTorch, where scikit-learn adds it to sqrt(v). In float32 scikit-learn's loss
curves are within 2e-6 of these (relative) and its outputs within 5e-6; with its own epsilon within
3e-5 and 7e-5. (Where a unit of a ReLU network crosses zero in one run and not in the other, its own
epsilon can make a difference of 1e-2.)

Scores (`digits/...`, `friedman/...`): scikit-learn's defaults but for alpha 0, five seeds; a row
whose number divides by 5 is a test row. Digits: pixels / 16. Friedman's first problem: 600 rows,
noise 1, standardised with the training rows.
"""

import warnings
from unittest import mock

import numpy as np
from sklearn.datasets import make_friedman1
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.neural_network._stochastic_optimizers import AdamOptimizer
from sklearn.preprocessing import StandardScaler

from golden import ROOT, f32, initial_parameters, prefixed, save

EXACT = dict(batch_size=32, shuffle=False, alpha=0)
CASES = {
    "adam": (MLPRegressor, "tanh", dict(solver="adam", learning_rate_init=0.01, max_iter=60)),
    "sgd": (MLPRegressor, "tanh", dict(solver="sgd", learning_rate_init=0.02, max_iter=60)),
    "sgd_plain": (
        MLPRegressor,
        "relu",
        dict(solver="sgd", learning_rate_init=0.02, nesterovs_momentum=False, max_iter=40),
    ),
    "stops": (
        MLPRegressor,
        "tanh",
        dict(solver="adam", learning_rate_init=0.01, tol=0.01, n_iter_no_change=3, max_iter=200),
    ),
    "classes": (MLPClassifier, "relu", dict(solver="adam", learning_rate_init=0.01, max_iter=60)),
    "classes_sgd": (
        MLPClassifier,
        "logistic",
        dict(solver="sgd", learning_rate_init=0.5, max_iter=200, tol=0.001, n_iter_no_change=4),
    ),
}


def adam_of_the_paper(self, grads):
    """In place of AdamOptimizer._get_updates."""
    self.t += 1
    self.ms = [self.beta_1 * m + (1 - self.beta_1) * g for m, g in zip(self.ms, grads)]
    self.vs = [self.beta_2 * v + (1 - self.beta_2) * g**2 for v, g in zip(self.vs, grads)]
    rate = self.learning_rate_init / (1 - self.beta_1**self.t)
    change = 1 / np.sqrt(1 - self.beta_2**self.t)
    return [-rate * m / (np.sqrt(v) * change + self.epsilon) for m, v in zip(self.ms, self.vs)]


def begins_with(initial, model):
    """The model, with these parameters instead of random ones."""
    layers = iter(range(len(initial) // 2))

    def parameters(fan_in, fan_out, dtype):
        k = next(layers)
        return initial[f"layers.{k}.weight"].copy(), initial[f"layers.{k}.bias"].copy()

    model._init_coef = parameters
    return model


def exact(rng):
    arrays = {}
    x = f32(rng.normal(size=(90, 4)))
    # Three outputs: with two, the mean squared error's gradient would be scikit-learn's as it is.
    y = [np.sin(2 * x[:, 0]) + x[:, 1] * x[:, 2], 3 * np.abs(x[:, 3]), x[:, 0] * x[:, 3]]
    y = np.stack(y, axis=1)
    y = f32(y + 0.1 * rng.normal(size=y.shape))
    labels = np.digitize(x[:, 0] * x[:, 1] + 0.5 * x[:, 2], [-0.3, 0.3])
    arrays |= {"x": x, "y": y, "labels": labels}
    for case, (kind, activation, options) in CASES.items():
        target = labels if kind is MLPClassifier else y
        initial = initial_parameters(rng, (4, 12, 7, 3))
        model = kind(hidden_layer_sizes=(12, 7), activation=activation, **EXACT, **options)
        with mock.patch.object(AdamOptimizer, "_get_updates", adam_of_the_paper):
            model = begins_with(initial, model).fit(x, target)
        output = model.predict_proba(x) if kind is MLPClassifier else model.predict(x)
        arrays |= prefixed(f"{case}/init", initial)
        arrays |= {f"{case}/loss_curve": model.loss_curve_, f"{case}/output": output}
        arrays |= {f"{case}/score": model.score(x, target)}
        print(f"{case}: {model.n_iter_} epochs, loss {model.loss_:.4f}")
    return arrays


def scores(name, kind, x, y):
    test = np.arange(len(x)) % 5 == 0
    fits = [kind(alpha=0, random_state=seed).fit(x[~test], y[~test]) for seed in range(5)]
    tested = [fit.score(x[test], y[test]) for fit in fits]
    trained = [fit.score(x[~test], y[~test]) for fit in fits]
    epochs = [fit.n_iter_ for fit in fits]
    print(f"{name}: test {np.round(tested, 4)}, mean {np.mean(tested):.4f}, train "
          f"{np.mean(trained):.4f}, epochs {epochs}, loss {[round(f.loss_, 4) for f in fits]}")
    return {
        f"{name}/test": tested,
        f"{name}/train": trained,
        f"{name}/epochs": epochs,
        f"{name}/loss": [fit.loss_ for fit in fits],
    }


def over_seeds():
    with np.load(ROOT / "examples" / "data" / "digits.npz") as f:
        images, labels = f["images"], f["labels"]
    arrays = scores("digits", MLPClassifier, images.reshape(len(images), -1) / 16, labels)
    x, y = make_friedman1(600, noise=1.0, random_state=0)
    train = np.arange(len(x)) % 5 != 0
    x = f32(StandardScaler().fit(x[train]).transform(x))
    y = f32((y - y[train].mean()) / y[train].std())
    return arrays | {"friedman/x": x, "friedman/y": y} | scores("friedman", MLPRegressor, x, y)


if __name__ == "__main__":
    warnings.simplefilter("ignore", ConvergenceWarning)  # some are to end at max_iter
    save("estimator", exact(np.random.default_rng(11)) | over_seeds())
