//! Buffers used beyond their end, or larger than a device allows. Instructions that do not fit are in
//! `tests/ops/errors.rs`.

use wgrad::Error;

use crate::common::devices;

use super::refused;

#[test]
fn buffers_used_beyond_their_end() {
    for device in devices() {
        let buffer = device.allocate(6).unwrap();
        refused(buffer.read_range::<f32>(2..7), &["read", "2..7", "has 6"]);
        #[allow(clippy::reversed_empty_ranges, reason = "a mistake that a caller can make")]
        let reversed = 4..2;
        refused(buffer.read_range::<f32>(reversed), &["read", "4..2", "has 6"]);
        refused(buffer.write(4, &[0.0f32; 3]), &["write", "4..7", "has 6"]);
        refused(buffer.write(usize::MAX, &[0.0f32; 3]), &["write", "has 6"]);
        refused(buffer.write(0, &[0u8; 3]), &["write", "4-byte words"]);
        buffer.write(6, &[0.0f32; 0]).unwrap();
    }
}

#[test]
fn buffers_larger_than_memory() {
    for device in devices() {
        // The second leaves a 64-bit address space only in bytes.
        for words in [usize::MAX, usize::MAX / 4] {
            let error = refused(device.allocate(words), &[&device.to_string()]);
            assert!(matches!(error, Error::TooLarge { .. } | Error::Device { .. }), "{error:?}");
        }
    }
}
