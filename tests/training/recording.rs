//! What is recorded of a training against the training, stopped where the record was made.

use wgrad::data::Dataset;
use wgrad::nn::{Activation, Loss};
use wgrad::optim::{Clip, Sgd};
use wgrad::train::History;
use wgrad::{Device, Mlp, Trainer};

use super::support::{assert_near, matrix};
use crate::common::{Values, devices};

const NAMES: [&str; 3] = ["layers.1.weight", "layers.0.bias", "layers.0.weight.grad"];

fn data() -> Dataset {
    let mut numbers = Values::new(14);
    let x = matrix(&mut numbers, 22, 3);
    Dataset::regression(&x, &matrix(&mut numbers, 22, 2)).unwrap()
}

fn mlp(device: &Device) -> Mlp {
    Mlp::builder(3).hidden(5, Activation::Tanh).output(2).seed(6).build(device).unwrap()
}

fn descent(epochs: usize) -> Trainer {
    // Clipped: a recorded gradient is as it was before.
    Trainer::new(Loss::Mse, Sgd::new(0.3)).batch_size(22).epochs(epochs).clip(Clip::Value(0.01))
}

fn array(history: &History, name: &str, record: usize) -> Vec<f32> {
    history.recording.by_name[name].get(record).unwrap().iter().copied().collect()
}

#[test]
fn records_are_the_state_before_each_update() {
    for device in devices() {
        let mut trained = mlp(device);
        let history = descent(9).record(NAMES, 1).fit(&mut trained, &data()).unwrap();
        assert_eq!(history.recording.updates, (1..=9).collect::<Vec<u64>>());
        for update in 0..9 {
            let mut before = mlp(device);
            descent(update).fit(&mut before, &data()).unwrap();
            let context = format!("before update {} on {device}", update + 1);
            for name in &NAMES[..2] {
                let want = before.parameter(name).unwrap();
                let kept = &history.recording.by_name[*name];
                assert_eq!(kept.get(update).unwrap(), want, "{name} {context}");
            }
            let gradients = descent(1).gradients(&before, &data()).unwrap();
            let want: Vec<f64> =
                gradients.by_name["layers.0.weight"].iter().map(|&g| f64::from(g)).collect();
            let got = array(&history, NAMES[2], update);
            assert_near(format!("gradient {context}"), &got, &want, 1e-5, 1e-7);
            let norm = want.iter().map(|g| g * g).sum::<f64>().sqrt();
            let norms = history.recording.by_name[NAMES[2]].norms();
            assert_near("its norm", &norms[update..=update], &[norm], 1e-5, 0.0);
        }
        let mut plain = mlp(device);
        descent(9).fit(&mut plain, &data()).unwrap();
        assert_eq!(trained.parameters().unwrap(), plain.parameters().unwrap(), "{device}");
    }
}

#[test]
fn every_so_many_updates_are_recorded_whatever_the_flights() {
    for device in devices() {
        // 22 rows in batches of 4, two to an update: 3 updates an epoch, 18 in all.
        let trainer = || {
            let trainer = Trainer::new(Loss::Mse, Sgd::new(0.1)).batch_size(4).accumulate(2);
            trainer.epochs(6).record(NAMES, 5)
        };
        let mut all = trainer().record(NAMES, 1);
        let all = all.fit(&mut mlp(device), &data()).unwrap();
        let some = trainer().fit(&mut mlp(device), &data()).unwrap();
        let slow = trainer().validation(&data()).fit(&mut mlp(device), &data()).unwrap();
        assert_eq!(all.recording.updates.len(), 18);
        assert_eq!(some.recording.updates, [1, 6, 11, 16], "{device}");
        assert_eq!(some.recording, slow.recording, "{device}");
        for name in NAMES {
            for (record, &update) in some.recording.updates.iter().enumerate() {
                let (got, want) =
                    (array(&some, name, record), array(&all, name, update as usize - 1));
                assert_eq!(got, want, "{name} at update {update} on {device}");
            }
            assert_eq!(some.recording.by_name[name].len(), 4);
            assert!(some.recording.by_name[name].get(4).is_none());
        }
    }
}
