//! Operands that are not there, or in each other's way.

use wgrad::op::{Op, Pick, Rows, StepArgs};
use wgrad::optim::{Adam, Lamb, Sgd};
use wgrad::{Buffer, Error};

use super::{
    WORDS, assert_refused, at, backward_op, binary_op, dense_op, direction_op, gradient_op,
    loss_op, refused, update_op, with,
};
use crate::common::devices;

#[test]
fn operands_must_lie_in_their_buffers() {
    let fill = |output| Op::Fill { value: 1.0, output };
    let none = StepArgs::default();
    assert_refused(&fill(at(0, 8, 8).at(1)), &none, &["`output`", "word 65", "buffer 0", "64"]);
    assert_refused(&fill(at(0, usize::MAX, 2)), &none, &["`output`", "buffer 0"]);
    assert_refused(&fill(at(0, 2, 2).at(usize::MAX)), &none, &["`output`", "buffer 0"]);
    assert_refused(&fill(at(9, 2, 2)), &none, &["`output`", "buffer 9"]);
    assert_refused(&with!(dense_op(), Dense { weight: at(1, 3, 5).at(50) }), &none, &["`weight`"]);
    let order = Rows { source: at(0, 4, 3), pick: Pick::Order(at(5, 65, 1)), count: 4 };
    assert_refused(&with!(dense_op(), Dense { input: order }), &none, &["`order`", "buffer 5"]);
}

#[test]
fn operands_must_have_elements() {
    for output in [at(0, 0, 3), at(0, 3, 0)] {
        let error = refused(&Op::Fill { value: 1.0, output }, &StepArgs::default());
        assert_eq!(error, Error::Empty { what: "fill", shape: output.shape });
    }
}

#[test]
fn no_buffer_is_both_read_and_written() {
    let none = StepArgs::default();
    let one = binary_op(at(0, 2, 3), at(1, 2, 3), at(1, 2, 3).at(32));
    assert_refused(&one, &none, &["buffer 1", "`b`", "`output`"]);
    assert_refused(
        &with!(dense_op(), Dense { pre: Some(at(0, 4, 5)) }),
        &none,
        &["`input`", "`pre`"],
    );
    let order = Rows { source: at(0, 4, 3), pick: Pick::Order(at(4, 4, 1).at(40)), count: 4 };
    assert_refused(&with!(dense_op(), Dense { input: order }), &none, &["`order`", "`output`"]);
    assert_refused(&with!(loss_op(), Loss { delta: at(0, 4, 3).at(12) }), &none, &["`delta`"]);
}

#[test]
fn no_buffer_is_written_twice() {
    let none = StepArgs::default();
    let twice = with!(dense_op(), Dense { pre: Some(at(4, 4, 5).at(32)) });
    assert_refused(&twice, &none, &["buffer 4", "`pre`", "`output`"]);
    let twice = with!(loss_op(), Loss { row_losses: at(3, 4, 1).at(32) });
    assert_refused(&twice, &none, &["buffer 3", "`delta`", "`row_losses`"]);
    let twice = update_op(Adam::default(), [Some(at(2, 1, 9)), Some(at(2, 1, 9).at(16))]);
    assert_refused(&twice, &none, &["buffer 2", "`first`", "`second`"]);
}

/// Two handles of one memory are one buffer, whatever their numbers.
#[test]
fn no_buffer_is_read_and_written_by_two_names() {
    for device in devices() {
        let (one, two) = (device.allocate(WORDS).unwrap(), device.allocate(WORDS).unwrap());
        let execute =
            |op: &Op, buffers: &[&Buffer]| device.execute(op, buffers, &StepArgs::default());
        let op = Op::Transpose { input: at(0, 2, 3), output: at(1, 3, 2) };
        let error = execute(&op, &[&one, &one.clone()]).unwrap_err();
        assert!(error.to_string().contains("transpose"), "{error}");
        // Reading by two names is nothing to refuse.
        let op = binary_op(at(0, 2, 3), at(1, 2, 3), at(2, 2, 3));
        execute(&op, &[&one, &one, &two]).unwrap();
    }
}

#[test]
fn a_derivative_needs_what_it_is_computed_from() {
    let none = StepArgs::default();
    assert_refused(&with!(loss_op(), Loss { cached: None }), &none, &["tanh", "cache"]);
    assert_refused(&with!(backward_op(), Backward { cached: None }), &none, &["tanh", "cache"]);
}

#[test]
fn an_optimizer_needs_its_moments() {
    let none = StepArgs::default();
    let moment = Some(at(2, 1, 9));
    let momentum = Sgd::new(0.1).momentum(0.9);
    assert_refused(&update_op(momentum, [None, None]), &none, &["needs 1", "got 0"]);
    assert_refused(&update_op(Sgd::new(0.1), [moment, None]), &none, &["needs 0", "got 1"]);
    assert_refused(&update_op(Adam::default(), [moment, None]), &none, &["needs 2", "got 1"]);
    assert_refused(&update_op(momentum, [None, moment]), &none, &["moments"]);
    // A rule takes its step by the instruction that is its own.
    let two = [Some(at(2, 1, 9)), Some(at(3, 1, 9))];
    assert_refused(&update_op(Lamb::default(), two), &none, &["lamb", "`direction`"]);
    let adam = with!(direction_op(), Direction { optimizer: Adam::default().into() });
    assert_refused(&adam, &none, &["adam", "`update`"]);
}

#[test]
fn weight_and_bias_gradients_share_a_buffer() {
    let op = with!(gradient_op(), Gradient { bias: Some(at(3, 1, 5)) });
    assert_refused(&op, &StepArgs::default(), &["one buffer"]);
}

#[test]
fn buffers_must_be_on_the_device() {
    let [cpu, gpu] = devices() else { return };
    let (here, there) = (cpu.allocate(WORDS).unwrap(), gpu.allocate(WORDS).unwrap());
    let op = Op::Transpose { input: at(0, 2, 3), output: at(1, 3, 2) };
    for device in [cpu, gpu] {
        let error = device.execute(&op, &[&here, &there], &StepArgs::default()).unwrap_err();
        assert!(matches!(error, Error::DeviceMismatch { op: "transpose", .. }), "{error}");
    }
}
