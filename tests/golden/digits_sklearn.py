"""scikit-learn's accuracies on the example data, for comparison. Prints; writes nothing.

    python tests/golden/digits_sklearn.py      a minute or two

digits: 64-100-10, ReLU, Adam 0.001, batch 32, at most 200 epochs with scikit-learn's stopping
rule (tol 1e-4, 10 epochs), alpha 1e-4, pixels / 16; the seed s draws the 80/20 split and the
weights. MNIST: 784-50-10, ReLU, SGD lr 0.01, momentum 0.9, batch 64, 10 epochs, alpha 1e-4;
the first 5,000 rows train, the rest test, standardised with the training part's mean and
deviation (a constant pixel is divided by 1).
"""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

from golden import ROOT

DATA = ROOT / "examples" / "data"


def load(name):
    with np.load(DATA / name) as f:
        images, labels = f["images"], f["labels"]
    return images.reshape(len(images), -1).astype(np.float64), labels


def digits():
    x, labels = load("digits.npz")
    x /= 16
    scores = []
    for seed in range(5):
        x_train, x_test, y_train, y_test = train_test_split(
            x, labels, test_size=0.2, random_state=seed
        )
        mlp = MLPClassifier(100, batch_size=32, solver="adam", random_state=seed)
        mlp.fit(x_train, y_train)
        scores.append(mlp.score(x_test, y_test))
        print(f"digits, seed {seed}: test {scores[-1]:.4f} after {mlp.n_iter_} epochs")
    print(f"digits: mean test accuracy {np.mean(scores):.4f}, deviation {np.std(scores):.4f}")


def mnist(nesterov):
    x, labels = load("mnist_10k.npz")
    scaler = StandardScaler().fit(x[:5000])
    x_train, x_test = scaler.transform(x[:5000]), scaler.transform(x[5000:])
    name = "nesterov" if nesterov else "heavy ball"
    scores = []
    for seed in range(3):
        mlp = MLPClassifier(
            50,
            solver="sgd",
            learning_rate_init=0.01,
            momentum=0.9,
            nesterovs_momentum=nesterov,
            batch_size=64,
            max_iter=10,
            random_state=seed,
        ).fit(x_train, labels[:5000])
        scores.append([mlp.score(x_train, labels[:5000]), mlp.score(x_test, labels[5000:])])
        losses = " ".join(f"{v:.4f}" for v in mlp.loss_curve_)
        print(f"mnist, {name}, seed {seed}: train {scores[-1][0]:.4f}, test {scores[-1][1]:.4f}")
        print(f"    loss an epoch: {losses}")
    train, test = np.mean(scores, axis=0)
    print(f"mnist, {name}: mean train accuracy {train:.4f}, test {test:.4f}")


if __name__ == "__main__":
    warnings.simplefilter("ignore", ConvergenceWarning)  # ten epochs are what is asked for
    digits()
    for nesterov in (True, False):
        mnist(nesterov)
