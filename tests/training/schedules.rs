//! Every schedule against PyTorch's and scikit-learn's rates (`tests/golden/schedules.py`), training
//! with three of them, and what they do to a run.

use proptest::prelude::*;
use wgrad::data::Dataset;
use wgrad::nn::{Activation, Loss};
use wgrad::optim::schedule::{Adaptive, Monitor, OneCycle, Pacing, Plateau, Schedule};
use wgrad::optim::{NAdam, Sgd};
use wgrad::persist::Checkpoint;
use wgrad::{Device, Error, History, Mlp, Trainer};

use super::optimizers::Problem;
use super::support::{Golden, assert_near, matrix, parameter_bits};
use crate::common::{Values, devices};

const BASE: f64 = 0.1;
const EPOCHS: usize = 60;
const FLOOR: f64 = 0.001;

fn cosine(length: u64) -> Schedule {
    Schedule::Cosine { length, minimum: FLOOR }
}

/// The schedules whose rates need no losses, by their stored names.
fn pure() -> Vec<(&'static str, Schedule)> {
    let parts = vec![Schedule::Constant.after_warmup(5, 0.1), cosine(55)];
    vec![
        ("step", Schedule::step(10, 0.5)),
        ("multi_step", Schedule::multi_step([15, 40], 0.1)),
        ("exponential", Schedule::exponential(0.95)),
        ("polynomial", Schedule::polynomial(50, 2.0)),
        ("cosine", cosine(60)),
        ("warm_restarts", Schedule::warm_restarts(10, 2)),
        ("warmup_cosine", cosine(55).after_warmup(5, 0.1)),
        ("warmup_cosine", Schedule::Sequence { parts, milestones: vec![5] }),
        ("one_cycle", OneCycle::new(BASE, 60).into()),
        ("invscaling", Schedule::inverse_scaling(0.5)),
        ("invscaling_samples", Schedule::InverseScaling { power: 0.5, samples: 40 }),
    ]
}

#[test]
fn rates_are_pytorchs() {
    let golden = Golden::read("schedules");
    for (name, schedule) in pure() {
        schedule.check().unwrap();
        let rates: Vec<f64> = (0..EPOCHS as u64).map(|k| schedule.rate(BASE, k)).collect();
        assert_near(name, &rates, &golden.values(&format!("{name}/lr")), 1e-12, 1e-18);
    }
    let cycle = Schedule::from(OneCycle::new(BASE, 60));
    let momenta: Vec<f64> = (0..EPOCHS as u64).map(|k| cycle.momentum(k).unwrap()).collect();
    assert_near("momentum", &momenta, &golden.values("one_cycle/momentum"), 1e-12, 0.0);
    assert_eq!(Schedule::step(10, 0.5).momentum(3), None);
    assert_eq!(cycle.clone().after_warmup(5, 0.5).momentum(10), cycle.momentum(5));
}

/// Rates on top of each other are multiplied; a warm-up of length 0 is none.
#[test]
fn schedules_compose() {
    let (step, fall) = (Schedule::step(3, 0.5), Schedule::exponential(0.9));
    let chain = Schedule::Chain(vec![step.clone(), fall.clone()]);
    for k in 0..20 {
        let product = step.rate(1.0, k) * fall.rate(1.0, k) * BASE;
        assert_near("chain", &[chain.rate(BASE, k)], &[product], 1e-14, 0.0);
        assert_eq!(step.clone().after_warmup(0, 0.0).rate(BASE, k), step.rate(BASE, k));
    }
    assert_eq!(Schedule::default().rate(BASE, 1_000_000), BASE);
}

