//! What a training takes on the CPU: what it needs and some megabytes, and not a copy of anything.
//!
//! A binary of its own with a single test, as the heap's counter is the process's.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use ndarray::Array2;
use wgrad::{Activation, Adam, Dataset, Device, Loss, Mlp, Trainer};

/// The system's allocator, counting the bytes that are in use. Zeros that nobody has written take none: they
/// are counted by whoever looks at the process.
struct Counting;

static IN_USE: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);
