//! What `Device::execute` refuses, on every device, and what its messages say.

use wgrad::nn::{Activation, Loss, TargetKind};
use wgrad::op::{Axis, BinaryOp, Op, Pick, Reduction, Rows, Shape, StepArgs, View};
use wgrad::optim::{Adam, Lamb, Optimizer, Sgd};
use wgrad::{Buffer, Device, Error};

use crate::common::devices;

/// The words of each of a case's buffers: more than any operand here needs.
const WORDS: usize = 64;

/// A view at the start of a buffer.
fn at(buffer: usize, rows: usize, cols: usize) -> View {
    View::new(buffer, Shape::new(rows, cols))
}

fn buffers(device: &Device) -> Vec<Buffer> {
    (0..6).map(|_| device.allocate(WORDS).unwrap()).collect()
}

/// The error that an op ends with, the same on every device.
fn refused(op: &Op, args: &StepArgs) -> Error {
    let errors: Vec<Error> = (devices().iter())
        .map(|device| {
            let buffers = buffers(device);
            let result = device.execute(op, &buffers.iter().collect::<Vec<_>>(), args);
            result.expect_err(&format!("{device} executed {op:?}"))
        })
        .collect();
    assert!(errors.windows(2).all(|pair| pair[0] == pair[1]), "{errors:?}");
    errors[0].clone()
}

/// Asserts that the op is refused with a message that holds its name and each of `parts`.
#[track_caller]
fn assert_refused(op: &Op, args: &StepArgs, parts: &[&str]) {
    let message = refused(op, args).to_string();
    for part in parts.iter().chain(&[op.name()]) {
        assert!(message.contains(part), "`{message}` does not hold `{part}`, for {op:?}");
    }
}

/// A well-formed loss of a (4, 3) output; each case spoils one operand.
fn loss_op() -> Op {
    Op::Loss {
        loss: Loss::Mse,
        activation: Activation::Tanh,
        scale: 1.0,
        output: at(0, 4, 3),
        cached: Some(at(1, 4, 3)),
        targets: Rows::all(at(2, 4, 3)),
        kind: TargetKind::Values,
        weights: None,
        positive: None,
        delta: at(3, 4, 3),
        row_losses: at(4, 4, 1),
    }
}

macro_rules! with {
    ($op:expr, $variant:ident { $($field:ident: $value:expr),* }) => {{
        let mut op = $op;
        if let Op::$variant { $($field,)* .. } = &mut op {
            $(*$field = $value;)*
        }
        op
    }};
}

fn dense_op() -> Op {
    Op::Dense {
        input: Rows::all(at(0, 4, 3)),
        weight: at(1, 3, 5),
        bias: Some(at(2, 1, 5)),
        activation: Activation::Relu,
        pre: Some(at(3, 4, 5)),
        output: at(4, 4, 5),
    }
}

fn backward_op() -> Op {
    Op::Backward {
        delta: at(0, 4, 5),
        weight: at(1, 3, 5),
        activation: Activation::Tanh,
        cached: Some(at(2, 4, 3)),
        output: at(3, 4, 3),
    }
}

fn gradient_op() -> Op {
    Op::Gradient {
        accumulate: false,
        input: Rows::all(at(0, 4, 3)),
        delta: at(1, 4, 5),
        weight: at(2, 3, 5),
        bias: Some(at(2, 1, 5).at(15)),
    }
}

fn update_op(optimizer: impl Into<Optimizer>, moments: [Option<View>; 2]) -> Op {
    Op::Update {
        optimizer: optimizer.into(),
        rate_factor: 1.0,
        parameters: at(0, 1, 9),
        gradients: at(1, 1, 9),
        moments: [moments[0], moments[1], None],
    }
}

fn direction_op() -> Op {
    Op::Direction {
        optimizer: Lamb::default().into(),
        parameters: at(0, 1, 9),
        gradients: at(1, 1, 9),
        moments: [Some(at(2, 1, 9)), Some(at(3, 1, 9)), None],
    }
}

fn trust_step_op() -> Op {
    Op::TrustStep {
        rate_factor: 1.0,
        parameters: at(0, 3, 3),
        direction: at(1, 3, 3),
        parameter_norm: at(2, 1, 1),
        direction_norm: at(2, 1, 1).at(16),
    }
}

fn matmul_op(a: View, b: View, transpose_a: bool, transpose_b: bool, output: View) -> Op {
    Op::Matmul { a, b, transpose_a, transpose_b, output }
}

fn binary_op(a: View, b: View, output: View) -> Op {
    Op::Binary { op: BinaryOp::Add, a, b, output }
}

