//! The estimators against scikit-learn: run by run where both start from the same weights, and by
//! their scores over seeds where each draws its own. The numbers are from `golden/estimator.py`.

mod common;

use std::collections::BTreeMap;

use common::devices;
use ndarray::{Array1, Array2, Axis, array, s};
use wgrad::data::{NpyArray, NpyValues, read_npz};
use wgrad::device::Strategy;
use wgrad::estimator::{EstimatorBuilder, MlpClassifier, MlpRegressor, Solver};
use wgrad::nn::Activation;
use wgrad::{Device, Error, Mlp};

/// scikit-learn's numbers, by key.
struct Golden(BTreeMap<String, NpyArray>);

impl Golden {
    fn read() -> Self {
        Self(read_npz("tests/golden/estimator.npz").unwrap())
    }

    /// The runs with a penalty.
    fn read_alpha() -> Self {
        Self(read_npz("tests/golden/estimator_alpha.npz").unwrap())
    }

    fn list(&self, key: &str) -> Vec<f64> {
        match self.0[key].values() {
            NpyValues::F64(values) => values.clone(),
            other => panic!("{key} holds {other:?}"),
        }
    }

    fn matrix(&self, key: &str) -> Array2<f64> {
        let shape = self.0[key].shape();
        Array2::from_shape_vec((shape[0], shape[1]), self.list(key)).unwrap()
    }

    fn labels(&self) -> Vec<u8> {
        self.list("labels").into_iter().map(|label| label as u8).collect()
    }

    /// The network that `case` begins with.
    fn initial(&self, case: &str, activation: Activation, device: &Device) -> Mlp {
        let builder = Mlp::builder(4).hidden(12, activation).hidden(7, activation);
        let mut mlp = builder.output(3).build(device).unwrap();
        for name in mlp.parameter_names() {
            let values = self.0[&format!("{case}/init/{name}")].clone();
            let shape = values.shape().to_vec();
            let values = ndarray::ArrayD::from_shape_vec(shape, values.into_f32()).unwrap();
            if name.ends_with("bias") {
                let values = values.into_dimensionality::<ndarray::Ix1>().unwrap();
                mlp.set_parameter(&name, &values).unwrap();
            } else {
                let values = values.into_dimensionality::<ndarray::Ix2>().unwrap();
                mlp.set_parameter(&name, &values).unwrap();
            }
        }
        mlp
    }
}

/// The settings of `EXACT` in `golden/estimator.py`.
fn exact<K>(builder: EstimatorBuilder<K>, start: &Mlp) -> EstimatorBuilder<K> {
    let builder = builder.hidden_layer_sizes([12, 7]).batch_size(32).shuffle(false).alpha(0.0);
    builder.warm_start(start).device(start.device())
}

/// Both lists are as long, and nowhere further apart than scikit-learn in float32 is from itself
/// in float64, times a few: 2e-5.
fn assert_near(what: &str, found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (at, (a, b)) in found.iter().zip(expected).enumerate() {
        let near = (a - b).abs() <= 2e-5 * b.abs().max(1.0);
        assert!(near, "{what}, {at}: {a}, scikit-learn has {b}");
    }
}

#[test]
fn a_regressor_takes_scikit_learns_steps_and_stops_where_it_does() {
    let golden = Golden::read();
    let (x, y) = (golden.matrix("x"), golden.matrix("y"));
    let (tanh, relu) = (Activation::Tanh, Activation::Relu);
    let adam = || MlpRegressor::builder().learning_rate_init(0.01);
    let sgd = || MlpRegressor::builder().solver(Solver::Sgd).learning_rate_init(0.02);
    for device in devices() {
        for (case, activation, builder, converged) in [
            ("adam", tanh, adam().max_iter(60), false),
            ("sgd", tanh, sgd().max_iter(60), false),
            ("sgd_plain", relu, sgd().nesterovs_momentum(false).max_iter(40), false),
            ("stops", tanh, adam().tol(0.01).n_iter_no_change(3), true),
        ] {
            let start = golden.initial(case, activation, device);
            let model = exact(builder, &start).activation(activation).fit(&x, &y).unwrap();
            let key = |name| format!("{case}/{name}");
            let what = format!("{case} on {device}");
            assert_near(&what, model.loss_curve(), &golden.list(&key("loss_curve")));
            assert_eq!((model.n_iter(), model.converged()), (model.loss_curve().len(), converged));
            let output: Vec<f64> = model.predict(&x).unwrap().iter().map(|&y| y.into()).collect();
            assert_near(&what, &output, &golden.list(&key("output")));
            assert_near(&what, &[model.score(&x, &y).unwrap()], &golden.list(&key("score")));
        }
    }
}