/// A network of one parameter whose loss is whatever the data say: the input is 0 and there is no
/// bias, so that nothing is learned.
fn losses_of_my_choice(device: &Device, losses: &[f64], pacing: Pacing) -> History {
    // One epoch sees the same loss as any other; so the losses come from a validation set, which is
    // swapped between runs of one epoch that are resumed from a checkpoint.
    let flat = |target: f64| {
        let zeros = ndarray::Array2::<f32>::zeros((1, 1));
        Dataset::regression(&zeros, &ndarray::array![[target.sqrt() as f32]]).unwrap()
    };
    let mut mlp = Mlp::builder(1).bias(false).output(1).build(device).unwrap();
    let mut history = History::default();
    let kept = std::rc::Rc::new(std::cell::RefCell::new(None::<Checkpoint>));
    for (k, &loss) in losses.iter().enumerate() {
        let keep = kept.clone();
        let mut trainer = Trainer::new(Loss::Mse, Sgd::new(BASE))
            .schedule(pacing.clone())
            .validation(&flat(loss))
            .on_checkpoint(1, move |checkpoint| {
                *keep.borrow_mut() = Some(checkpoint.clone());
                Ok(())
            })
            .epochs(k + 1);
        if let Some(checkpoint) = kept.borrow_mut().take() {
            trainer = trainer.resume_from(checkpoint);
        }
        history.epochs.extend(trainer.fit(&mut mlp, &flat(1.0)).unwrap().epochs);
        if history.epochs.len() <= k {
            break;
        }
    }
    history
}

#[test]
fn rates_that_follow_the_loss_are_pytorchs_and_scikit_learns() {
    let golden = Golden::read("schedules");
    let losses = golden.values("plateau/losses");
    let strict =
        Plateau { factor: 0.5, patience: 3, cooldown: 2, minimum: 0.01, ..Plateau::default() };
    let adaptive = Adaptive { monitor: Monitor::Validation, ..Adaptive::default() };
    let adaptive_3 = Adaptive { n_iter_no_change: 3, ..adaptive };
    let cases: [(&str, Schedule); 4] = [
        ("plateau", strict.into()),
        ("plateau_default", Plateau::default().into()),
        ("adaptive", adaptive.into()),
        ("adaptive_3", adaptive_3.into()),
    ];
    let rates = |history: History| -> Vec<f64> {
        history.epochs.iter().map(|epoch| epoch.learning_rate).collect()
    };
    for (name, schedule) in cases {
        let want = golden.values(&format!("{name}/lr"));
        let got = rates(losses_of_my_choice(&Device::cpu(), &losses, schedule.clone().into()));
        assert_near(name, &got, &want, 1e-12, 0.0);
        let got = rates(losses_of_my_choice(&Device::cpu(), &losses, schedule.per_step()));
        assert_near(format!("{name} by step"), &got, &want, 1e-12, 0.0);
    }
    let want = golden.values("adaptive_stops/lr");
    let got = rates(losses_of_my_choice(&Device::cpu(), &[1.0; EPOCHS], adaptive_3.into()));
    assert_near("adaptive_stops", &got, &want, 1e-12, 0.0);
}

/// Fifty steps with schedules that are moved on after every step.
#[test]
fn trainings_with_schedules_are_pytorchs() {
    let (problem, golden) = (Problem::read(), Golden::read("schedules"));
    let swift = Sgd::new(BASE).momentum(0.9);
    let cases = [
        ("train_step", Schedule::step(10, 0.5)),
        ("train_warmup_cosine", cosine(45).after_warmup(5, 0.1)),
        ("train_one_cycle", OneCycle::new(BASE, 50).into()),
    ];
    for device in devices() {
        for (name, schedule) in &cases {
            let trainer = problem.trainer(swift).schedule(schedule.clone().per_step());
            problem.check(device, trainer, &golden, name);
        }
    }
}

