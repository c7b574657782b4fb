//! Whole programs: what is executed at once, on any number of threads, against instruction by
//! instruction.

mod terms;
mod turned;

use super::fold::{Pair, fold};
use super::fuse::fuse;
use super::instruction::Instruction;
use super::share::share;
use super::{Cpu, CpuExecutable, memory, tuner};
use crate::device::{Buffer, Device, Executable, Launch};
use crate::mlp::{Mlp, MlpBuilder};
use crate::nn::{Activation, Loss, TargetKind};
use crate::op::{Axis, Op, Reduction, Shape, StepArgs, View};
use crate::optim::{Adam, Optimizer, Sgd};
use crate::program::{BufferSpec, Program, Share, Source, Step, names};
use std::collections::BTreeSet;

const ROWS: usize = 300;

/// A network that is wide enough for its gradients to be fused and its products to be shared, and
/// deep enough for a layer below to need the weights above; its first product is a sum of terms.
fn step(optimizer: Option<Optimizer>, batch: usize) -> Step {
    let builder = Mlp::builder(2100).hidden(70, Activation::Relu).hidden(67, Activation::Tanh);
    step_of(builder.output(2), optimizer, batch)
}

fn step_of(network: MlpBuilder, optimizer: Option<Optimizer>, batch: usize) -> Step {
    let mlp = network.build(&Device::cpu()).expect("the CPU builds networks");
    let network = mlp.network().clone();
    let sources = [network.inputs(), network.outputs()];
    let sources = sources.map(|cols| Source::divided(ROWS, cols, usize::MAX));
    Step { order: Some(ROWS), slots: 4, ..Step::new(network, Loss::Mse, optimizer, batch, sources) }
}

fn optimizers() -> [Optimizer; 4] {
    let sgd = Sgd::new(0.01);
    [sgd.into(), sgd.momentum(0.9).nesterov().into(), Adam::new(0.01).into(), {
        Adam { weight_decay: 0.1, ..Adam::default() }.into()
    }]
}

/// Numbers between -1 and 1.
fn number(i: usize) -> f32 {
    (i.wrapping_mul(2_654_435_761) % 2_003) as f32 / 1_001.0 - 1.0
}

/// A target that a loss takes.
fn target(loss: Loss, i: usize) -> f32 {
    let x = number(i + 7);
    let candidates = [x, x.abs(), x.signum()];
    candidates.into_iter().find(|&target| loss.takes_target(target)).expect("it takes one of them")
}

/// The program's buffers, with data, an order and parameters in them.
fn buffers(device: &Device, program: &Program, step: &Step) -> Vec<Buffer> {
    let classes = step.network.outputs() as u32;
    let upload = |words: Vec<f32>| device.upload(&words).expect("there is memory");
    let fill = |spec: &BufferSpec| {
        let all = 0..spec.words;
        let numbers = all.clone().map(number);
        match spec.name.trim_end_matches(|c: char| c == '.' || c.is_ascii_digit()) {
            names::PARAMETERS => upload(numbers.map(|x| 0.05 * x).collect()),
            names::ORDER => {
                let order: Vec<u32> = (0..ROWS as u32).map(|i| (i * 7 + 2) % ROWS as u32).collect();
                device.upload(&order).expect("there is memory")
            }
            names::FEATURES => upload(numbers.collect()),
            names::TARGETS if step.target_kind == TargetKind::Labels => {
                let labels: Vec<u32> = all.map(|i| i as u32 * 5 % classes).collect();
                device.upload(&labels).expect("there is memory")
            }
            names::TARGETS => upload(all.map(|i| target(step.loss, i)).collect()),
            names::WEIGHTS | names::POSITIVE_WEIGHTS => {
                upload(numbers.map(|x| x.abs() + 0.1).collect())
            }
            _ => device.allocate(spec.words).expect("there is memory"),
        }
    };
    program.buffers.iter().map(fill).collect()
}

/// The arguments of a step.
fn args(optimizer: Option<Optimizer>, slot: u32, batch: usize) -> StepArgs {
    let coefficients =
        optimizer.map_or([0.0; 8], |rule| rule.coefficients(u64::from(slot) + 1, 0.01));
    let first_row = slot * batch as u32 % (ROWS - batch + 1) as u32;
    StepArgs { first_row, slot, coefficients, ..StepArgs::default() }
}

/// What three steps leave in every buffer that is not transient, as bits.
fn run(device: &Device, step: &Step, whole: bool) -> Vec<(String, Vec<u32>)> {
    run_program(device, step, &step.lower().expect("the step is sound"), whole)
}

