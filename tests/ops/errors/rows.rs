//! Minibatches: rows, slots and labels that are not there.

use wgrad::nn::{Loss, TargetKind};
use wgrad::op::{Op, Pick, Rows, StepArgs};
use wgrad::{Buffer, Device, Error};

use super::{assert_refused, at, buffers, dense_op, gradient_op, loss_op, with};

#[test]
fn a_minibatch_of_all_rows_has_the_rows_of_its_source() {
    let too_many = |buffer| Rows { source: at(buffer, 2, 3), pick: Pick::All, count: 4 };
    let cases = [
        with!(dense_op(), Dense { input: too_many(0) }),
        with!(gradient_op(), Gradient { input: too_many(0) }),
        with!(loss_op(), Loss { targets: too_many(2) }),
    ];
    for op in cases {
        assert_refused(&op, &StepArgs::default(), &["row 3", "there are 2"]);
    }
}

#[test]
fn a_step_stays_inside_the_data() {
    let args = |first_row, slot| StepArgs { first_row, slot, ..StepArgs::default() };
    let range = Rows { source: at(0, 6, 3), pick: Pick::Range, count: 4 };
    let order = Rows { source: at(0, 4, 3), pick: Pick::Order(at(5, 6, 1)), count: 4 };
    let labelled = Rows { source: at(2, 6, 3), ..range };
    for op in [
        with!(dense_op(), Dense { input: range }),
        with!(dense_op(), Dense { input: order }),
        with!(gradient_op(), Gradient { input: range }),
        with!(loss_op(), Loss { targets: labelled }),
        Op::Weigh {
            weights: Rows { source: at(0, 6, 1), ..range },
            mean: true,
            output: at(1, 4, 1),
        },
        Op::Gather { rows: order, first: 0, output: at(1, 4, 3) },
        Op::Scatter { input: at(0, 4, 3), output: at(1, 6, 3) },
    ] {
        assert_refused(&op, &args(3, 0), &["row 6", "there are 6"]);
        assert_refused(&op, &args(u32::MAX, 0), &["there are 6"]);
    }
    let record = Op::Record { scale: 1.0, row_losses: at(0, 4, 1), losses: at(1, 6, 1) };
    assert_refused(&record, &args(0, 6), &["6"]);
    assert_refused(&record, &args(0, u32::MAX), &["there are 6"]);
}

/// The CPU looks at every label; a GPU cannot stop to tell, so data are checked beforehand.
#[test]
fn the_cpu_names_a_label_that_is_no_class() {
    let device = Device::cpu();
    let buffers = buffers(&device);
    buffers[2].write(0, &[0u32, 2, 1, 7, 0, 0]).unwrap();
    let handles: Vec<&Buffer> = buffers.iter().collect();
    let labels = Rows { source: at(2, 6, 1), pick: Pick::Range, count: 4 };
    let op = with!(
        loss_op(),
        Loss { loss: Loss::CrossEntropy, kind: TargetKind::Labels, targets: labels }
    );
    let args = StepArgs { first_row: 1, ..StepArgs::default() };
    let error = device.execute(&op, &handles, &args).unwrap_err();
    assert_eq!(error, Error::Label { row: 3, label: 7, classes: 3 });
}

#[test]
fn the_cpu_names_a_row_that_is_not_there() {
    let device = Device::cpu();
    let buffers = buffers(&device);
    buffers[5].write(0, &[9u32, 0, 4, 1, 2]).unwrap();
    let handles: Vec<&Buffer> = buffers.iter().collect();
    let rows = |buffer| Rows { source: at(buffer, 4, 3), pick: Pick::Order(at(5, 5, 1)), count: 4 };
    let weights = |buffer| Rows { source: at(buffer, 4, 1), ..rows(buffer) };
    // The 9 lies before the minibatch, the 4 in it.
    let args = StepArgs { first_row: 1, ..StepArgs::default() };
    for op in [
        with!(dense_op(), Dense { input: rows(0) }),
        with!(gradient_op(), Gradient { input: rows(0) }),
        with!(loss_op(), Loss { targets: rows(2) }),
        Op::Weigh { weights: weights(0), mean: true, output: at(1, 4, 1) },
    ] {
        let message = device.execute(&op, &handles, &args).unwrap_err().to_string();
        assert!(message.contains("row 4") && message.contains("has 4"), "{message}");
        assert!(message.contains(op.name()), "{message}");
    }
}
