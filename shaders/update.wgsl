// parameters = the optimizer's step along the gradients, by the codes of `Optimizer::code`; the
// formulas are in `src/optim`, each with its rule.
//
// The step's coefficients c are numbered as `Rule::coefficients` returns them; c0 and c1 are
// multiplied by the factor of these parameters. The constants are the weight decay, up to two
// numbers of `Rule::constants` (a and b here), and that factor.
//
// An Element is a word, or a vector of 4 where everything lies at multiples of 4; count and offsets
// are in elements.
// Bindings: params, gradients, parameters, first, second and third moment.
// Grid: count / THREADS workgroups.

struct Params {
    constants: vec4<f32>,
    count: u32,
    parameters: u32,
    gradients: u32,
    first: u32,
    second: u32,
    third: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> gradients: array<Element>;
@group(1) @binding(2) var<storage, read_write> parameters: array<Element>;
@group(1) @binding(3) var<storage, read_write> first: array<Element>;
@group(1) @binding(4) var<storage, read_write> second: array<Element>;
@group(1) @binding(5) var<storage, read_write> third: array<Element>;

override THREADS: u32 = 64u;
override OPTIMIZER: u32 = 0u;
override MOMENTS: u32 = 0u;
override VARIANT: u32 = 0u;

// The running mean of `value` in a moment, moved by its share.
fn mean_in_first(i: u32, value: Element, share: f32) -> Element {
    let old = first[params.first + i];
    let moved = old + share * (value - old);
    first[params.first + i] = moved;
    return moved;
}

fn mean_in_second(i: u32, value: Element, share: f32) -> Element {
    let old = second[params.second + i];
    let moved = old + share * (value - old);
    second[params.second + i] = moved;
    return moved;
}

fn sgd(i: u32, p: Element, g: Element, c0: f32) -> Element {
    if (MOMENTS == 0u) {
        return p - c0 * g;
    }
    let c = args.coefficients;
    let v = c[0].z * first[params.first + i] + c[0].w * g;
    first[params.first + i] = v;
    return p - c0 * (c[1].x * v + c[1].y * g);
}

// The quotient of Adam and its kin: m / (sqrt(v) change + b), or with the largest v so far.
fn adam_quotient(i: u32, g: Element, b: f32) -> Element {
    let m = mean_in_first(i, g, args.coefficients[0].z);
    var v = mean_in_second(i, g * g, params.constants.y);
    if (MOMENTS == 3u) {
        v = max(third[params.third + i], v);
        third[params.third + i] = v;
    }
    return m / (sqrt(v) * args.coefficients[0].w + b);
}

fn nadam(i: u32, p: Element, g: Element, c0: f32, c1: f32, b: f32) -> Element {
    let m = mean_in_first(i, g, args.coefficients[0].z);
    let v = mean_in_second(i, g * g, params.constants.y);
    return p - (c0 * m + c1 * g) / (sqrt(v) * args.coefficients[0].w + b);
}

fn radam(i: u32, p: Element, g: Element, c0: f32, c1: f32, b: f32) -> Element {
    let m = mean_in_first(i, g, args.coefficients[0].z);
    let v = mean_in_second(i, g * g, params.constants.y);
    return p - (c0 * m / (sqrt(v) + b) + c1 * m);
}

fn adamax(i: u32, p: Element, g: Element, c0: f32, b: f32) -> Element {
    let m = mean_in_first(i, g, args.coefficients[0].z);
    let u = max(params.constants.y * second[params.second + i], abs(g) + b);
    second[params.second + i] = u;
    return p - c0 * m / u;
}

// VARIANT 1 is centered: the second moment is the gradient's mean. Momentum is the last moment.
fn rmsprop(i: u32, p: Element, g: Element, c0: f32, b: f32) -> Element {
    var v = mean_in_first(i, g * g, params.constants.y);
    if (VARIANT == 1u) {
        let m = mean_in_second(i, g, params.constants.y);
        // Rounding may leave the mean of squares below the square of the mean.
        v = max(v - m * m, Element(0.0));
    }
    let step = g / (sqrt(v) + b);
    if (MOMENTS == 3u) {
        let kept = args.coefficients[0].z * third[params.third + i] + step;
        third[params.third + i] = kept;
        return p - c0 * kept;
    }
    if (MOMENTS == 2u && VARIANT == 0u) {
        let kept = args.coefficients[0].z * second[params.second + i] + step;
        second[params.second + i] = kept;
        return p - c0 * kept;
    }
    return p - c0 * step;
}

fn adagrad(i: u32, p: Element, g: Element, c0: f32, b: f32) -> Element {
    let v = first[params.first + i] + (args.coefficients[0].z + g * g);
    first[params.first + i] = v;
    return p - c0 * g / (sqrt(v) + b);
}

fn adadelta(i: u32, p: Element, g: Element, c0: f32, b: f32) -> Element {
    let v = mean_in_first(i, g * g, params.constants.y);
    let step = sqrt(second[params.second + i] + b) / sqrt(v + b) * g;
    mean_in_second(i, step * step, params.constants.y);
    return p - c0 * step;
}

fn lion(i: u32, p: Element, g: Element, c0: f32) -> Element {
    let old = first[params.first + i];
    first[params.first + i] = old + params.constants.y * (g - old);
    let step = sign(old + args.coefficients[0].z * (g - old));
    return p - c0 * (step + params.constants.x * p);
}

@compute @workgroup_size(THREADS)
fn update(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let i = group_number(group, groups) * THREADS + thread;
    if (i >= params.count) {
        return;
    }
    let c0 = args.coefficients[0].x * params.constants.w;
    let c1 = args.coefficients[0].y * params.constants.w;
    let b = params.constants.z;
    let p = parameters[params.parameters + i];
    let plain = gradients[params.gradients + i];
    // The gradient with the penalty's.
    let g = plain + params.constants.x * p;
    var moved = p;
    switch (OPTIMIZER) {
        case 0u: { moved = sgd(i, p, g, c0); }
        case 1u: { moved = p - c0 * adam_quotient(i, g, b); }
        case 2u: { moved = p - (c1 * params.constants.x * p + c0 * adam_quotient(i, plain, b)); }
        case 3u: { moved = nadam(i, p, g, c0, c1, b); }
        case 4u: { moved = radam(i, p, g, c0, c1, b); }
        case 5u: { moved = adamax(i, p, g, c0, b); }
        case 6u: { moved = rmsprop(i, p, g, c0, b); }
        case 7u: { moved = adagrad(i, p, g, c0, b); }
        case 8u: { moved = adadelta(i, p, g, c0, b); }
        case 9u: { moved = lion(i, p, plain, c0); }
        default: {}
    }
    parameters[params.parameters + i] = moved;
}
