//! The form that keeps everything in the registers of one subgroup's threads: for networks of up to
//! [`MOST_PARAMETERS`] parameters, written out unit by unit.
//!
//! Names in the text: `y0_i` are the inputs, and of layer l, counted from 1, `zl_i` is the sum of unit
//! i, `yl_i` its value and `dl_i` its delta.

use super::super::fused::plan::{Plan, PlanLayer, Trained};
use super::super::fused::wgsl::{self, function, number, vector};
use super::super::kernels::{LOOP_LIMIT, Target};
use super::source::{self, Source};

const KERNEL: &str = include_str!("../../../../shaders/registers.wgsl");

/// The most parameters: each is some lines of text, and some registers of each thread.
const MOST_PARAMETERS: usize = 128;

/// A parameter in registers: its number there, its word in the buffer, how it is updated.
struct Register {
    word: usize,
    constants: [f32; 4],
}

/// A layer in registers: where its weights and its biases begin.
struct Numbered<'a> {
    layer: &'a PlanLayer,
    weight: usize,
    bias: Option<usize>,
}

impl Numbered<'_> {
    /// The number of the weight from input i to unit j.
    fn weight(&self, i: usize, j: usize) -> usize {
        self.weight + i * self.layer.outputs + j
    }

    /// phi or phi', by the name of its function, of an argument.
    fn applied(&self, function: &str, argument: &str) -> String {
        let activation = self.layer.activation;
        let parameter = number(activation.parameter().unwrap_or(0.0));
        let code = activation.code();
        format!("{function}_{code}({code}u, {parameter}, {argument})")
    }

    /// phi' of unit j of layer l.
    fn slope(&self, l: usize, j: usize) -> String {
        let kept = if self.layer.keeps_pre() { "z" } else { "y" };
        self.applied("derivative_of", &format!("{kept}{l}_{j}"))
    }
}

/// The kernel of a plan whose minibatches have at most `rows` rows.
///
/// # Errors
/// What does not fit the adapter.
pub(super) fn source(plan: &Plan, rows: usize, target: Target) -> Result<Source, String> {
    let threads = target.subgroup.ok_or("the adapter has no subgroups of one size")?;
    let (registers, layers) = numbered(plan);
    let count = registers.len();
    if count > MOST_PARAMETERS {
        return Err(format!(
            "{count} parameters are more than the {MOST_PARAMETERS} that registers take: take \
             fewer or narrower layers, or the strategy `persistent`"
        ));
    }
    let iterations = 1 + rows.div_ceil(threads) * (1 + 4 * plan.outputs());
    if iterations > LOOP_LIMIT {
        return Err(format!("minibatches of {rows} rows are too long: take smaller ones"));
    }
    let mut text =
        format!("const PARAMETERS: u32 = {count}u;\nconst OUTPUTS: u32 = {}u;\n", plan.outputs());
    text += &source::moments(plan, "private", count);
    text += &transfers(plan, &registers);
    text += &function("learn(row: u32, counts: bool) -> f32", learn(&layers));
    text += &function("total(part: f32) -> f32", total(threads));
    text += &function("descend()", registers.iter().enumerate().map(descend));
    Ok(Source {
        text: text + &wgsl::formulas(plan, "f32") + &wgsl::single_activations(plan) + KERNEL,
        constants: source::constants(plan, threads),
        threads,
        values: None,
        iterations,
    })
}

/// The parameters in registers, layer by layer, without the words between them in the buffer.
fn numbered(plan: &Plan) -> (Vec<Register>, Vec<Numbered<'_>>) {
    let mut registers = Vec::new();
    let mut take = |trained: Trained, words: usize| {
        let begin = registers.len();
        let register = |i| Register { word: trained.offset + i, constants: trained.constants };
        registers.extend((0..words).map(register));
        begin
    };
    let mut layers = Vec::new();
    for layer in &plan.layers {
        let weight = take(layer.weight, layer.inputs * layer.outputs);
        let bias = layer.bias.map(|bias| take(bias, layer.outputs));
        layers.push(Numbered { layer, weight, bias });
    }
    (registers, layers)
}

