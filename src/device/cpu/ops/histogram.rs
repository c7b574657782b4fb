//! Histograms.

use crate::device::cpu::memory::Bank;
use crate::op::View;

pub(super) fn execute(input: View, bounds: View, output: View, bank: &mut Bank) {
    bank.write(output, |bank, out| {
        let counts: &mut [u32] = bytemuck::must_cast_slice_mut(out);
        let &[low, high] = bank.read(bounds) else { return };
        counts.fill(0);
        if !(low.is_finite() && high.is_finite()) {
            return;
        }
        // By halves: the difference of two finite numbers may be infinite.
        let width = 0.5 * high - 0.5 * low;
        let (bins, last) = (counts.len() as f32, counts.len() - 1);
        for &x in bank.read(input).iter().filter(|&&x| low <= x && x <= high) {
            let share = if width < f32::MIN_POSITIVE { 0.0 } else { (0.5 * x - 0.5 * low) / width };
            counts[((share * bins) as usize).min(last)] += 1;
        }
    });
}