/// The same for a step's program in which other buffers may be transient.
fn run_program(
    device: &Device,
    step: &Step,
    program: &Program,
    whole: bool,
) -> Vec<(String, Vec<u32>)> {
    run_steps(device, step, program, whole, 3)
}

/// The same after so many steps, with the coefficients of the first ones in turn.
fn run_steps(
    device: &Device,
    step: &Step,
    program: &Program,
    whole: bool,
    steps: usize,
) -> Vec<(String, Vec<u32>)> {
    let buffers = buffers(device, program, step);
    let mut executable = device.compile(std::slice::from_ref(program), &buffers).expect("sound");
    for number in 0..steps {
        let args = args(step.optimizer, (number % step.slots) as u32, step.batch);
        if whole {
            executable.run(&[Launch { program: 0, args }]).expect("sound");
        } else {
            let buffers: Vec<&Buffer> = buffers.iter().collect();
            for op in &program.ops {
                device.execute(op, &buffers, &args).expect("sound");
            }
        }
    }
    let kept = program.buffers.iter().zip(&buffers).filter(|(spec, _)| !spec.transient);
    kept.map(|(spec, buffer)| (spec.name.clone(), buffer.read().expect("sound"))).collect()
}

fn assert_same(one: &[(String, Vec<u32>)], two: &[(String, Vec<u32>)], what: &str) {
    assert_eq!(one.len(), two.len());
    for ((name, a), (_, b)) in one.iter().zip(two) {
        let differ = a.iter().zip(b).filter(|(a, b)| a != b).count();
        assert!(a == b, "{differ} of {} words of {name} differ: {what}", a.len());
    }
}

/// Asserts that a step executed at once on one thread, two and three leaves the bits of its program.
fn assert_same_on_threads(step: &Step) {
    let program = run(&Device::cpu_with_threads(1), step, false);
    for threads in [1, 2, 3] {
        let whole = run(&Device::cpu_with_threads(threads), step, true);
        assert_same(&program, &whole, &format!("{threads} threads, {step:?}"));
    }
}

/// The program with its gradients and updates put together.
fn fused(program: &Program) -> Vec<Instruction> {
    fuse(program.ops.iter().map(|op| Instruction::Alone(*op)).collect(), program, |buffer| buffer)
}

fn descents(program: &Program) -> usize {
    let descends = |instruction: &&Instruction| matches!(instruction, Instruction::Descend { .. });
    fused(program).iter().filter(descends).count()
}

#[test]
fn fused_steps_leave_the_bits_of_the_program() {
    for optimizer in optimizers() {
        for batch in [5, 64, 100] {
            let step = step(Some(optimizer), batch);
            assert_eq!(descents(&step.lower().expect("sound")), 2, "the first two layers");
            let program = run(&Device::cpu_with_threads(1), &step, false);
            let fused = run(&Device::cpu_with_threads(1), &step, true);
            assert_same(&program, &fused, &format!("{optimizer:?}, batches of {batch}"));
        }
    }
}

/// A weight so wide that its gradient is computed in blocks of columns too.
#[test]
fn wide_weights_are_fused_with_the_bits_of_the_program() {
    for batch in [12, 130] {
        let network = Mlp::builder(150).hidden(1100, Activation::Tanh).output(2);
        let step = step_of(network, Some(Adam::new(0.01).into()), batch);
        assert_eq!(descents(&step.lower().expect("sound")), 1, "the first layer");
        assert_same_on_threads(&step);
    }
}

#[test]
fn every_number_of_threads_leaves_the_same_bits() {
    for optimizer in [None, Some(Adam::new(0.01).into())] {
        for batch in [64, 100, 260] {
            let step = step(optimizer, batch);
            let one = run(&Device::cpu_with_threads(1), &step, true);
            for threads in [2, 3, 5] {
                let device = Device::cpu_with_threads(threads);
                for whole in [true, false] {
                    let what = format!("{threads} threads, {optimizer:?}, {batch} rows, {whole}");
                    assert_same(&one, &run(&device, &step, whole), &what);
                }
            }
        }
    }
}

/// From a step on other numbers of threads are tried: there, and where fewer go on.
#[test]
fn trials_of_other_numbers_of_threads_leave_the_same_bits() {
    let step = step(Some(Adam::new(0.01).into()), 100);
    let program = step.lower().expect("sound");
    let trained = |threads| {
        let device = Device::cpu_with_threads(threads);
        run_steps(&device, &step, &program, true, 3 * tuner::FIRST)
    };
    let one = trained(1);
    for threads in [2, 6] {
        assert_same(&one, &trained(threads), &format!("{threads} threads"));
    }
}

