//! What an adapter and its driver cost, measured once and kept (`probes`, `store`), and the choice of a
//! strategy by it (`rule`).

mod demand;
mod probes;
mod rule;
mod store;

pub(super) use self::demand::{Sizes, program};
pub(super) use self::rule::{Demand, choose};
use self::store::Store;
use super::Shared;
use crate::device::Calibration;

/// The calibration of an adapter: from its file, or measured. A driver on which that fails is given the
/// typical numbers, as training may work for all that.
pub(super) fn find(shared: &Shared) -> Calibration {
    let info = &shared.context.info;
    // There is no clock, and nobody may wait.
    if cfg!(target_family = "wasm") {
        return Calibration::typical(info.kind);
    }
    let store = Store::of(info);
    if let Some(kept) = store.load() {
        return kept;
    }
    let Ok(measured) = probes::measure(shared) else { return Calibration::typical(info.kind) };
    let rounded = measured.rounded();
    // Without a file the next process measures again.
    store.save(rounded).ok();
    rounded
}

#[cfg(test)]
mod tests {
    use super::super::adapter;
    use super::probes;
    use crate::device::Device;

    #[test]
    fn an_adapter_is_measured_in_times_that_are_positive() {
        if Device::gpu().is_err() {
            return;
        }
        let mut shared = adapter::fresh().unwrap();
        // As it is, and as if it were of another kind.
        for _ in 0..2 {
            let measured = probes::measure(&shared).unwrap();
            measured.check().unwrap();
            measured.rounded().check().unwrap();
            // Less than a hundredth of a second each, or the unit is wrong.
            assert!(measured.named().iter().all(|(_, time)| *time < 1e-2), "{measured}");
            shared.target.software = !shared.target.software;
        }
    }

    #[test]
    fn a_device_keeps_its_calibration() {
        let Ok(device) = Device::gpu() else { return };
        let calibration = device.calibration().unwrap();
        assert_eq!(device.calibration(), Some(calibration));
        assert_eq!(calibration, calibration.rounded());
    }
}