#[test]
fn a_classifier_takes_scikit_learns_steps_and_stops_where_it_does() {
    let golden = Golden::read();
    let (x, labels) = (golden.matrix("x"), golden.labels());
    let adam = MlpClassifier::builder().learning_rate_init(0.01).max_iter(60);
    let sgd = MlpClassifier::builder().solver(Solver::Sgd).learning_rate_init(0.5);
    let sgd = sgd.tol(0.001).n_iter_no_change(4);
    for device in devices() {
        for (case, activation, builder) in [
            ("classes", Activation::Relu, adam.clone()),
            ("classes_sgd", Activation::Sigmoid, sgd.clone()),
        ] {
            let start = golden.initial(case, activation, device);
            let model = exact(builder, &start).activation(activation).fit(&x, &labels).unwrap();
            let key = |name| format!("{case}/{name}");
            let what = format!("{case} on {device}");
            assert_near(&what, model.loss_curve(), &golden.list(&key("loss_curve")));
            let probabilities = model.predict_proba(&x).unwrap();
            let output: Vec<f64> = probabilities.iter().map(|&p| p.into()).collect();
            assert_near(&what, &output, &golden.list(&key("output")));
            let score = model.score(&x, &labels).unwrap();
            assert_eq!(score, golden.list(&key("score"))[0], "{what}");
        }
    }
}

/// Weights are drawn to 0 and biases are not; batches of 30 of the 90 rows, none short.
#[test]
fn alpha_penalises_weights_as_in_scikit_learn() {
    let (data, golden) = (Golden::read(), Golden::read_alpha());
    let (x, y, labels) = (data.matrix("x"), data.matrix("y"), data.labels());
    let tanh = Activation::Tanh;
    let sgd = || MlpRegressor::builder().solver(Solver::Sgd).learning_rate_init(0.02);
    for device in devices() {
        for (case, builder) in
            [("adam", MlpRegressor::builder().learning_rate_init(0.01)), ("sgd", sgd())]
        {
            let start = golden.initial(case, tanh, device);
            let builder = exact(builder, &start).activation(tanh).alpha(0.5).batch_size(30);
            let model = builder.max_iter(30).tol(0.0).n_iter_no_change(1000).fit(&x, &y).unwrap();
            let output: Vec<f64> = model.predict(&x).unwrap().iter().map(|&y| y.into()).collect();
            let want = golden.list(&format!("{case}/output"));
            assert_near(&format!("{case} on {device}"), &output, &want);
        }
        let start = golden.initial("classes", Activation::Sigmoid, device);
        let builder = MlpClassifier::builder().solver(Solver::Sgd).learning_rate_init(0.2);
        let builder = exact(builder, &start).activation(Activation::Sigmoid).batch_size(30);
        let builder = builder.alpha(0.5).max_iter(30).tol(0.0).n_iter_no_change(1000);
        let output = builder.fit(&x, &labels).unwrap().predict_proba(&x).unwrap();
        let output: Vec<f64> = output.iter().map(|&p| p.into()).collect();
        assert_near(&format!("classes on {device}"), &output, &golden.list("classes/output"));
    }
}