/// What every case below starts from is itself accepted.
#[test]
fn well_formed_ops_are_executed() {
    for device in devices() {
        let buffers = buffers(device);
        let buffers: Vec<&Buffer> = buffers.iter().collect();
        let moments = [Some(at(2, 1, 9)), Some(at(3, 1, 9))];
        for op in [
            loss_op(),
            dense_op(),
            backward_op(),
            gradient_op(),
            update_op(Adam::default(), moments),
            direction_op(),
            trust_step_op(),
            matmul_op(at(0, 3, 2), at(1, 3, 4), true, false, at(2, 2, 4)),
            binary_op(at(0, 2, 3), at(1, 1, 3), at(2, 2, 3)),
        ] {
            device.execute(&op, &buffers, &StepArgs::default()).unwrap();
        }
    }
}

#[test]
fn shapes_that_do_not_fit_are_named() {
    let column = |reduction| Op::Reduce {
        reduction,
        axis: Axis::Rows,
        input: at(0, 4, 3),
        output: at(1, 1, 3),
    };
    let rows = |count| Rows { source: at(0, 4, 3), pick: Pick::Range, count };
    let activation = Activation::Tanh;
    let cases: Vec<(Op, [&str; 2])> = vec![
        (matmul_op(at(0, 2, 3), at(1, 4, 5), false, false, at(2, 2, 5)), ["(2, 3)", "(4, 5)"]),
        // The shapes after transposing.
        (matmul_op(at(0, 3, 2), at(1, 4, 5), true, false, at(2, 2, 5)), ["(2, 3)", "(4, 5)"]),
        (matmul_op(at(0, 2, 3), at(1, 5, 4), false, true, at(2, 2, 5)), ["(2, 3)", "(4, 5)"]),
        (matmul_op(at(0, 2, 3), at(1, 3, 5), false, false, at(2, 2, 4)), ["(2, 4)", "(2, 5)"]),
        (binary_op(at(0, 2, 3), at(1, 3, 2), at(2, 2, 3)), ["(2, 3)", "(3, 2)"]),
        // Only the second operand is repeated.
        (binary_op(at(0, 1, 3), at(1, 2, 3), at(2, 2, 3)), ["(1, 3)", "(2, 3)"]),
        (binary_op(at(0, 2, 3), at(1, 2, 3), at(2, 3, 2)), ["(3, 2)", "(2, 3)"]),
        (
            Op::Scalar { op: BinaryOp::Add, a: at(0, 2, 3), scalar: 1.0, output: at(1, 3, 2) },
            ["(3, 2)", "(2, 3)"],
        ),
        (
            Op::Activate { activation, input: at(0, 2, 3), output: at(1, 6, 1) },
            ["(6, 1)", "(2, 3)"],
        ),
        (
            Op::Differentiate { activation, input: at(0, 2, 3), output: at(1, 2, 2) },
            ["(2, 2)", "(2, 3)"],
        ),
        (
            Op::Softmax { logarithm: false, input: at(0, 2, 3), output: at(1, 2, 4) },
            ["(2, 4)", "(2, 3)"],
        ),
        (
            Op::Softmax { logarithm: true, input: at(0, 2, 3), output: at(1, 1, 3) },
            ["(1, 3)", "(2, 3)"],
        ),
        (column(Reduction::Sum), ["(1, 3)", "(4, 1)"]),
        (column(Reduction::Argmax), ["(1, 3)", "(4, 1)"]),
        (Op::Transpose { input: at(0, 2, 3), output: at(1, 2, 3) }, ["(2, 3)", "(3, 2)"]),
        (Op::Gather { rows: rows(2), first: 0, output: at(1, 2, 4) }, ["(2, 4)", "(2, 3)"]),
        (Op::Gather { rows: rows(2), first: 0, output: at(1, 3, 3) }, ["(3, 3)", "(2, 3)"]),
        (Op::Scatter { input: at(0, 2, 3), output: at(1, 5, 4) }, ["(2, 3)", "(5, 4)"]),
        (
            Op::Mismatch {
                a: at(0, 2, 3),
                b: at(1, 1, 3),
                relative: 0.0,
                absolute: 0.0,
                output: at(2, 1, 1),
            },
            ["(2, 3)", "(1, 3)"],
        ),
        (
            Op::Mismatch {
                a: at(0, 2, 3),
                b: at(1, 2, 3),
                relative: 0.0,
                absolute: 0.0,
                output: at(2, 1, 2),
            },
            ["(1, 2)", "(1, 1)"],
        ),
        (
            Op::Histogram { input: at(0, 2, 3), bounds: at(1, 2, 1), output: at(2, 1, 8) },
            ["(2, 1)", "(1, 2)"],
        ),
        (
            Op::Histogram { input: at(0, 2, 3), bounds: at(1, 1, 2), output: at(2, 8, 1) },
            ["(8, 1)", "(1, 1024)"],
        ),
        (with!(dense_op(), Dense { weight: at(1, 2, 5) }), ["(4, 3)", "(2, 5)"]),
        (with!(dense_op(), Dense { bias: Some(at(2, 5, 1)) }), ["(5, 1)", "(1, 5)"]),
        (with!(dense_op(), Dense { pre: Some(at(3, 4, 4)) }), ["(4, 4)", "(4, 5)"]),
        (with!(dense_op(), Dense { output: at(4, 3, 5) }), ["(3, 5)", "(4, 5)"]),
        (with!(loss_op(), Loss { targets: Rows::all(at(2, 4, 1)) }), ["(4, 3)", "(4, 1)"]),
        (with!(loss_op(), Loss { targets: Rows::all(at(2, 3, 3)) }), ["(4, 3)", "(3, 3)"]),
        (
            with!(loss_op(), Loss { loss: Loss::CrossEntropy, kind: TargetKind::Labels }),
            ["(4, 3)", "(4, 3)"],
        ),
        (with!(loss_op(), Loss { weights: Some(at(5, 3, 1)) }), ["(3, 1)", "(4, 1)"]),
        (
            with!(loss_op(), Loss { loss: Loss::BceWithLogits, positive: Some(at(5, 1, 2)) }),
            ["(1, 2)", "(1, 3)"],
        ),
        (
            Op::Weigh { weights: Rows::all(at(0, 4, 3)), mean: true, output: at(1, 4, 1) },
            ["(4, 3)", "(4, 1)"],
        ),
        (
            Op::Weigh { weights: Rows::all(at(0, 4, 2)), mean: true, output: at(1, 3, 1) },
            ["(3, 1)", "(4, 1)"],
        ),
        (with!(loss_op(), Loss { cached: Some(at(1, 3, 4)) }), ["(3, 4)", "(4, 3)"]),
        (with!(loss_op(), Loss { delta: at(3, 4, 2) }), ["(4, 2)", "(4, 3)"]),
        (with!(loss_op(), Loss { row_losses: at(4, 1, 4) }), ["(1, 4)", "(4, 1)"]),
        (
            Op::Record { scale: 1.0, row_losses: at(0, 1, 4), losses: at(1, 2, 1) },
            ["(1, 4)", "(2, 1)"],
        ),
        (with!(backward_op(), Backward { weight: at(1, 3, 4) }), ["(4, 5)", "(3, 4)"]),
        (with!(backward_op(), Backward { cached: Some(at(2, 4, 2)) }), ["(4, 2)", "(4, 3)"]),
        (
            with!(backward_op(), Backward { cached: Some(at(2, 4, 2)), output: at(3, 4, 2) }),
            ["(4, 2)", "(4, 3)"],
        ),
        (with!(gradient_op(), Gradient { delta: at(1, 3, 5) }), ["(4, 3)", "(3, 5)"]),
        (with!(gradient_op(), Gradient { bias: Some(at(2, 1, 4).at(15)) }), ["(1, 4)", "(1, 5)"]),
        (with!(gradient_op(), Gradient { weight: at(2, 5, 5) }), ["(5, 5)", "(3, 5)"]),
        (
            with!(update_op(Sgd::default(), [None, None]), Update { gradients: at(1, 1, 8) }),
            ["(1, 8)", "(1, 9)"],
        ),
        (with!(direction_op(), Direction { gradients: at(1, 1, 8) }), ["(1, 8)", "(1, 9)"]),
        (with!(trust_step_op(), TrustStep { direction: at(1, 1, 9) }), ["(1, 9)", "(3, 3)"]),
        (with!(trust_step_op(), TrustStep { direction_norm: at(3, 1, 2) }), ["(1, 2)", "(1, 1)"]),
        (update_op(Adam::default(), [Some(at(2, 1, 9)), Some(at(3, 3, 3))]), ["(3, 3)", "(1, 9)"]),
    ];
    for (op, shapes) in cases {
        assert!(matches!(refused(&op, &StepArgs::default()), Error::Shape { .. }), "{op:?}");
        assert_refused(&op, &StepArgs::default(), &shapes);
    }
}

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