#[test]
fn an_epoch_has_the_rate_of_its_last_step() {
    let (problem, device) = (Problem::read(), Device::cpu());
    let schedule = Schedule::exponential(0.9);
    let run = |pacing: Pacing| {
        let mut trainer = problem.trainer(Sgd::new(BASE)).schedule(pacing);
        trainer.fit(&mut problem.mlp(&device), &problem.data()).unwrap()
    };
    for (epoch, record) in run(schedule.clone().per_step()).epochs.iter().enumerate() {
        assert_eq!(record.learning_rate, schedule.rate(BASE, 5 * epoch as u64 + 4));
    }
    for (epoch, record) in run(schedule.clone().per_epoch()).epochs.iter().enumerate() {
        assert_eq!(record.learning_rate, schedule.rate(BASE, epoch as u64));
    }
}

fn data() -> Dataset {
    let mut numbers = Values::new(5);
    let x = matrix(&mut numbers, 21, 3);
    Dataset::regression(&x, &matrix(&mut numbers, 21, 2)).unwrap()
}

fn mlp(device: &Device) -> Mlp {
    Mlp::builder(3).hidden(6, Activation::Tanh).output(2).seed(2).build(device).unwrap()
}

/// Schedules under which a run depends on all that a checkpoint has to hold.
fn demanding() -> Vec<Pacing> {
    let impatient = Plateau { patience: 1, cooldown: 1, threshold: 0.05, ..Plateau::default() };
    let adaptive = Adaptive { tol: 0.01, n_iter_no_change: 2, ..Adaptive::default() };
    vec![
        impatient.into(),
        Schedule::from(impatient).after_warmup(7, 0.2).per_step(),
        adaptive.into(),
        // Never: as many epochs as there are may be waited for.
        Schedule::Chain(vec![
            Schedule::exponential(0.9),
            Plateau { patience: u64::MAX, ..Plateau::default() }.into(),
        ])
        .into(),
        OneCycle::new(BASE, 90).per_step(),
        OneCycle::new(BASE, 30).into(),
    ]
}

/// NAdam's steps depend on the momentum of all steps before.
fn paced(pacing: &Pacing) -> Trainer {
    let optimizer = NAdam::new(0.02).momentum_decay(0.1);
    let trainer = Trainer::new(Loss::Mse, optimizer).batch_size(8).seed(4);
    // Named, as the choice goes by how many epochs are planned.
    trainer.strategy(wgrad::device::Strategy::Program).schedule(pacing.clone())
}

#[test]
fn a_resumed_run_is_the_run_that_was_not_interrupted() {
    for device in devices() {
        for pacing in demanding() {
            let mut whole = mlp(device);
            let history = paced(&pacing).epochs(30).fit(&mut whole, &data()).unwrap();
            let rates: Vec<f64> = history.epochs.iter().map(|epoch| epoch.learning_rate).collect();
            assert!(rates.windows(2).any(|pair| pair[0] != pair[1]), "{pacing:?} does nothing");
            for k in [1, 12] {
                let kept = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
                let keep = kept.clone();
                let mut first = paced(&pacing).epochs(k).on_checkpoint(1, move |checkpoint| {
                    *keep.borrow_mut() = checkpoint.to_bytes()?;
                    Ok(())
                });
                first.fit(&mut mlp(device), &data()).unwrap();
                let checkpoint = Checkpoint::from_bytes(&kept.borrow()).unwrap();
                let mut resumed = mlp(device);
                let mut rest = paced(&pacing).epochs(30).resume_from(checkpoint);
                let rest = rest.fit(&mut resumed, &data()).unwrap();
                let what = format!("{pacing:?} from {k} on {device}");
                assert_eq!(parameter_bits(&resumed), parameter_bits(&whole), "{what}");
                let got: Vec<f64> = rest.epochs.iter().map(|epoch| epoch.learning_rate).collect();
                assert_eq!(got, rates[k..], "{what}");
            }
        }
    }
}

