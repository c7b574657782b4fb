//! Initial parameters: moments of large matrices against theory, and what is promised of each.

use ndarray::Array2;
use wgrad::nn::{Activation, Fan, Init};
use wgrad::{Device, Error, Mlp};

const INPUTS: usize = 400;
const OUTPUTS: usize = 250;

/// The weight of a layer with these inputs and outputs.
fn weight(init: Init, [inputs, outputs]: [usize; 2]) -> Array2<f32> {
    let mlp = Mlp::builder(inputs).output(outputs).weight_init(init).seed(3).build(&Device::cpu());
    mlp.unwrap().parameter("layers.0.weight").unwrap().into_dimensionality().unwrap()
}

/// Fails unless mean and standard deviation are near the theory's: five standard errors.
fn check_moments(init: &Init, mean: f64, deviation: f64) {
    let values = weight(init.clone(), [INPUTS, OUTPUTS]).mapv(f64::from);
    let count = values.len() as f64;
    let got = values.mean().unwrap();
    assert!((got - mean).abs() <= 5.0 * deviation / count.sqrt(), "{init:?}: mean {got}");
    let got = values.mapv(|x| (x - mean).powi(2)).mean().unwrap().sqrt();
    assert!((got / deviation - 1.0).abs() <= 5.0 / count.sqrt(), "{init:?}: {got}, {deviation}");
}

#[test]
fn moments_are_those_of_theory() {
    let (n_in, n_out) = (INPUTS as f64, OUTPUTS as f64);
    let glorot = (2.0 / (n_in + n_out)).sqrt();
    let relu = Activation::Relu.gain();
    let gain = f64::from(relu);
    let cases = [
        (Init::Default, 0.0, 1.0 / (3.0 * n_in).sqrt()),
        (Init::GlorotUniform, 0.0, glorot),
        (Init::GlorotNormal, 0.0, glorot),
        (Init::HeUniform, 0.0, (2.0 / n_in).sqrt()),
        (Init::HeNormal, 0.0, (2.0 / n_in).sqrt()),
        (Init::LeCunUniform, 0.0, (1.0 / n_in).sqrt()),
        (Init::LeCunNormal, 0.0, (1.0 / n_in).sqrt()),
        (Init::XavierUniform(0.5), 0.0, 0.5 * glorot),
        (Init::XavierNormal(3.0), 0.0, 3.0 * glorot),
        (Init::KaimingUniform { fan: Fan::In, gain: relu }, 0.0, gain / n_in.sqrt()),
        (Init::KaimingUniform { fan: Fan::Out, gain: relu }, 0.0, gain / n_out.sqrt()),
        (Init::KaimingNormal { fan: Fan::In, gain: relu }, 0.0, gain / n_in.sqrt()),
        (Init::KaimingNormal { fan: Fan::Out, gain: relu }, 0.0, gain / n_out.sqrt()),
        (Init::UniformBetween { low: -1.0, high: 5.0 }, 2.0, 3f64.sqrt()),
        (Init::NormalAround { mean: -2.0, deviation: 0.5 }, -2.0, 0.5),
        // Within two deviations of the mean 0.8796 of the deviation is left.
        (truncated(1.0, 2.0, [-3.0, 5.0]), 1.0, 2.0 * 0.879_625_7),
        // The half normal distribution.
        (truncated(0.0, 1.0, [0.0, 30.0]), 0.797_884_6, 0.602_810_3),
        // A tail: mean phi(4)/(1 - Phi(4)), variance 1 + 4 mean - mean^2.
        (truncated(0.0, 1.0, [4.0, 90.0]), 4.225_607_1, 0.216_039_0),
        // So narrow that it is uniform.
        (truncated(0.0, 100.0, [1.0, 2.0]), 1.5, 1.0 / 12f64.sqrt()),
    ];
    for (init, mean, deviation) in cases {
        check_moments(&init, mean, deviation);
    }
}

fn truncated(mean: f32, deviation: f32, [low, high]: [f32; 2]) -> Init {
    Init::TruncatedNormal { mean, deviation, low, high }
}

#[test]
fn truncated_values_stay_within_their_bounds() {
    for range in [[-3.0, 5.0], [0.0, 30.0], [4.0, 90.0], [-0.1, 0.1], [-9.0, -8.5]] {
        let values = weight(truncated(0.5, 1.5, range), [INPUTS, OUTPUTS]);
        assert!(values.iter().all(|x| (range[0]..=range[1]).contains(x)), "{range:?}");
    }
}