/// A thread less is tried after the first steps, if any work in them is shared.
#[test]
fn programs_that_share_work_try_other_numbers_of_threads() {
    let small = step_of(Mlp::builder(3).output(2), Some(Sgd::new(0.01).into()), 8);
    for (step, expected) in [(step(None, 100), [2, 1]), (small, [2, 2])] {
        let cpu = Cpu::new(2);
        let program = step.lower().expect("sound");
        let buffers = buffers(&Device { backend: cpu.clone() }, &program, &step);
        let memories = buffers.iter().map(|buffer| memory(buffer.storage()).clone());
        let mut executable =
            CpuExecutable::new(&cpu, std::slice::from_ref(&program), memories.collect());
        let launch = Launch { program: 0, args: args(step.optimizer, 0, step.batch) };
        executable.run(&[launch; tuner::FIRST]).expect("sound");
        assert_eq!(executable.crew.team, expected[0]);
        executable.run(&[launch]).expect("sound");
        assert_eq!(executable.crew.team, expected[1]);
    }
}

/// A program whose gradients somebody else needs is executed as it stands.
#[test]
fn gradients_that_others_use_are_kept() {
    let whole = step(Some(Adam::default().into()), 8).lower().expect("sound");
    assert_eq!(descents(&whole), 2);
    let update = whole.ops.len() - 1;
    let gradients = whole.buffer(names::GRADIENTS).expect("it has gradients");
    let losses = whole.buffer(names::LOSSES).expect("it has losses");
    let delta = whole.buffer("delta.1").expect("it has deltas");

    let mut kept = whole.clone();
    kept.buffers[gradients].transient = false;
    assert_eq!(descents(&kept), 0, "gradients that are asked for");

    let weight = View::new(gradients, Shape::new(1, 2100 * 70));
    let output = View::new(losses, Shape::new(1, 1));
    let (reduction, axis) = (Reduction::Norm, Axis::All);
    let norm = Op::Reduce { reduction, axis, input: weight, output };
    for at in [0, update, update + 1] {
        let mut read = whole.clone();
        read.ops.insert(at, norm);
        assert_eq!(descents(&read), 1, "a norm of the first weight's gradient at {at}");
    }

    let output = View::new(delta, Shape::new(8, 67));
    let backward = whole.ops.iter().rposition(|op| matches!(op, Op::Backward { .. }));
    let backward = backward.expect("there are two");
    for (at, fused) in [(backward, 1), (backward + 1, 2)] {
        let mut overwritten = whole.clone();
        overwritten.ops.insert(at, Op::Fill { value: 0.0, output });
        assert_eq!(descents(&overwritten), fused, "the second layer's delta is gone at {at}");
    }
}

/// Two updates of parts of the parameters are two groups.
#[test]
fn groups_of_parameters_are_fused_each_with_its_own_update() {
    let mut program = step(Some(Sgd::new(0.01).into()), 8).lower().expect("sound");
    let Some(Op::Update { optimizer, rate_factor, parameters, gradients, moments }) =
        program.ops.pop()
    else {
        panic!("a step ends with its update");
    };
    let words = parameters.shape.len();
    // The second group begins inside the second weight, which is in neither then.
    for (border, count) in [(2100 * 70 + 80, 2), (2100 * 70 + 200, 1)] {
        let mut groups = program.clone();
        for range in [0..border, border..words] {
            let part =
                |view: View| View::new(view.buffer, Shape::new(1, range.len())).at(range.start);
            groups.ops.push(Op::Update {
                optimizer,
                rate_factor,
                parameters: part(parameters),
                gradients: part(gradients),
                moments: moments.map(|moment| moment.map(part)),
            });
        }
        assert_eq!(descents(&groups), count, "groups that meet at {border}");
        let updated: usize = (fused(&groups).iter())
            .filter_map(|instruction| match instruction {
                Instruction::Alone(op) => Some(op),
                Instruction::Descend { update, .. } => Some(&**update),
                Instruction::Fold { .. } | Instruction::Turned(_) => None,
            })
            .filter_map(|op| match op {
                Op::Update { parameters, .. } => Some(parameters.shape.len()),
                _ => None,
            })
            .sum();
        assert_eq!(updated, words, "every word is updated once");
    }
}

