//! Losses against PyTorch in float64 (`tests/golden/losses`): value and gradient under each
//! reduction, on every device.

use wgrad::Device;
use wgrad::nn::{Activation, Loss, LossReduction, TargetKind};
use wgrad::op::{Op, Rows, Shape, StepArgs, View};

use super::support::{Golden, assert_near};
use crate::common::devices;

/// The stored name, the loss, and whether its targets are labels.
const CASES: [(&str, Loss, TargetKind); 24] = {
    use TargetKind::{Labels, Values};
    [
        ("mse", Loss::Mse, Values),
        ("l1", Loss::Mae, Values),
        ("huber", Loss::Huber(1.5), Values),
        ("smooth_l1", Loss::SmoothL1(0.7), Values),
        ("half_squared", Loss::HalfSquared, Values),
        ("log_cosh", Loss::LogCosh, Values),
        ("quantile", Loss::Quantile(0.3), Values),
        ("chi_square", Loss::ChiSquare, Values),
        ("poisson_nll", Loss::Poisson, Values),
        ("bce", Loss::Bce, Values),
        ("bce_edge", Loss::Bce, Values),
        ("bce_with_logits", Loss::BceWithLogits, Values),
        ("bce_with_logits_edge", Loss::BceWithLogits, Values),
        ("bce_with_logits_weighted", Loss::BceWithLogits, Values),
        ("cross_entropy", Loss::CrossEntropy, Labels),
        ("cross_entropy_edge", Loss::CrossEntropy, Labels),
        ("cross_entropy_soft", Loss::CrossEntropy, Values),
        ("cross_entropy_smoothed", Loss::SmoothedCrossEntropy(0.1), Labels),
        ("cross_entropy_weighted", Loss::CrossEntropy, Labels),
        ("nll", Loss::Nll, Labels),
        ("kl_div", Loss::KlDivergence, Values),
        ("hinge", Loss::Hinge, Values),
        ("squared_hinge", Loss::SquaredHinge, Values),
        ("cosine_similarity", Loss::Cosine, Values),
    ]
};

/// The words of a stored case's operands.
struct Stored {
    input: Vec<f32>,
    shape: Shape,
    targets: Vec<f32>,
    /// What rows count, in one or two columns.
    weights: Option<(Vec<f32>, usize)>,
    positive: Option<Vec<f32>>,
}

impl Stored {
    fn read(golden: &Golden, name: &str, kind: TargetKind) -> Self {
        let input = golden.matrix(&format!("{name}/input"));
        let narrow = |values: Vec<f64>| -> Vec<f32> { values.iter().map(|&x| x as f32).collect() };
        let further = |key: &str| {
            let found = golden.under(&format!("{name}/")).into_iter().find(|(name, _)| name == key);
            found.map(|(_, array)| array.iter().copied().collect::<Vec<f64>>())
        };
        let targets = golden.values(&format!("{name}/target"));
        let of_label = |weights: Vec<f64>| -> Vec<f64> {
            targets.iter().map(|&label| weights[label as usize]).collect()
        };
        let by_sigma = |sigmas: Vec<f64>| -> Vec<f64> {
            sigmas.iter().flat_map(|sigma| [sigma.powi(-2), 1.0]).collect()
        };
        let weights = (further("weight").map(|weights| (narrow(of_label(weights)), 1)))
            .or_else(|| further("sigma").map(|sigmas| (narrow(by_sigma(sigmas)), 2)));
        Self {
            shape: Shape::new(input.nrows(), input.ncols()),
            input: input.into_iter().collect(),
            weights,
            positive: further("pos_weight").map(narrow),
            targets: match kind {
                TargetKind::Labels => targets.iter().map(|&t| f32::from_bits(t as u32)).collect(),
                TargetKind::Values => narrow(targets),
            },
        }
    }

    /// The loss and its gradient, by the ops that a training step has.
    fn run(
        &self,
        device: &Device,
        loss: Loss,
        kind: TargetKind,
        reduction: LossReduction,
    ) -> (f32, Vec<f32>) {
        let Shape { rows, cols } = self.shape;
        let (weights, weight_cols) = self.weights.clone().unwrap_or((vec![1.0; rows], 1));
        let positive = self.positive.clone().unwrap_or_else(|| vec![1.0; cols]);
        let words = [&self.input, &self.targets, &weights, &positive];
        let mut buffers: Vec<_> = words.map(|words| device.upload(words).unwrap()).into();
        for words in [rows, self.shape.len(), rows, 1] {
            buffers.push(device.allocate(words).unwrap());
        }
        let view = |buffer, rows, cols| View::new(buffer, Shape::new(rows, cols));
        let (column, scale) = (view(4, rows, 1), reduction.scale(loss, rows, cols) as f32);
        let (mean, row_losses) = (reduction != LossReduction::Sum, view(6, rows, 1));
        let weights = Rows::all(view(2, rows, weight_cols));
        let ops = [
            Op::Weigh { weights, mean, output: column },
            Op::Loss {
                loss,
                activation: Activation::Identity,
                scale,
                output: view(0, rows, cols),
                cached: None,
                targets: Rows::all(view(1, rows, kind.columns(cols))),
                kind,
                weights: self.weights.is_some().then_some(column),
                positive: self.positive.is_some().then_some(view(3, 1, cols)),
                delta: view(5, rows, cols),
                row_losses,
            },
            Op::Record { scale, row_losses, losses: view(7, 1, 1) },
        ];
        let list: Vec<_> = buffers.iter().collect();
        for op in ops {
            device.execute(&op, &list, &StepArgs::default()).unwrap();
        }
        (buffers[7].read::<f32>().unwrap()[0], buffers[5].read().unwrap())
    }
}

#[test]
fn losses_and_their_gradients_are_pytorchs() {
    let golden = Golden::read("losses");
    for (name, loss, kind) in CASES {
        let stored = Stored::read(&golden, name, kind);
        let keys = ["mean", "sum", "batchmean"];
        for (reduction, key) in LossReduction::ALL.into_iter().zip(keys) {
            let there = golden.under(&format!("{name}/"));
            let rows = stored.shape.rows as f64;
            // PyTorch knows `batchmean` for some losses only: it is the sum over the rows.
            let (key, share) = match there.iter().any(|(name, _)| name == key) {
                true => (key, 1.0),
                // With class weights the rows count as their weights say.
                false if name == "cross_entropy_weighted" => ("mean", 1.0),
                false => ("sum", rows.recip()),
            };
            let value = golden.values(&format!("{name}/{key}"))[0] * share;
            let gradient = golden.values(&format!("{name}/grad_{key}"));
            let gradient: Vec<f64> = gradient.iter().map(|g| g * share).collect();
            let largest = gradient.iter().fold(0.0f64, |largest, g| largest.max(g.abs()));
            for device in devices() {
                let (got, delta) = stored.run(device, loss, kind, reduction);
                let context = format!("{name}, {reduction} on {device}");
                assert_near(&context, &[got], &[value], 2e-6, 1e-7);
                let context = format!("gradient of {context}");
                assert_near(context, &delta, &gradient, 4e-6, 2e-7 * largest);
            }
        }
    }
}
