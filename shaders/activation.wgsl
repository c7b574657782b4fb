// The formulas of activation functions y = phi(z) and their derivatives, those of `nn/activation` with
// the same reasons; activation_cases.wgsl chooses among them. The first four are in
// activation_fused.wgsl.

// 1 / (1 + e^-z), with an exact exponential.
fn logistic(z: f32) -> f32 {
    let e = exp_times(-abs(z), 1.0);
    return select(1.0, e, z < 0.0) / (1.0 + e);
}

fn hard_sigmoid(z: f32) -> f32 {
    return (clamp(z, -3.0, 3.0) + 3.0) / 6.0;
}

fn hard_swish(z: f32) -> f32 {
    return select(0.0, z * hard_sigmoid(z), z > -3.0);
}

fn hard_swish_derivative(z: f32) -> f32 {
    let slope = select(1.0, (z + 1.5) / 3.0, z < 3.0);
    return select(0.0, slope, z > -3.0);
}

// scale alpha (e^(z/width) - 1) on the left, scale z on the right.
fn elu(z: f32, scale: f32, alpha: f32, width: f32) -> f32 {
    return select(scale * alpha * exp_m1(min(z, 0.0) / width), scale * z, z > 0.0);
}

fn elu_derivative(z: f32, right: f32, left: f32) -> f32 {
    return select(exp_times(min(z, 0.0), left), right, z > 0.0);
}

const SELU_ALPHA: f32 = 1.6732632;
const SELU_SCALE: f32 = 1.0507010;

// ln(1 + e^-|z|)
fn softplus_tail(z: f32) -> f32 {
    return ln_1p(exp_times(-abs(z), 1.0));
}

// factor e^(scale z^2), where scale is a negative power of two; z^2 is kept in two parts.
fn bell(z: f32, scale: f32, factor: f32) -> f32 {
    let high = leading(z);
    let low = z - high;
    return exp_sum_times(scale * high * high, scale * low * (z + high), factor);
}

// Where e^(-z^2 / 2) has long been 0, and z^2 is no large number yet.
const BELL_END: f32 = 40.0;
// 1 / sqrt(2 pi)
const DENSITY: f32 = 0.3989423;

fn gelu(z: f32) -> f32 {
    let near = within(z, BELL_END);
    let factor = DENSITY * mills(abs(near));
    let left = z < 0.0;
    let tail = bell(near, -0.5, select(factor, near * factor, left));
    return select(z * (1.0 - tail), tail, left);
}

fn gelu_derivative(z: f32) -> f32 {
    let near = within(z, BELL_END);
    let tail = bell(near, -0.5, DENSITY * (mills(abs(near)) - abs(near)));
    return select(1.0 - tail, tail, z < 0.0);
}

// sqrt(8 / pi), and that times 0.044715: 12 bits and the rest of each.
const TANH_A: f32 = 1.595703125;
const TANH_A_REST: f32 = 6.599660264328122e-05;
const TANH_B: f32 = 0.07135009765625;
const TANH_B_REST: f32 = 4.718616310128709e-06;
const TANH_END: f32 = 40.0;

// A z + B z^3 for z >= 0 in two parts, the first of which is exact: products of 12 bits are. Where a
// compiler joins what is kept apart here, the left tail loses some accuracy, and nothing else.
fn tanh_argument(z: f32) -> vec2<f32> {
    let z_high = leading(z);
    let z_low = z - z_high;
    let square = leading(z * z);
    let square_low = (z_high * z_high - square) + z_low * (z + z_high);
    let cubic = leading(TANH_B * square);
    let rests = TANH_B * square_low + TANH_B_REST * (z * z);
    let cubic_low = (TANH_B * square - cubic) + rests;
    let sum = leading(TANH_A + cubic);
    let sum_low = (TANH_A + cubic - sum) + (TANH_A_REST + cubic_low);
    return vec2(sum * z_high, sum * z_low + sum_low * z);
}

fn gelu_tanh(z: f32) -> f32 {
    let near = within(z, TANH_END);
    let argument = -tanh_argument(abs(near));
    let e = exp_sum_times(argument.x, argument.y, 1.0);
    let tail = exp_sum_times(argument.x, argument.y, near);
    return select(z, tail, z < 0.0) / (1.0 + e);
}

fn gelu_tanh_derivative(z: f32) -> f32 {
    let near = within(z, TANH_END);
    let argument = -tanh_argument(abs(near));
    let e = exp_sum_times(argument.x, argument.y, 1.0);
    let slope = near * (TANH_A + TANH_A_REST + 3.0 * (TANH_B + TANH_B_REST) * near * near);
    let left = z < 0.0;
    let factor = 1.0 + slope * select(e, 1.0, left) / (1.0 + e);
    return select(factor, exp_sum_times(argument.x, argument.y, factor), left) / (1.0 + e);
}

// Where e^-|z| has long been 0, and products with z are still finite.
const TAIL_END: f32 = 1000.0;

fn silu(z: f32) -> f32 {
    let near = within(z, TAIL_END);
    let e = exp_times(-abs(near), 1.0);
    return select(z, exp_times(-abs(near), near), z < 0.0) / (1.0 + e);
}

fn silu_derivative(z: f32) -> f32 {
    let near = within(z, TAIL_END);
    let e = exp_times(-abs(near), 1.0);
    let left = z < 0.0;
    let factor = 1.0 + near * select(e, 1.0, left) / (1.0 + e);
    return select(factor, exp_times(-abs(near), factor), left) / (1.0 + e);
}

// tanh(ln(1 + e^z)) as a quotient in e = e^-|z|: both parts without the factor e on the left.
fn mish_gate(e: f32, left: bool) -> vec2<f32> {
    let on_left = vec2(e + 2.0, e * (e + 2.0) + 2.0);
    return select(vec2(1.0 + 2.0 * e, 1.0 + 2.0 * e * (1.0 + e)), on_left, left);
}

fn mish(z: f32) -> f32 {
    let near = within(z, TAIL_END);
    let left = z < 0.0;
    let gate = mish_gate(exp_times(-abs(near), 1.0), left);
    let tail = exp_times(-abs(near), near * gate.x) / gate.y;
    return select(z * (gate.x / gate.y), tail, left);
}

fn mish_derivative(z: f32) -> f32 {
    let near = within(z, TAIL_END);
    let e = exp_times(-abs(near), 1.0);
    let left = z < 0.0;
    let gate = mish_gate(e, left);
    let rise = 4.0 * near * (1.0 + e) * select(e * e, 1.0, left);
    let factor = (gate.x + rise / gate.y) / gate.y;
    return select(factor, exp_times(-abs(near), factor), left);
}

fn softsign_derivative(z: f32) -> f32 {
    let inverse = 1.0 / (1.0 + abs(z));
    return inverse * inverse;
}