/// Where the buffers of layers lie, by name, as two kinds of minibatches leave them.
fn places(batches: [usize; 2]) -> Vec<(String, String)> {
    let network =
        [(); 3].iter().fold(Mlp::builder(50), |network, ()| network.hidden(100, Activation::Tanh));
    let programs = batches.map(|batch| {
        let step = step_of(network.clone().output(2), Some(Adam::default().into()), batch);
        let mut program = step.lower().expect("the step is sound");
        // Somebody else's, and nobody's: large enough for everything.
        for (name, transient) in [("others", false), ("unused", true)] {
            program.buffers.push(BufferSpec { name: name.into(), words: 1 << 20, transient });
        }
        program
    });
    let lists: Vec<_> = programs.iter().map(fused).collect();
    let specs = &programs[0].buffers;
    let places = share(&programs, &lists, |buffer| buffer, |buffer| specs[buffer].words);
    let names = specs.iter().zip(places);
    names.map(|(spec, place)| (spec.name.clone(), specs[place].name.clone())).collect()
}

#[test]
fn deltas_lie_where_activations_were() {
    let places = places([64, 10]);
    let hidden = |name: &str| names::is_passed_on(name) && !name.ends_with('3');
    let layers = places.iter().filter(|(name, _)| hidden(name));
    let different: BTreeSet<&String> = layers.map(|(_, place)| place).collect();
    assert_eq!(
        different.len(),
        4,
        "three activations and a delta are needed at a time: {places:?}"
    );
    for (name, place) in &places {
        let passed_on = names::is_passed_on(name);
        assert!(name == place || passed_on, "{name} lies in {place}");
    }
}

/// Networks with a layer so wide that its deltas take the place of its activations.
fn folding() -> [MlpBuilder; 3] {
    let wide = |activation| Mlp::builder(20).hidden(3600, activation);
    [
        wide(Activation::Tanh).hidden(70, Activation::Relu).output(2),
        wide(Activation::Gelu).hidden(530, Activation::Tanh).output(1),
        wide(Activation::Identity).output(40),
    ]
}

/// What executes the steps of a network with minibatches of these sizes, and the pairs that are folded.
fn folded(programs: &[Program]) -> (Vec<Vec<Instruction>>, Vec<Pair>) {
    let mut lists: Vec<_> = programs.iter().map(fused).collect();
    let specs = &programs[0].buffers;
    let pairs = fold(programs, &mut lists, |buffer| specs[buffer].words);
    (lists, pairs)
}

#[test]
fn folded_steps_leave_the_bits_of_the_program() {
    for network in folding() {
        let step = step_of(network, Some(Adam::new(0.01).into()), 300);
        let lower = |batch| {
            let share = Share::whole(batch);
            Step { batch, share, ..step.clone() }.lower().expect("sound")
        };
        let programs = [300, 40].map(lower);
        let (lists, pairs) = folded(&programs);
        assert_eq!(pairs.len(), 1);
        let folds = |instruction: &&Instruction| matches!(instruction, Instruction::Fold { .. });
        assert!(lists.iter().all(|list| list.iter().filter(folds).count() == 1));
        assert_same_on_threads(&step);
    }
}

#[test]
fn activations_that_others_use_keep_their_places() {
    let [network, ..] = folding();
    let step = step_of(network, Some(Adam::new(0.01).into()), 300);
    let whole = step.lower().expect("sound");
    let buffer = |name| whole.buffer(name).expect("it has it");
    let pair = Pair { delta: buffer("delta.0"), activation: buffer("output.0") };
    assert_eq!(folded(std::slice::from_ref(&whole)).1, [pair]);
    let fill = |buffer| {
        let output = View::new(buffer, Shape::new(1, whole.buffers[buffer].words));
        Op::Fill { value: 0.0, output }
    };
    let without = |what: &str, change: &dyn Fn(&mut Program)| {
        let mut other = whole.clone();
        change(&mut other);
        assert_eq!(folded(&[whole.clone(), other]).1, [], "{what}");
    };
    without("the activation is used at the end", &|other| other.ops.push(fill(pair.activation)));
    without("the delta is used before", &|other| other.ops.insert(0, fill(pair.delta)));
    for buffer in [pair.delta, pair.activation] {
        without("somebody needs it", &|other| other.buffers[buffer].transient = false);
    }
    let mut small = step_of(folding()[0].clone(), step.optimizer, 250).lower().expect("sound");
    small.buffers.truncate(whole.buffers.len());
    assert_eq!(folded(&[small]).1, [], "an activation of less than 4 MiB");
}