/// What brings parameters and moments to the registers and back, and clears the gradients.
fn transfers(plan: &Plan, registers: &[Register]) -> String {
    let pairs = || {
        let moments = wgsl::moment_names(plan).iter();
        let moments = moments.map(|name| (name.to_string(), format!("stored_{name}")));
        [("parameters".to_owned(), "stored".to_owned())].into_iter().chain(moments)
    };
    let each = |line: &dyn Fn(&str, &str, usize, usize) -> String| -> Vec<String> {
        let of = |(name, stored): (String, String)| {
            let words = registers.iter().enumerate();
            words.map(|(i, register)| line(&name, &stored, i, register.word)).collect::<Vec<_>>()
        };
        pairs().flat_map(of).collect()
    };
    let load = each(&|name, stored, i, word| format!("{name}[{i}] = {stored}[begin + {word}u];"));
    let save = each(&|name, stored, i, word| format!("{stored}[begin + {word}u] = {name}[{i}];"));
    let clear = (0..registers.len()).map(|i| format!("gradients[{i}] = 0.0;"));
    function("load(begin: u32)", load)
        + &function("save(begin: u32)", save)
        + &function("clear()", clear)
}

fn descend((i, register): (usize, &Register)) -> String {
    let constants = vector(register.constants);
    format!("parameters[{i}] = moved({i}u, parameters[{i}], total(gradients[{i}]), {constants});")
}

/// The sum over the threads, for each of them, bitwise the same as additions commute. A loop would
/// count among those that drivers cut short.
fn total(threads: usize) -> Vec<String> {
    let distances = (0..threads.ilog2()).map(|i| 1 << i);
    let add = |distance: u32| format!("sum += subgroupShuffleXor(sum, {distance}u);");
    let mut lines = vec!["var sum = part;".to_owned()];
    lines.extend(distances.map(add));
    lines.push("return sum;".to_owned());
    lines
}

/// A row of the minibatch forward, its loss, and backward.
fn learn(layers: &[Numbered<'_>]) -> Vec<String> {
    let inputs = layers[0].layer.inputs;
    let mut lines = vec![
        "let at = data_row(row);".to_owned(),
        format!("let begin = features_of(at, {inputs}u);"),
    ];
    lines.extend((0..inputs).map(|i| format!("let y0_{i} = features[begin + {i}u];")));
    for (l, layer) in (1..).zip(layers) {
        forward(l, layer, &mut lines);
    }
    let last = layers.len();
    let outputs = layers[last - 1].layer.outputs;
    lines.extend((0..outputs).map(|j| format!("outputs[{j}] = y{last}_{j};")));
    lines.push("let loss = loss_of(row, at);".to_owned());
    for j in 0..outputs {
        let slope = layers[last - 1].slope(last, j);
        lines.push(format!("let d{last}_{j} = select(0.0, deltas[{j}] * {slope}, counts);"));
    }
    for l in (1..=last).rev() {
        if l < last {
            backward(l, &layers[l - 1], &layers[l], &mut lines);
        }
        gradients(l, &layers[l - 1], &mut lines);
    }
    lines.push("return loss;".to_owned());
    lines
}

/// The layer's sums and values.
fn forward(l: usize, layer: &Numbered<'_>, lines: &mut Vec<String>) {
    for j in 0..layer.layer.outputs {
        let bias = layer.bias.map(|bias| format!("parameters[{}]", bias + j));
        let product = |i| format!("y{}_{i} * parameters[{}]", l - 1, layer.weight(i, j));
        let terms: Vec<String> =
            bias.into_iter().chain((0..layer.layer.inputs).map(product)).collect();
        lines.push(format!("let z{l}_{j} = {};", terms.join(" + ")));
        lines.push(format!("let y{l}_{j} = {};", layer.applied("value_of", &format!("z{l}_{j}"))));
    }
}

/// The layer's deltas from those of the next one.
fn backward(l: usize, layer: &Numbered<'_>, next: &Numbered<'_>, lines: &mut Vec<String>) {
    for i in 0..layer.layer.outputs {
        let product = |j| format!("d{}_{j} * parameters[{}]", l + 1, next.weight(i, j));
        let terms: Vec<String> = (0..next.layer.outputs).map(product).collect();
        lines.push(format!("let d{l}_{i} = ({}) * {};", terms.join(" + "), layer.slope(l, i)));
    }
}

/// What the row adds to the layer's gradients.
fn gradients(l: usize, layer: &Numbered<'_>, lines: &mut Vec<String>) {
    for j in 0..layer.layer.outputs {
        for i in 0..layer.layer.inputs {
            let number = layer.weight(i, j);
            lines.push(format!("gradients[{number}] += y{}_{i} * d{l}_{j};", l - 1));
        }
        if let Some(bias) = layer.bias {
            lines.push(format!("gradients[{}] += d{l}_{j};", bias + j));
        }
    }
}
