"""scikit-learn's MLPRegressor and MLPClassifier with an L2 penalty: exact runs.

    python tests/golden/estimator_alpha.py     seconds; writes tests/golden/estimator_alpha.npz

As the exact runs of estimator.py (same data, Adam as in the paper), but with alpha 0.5, large enough
to be seen, and batches of 30 of the 90 rows: scikit-learn divides the penalty by the rows of each
minibatch, so that all of them have to be equal. The penalty is on weights alone. `CASE/output` is
what the model predicts, `CASE/free` what the same model predicts with alpha 0.
"""

import warnings
from unittest import mock

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.neural_network._stochastic_optimizers import AdamOptimizer

from estimator import adam_of_the_paper, begins_with
from golden import HERE, initial_parameters, prefixed, save

SETTINGS = dict(batch_size=30, shuffle=False, max_iter=30, tol=0.0, n_iter_no_change=1000)
CASES = {
    "adam": (MLPRegressor, "tanh", dict(solver="adam", learning_rate_init=0.01)),
    "sgd": (MLPRegressor, "tanh", dict(solver="sgd", learning_rate_init=0.02)),
    "classes": (MLPClassifier, "logistic", dict(solver="sgd", learning_rate_init=0.2)),
}


def fit(case, initial, x, target, alpha):
    kind, activation, options = CASES[case]
    model = kind(hidden_layer_sizes=(12, 7), activation=activation, alpha=alpha, **SETTINGS, **options)
    with mock.patch.object(AdamOptimizer, "_get_updates", adam_of_the_paper):
        model = begins_with(initial, model).fit(x, target)
    return model.predict_proba(x) if kind is MLPClassifier else model.predict(x)


if __name__ == "__main__":
    warnings.simplefilter("ignore", ConvergenceWarning)
    with np.load(HERE / "estimator.npz") as stored:
        x, y, labels = stored["x"], stored["y"], stored["labels"].astype(int)
    rng, arrays = np.random.default_rng(12), {}
    for case, (kind, _, _) in CASES.items():
        initial = initial_parameters(rng, (4, 12, 7, 3))
        target = labels if kind is MLPClassifier else y
        output, free = (fit(case, initial, x, target, alpha) for alpha in (0.5, 0))
        print(f"{case}: alpha moves the outputs by up to {np.abs(output - free).max():.3f}")
        arrays |= prefixed(f"{case}/init", initial)
        arrays |= {f"{case}/output": output, f"{case}/free": free}
    save("estimator_alpha", arrays)
