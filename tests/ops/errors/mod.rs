//! What `Device::execute` refuses, on every device, and what its messages say.

mod buffers;
mod rows;
mod shapes;

use wgrad::nn::{Activation, Loss, TargetKind};
use wgrad::op::{BinaryOp, Op, Rows, Shape, StepArgs, View};
use wgrad::optim::{Adam, Lamb, Optimizer};
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

/// An op with some fields of its variant spoilt.
macro_rules! with {
    ($op:expr, $variant:ident { $($field:ident: $value:expr),* }) => {{
        let mut op = $op;
        if let Op::$variant { $($field,)* .. } = &mut op {
            $(*$field = $value;)*
        }
        op
    }};
}
use with;

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
