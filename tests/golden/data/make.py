"""Makes the fixtures of tests/data.rs: NumPy files of every kind, and scikit-learn's scalers.

Run: python tests/golden/data/make.py (numpy 2.4, scikit-learn 1.9)
"""

from pathlib import Path

import numpy as np
from sklearn.preprocessing import MinMaxScaler, StandardScaler

HERE = Path(__file__).resolve().parent

# One array for each type that is read, in both byte orders, as `<i4` -> key "little_i4".
# The values run 0, 1, 2 ... with the type's own extremes at the ends.
arrays = {"bool": np.array([[False, True, True], [True, False, False]])}
for kind in ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "f4", "f8"]:
    for name, order in [("little", "<"), ("big", ">")]:
        values = np.arange(6).reshape(2, 3).astype(kind)
        limits = np.finfo(kind) if kind[0] == "f" else np.iinfo(kind)
        values[0, 0], values[1, 2] = limits.min, limits.max
        arrays[f"{name}_{kind}"] = values.astype(order + kind)
arrays["little_u8"] = np.arange(6, dtype="<u8").reshape(2, 3)
arrays["big_u8"] = np.arange(6, dtype=">u8").reshape(2, 3)
arrays["scalar"] = np.array(2.5, dtype="<f8")
arrays["none"] = np.zeros((0, 3), dtype="<f4")
np.savez(HERE / "types.npz", **arrays)
np.savez_compressed(HERE / "types_compressed.npz", **arrays)

np.save(HERE / "fortran.npy", np.asfortranarray(np.arange(24, dtype=np.float64).reshape(2, 3, 4)))
np.save(HERE / "too_large.npy", np.array([1, 2**63], dtype=np.uint64))
np.save(HERE / "half.npy", np.zeros(3, dtype=np.float16))
np.save(HERE / "text.npy", np.array(["a", "b"]))
np.save(HERE / "structured.npy", np.zeros(2, dtype=[("a", "<f4"), ("b", "<i4", (2,))]))
np.save(HERE / "pickled.npy", np.array([{}, None], dtype=object), allow_pickle=True)

# A data set with a text array beside it, which must not be in the way.
np.savez(
    HERE / "with_names.npz",
    data=np.asfortranarray(np.arange(12, dtype=np.float32).reshape(2, 3, 2)),
    target=np.array([[2], [0]]),
    target_names=np.array(["a", "b", "c"]),
)

# Columns: random, far from zero, constant (0.1 is not exact), nearly constant, huge, tiny.
rng = np.random.default_rng(0)
x = np.stack(
    [
        rng.normal(size=40),
        1e4 + rng.normal(size=40),
        np.full(40, 0.1),
        1.0 + 1e-6 * rng.normal(size=40),
        1e20 * rng.normal(size=40),
        1e-20 * rng.normal(size=40),
    ],
    axis=1,
).astype(np.float32)
standard = StandardScaler().fit(x.astype(np.float64))
min_max = MinMaxScaler(feature_range=(-1, 2)).fit(x.astype(np.float64))
np.savez(
    HERE / "scalers.npz",
    x=x,
    standard_mean=standard.mean_,
    standard_scale=standard.scale_,
    standard=standard.transform(x.astype(np.float64)),
    min_max_scale=min_max.scale_,
    min_max_offset=min_max.min_,
    min_max=min_max.transform(x.astype(np.float64)),
)
