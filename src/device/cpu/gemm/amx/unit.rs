//! The matrix unit: whether it is there, and its configuration.

use super::TILE;
use std::arch::asm;
use std::arch::x86_64::{__cpuid, __cpuid_count};
use std::marker::PhantomData;
use std::sync::OnceLock;

/// The tile registers, configured for this thread until this is dropped.
pub(super) struct Unit {
    /// A thread's registers are its own.
    thread: PhantomData<*const ()>,
}

/// What `ldtilecfg` reads.
#[repr(C, align(64))]
struct Configuration {
    palette: u8,
    start_row: u8,
    reserved: [u8; 14],
    bytes_per_row: [u16; 16],
    rows: [u8; 16],
}

impl Unit {
    /// Configures all eight registers as tiles of 16 rows of 64 bytes.
    ///
    /// # Safety
    /// [`is_there`].
    pub(super) unsafe fn configure() -> Self {
        let used = |i: usize| i < 8;
        let configuration = Configuration {
            palette: 1,
            start_row: 0,
            reserved: [0; 14],
            bytes_per_row: std::array::from_fn(|i| if used(i) { 64 } else { 0 }),
            rows: std::array::from_fn(|i| if used(i) { TILE as u8 } else { 0 }),
        };
        // SAFETY: the unit is there, says the caller, and the configuration is a valid one. No tile
        // register is in use, as they are only inside of a block of assembly.
        unsafe {
            asm!("ldtilecfg [{}]", in(reg) &raw const configuration, options(nostack, readonly));
        }
        Self { thread: PhantomData }
    }
}

impl Drop for Unit {
    fn drop(&mut self) {
        // SAFETY: there is a `Unit`, so the instruction exists; nothing is kept in tiles.
        unsafe { asm!("tilerelease", options(nostack, nomem)) }
    }
}

/// Whether this process may use the unit.
pub(in super::super) fn is_there() -> bool {
    static THERE: OnceLock<bool> = OnceLock::new();
    *THERE.get_or_init(|| {
        // Bits of CPUID's leaf 7: AMX-BF16 and AMX-TILE.
        const NEEDED: u32 = 1 << 22 | 1 << 24;
        std::is_x86_feature_detected!("avx512f")
            && __cpuid(0).eax >= 7
            && __cpuid_count(7, 0).edx & NEEDED == NEEDED
            && may_use_tiles()
    })
}

/// Asks the system to keep the tile registers of this process's threads, which it does on demand.
#[cfg(target_os = "linux")]
fn may_use_tiles() -> bool {
    // From the kernel's asm/prctl.h, and the number of the state component TILEDATA.
    const ARCH_REQ_XCOMP_PERM: libc::c_long = 0x1023;
    const TILEDATA: libc::c_long = 18;
    // SAFETY: this call changes nothing but the permission, and takes two numbers.
    unsafe { libc::syscall(libc::SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, TILEDATA) == 0 }
}

/// Other systems were not tried.
#[cfg(not(target_os = "linux"))]
fn may_use_tiles() -> bool {
    false
}
