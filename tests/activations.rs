//! Every activation: its accuracy over all of f32, golden numbers, and its name in text and files.

mod common;

use std::collections::BTreeMap;

use common::activation::{phi, slope};
use common::{Values, devices};
use wgrad::data::{NpyValues, read_npz};
use wgrad::device::DeviceKind;
use wgrad::nn::Activation;
use wgrad::persist::Checkpoint;
use wgrad::{Adam, Dataset, Device, Error, Loss, Mlp, Tensor, Trainer};

/// What is computed.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Value,
    Derivative,
}

impl Kind {
    fn truth(self, activation: Activation, z: f32) -> f64 {
        match self {
            Self::Value => phi(activation, z.into()),
            Self::Derivative => slope(activation, z.into()),
        }
    }

    fn on(self, device: &Device, activation: Activation, z: &[f32]) -> Vec<f32> {
        let z = Tensor::from_slice(device, 1, z.len(), z).unwrap();
        let result = match self {
            Self::Value => z.activate(activation),
            Self::Derivative => z.activation_derivative(activation),
        };
        result.unwrap().to_vec().unwrap()
    }

    /// What an error is relative to, where that is not the true value: a derivative computed as
    /// 1 - y^2 or y (1 - y) cancels where y is near 1, and near a root everything does.
    fn scale(self, activation: Activation, z: f32) -> f64 {
        let near = |root: f64| if (f64::from(z) - root).abs() < 0.5 { 0.25 } else { 0.0 };
        match (self, activation) {
            (_, Activation::Sine(_)) => 1.0,
            (Self::Value, _) => 0.0,
            (_, Activation::Tanh | Activation::Sigmoid) => 1.0,
            (_, Activation::Gelu | Activation::GeluTanh) => near(-0.752),
            (_, Activation::Silu) => near(-1.278),
            (_, Activation::Mish) => near(-1.192),
            _ => 0.0,
        }
    }
}

/// The distance between neighbouring f32 where `x` is.
fn unit(x: f64) -> f64 {
    let x = x.abs().min(f32::MAX.into()) as f32;
    let below = f32::from_bits(x.to_bits() & 0x7f80_0000).max(f32::MIN_POSITIVE);
    f64::from(below) * f64::from(f32::EPSILON)
}

/// Numbers of every exponent and both signs, and more of them where the functions are curved.
fn everywhere() -> Vec<f32> {
    let mut values = Values::new(0);
    let mut list = vec![0.0, -0.0];
    for exponent in 0..255u32 {
        let ends = [0, 1, 0x7f_ffff];
        let mantissas = ends.into_iter().chain(values.below(1 << 23, 45));
        for mantissa in mantissas {
            let x = f32::from_bits(exponent << 23 | mantissa);
            list.extend([x, -x]);
        }
    }
    for bound in [4.0, 16.0, 110.0] {
        list.extend(values.within(bound, 20_000));
    }
    list
}

/// The largest error in units in the last place, and where it is.
fn worst(device: &Device, kind: Kind, activation: Activation, zs: &[f32]) -> (f64, f32) {
    let gpu = device.info().kind != DeviceKind::Cpu;
    let got = kind.on(device, activation, zs);
    let mut worst = (0.0, 0.0);
    for (&z, got) in zs.iter().zip(got) {
        let context = || format!("{activation} {kind:?} at {z:e} on {device}");
        let truth = kind.truth(activation, z);
        if truth.abs() > f32::MAX.into() {
            assert_eq!(f64::from(got), f64::INFINITY.copysign(truth), "{}", context());
            continue;
        }
        assert!(got.is_finite(), "{} is {got}, not {truth}", context());
        if gpu && matches!(activation, Activation::Sine(w0) if (w0 * z).abs() > 25_000.0) {
            assert!(got.abs() <= 1.0, "{} is {got}", context());
            continue;
        }
        let error = (f64::from(got) - truth).abs();
        // A GPU may take denormal numbers for 0.
        if gpu && error <= f32::MIN_POSITIVE.into() {
            continue;
        }
        let units = error / unit(truth.abs().max(kind.scale(activation, z)));
        if units > worst.0 {
            worst = (units, z);
        }
    }
    worst
}

