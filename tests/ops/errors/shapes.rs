//! Operands whose shapes do not fit together.

use wgrad::Error;
use wgrad::nn::{Activation, Loss, TargetKind};
use wgrad::op::{Axis, BinaryOp, Op, Pick, Reduction, Rows, StepArgs};
use wgrad::optim::{Adam, Sgd};

use super::{
    assert_refused, at, backward_op, binary_op, dense_op, direction_op, gradient_op, loss_op,
    matmul_op, refused, trust_step_op, update_op, with,
};

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
