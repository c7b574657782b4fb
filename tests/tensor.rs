//! The `Tensor` API on every device: arrays in any memory order, chains that do not wait, every
//! operation once, every documented error. What the operations compute is proved in `ops`.

mod common;

use common::{Values, devices};
use ndarray::{Array1, Array2, Array3, Axis as Dim, arr0, array, s};
use wgrad::nn::Activation;
use wgrad::op::{Axis, Shape};
use wgrad::{Device, Error, Result, Tensor};

/// A tensor of (rows, cols) with seeded values within 1.
fn random(device: &Device, rows: usize, cols: usize) -> Tensor {
    let values = Values::new((rows * 1000 + cols) as u64).within(1.0, rows * cols);
    Tensor::from_slice(device, rows, cols, &values).unwrap()
}

/// 2 by 3: 1 2 3, 4 5 6.
fn counting(device: &Device) -> Tensor {
    Tensor::from_slice(device, 2, 3, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap()
}

#[test]
fn constructors() {
    for device in devices() {
        let values = |tensor: Result<Tensor>| tensor.unwrap().to_vec().unwrap();
        assert_eq!(counting(device).shape(), Shape::new(2, 3));
        assert_eq!(counting(device).device(), device);
        assert_eq!(values(Tensor::zeros(device, 2, 2)), [0.0; 4]);
        assert_eq!(values(Tensor::full(device, 1, 3, 1.5)), [1.5; 3]);
        assert_eq!(Tensor::scalar(device, -2.0).unwrap().item().unwrap(), -2.0);
    }
}

#[test]
fn arrays_of_any_memory_order_go_in_and_out() {
    let x = Array2::from_shape_fn((5, 7), |(i, j)| (10 * i + j) as f32);
    let mut fortran = Array2::zeros(ndarray::ShapeBuilder::f((5, 7)));
    fortran.assign(&x);
    let mut inverted = x.clone();
    inverted.invert_axis(Dim(0));
    for device in devices() {
        for view in [
            x.view(),
            x.t(),
            fortran.view(),
            inverted.view(),
            x.slice(s![..;-1, ..]),
            x.slice(s![.., ..;-1]),
            x.slice(s![1..;2, 2..;3]),
            x.slice(s![4..5, ..]),
            x.slice(s![.., 3..4]),
            x.row(2).insert_axis(Dim(1)),
        ] {
            let tensor = Tensor::from_array(device, &view).unwrap();
            let (rows, cols) = view.dim();
            assert_eq!(tensor.shape(), Shape::new(rows, cols));
            assert_eq!(tensor.to_array().unwrap(), view, "on {device}");
            assert!(tensor.to_array().unwrap().is_standard_layout());
        }
        // One row repeated: a stride of 0.
        let repeated = x.row(1);
        let repeated = repeated.broadcast((3, 7)).unwrap();
        assert_eq!(Tensor::from_array(device, &repeated).unwrap().to_array().unwrap(), repeated);
    }
}

#[test]
fn arrays_of_one_dimension_become_rows() {
    let x = Array1::from(vec![1.0f32, 2.0, 3.0]);
    for device in devices() {
        for (view, expected) in
            [(x.view(), array![[1.0, 2.0, 3.0]]), (x.slice(s![..;-2]), array![[3.0, 1.0]])]
        {
            let tensor = Tensor::from_array(device, &view).unwrap();
            assert_eq!(tensor.to_array().unwrap(), expected);
            let dynamic = Tensor::from_array(device, &view.into_dyn()).unwrap();
            assert_eq!(dynamic.to_array().unwrap(), expected);
        }
    }
}

#[test]
fn every_bit_survives_the_way_there_and_back() {
    let bits = [0x0000_0001u32, 0x8000_0000, 0x7f80_0000, 0xff80_0000, 0x7fc0_1234, 0x0080_0000];
    let values = bits.map(f32::from_bits);
    for device in devices() {
        let tensor = Tensor::from_slice(device, 2, 3, &values).unwrap();
        assert_eq!(tensor.to_vec().unwrap().iter().map(|x| x.to_bits()).collect::<Vec<_>>(), bits);
    }
}

#[test]
fn every_operation() {
    type Case = (&'static str, fn(&Tensor) -> Result<Tensor>, [usize; 2], &'static [f32]);
    let cases: &[Case] = &[
        ("matmul", |x| x.matmul(&x.transpose()?), [2, 2], &[14.0, 32.0, 32.0, 77.0]),
        (
            "matmul_tn",
            |x| x.matmul_tn(x),
            [3, 3],
            &[17.0, 22.0, 27.0, 22.0, 29.0, 36.0, 27.0, 36.0, 45.0],
        ),
        ("matmul_nt", |x| x.matmul_nt(x), [2, 2], &[14.0, 32.0, 32.0, 77.0]),
        ("add", |x| x.add(x), [2, 3], &[2.0, 4.0, 6.0, 8.0, 10.0, 12.0]),
        ("add a row", |x| x.add(&x.min(Axis::Columns)?), [2, 3], &[2.0, 4.0, 6.0, 5.0, 7.0, 9.0]),
        (
            "sub a column",
            |x| x.sub(&x.max(Axis::Rows)?),
            [2, 3],
            &[-2.0, -1.0, 0.0, -2.0, -1.0, 0.0],
        ),
        ("mul", |x| x.mul(x), [2, 3], &[1.0, 4.0, 9.0, 16.0, 25.0, 36.0]),
        (
            "div by a scalar",
            |x| x.mul(x)?.div(&x.max(Axis::All)?),
            [2, 3],
            &[1.0 / 6.0, 4.0 / 6.0, 1.5, 16.0 / 6.0, 25.0 / 6.0, 6.0],
        ),
        ("add_scalar", |x| x.add_scalar(0.5), [2, 3], &[1.5, 2.5, 3.5, 4.5, 5.5, 6.5]),
        ("sub_scalar", |x| x.sub_scalar(1.0), [2, 3], &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]),
        ("mul_scalar", |x| x.mul_scalar(2.0), [2, 3], &[2.0, 4.0, 6.0, 8.0, 10.0, 12.0]),
        ("div_scalar", |x| x.div_scalar(2.0), [2, 3], &[0.5, 1.0, 1.5, 2.0, 2.5, 3.0]),
        ("neg", |x| x.neg(), [2, 3], &[-1.0, -2.0, -3.0, -4.0, -5.0, -6.0]),
        ("relu", |x| x.sub_scalar(3.0)?.relu(), [2, 3], &[0.0, 0.0, 0.0, 1.0, 2.0, 3.0]),
        ("tanh", |x| x.mul_scalar(0.0)?.tanh(), [2, 3], &[0.0; 6]),
        ("sigmoid", |x| x.mul_scalar(0.0)?.sigmoid(), [2, 3], &[0.5; 6]),
        ("activate", |x| x.activate(Activation::Identity), [2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
        (
            "activation_derivative",
            |x| x.sub_scalar(3.0)?.activation_derivative(Activation::Relu),
            [2, 3],
            &[0.0, 0.0, 0.0, 1.0, 1.0, 1.0],
        ),
        ("softmax", |x| x.mul_scalar(0.0)?.softmax(), [2, 3], &[1.0 / 3.0; 6]),
        ("log_softmax", |x| x.mul_scalar(0.0)?.log_softmax(), [2, 3], &[-1.098_612_3; 6]),
        ("transpose", |x| x.transpose(), [3, 2], &[1.0, 4.0, 2.0, 5.0, 3.0, 6.0]),
        (
            "gather_rows",
            |x| x.gather_rows(&[1, 1, 0]),
            [3, 3],
            &[4.0, 5.0, 6.0, 4.0, 5.0, 6.0, 1.0, 2.0, 3.0],
        ),
        ("sum", |x| x.sum(Axis::Rows), [2, 1], &[6.0, 15.0]),
        ("mean", |x| x.mean(Axis::Columns), [1, 3], &[2.5, 3.5, 4.5]),
        ("max", |x| x.max(Axis::All), [1, 1], &[6.0]),
        ("min", |x| x.min(Axis::Rows), [2, 1], &[1.0, 4.0]),
        ("argmax", |x| x.neg()?.argmax(Axis::Columns), [1, 3], &[0.0; 3]),
        ("norm", |x| x.gather_rows(&[0])?.mul_scalar(2.0)?.norm(Axis::Rows), [1, 1], &[7.483_315]),
    ];
    for device in devices() {
        for &(name, operation, [rows, cols], expected) in cases {
            let got = operation(&counting(device)).unwrap();
            assert_eq!(got.shape(), Shape::new(rows, cols), "{name} on {device}");
            let expected = Tensor::from_slice(device, rows, cols, expected).unwrap();
            let values = got.to_vec().unwrap();
            assert!(
                got.all_close(&expected, 1e-6, 1e-6).unwrap(),
                "{name} on {device}: {values:?}"
            );
        }
    }
}

/// A forward pass of two layers, written with tensors.
fn chain(x: &Tensor, w: &Tensor, b: &Tensor) -> Result<Tensor> {
    let hidden = x.matmul(w)?.add(b)?.tanh()?;
    hidden.matmul_nt(w)?.softmax()?.mul_scalar(2.0)?.sum(Axis::Columns)
}

/// The counters belong to the whole process, so the other tests must not run meanwhile: this one
/// starts the test binary again for itself alone.
#[test]
fn a_chain_waits_only_where_it_is_read() {
    const ALONE: &str = "WGRAD_TEST_ALONE";
    if std::env::var_os(ALONE).is_none() {
        let status = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "a_chain_waits_only_where_it_is_read"])
            .env(ALONE, "1")
            .status()
            .unwrap();
        return assert!(status.success(), "see the output above");
    }
    for device in devices() {
        let [x, w, b] = [(9, 4), (4, 7), (1, 7)].map(|(rows, cols)| random(device, rows, cols));
        let before = device.counters();
        let result = chain(&x, &w, &b).unwrap();
        let _handles = [result.clone(), result.to_device(device).unwrap()];
        let queued = device.counters();
        assert_eq!(queued.readbacks, before.readbacks, "a chain on {device} waited");
        assert_eq!(queued.uploads, before.uploads, "a chain on {device} copied from the host");
        result.to_vec().unwrap();
        assert_eq!(device.counters().readbacks, before.readbacks + 1, "on {device}");
        assert!(result.all_close(&result, 0.0, 0.0).unwrap());
        assert_eq!(device.counters().readbacks, before.readbacks + 2, "on {device}");
    }
}