/// The table of `docs/activations.md`: four numbers for each name.
fn table() -> BTreeMap<String, [f64; 4]> {
    let text = include_str!("../docs/activations.md");
    let row = |line: &str| {
        let mut cells = line.strip_prefix("| `")?.split('|').map(str::trim);
        let name = cells.next()?.trim_end_matches('`').to_owned();
        let mut number = || cells.next()?.parse().ok();
        Some((name, [number()?, number()?, number()?, number()?]))
    };
    text.lines().filter_map(row).collect()
}

#[test]
fn errors_over_every_exponent_are_those_of_the_table() {
    let (zs, table) = (everywhere(), table());
    let mut report = String::new();
    let mut within = true;
    for activation in Activation::ALL {
        let bounds = table.get(&activation.to_string()).copied().unwrap_or_default();
        let mut row = format!("| `{activation}` |");
        for (device, bounds) in devices().iter().zip(bounds.chunks(2)) {
            // Another GPU divides with other roundings.
            let room = match device.info().kind {
                DeviceKind::Cpu | DeviceKind::Software => 1.0,
                _ => 4.0,
            };
            for (kind, bound) in [Kind::Value, Kind::Derivative].into_iter().zip(bounds) {
                let (error, z) = worst(device, kind, activation, &zs);
                row += &format!(" {:.1} |", error);
                if !(error <= room * bound + 0.05) {
                    within = false;
                    row += &format!(" <- at {z:e} |");
                }
            }
        }
        report += &(row + "\n");
    }
    println!("{report}");
    assert!(within, "beyond the bounds of docs/activations.md:\n{report}");
}

/// The golden arrays' names.
fn golden_settings() -> Vec<(&'static str, Activation)> {
    let own = |activation: &Activation| match activation {
        Activation::Celu(_) => ("celu", Activation::Celu(1.3)),
        Activation::Gelu => ("gelu_erf", Activation::Gelu),
        Activation::Sine(_) => ("sine", Activation::Sine(30.0)),
        other => (other.name(), *other),
    };
    let more = [("softplus_beta2", Activation::Softplus(2.0))];
    Activation::ALL.iter().map(own).chain(more).collect()
}

#[test]
fn values_and_derivatives_are_those_of_mpmath_and_pytorch() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/activations.npz");
    let arrays: BTreeMap<_, _> = read_npz(path).unwrap().into_iter().collect();
    let read = |name: &str| match arrays[name].values() {
        NpyValues::F64(values) => values.clone(),
        _ => panic!("{name} is not f64"),
    };
    let zs: Vec<f32> = read("x").iter().map(|&x| x as f32).collect();
    for (name, activation) in golden_settings() {
        for (kind, array) in [(Kind::Value, "value"), (Kind::Derivative, "derivative")] {
            let golden = read(&format!("{name}/{array}"));
            for device in devices() {
                let got = kind.on(device, activation, &zs);
                for ((&z, &truth), got) in zs.iter().zip(&golden).zip(got) {
                    // These are in the table; here the formulas are in question.
                    let argument = f64::from(z * activation.parameter().unwrap_or(1.0)).abs();
                    let scale = match activation {
                        Activation::Sine(_) if argument > 25_000.0 => continue,
                        Activation::Sine(w0) => f64::from(w0) * argument.max(1.0),
                        Activation::Celu(_) => truth.abs() * argument.clamp(1.0, 200.0),
                        _ => truth.abs(),
                    };
                    let tolerance = 4e-6 * scale.max(kind.scale(activation, z)) + 2e-38;
                    let got = f64::from(got);
                    let same = got == truth || (got.is_infinite() && truth > f32::MAX.into());
                    assert!(
                        same || (got - truth).abs() <= tolerance,
                        "{name} {array} at {z:e} on {device}: {got:e}, not {truth:e}"
                    );
                    // The reference of the other tests.
                    let own = kind.truth(activation, z);
                    // The golden parameters are not rounded to f32, and so neither are roots.
                    let close = 1e-7 * scale.max(kind.scale(activation, z));
                    assert!(
                        own == truth || (own - truth).abs() <= close + 1e-300,
                        "the reference of {name} {array} at {z:e}: {own:e}, not {truth:e}"
                    );
                }
            }
        }
    }
}