/// Epochs are queued as long as no rule has to look; a callback makes it one at a time.
#[test]
fn results_do_not_depend_on_how_many_epochs_are_queued_at_once() {
    for pacing in demanding() {
        let (mut together, mut single) = (mlp(&Device::cpu()), mlp(&Device::cpu()));
        let history = paced(&pacing).epochs(60).fit(&mut together, &data()).unwrap();
        let mut slow = paced(&pacing).epochs(60);
        slow = slow.on_epoch(|_| std::ops::ControlFlow::Continue(()));
        let slow = slow.fit(&mut single, &data()).unwrap();
        assert_eq!(parameter_bits(&together), parameter_bits(&single), "{pacing:?}");
        let rates = |history: &History| -> Vec<f64> {
            history.epochs.iter().map(|epoch| epoch.learning_rate).collect()
        };
        assert_eq!(rates(&history), rates(&slow), "{pacing:?}");
    }
}

#[test]
fn adaptive_ends_the_training_and_stays_ended() {
    let adaptive = Adaptive { tol: 1e3, n_iter_no_change: 0, ..Adaptive::default() };
    let kept = std::rc::Rc::new(std::cell::RefCell::new(None::<Checkpoint>));
    let keep = kept.clone();
    let trainer = || Trainer::new(Loss::Mse, Sgd::new(1e-4)).schedule(adaptive).epochs(50);
    let mut ended = trainer().on_checkpoint(7, move |checkpoint| {
        *keep.borrow_mut() = Some(checkpoint.clone());
        Ok(())
    });
    // 1e-4 / 5^3 is the first rate below 1e-6; the first epoch has nothing to be compared with.
    let history = ended.fit(&mut mlp(&Device::cpu()), &data()).unwrap();
    assert_eq!(history.epochs.len(), 5);
    let checkpoint = kept.borrow_mut().take().unwrap();
    let history = trainer().resume_from(checkpoint).fit(&mut mlp(&Device::cpu()), &data()).unwrap();
    assert!(history.epochs.is_empty());
}

#[test]
fn a_run_with_another_schedule_is_not_resumed() {
    let kept = std::rc::Rc::new(std::cell::RefCell::new(None::<Checkpoint>));
    let keep = kept.clone();
    let pacing = &demanding()[0];
    let mut first = paced(pacing).epochs(2).on_checkpoint(1, move |checkpoint| {
        *keep.borrow_mut() = Some(checkpoint.clone());
        Ok(())
    });
    first.fit(&mut mlp(&Device::cpu()), &data()).unwrap();
    let checkpoint = kept.borrow_mut().take().unwrap();
    let mut other = paced(&Schedule::step(3, 0.5).into()).resume_from(checkpoint);
    let error = other.fit(&mut mlp(&Device::cpu()), &data()).unwrap_err();
    assert!(
        error.to_string().contains("settings.schedule") || error.to_string().contains("schedule")
    );
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let bad: Vec<(Schedule, &str)> = vec![
        (Schedule::step(0, 0.5), "step"),
        (Schedule::step(3, 0.0), "factor"),
        (Schedule::step(3, f64::NAN), "factor"),
        (Schedule::multi_step([3, 3], 0.5), "milestones"),
        (Schedule::multi_step([3], -1.0), "factor"),
        (Schedule::exponential(f64::INFINITY), "factor"),
        (Schedule::polynomial(0, 1.0), "length"),
        (Schedule::polynomial(3, -1.0), "power"),
        (Schedule::inverse_scaling(f64::NAN), "power"),
        (Schedule::InverseScaling { power: 0.5, samples: 0 }, "samples"),
        (Schedule::cosine(0), "length"),
        (Schedule::Cosine { length: 3, minimum: -1.0 }, "minimum"),
        (Schedule::warm_restarts(0, 1), "length"),
        (Schedule::warm_restarts(1, 0), "growth"),
        (OneCycle::new(f64::NAN, 3).into(), "maximum"),
        (OneCycle::new(0.1, 0).into(), "length"),
        (OneCycle { rise: 1.0, ..OneCycle::new(0.1, 3) }.into(), "rise"),
        (OneCycle { start_divisor: 0.0, ..OneCycle::new(0.1, 3) }.into(), "divisor"),
        (OneCycle { end_divisor: -1.0, ..OneCycle::new(0.1, 3) }.into(), "divisor"),
        (OneCycle { momentum: Some((0.5, 1.0)), ..OneCycle::new(0.1, 3) }.into(), "momentum"),
        (Schedule::cosine(3).after_warmup(3, 2.0), "warm-up"),
        (Schedule::cosine(0).after_warmup(3, 0.5), "length"),
        (Schedule::Chain(vec![Schedule::cosine(0)]), "length"),
        (Schedule::Sequence { parts: vec![], milestones: vec![] }, "milestones"),
        (Plateau { factor: 1.0, ..Plateau::default() }.into(), "factor"),
        (Plateau { threshold: -1.0, ..Plateau::default() }.into(), "threshold"),
        (Adaptive { tol: f64::NAN, ..Adaptive::default() }.into(), "tol"),
        (Schedule::Chain(vec![Plateau::default().into(), Adaptive::default().into()]), "one rule"),
    ];
    for (schedule, part) in bad {
        let mut trainer = Trainer::new(Loss::Mse, Sgd::new(BASE)).schedule(schedule.clone());
        let error = trainer.fit(&mut mlp(&Device::cpu()), &data()).unwrap_err();
        assert!(matches!(error, Error::Argument { .. }), "{schedule:?}: {error}");
        assert!(error.to_string().contains(part), "{schedule:?}: {error}");
    }
}