#[test]
fn devices_agree_on_a_chain_and_each_repeats_it_bitwise() {
    let results: Vec<Array2<f32>> = (devices().iter())
        .map(|device| {
            let [x, w, b] = [(33, 17), (17, 65), (1, 65)].map(|(r, c)| random(device, r, c));
            let first = chain(&x, &w, &b).unwrap().to_array().unwrap();
            let second = chain(&x, &w, &b).unwrap().to_array().unwrap();
            assert_eq!(first, second, "on {device}");
            first
        })
        .collect();
    for pair in results.windows(2) {
        let [a, b] = [&pair[0], &pair[1]].map(|x| Tensor::from_array(&Device::cpu(), x).unwrap());
        assert!(a.all_close(&b, 1e-5, 0.0).unwrap(), "{pair:?}");
    }
}

#[test]
fn asynchronous_forms_give_the_same() {
    for device in devices() {
        pollster::block_on(async {
            let x = counting(device);
            assert_eq!(x.to_array_async().await, x.to_array());
            assert_eq!(x.to_vec_async().await, x.to_vec());
            assert_eq!(x.sum(Axis::All)?.item_async().await?, 21.0);
            assert!(x.all_close_async(&x, 0.0, 0.0).await?);
            let there = x.to_device_async(&Device::cpu()).await?;
            assert_eq!(there.to_array(), x.to_array());
            Ok::<(), Error>(())
        })
        .unwrap();
    }
}