#[test]
fn nan_passes_through_every_activation() {
    for device in devices() {
        for activation in Activation::ALL {
            let got = Kind::Value.on(device, activation, &[f32::NAN, -f32::NAN, 0.5]);
            let nan: Vec<bool> = got.iter().map(|y| y.is_nan()).collect();
            assert_eq!(nan, [true, true, false], "{activation} on {device}");
        }
    }
}

#[test]
fn names_are_read_as_they_are_written() {
    let tuned = Activation::ALL.map(|activation| match activation {
        Activation::LeakyRelu(_) => Activation::LeakyRelu(0.0),
        Activation::Sine(_) => Activation::Sine(30.0),
        other => other,
    });
    for activation in Activation::ALL.into_iter().chain(tuned) {
        assert_eq!(activation.to_string().parse(), Ok(activation));
        let json = serde_json::to_string(&activation).unwrap();
        assert!(json.contains(&format!("\"{}\"", activation.name())), "{json}");
        assert_eq!(serde_json::from_str::<Activation>(&json).unwrap(), activation);
    }
    for activation in Activation::ALL {
        assert_eq!(activation.name().parse(), Ok(activation));
    }
    assert_eq!(" elu ( 0.5 ) ".trim().parse(), Ok(Activation::Elu(0.5)));
    for wrong in ["", "swash", "relu(1)", "elu(", "elu(x)", "elu(1) ", "celu(0)", "sine(NaN)"] {
        let error = wrong.parse::<Activation>().unwrap_err();
        assert!(matches!(error, Error::Argument { .. }), "{wrong}: {error}");
    }
    let error = "swash".parse::<Activation>().unwrap_err().to_string();
    assert!(error.contains("`swash`") && error.contains("leaky_relu, relu6"), "{error}");
}

#[test]
fn parameters_out_of_range_build_no_network() {
    let wrong = [
        Activation::LeakyRelu(-0.1),
        Activation::LeakyRelu(f32::INFINITY),
        Activation::Elu(0.0),
        Activation::Celu(f32::NAN),
        Activation::Softplus(-1.0),
        Activation::Sine(0.0),
    ];
    for activation in wrong {
        let error = Mlp::builder(2).hidden(3, activation).build(&Device::cpu()).unwrap_err();
        assert!(error.to_string().contains(activation.name()), "{error}");
    }
}

#[test]
fn a_checkpoint_keeps_the_parameter() {
    let data =
        Dataset::regression(&ndarray::array![[0.5f32], [1.0]], &ndarray::array![0.0f32, 1.0]);
    let mut mlp = Mlp::builder(1)
        .hidden(2, Activation::LeakyRelu(0.2))
        .hidden(2, Activation::Softplus(2.5))
        .output(1)
        .build(&Device::cpu())
        .unwrap();
    let path = std::env::temp_dir().join(format!("wgrad-activations-{}", std::process::id()));
    let mut trainer = Trainer::new(Loss::Mse, Adam::default()).epochs(1).checkpoint(&path, 1);
    trainer.fit(&mut mlp, &data.unwrap()).unwrap();
    let checkpoint = Checkpoint::load(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let kept: Vec<_> = checkpoint.network().layers().iter().map(|layer| layer.activation).collect();
    assert_eq!(kept, [Activation::LeakyRelu(0.2), Activation::Softplus(2.5), Activation::Identity]);
}