#[test]
fn orthogonal_vectors_are_orthonormal_times_the_gain() {
    for shape in [[60, 60], [150, 40], [40, 150], [1, 7], [7, 1]] {
        let gain = 1.5;
        let matrix = weight(Init::Orthogonal(gain), shape).mapv(f64::from);
        let tall = shape[0] > shape[1];
        let product = if tall { matrix.t().dot(&matrix) } else { matrix.dot(&matrix.t()) };
        for ((i, j), x) in product.indexed_iter() {
            let truth = if i == j { f64::from(gain * gain) } else { 0.0 };
            assert!((x - truth).abs() < 1e-5, "{shape:?} at ({i}, {j}): {x}");
        }
    }
    // Every direction is equally likely: a first vector is no axis, and signs differ.
    let matrix = weight(Init::Orthogonal(1.0), [60, 60]);
    let positive = matrix.iter().filter(|&&x| x > 0.0).count();
    assert!((1_600..2_000).contains(&positive), "{positive} of 3,600 are positive");
}

#[test]
fn sparse_weights_have_their_zeros() {
    for (sparsity, zeros) in [(0.0, 0), (0.1, 3), (0.5, 13), (1.0, 25)] {
        let matrix = weight(Init::Sparse { sparsity, deviation: 0.01 }, [300, 25]);
        for row in matrix.rows() {
            assert_eq!(row.iter().filter(|&&x| x == 0.0).count(), zeros, "{sparsity}");
        }
        let count = 300 * (25 - zeros);
        let squares: f64 = matrix.iter().map(|&x| f64::from(x).powi(2)).sum();
        let deviation = (squares / (count as f64).max(1.0)).sqrt();
        assert!(count == 0 || (deviation / 0.01 - 1.0).abs() < 0.05, "{deviation}");
    }
    // Columns are hit alike.
    let matrix = weight(Init::Sparse { sparsity: 0.5, deviation: 1.0 }, [1_000, 10]);
    for column in matrix.columns() {
        let zeros = column.iter().filter(|&&x| x == 0.0).count();
        assert!((400..600).contains(&zeros), "{zeros}");
    }
}

#[test]
fn constants_and_biases() {
    assert!(weight(Init::ZEROS, [3, 4]).iter().all(|&x| x == 0.0));
    assert!(weight(Init::ONES, [3, 4]).iter().all(|&x| x == 1.0));
    let mlp = Mlp::builder(4)
        .output(9)
        .weight_init(Init::ONES)
        .bias_init(Init::UniformBetween { low: 2.0, high: 3.0 })
        .build(&Device::cpu())
        .unwrap();
    let bias = mlp.parameter("layers.0.bias").unwrap();
    assert!(bias.len() == 9 && bias.iter().all(|x| (2.0..3.0).contains(x)));
    assert!(mlp.parameter("layers.0.weight").unwrap().iter().all(|&x| x == 1.0));
}

#[test]
fn gains_are_pytorchs() {
    let near = |activation: Activation, gain: f32| {
        assert!((activation.gain() - gain).abs() < 1e-6, "{activation}");
    };
    near(Activation::Identity, 1.0);
    near(Activation::Sigmoid, 1.0);
    near(Activation::Tanh, 5.0 / 3.0);
    near(Activation::Relu, 2f32.sqrt());
    near(Activation::LeakyRelu(0.2), 1.386_750_5);
    near(Activation::Selu, 0.75);
}

#[test]
fn numbers_out_of_range_build_no_network() {
    let nan = f32::NAN;
    let wrong = [
        Init::Normal(nan),
        Init::Uniform(f32::INFINITY),
        Init::XavierNormal(nan),
        Init::Orthogonal(f32::INFINITY),
        Init::KaimingUniform { fan: Fan::In, gain: nan },
        Init::UniformBetween { low: 1.0, high: 0.0 },
        Init::UniformBetween { low: nan, high: 0.0 },
        Init::NormalAround { mean: 0.0, deviation: -1.0 },
        truncated(0.0, 1.0, [1.0, 1.0]),
        truncated(0.0, 0.0, [0.0, 1.0]),
        truncated(0.0, 1.0, [-f32::INFINITY, 1.0]),
        Init::Sparse { sparsity: 1.5, deviation: 1.0 },
        Init::Sparse { sparsity: nan, deviation: 1.0 },
        Init::Sparse { sparsity: 0.5, deviation: -1.0 },
    ];
    for init in wrong {
        let built = Mlp::builder(3).output(2).weight_init(init.clone()).build(&Device::cpu());
        let error = built.unwrap_err();
        assert!(matches!(error, Error::Argument { .. }), "{init:?}: {error}");
        assert!(error.to_string().contains("layers.0.weight"), "{error}");
    }
}