#[test]
fn tensors_move_between_devices() {
    for (from, to) in devices().iter().flat_map(|from| devices().iter().map(move |to| (from, to))) {
        let x = random(from, 5, 3);
        let moved = x.to_device(to).unwrap();
        assert_eq!((moved.device(), moved.shape()), (to, x.shape()));
        assert_eq!(moved.to_vec().unwrap(), x.to_vec().unwrap(), "from {from} to {to}");
    }
}

#[test]
fn all_close_treats_special_values_as_documented() {
    let close = |device: &Device, a: f32, b: f32, relative: f32, absolute: f32| {
        let [a, b] = [a, b].map(|value| Tensor::scalar(device, value).unwrap());
        a.all_close(&b, relative, absolute).unwrap()
    };
    for device in devices() {
        assert!(close(device, 1.0, 1.25, 0.0, 0.25));
        assert!(close(device, 1.0, 2.0, 0.5, 0.0));
        assert!(!close(device, 2.0, 1.0, 0.5, 0.0));
        assert!(close(device, f32::INFINITY, f32::INFINITY, 0.0, 0.0));
        assert!(!close(device, f32::INFINITY, f32::NEG_INFINITY, 0.5, 0.5));
        assert!(!close(device, 1.0, f32::INFINITY, 0.5, 0.5));
        assert!(!close(device, f32::NAN, f32::NAN, 1.0, 1.0));
        assert!(!close(device, 1.0, f32::NAN, 1.0, f32::INFINITY));
    }
}

#[test]
fn debug_shows_shape_and_device() {
    let x = Tensor::zeros(&Device::cpu(), 2, 3).unwrap();
    assert_eq!(format!("{x:?}"), "Tensor((2, 3) on cpu)");
}

