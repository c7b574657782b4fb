//! What the strategies share that run a whole step in kernels of their own (`persistent`, `two_pass`).
//!
//! What they run is read out of the programs (`read`) as a `plan`, which stays the specification. Its
//! kernels are text: `wgsl` has the formulas, reduced to what the plan needs (`specialize`). `step` is
//! what changes from launch to launch.

pub(super) mod places;
pub(super) mod plan;
mod read;
mod specialize;
pub(super) mod step;
pub(super) mod wgsl;

use super::kernels::Target;

/// Whether an adapter has so many storage buffers for one kernel.
///
/// # Errors
/// Otherwise that it has not.
pub(super) fn check_buffers(count: usize, target: Target) -> Result<(), String> {
    let most = target.max_buffers;
    if count > most {
        return Err(format!("it needs {count} storage buffers, and the adapter has {most}"));
    }
    Ok(())
}