#[test]
fn schedules_go_through_json() {
    let all = pure().into_iter().map(|(_, schedule)| schedule.per_step()).chain(demanding());
    for pacing in all {
        let text = serde_json::to_string(&pacing).unwrap();
        assert_eq!(serde_json::from_str::<Pacing>(&text).unwrap(), pacing, "{text}");
    }
}

fn schedules() -> impl Strategy<Value = Schedule> {
    let length = 1u64..40;
    let leaf = prop_oneof![
        Just(Schedule::Constant),
        (length.clone(), 0.01..2.0).prop_map(|(every, factor)| Schedule::step(every, factor)),
        (length.clone(), 0.01..2.0).prop_map(|(at, factor)| Schedule::multi_step([at], factor)),
        (0.5..1.1).prop_map(Schedule::exponential),
        (length.clone(), 0.0..4.0).prop_map(|(end, power)| Schedule::polynomial(end, power)),
        (0.0..3.0).prop_map(Schedule::inverse_scaling),
        (length.clone(), 0.0..0.2)
            .prop_map(|(length, minimum)| { Schedule::Cosine { length, minimum } }),
        (length.clone(), 1u64..4)
            .prop_map(|(first, growth)| { Schedule::warm_restarts(first, growth) }),
        (length, 0.01..0.99)
            .prop_map(|(length, rise)| { OneCycle { rise, ..OneCycle::new(BASE, length) }.into() }),
        Just(Plateau::default().into()),
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            (inner.clone(), 0u64..10, 0.0..1.0)
                .prop_map(|(then, length, start)| then.after_warmup(length, start)),
            prop::collection::vec(inner.clone(), 0..3).prop_map(Schedule::Chain),
            (inner.clone(), inner, 1u64..20).prop_map(|(a, b, at)| Schedule::Sequence {
                parts: vec![a, b],
                milestones: vec![at]
            }),
        ]
    })
}

proptest! {
    #[test]
    fn rates_are_finite_and_not_negative(schedule in schedules(), k in 0u64..500) {
        prop_assume!(schedule.check().is_ok());
        let rate = schedule.rate(BASE, k);
        prop_assert!(rate.is_finite() && rate >= 0.0, "{schedule:?} after {k}: {rate}");
        let momentum = schedule.momentum(k).unwrap_or(0.5);
        prop_assert!((0.0..1.0).contains(&momentum), "{schedule:?} after {k}: {momentum}");
    }
}