/// Asserts that the message has all of the parts.
#[track_caller]
fn assert_says<T: std::fmt::Debug>(result: Result<T>, parts: &[&str]) -> Error {
    let error = result.unwrap_err();
    let message = error.to_string();
    for part in parts {
        assert!(message.contains(part), "`{message}` does not hold `{part}`");
    }
    error
}

#[test]
fn misfits_are_named() {
    for device in devices() {
        let (x, other) = (random(device, 2, 3), random(device, 4, 5));
        let both = ["(2, 3)", "(4, 5)"];
        assert_says(x.matmul(&other), &[&both[..], &["matmul"]].concat());
        assert_says(x.matmul_tn(&other), &["matmul", "(3, 2)", "(4, 5)"]);
        assert_says(x.matmul_nt(&other), &["matmul", "(2, 3)", "(5, 4)"]);
        assert_says(x.add(&other), &[&both[..], &["add"]].concat());
        assert_says(x.sub(&other), &[&both[..], &["subtract"]].concat());
        assert_says(x.mul(&other), &[&both[..], &["multiply"]].concat());
        assert_says(x.div(&other), &[&both[..], &["divide"]].concat());
        assert_says(x.all_close(&other, 0.0, 0.0), &[&both[..], &["mismatch"]].concat());
        assert_says(x.item(), &["item", "(2, 3)", "(1, 1)"]);
        let error = Tensor::from_slice(device, 2, 3, &[0.0; 5]);
        assert_says(error, &["from_slice", "(2, 3)", "(1, 5)"]);
    }
}

#[test]
fn empty_tensors_are_refused() {
    for device in devices() {
        let empty = |result: Result<Tensor>| {
            let error = result.unwrap_err();
            assert!(matches!(error, Error::Empty { .. }), "{error}");
        };
        empty(Tensor::zeros(device, 0, 3));
        empty(Tensor::full(device, 3, 0, 1.0));
        empty(Tensor::from_slice(device, 0, 0, &[]));
        empty(Tensor::from_array(device, &Array2::<f32>::zeros((0, 4))));
        empty(Tensor::from_array(device, &Array1::<f32>::zeros(0)));
        empty(random(device, 2, 2).gather_rows(&[]));
    }
}

#[test]
fn other_dimensions_are_refused() {
    let device = Device::cpu();
    assert_says(Tensor::from_array(&device, &Array3::zeros((2, 2, 2))), &["dimension is 3"]);
    assert_says(Tensor::from_array(&device, &arr0(1.0)), &["dimension is 0"]);
}

#[test]
fn rows_that_are_not_there_are_named() {
    for device in devices() {
        let x = random(device, 3, 2);
        assert_says(x.gather_rows(&[0, 3, 1]), &["3 at place 1", "(3, 2)", "0 to 2"]);
        // Beyond u32, where it would wrap around to row 0.
        assert_says(x.gather_rows(&[1 << 32]), &["4294967296 at place 0"]);
    }
}

#[test]
fn tensors_too_large_for_a_device_are_refused() {
    for device in devices() {
        for (rows, cols) in [(usize::MAX, usize::MAX), (1 << 40, 1 << 30)] {
            for result in [Tensor::zeros(device, rows, cols), Tensor::full(device, rows, cols, 1.0)]
            {
                let error = result.unwrap_err();
                assert!(matches!(error, Error::TooLarge { .. }), "{error}");
            }
        }
        // A misfit is named as such even where the result would be too large.
        let error = random(device, 70_000, 1).matmul(&random(device, 2, 70_000)).unwrap_err();
        assert!(matches!(error, Error::Shape { .. }), "{error}");
    }
}

/// More than a machine's memory, but less than a buffer may have by its limits.
#[test]
fn tensors_beyond_the_memory_are_refused() {
    let error = Tensor::zeros(&Device::cpu(), 1 << 30, 1 << 29).unwrap_err();
    assert!(matches!(error, Error::TooLarge { .. } | Error::Device { .. }), "{error}");
}

#[test]
fn operands_must_be_on_one_device() {
    let [cpu, gpu] = devices() else { return };
    let (here, there) = (random(cpu, 2, 2), random(gpu, 2, 2));
    for result in [here.matmul(&there), there.matmul(&here), here.add(&there), there.sub(&here)] {
        let error = assert_says(result, &["cpu", &gpu.to_string(), "to_device"]);
        assert!(matches!(error, Error::DeviceMismatch { .. }), "{error}");
    }
    assert!(here.all_close(&there, 0.0, 0.0).is_err());
    assert!(here.all_close(&there.to_device(cpu).unwrap(), 0.0, 0.0).unwrap());
}