/// The rows that are not, and those that are, for testing.
fn divided<T: Clone>(rows: usize, values: impl Fn(usize) -> T) -> (Vec<T>, Vec<T>) {
    let (test, train): (Vec<_>, Vec<_>) = (0..rows).partition(|row| row % 5 == 0);
    let pick = |rows: Vec<usize>| rows.into_iter().map(&values).collect();
    (pick(train), pick(test))
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[test]
fn digits_are_classified_as_well_as_by_scikit_learn() {
    let golden = Golden::read();
    let digits = wgrad::Dataset::from_npz("examples/data/digits.npz").unwrap();
    let digits = digits.scaled(1.0 / 16.0).unwrap();
    let (train, test) = divided(digits.len(), |row| row);
    let (train, test) = (digits.select(&train).unwrap(), digits.select(&test).unwrap());
    let mut scores = Vec::new();
    for seed in 0..3 {
        let builder = MlpClassifier::builder().alpha(0.0).random_state(seed);
        let builder = builder.device(&Device::cpu());
        let labels = train.labels().unwrap();
        let model = builder.fit(&train.features(), labels).unwrap();
        assert_eq!((model.n_iter(), model.converged()), (200, false), "scikit-learn needs 200 too");
        // Its five losses lie between 0.0151 and 0.0189.
        assert!((0.010..0.025).contains(&model.loss()), "{}", model.loss());
        scores.push(model.score(&test.features(), test.labels().unwrap()).unwrap());
    }
    // Its five accuracies lie within 0.0084; a row of the test is 0.0028.
    let (found, expected) = (mean(&scores), mean(&golden.list("digits/test")));
    assert!((found - expected).abs() < 0.01, "{scores:?}, scikit-learn has {expected}");
}

#[test]
fn friedmans_function_is_learned_as_well_as_by_scikit_learn() {
    let golden = Golden::read();
    let (x, y) = (golden.matrix("friedman/x"), golden.list("friedman/y"));
    let (train, test) = divided(y.len(), |row| row);
    let (x_train, x_test) = (x.select(Axis(0), &train), x.select(Axis(0), &test));
    let pick = |rows: &[usize]| rows.iter().map(|&row| y[row]).collect::<Array1<f64>>();
    let (y_train, y_test) = (pick(&train), pick(&test));
    let mut scores = Vec::new();
    for seed in 0..3 {
        let builder = MlpRegressor::builder().alpha(0.0).random_state(seed);
        let builder = builder.device(&Device::cpu());
        let model = builder.fit(&x_train, &y_train).unwrap();
        // Its five losses lie between 0.0188 and 0.0240.
        assert!((0.015..0.03).contains(&model.loss()), "{}", model.loss());
        scores.push(model.score(&x_test, &y_test).unwrap());
    }
    // Its five scores lie within 0.016.
    let (found, expected) = (mean(&scores), mean(&golden.list("friedman/test")));
    assert!((found - expected).abs() < 0.015, "{scores:?}, scikit-learn has {expected}");
}

#[test]
fn early_stopping_ends_by_the_score_and_goes_back_to_the_best_parameters() {
    let golden = Golden::read();
    let (x, y) = (golden.matrix("friedman/x"), golden.list("friedman/y"));
    let y = Array1::from(y);
    for device in devices() {
        let builder = MlpRegressor::builder().early_stopping(true).learning_rate_init(0.01);
        // Named, as the choice goes by `max_iter`.
        let builder = builder.strategy(Strategy::Program).device(device);
        let builder = builder.n_iter_no_change(5).hidden_layer_sizes([20]);
        let model = builder.fit(&x, &y).unwrap();
        assert!(model.converged() && model.n_iter() < 200);
        let scores = model.validation_scores();
        let best = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        assert_eq!(scores.len(), model.n_iter());
        assert_eq!((model.best_validation_score(), model.best_loss()), (Some(best), None));
        // As long a training without early stopping ends at the parameters of that epoch.
        let at = scores.iter().position(|score| *score == best).unwrap() + 1;
        assert!(at < model.n_iter());
        let again = builder.max_iter(at).fit(&x, &y).unwrap();
        assert_eq!(again.coefs().unwrap(), model.coefs().unwrap(), "{device}");
        assert_eq!(again.intercepts().unwrap(), model.intercepts().unwrap());
    }
}

#[test]
fn predictions_have_the_targets_shape_and_labels_their_type() {
    let golden = Golden::read();
    let (x, y) = (golden.matrix("x"), golden.matrix("y"));
    let regressor = MlpRegressor::builder().max_iter(3).device(&Device::cpu());
    let all: Array2<f32> = regressor.fit(&x, &y).unwrap().predict(&x).unwrap();
    assert_eq!(all.dim(), (90, 3));
    let one: Array1<f32> = regressor.fit(&x, &y.column(0)).unwrap().predict(&x).unwrap();
    assert_eq!(one.dim(), 90);
    // Rows in another memory order are the same rows.
    let columns = x.t().as_standard_layout().into_owned();
    assert_eq!(regressor.fit(&columns.t(), &y.column(0)).unwrap().predict(&x).unwrap(), one);

    let classifier = MlpClassifier::builder().max_iter(3).device(&Device::cpu());
    let names: Vec<String> = golden.labels().iter().map(|l| format!("class {l}")).collect();
    let model = classifier.fit(&x, &names).unwrap();
    assert_eq!(model.classes(), ["class 0", "class 1", "class 2"]);
    let predicted: Vec<String> = model.predict(&x).unwrap();
    // Labels that are not 0, 1, 2: negative, apart from each other.
    let numbers: Array1<i64> = golden.labels().iter().map(|&l| 10 * i64::from(l) - 10).collect();
    let model = classifier.fit(&x, &numbers).unwrap();
    assert_eq!(model.classes(), [-10, 0, 10]);
    let same = model.predict(&x).unwrap().into_iter().map(|l| format!("class {}", l / 10 + 1));
    assert!(same.eq(predicted));
    let sums = model.predict_proba(&x).unwrap().sum_axis(Axis(1));
    assert!(sums.iter().all(|sum| (sum - 1.0).abs() < 1e-6));
    // Labels that were never seen count as wrong.
    assert_eq!(model.score(&x.slice(s![..2, ..]), &[7, 8]).unwrap(), 0.0);
}

#[test]
fn the_network_of_a_model_can_be_taken_out_and_gone_on_with() {
    let x = array![[0.0f32, 1.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0]];
    let y = array![1.0f32, 1.0, 0.0, 0.0];
    let builder =
        MlpRegressor::builder().hidden_layer_sizes([6, 5]).activation(Activation::Sigmoid);
    let builder = builder.max_iter(4).device(&Device::cpu());
    let model = builder.fit(&x, &y).unwrap();
    let shapes: Vec<_> = model.coefs().unwrap().iter().map(Array2::dim).collect();
    assert_eq!(shapes, [(2, 6), (6, 5), (5, 1)]);
    let lengths: Vec<_> = model.intercepts().unwrap().iter().map(Array1::len).collect();
    assert_eq!(lengths, [6, 5, 1]);
    assert_eq!(format!("{:?}", model.mlp()), "Mlp(2-6-5-1 on cpu)");
    let first = model.predict(&x).unwrap();
    let next = builder.clone().warm_start(model.mlp()).fit(&x, &y).unwrap();
    assert!(next.loss() < model.loss());
    assert_eq!(model.predict(&x).unwrap(), first, "a warm start must not move its source");
    assert_eq!(model.into_mlp().predict(&x).unwrap().column(0), first);
    // The bounds of the initial values are scikit-learn's, and reached.
    let near = |most: f32, bound: f32| most <= bound && most > 0.8 * bound;
    for (activation, factor) in [(Activation::Sigmoid, 2.0f32), (Activation::Tanh, 6.0)] {
        let builder = MlpRegressor::builder().activation(activation).learning_rate_init(1e-30);
        let model = builder.hidden_layer_sizes([60]).max_iter(1).device(&Device::cpu()).fit(&x, &y);
        let model = model.unwrap();
        let bound = (factor / 62.0).sqrt();
        let most =
            |values: &mut dyn Iterator<Item = &f32>| values.fold(0.0, |a: f32, b| a.max(b.abs()));
        assert!(near(most(&mut model.coefs().unwrap()[0].iter()), bound), "{activation}");
        assert!(near(most(&mut model.intercepts().unwrap()[0].iter()), bound), "{activation}");
    }
}

#[test]
fn settings_and_data_that_cannot_be_are_errors() {
    let (x, y) = (array![[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], array![1.0, 2.0, 3.0]);
    let new = || MlpRegressor::builder().device(&Device::cpu()).max_iter(2);
    let other = Mlp::builder(2).output(1).build(&Device::cpu()).unwrap();
    let cases = [
        ("learning_rate_init", new().learning_rate_init(0.0)),
        ("learning_rate_init", new().learning_rate_init(f64::NAN)),
        ("momentum", new().momentum(1.5)),
        ("beta_1", new().beta_1(1.0)),
        ("beta_2", new().beta_2(-0.1)),
        ("epsilon", new().epsilon(0.0)),
        ("tol", new().tol(f64::NAN)),
        ("alpha", new().alpha(-1.0)),
        ("max_iter", new().max_iter(0)),
        ("n_iter_no_change", new().n_iter_no_change(0)),
        ("batch size", new().batch_size(0)),
        ("width", new().hidden_layer_sizes([0])),
        ("validation set", new().early_stopping(true)),
        ("warm start", new().warm_start(&other)),
    ];
    for (part, builder) in cases {
        let error = builder.fit(&x, &y).unwrap_err();
        assert!(matches!(error, Error::Argument { .. }), "{error}");
        assert!(error.to_string().contains(part), "{part}: {error}");
    }
    assert!(matches!(new().fit(&x, &array![1.0, 2.0]), Err(Error::Shape { .. })));
    assert!(matches!(new().fit(&array![[f64::NAN]], &array![1.0]), Err(Error::NonFinite { .. })));
    let model = new().hidden_layer_sizes([]).n_iter_no_change(usize::MAX).fit(&x, &y).unwrap();
    assert!(matches!(model.predict(&array![[1.0]]), Err(Error::Shape { .. })));
    assert!(matches!(model.predict(&array![[1.0, f64::NAN]]), Err(Error::NonFinite { .. })));
    assert!(matches!(model.score(&x, &array![1.0]), Err(Error::Shape { .. })));

    let new = || MlpClassifier::builder().device(&Device::cpu()).max_iter(2);
    let message = new().fit(&x, &["a"; 3]).unwrap_err().to_string();
    assert!(message.contains("2 different labels"), "{message}");
    assert!(matches!(new().fit(&x, &[1, 2]), Err(Error::Shape { .. })));
    let model = new().fit(&x, &[1, 2, 1]).unwrap();
    assert!(matches!(model.score(&x, &[1]), Err(Error::Shape { .. })));
}
