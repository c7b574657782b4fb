//! Learning rates over a training.
