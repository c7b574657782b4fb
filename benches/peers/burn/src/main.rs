//! A workload in burn, on its flex backend, or with the feature `wgpu` on a GPU: see `../workload.rs`.

#[path = "../../workload.rs"]
mod workload;

use burn::module::Module;
use burn::nn::loss::{CrossEntropyLossConfig, MseLoss, Reduction};
use burn::nn::{Linear, LinearConfig};
use burn::optim::momentum::MomentumConfig;
use burn::optim::{AdamConfig, GradientsParams, SgdConfig};
use burn::tensor::{Device, Int, Tensor, TensorData, activation};
use workload::Workload;

#[derive(Module, Debug)]
struct Net {
    layers: Vec<Linear>,
}

impl Net {
    fn forward(&self, mut x: Tensor<2>, tanh: bool) -> Tensor<2> {
        for (i, layer) in self.layers.iter().enumerate() {
            x = layer.forward(x);
            if i + 1 < self.layers.len() {
                x = if tanh { activation::tanh(x) } else { activation::relu(x) };
            }
        }
        x
    }
}

#[cfg(not(feature = "wgpu"))]
fn device() -> Device {
    Device::flex()
}

#[cfg(feature = "wgpu")]
fn device() -> Device {
    Device::wgpu(burn::tensor::DeviceKind::DefaultDevice)
}

fn main() {
    let work = Workload::from_args();
    let plain = device();
    let device = plain.clone().autodiff();
    let layers = work.widths.windows(2);
    let mut net = Net {
        layers: layers.map(|w| LinearConfig::new(w[0], w[1]).init(&device)).collect(),
    };
    let momentum = MomentumConfig::new().with_momentum(0.5).with_dampening(0.0);
    let (mut optimizer, rate) = match work.optimizer.as_str() {
        "adam" => (AdamConfig::new().init(), 0.001),
        "momentum" => (SgdConfig::new().with_momentum(Some(momentum)).init(), 0.01),
        _ => (SgdConfig::new().init(), 0.01),
    };
    let shape = [work.rows, work.widths[0]];
    let x = Tensor::<2>::from_data(TensorData::new(work.features(), shape), &device);
    let y = TensorData::new(work.values(), [work.rows, work.outputs()]);
    let y = Tensor::<2>::from_data(y, &device);
    let classes: Vec<i32> = work.classes().into_iter().map(|class| class as i32).collect();
    let classes = TensorData::new(classes, [work.rows]);
    let classes = Tensor::<1, Int>::from_data(classes, &device);
    let entropy = CrossEntropyLossConfig::new().init(&device);
    let step = |rows: &[u32]| {
        let order: Vec<i32> = rows.iter().map(|&row| row as i32).collect();
        let order = Tensor::<1, Int>::from_data(TensorData::new(order, [rows.len()]), &device);
        let output = net.forward(x.clone().select(0, order.clone()), work.tanh);
        let loss = if work.labels {
            entropy.forward(output, classes.clone().select(0, order))
        } else {
            MseLoss::new().forward(output, y.clone().select(0, order), Reduction::Mean)
        };
        let gradients = GradientsParams::from_grads(loss.backward(), &net);
        net = optimizer.step(rate, net.clone(), gradients);
    };
    work.time(step, || plain.sync().expect("the device finishes its work"));
}
