//! Numbers below the smallest normal one, 1.2e-38, which processors compute with in microcode: an
//! update of such moments takes 30 times as long, a product with such deltas 180 times.
//!
//! Training makes them for good: a moment whose gradient has become zero shrinks step by step until
//! rounding holds it at a few units of 1.4e-45. So the instructions that make them leave zeros
//! instead: moments, deltas, and outputs of activations that approach zero. GPUs do likewise. The
//! processor's own mode for this is out of reach: Rust takes it for granted that it is off.

/// Leaves zero for every number below the smallest normal one.
#[inline(always)]
pub(super) fn flush(values: &mut [f32]) {
    const EXPONENT: u32 = f32::INFINITY.to_bits();
    for value in values {
        // By bits, as a comparison of such numbers would be slow too.
        *value = if value.to_bits() & EXPONENT == 0 { 0.0 } else { *value };
    }
}

#[cfg(test)]
mod tests {
    use super::flush;

    #[test]
    fn only_subnormal_numbers_become_zero() {
        let least = f32::MIN_POSITIVE;
        let kept = [0.0, least, -least, 1.0, f32::MAX, f32::INFINITY, f32::NEG_INFINITY];
        let mut values = kept;
        flush(&mut values);
        assert_eq!(values, kept);
        let mut values = [least / 2.0, -least / 4.0, 1e-45, -0.0, f32::NAN];
        flush(&mut values);
        assert_eq!(values[..4].iter().map(|x| x.to_bits()).sum::<u32>(), 0);
        assert!(values[4].is_nan());
    }
}
