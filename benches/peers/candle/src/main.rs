//! A workload in candle: see `../workload.rs`. Its SGD has no momentum, so it has less to do there,
//! and its only Adam is AdamW, here without decay.

#[path = "../../workload.rs"]
mod workload;

use candle_core::{DType, Device, Result, Tensor};
use candle_nn::{AdamW, Linear, Module, Optimizer, ParamsAdamW, SGD, VarBuilder, VarMap};
use workload::Workload;

enum Rule {
    Sgd(SGD),
    Adam(AdamW),
}

fn forward(layers: &[Linear], mut x: Tensor, tanh: bool) -> Result<Tensor> {
    for (i, layer) in layers.iter().enumerate() {
        x = layer.forward(&x)?;
        if i + 1 < layers.len() {
            x = if tanh { x.tanh()? } else { x.relu()? };
        }
    }
    Ok(x)
}

fn main() -> Result<()> {
    let work = Workload::from_args();
    let device = Device::Cpu;
    let variables = VarMap::new();
    let builder = VarBuilder::from_varmap(&variables, DType::F32, &device);
    let layers: Vec<Linear> = (work.widths.windows(2).enumerate())
        .map(|(i, w)| candle_nn::linear(w[0], w[1], builder.pp(i.to_string())))
        .collect::<Result<_>>()?;
    let all = variables.all_vars();
    let mut rule = if work.optimizer == "adam" {
        let adam = ParamsAdamW { lr: 0.001, weight_decay: 0.0, ..ParamsAdamW::default() };
        Rule::Adam(AdamW::new(all, adam)?)
    } else {
        Rule::Sgd(SGD::new(all, 0.01)?)
    };
    let x = Tensor::from_vec(work.features(), (work.rows, work.widths[0]), &device)?;
    let y = Tensor::from_vec(work.values(), (work.rows, work.outputs()), &device)?;
    let classes = Tensor::from_vec(work.classes(), work.rows, &device)?;
    let mut step = |rows: &[u32]| -> Result<()> {
        let order = Tensor::new(rows, &device)?;
        let output = forward(&layers, x.index_select(&order, 0)?, work.tanh)?;
        let loss = if work.labels {
            candle_nn::loss::cross_entropy(&output, &classes.index_select(&order, 0)?)?
        } else {
            candle_nn::loss::mse(&output, &y.index_select(&order, 0)?)?
        };
        match &mut rule {
            Rule::Sgd(sgd) => sgd.backward_step(&loss),
            Rule::Adam(adam) => adam.backward_step(&loss),
        }
    };
    work.time(|rows| step(rows).unwrap(), || ());
    Ok(())
}
