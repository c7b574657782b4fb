//! What the integration tests share: the devices of this machine, seeded values, comparison with
//! f64 (`compare`), the losses' formulas (`losses`), and a bench that runs one op under guard
//! (`bench`).

#![allow(dead_code, reason = "each test binary uses a part of it")]

pub mod activation;
pub mod bench;
pub mod compare;
pub mod folder;
pub mod losses;

use std::io::Write;
use std::sync::OnceLock;

use wgrad::Device;

/// The CPU and, where there is one, a GPU; each opened once a process.
///
/// Without a GPU a line on stderr says so; with `WGRAD_REQUIRE_GPU=1` that is a failure.
pub fn devices() -> &'static [Device] {
    static DEVICES: OnceLock<Vec<Device>> = OnceLock::new();
    DEVICES.get_or_init(|| {
        let required = std::env::var("WGRAD_REQUIRE_GPU").is_ok_and(|value| value == "1");
        let mut list = vec![Device::cpu()];
        match Device::gpu() {
            Ok(gpu) => list.push(gpu),
            Err(reason) if required => panic!("WGRAD_REQUIRE_GPU=1, but {reason}"),
            Err(reason) => {
                // Not eprintln!: the test harness hides what a passing test prints with it.
                let line = format!("the GPU part is skipped: {reason}\n");
                let _ = std::io::stderr().write_all(line.as_bytes());
            }
        }
        list
    })
}

/// Seeded numbers, by the splitmix64 generator (Steele, Lea and Flood, 2014).
pub struct Values(u64);

impl Values {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// `n` numbers uniform within `bound` of 0.
    pub fn within(&mut self, bound: f32, n: usize) -> Vec<f32> {
        let mut unit = || (self.next() >> 40) as f32 / (1u64 << 23) as f32 - 1.0;
        (0..n).map(|_| bound * unit()).collect()
    }

    /// `n` integers below `end`.
    pub fn below(&mut self, end: usize, n: usize) -> Vec<u32> {
        (0..n).map(|_| (self.next() % end as u64) as u32).collect()
    }
}
