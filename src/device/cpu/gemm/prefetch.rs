//! Asking for memory before it is needed, where no kernel does.

use super::kernel::LINE;

/// Asks for the lines of `len` floats, to come into the L2 cache. The floats need not be valid.
#[inline(always)]
pub(super) fn prefetch(at: *const f32, len: usize) {
    for line in (0..len).step_by(LINE) {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: a prefetch accesses nothing, and is part of x86_64.
        unsafe {
            use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
            _mm_prefetch::<_MM_HINT_T1>(at.wrapping_add(line).cast());
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = (at, line);
    }
}
