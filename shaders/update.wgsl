// parameters = the optimizer's step along the gradients, by the codes of `Optimizer::code`.
//
// 0 SGD:  g += decay p; v = change v + g; p -= rate (ahead v + keep g)
// 1 Adam: g += decay p; m += c1 (g - m); v += c2 (g^2 - v); p -= rate m / (sqrt(v) change + epsilon)
// rate and change come from the step's coefficients, the other numbers are constants.
//
// An Element is a word, or a vector of 4 where everything lies at multiples of 4; count and offsets
// are in elements.
// Bindings: params, gradients, parameters, first moment, second moment. A moment that lies in the
// buffer of another operand is reached through that one's binding.
// Grid: count / THREADS workgroups.

struct Params {
    constants: vec4<f32>,
    count: u32,
    parameters: u32,
    gradients: u32,
    first: u32,
    second: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> gradients: array<Element>;
@group(1) @binding(2) var<storage, read_write> parameters: array<Element>;
@group(1) @binding(3) var<storage, read_write> first: array<Element>;
@group(1) @binding(4) var<storage, read_write> second: array<Element>;

override THREADS: u32 = 64u;
override OPTIMIZER: u32 = 0u;
override MOMENTS: u32 = 0u;
// Where the moments lie: 0 in a buffer of their own, 1 in the parameters', 2 in the first moment's.
override FIRST_IN: u32 = 0u;
override SECOND_IN: u32 = 0u;

fn load_first(i: u32) -> Element {
    if (FIRST_IN == 1u) {
        return parameters[params.first + i];
    }
    return first[params.first + i];
}

fn store_first(i: u32, value: Element) {
    if (FIRST_IN == 1u) {
        parameters[params.first + i] = value;
    } else {
        first[params.first + i] = value;
    }
}

fn load_second(i: u32) -> Element {
    if (SECOND_IN == 1u) {
        return parameters[params.second + i];
    }
    if (SECOND_IN == 2u) {
        return first[params.second + i];
    }
    return second[params.second + i];
}

fn store_second(i: u32, value: Element) {
    if (SECOND_IN == 1u) {
        parameters[params.second + i] = value;
    } else if (SECOND_IN == 2u) {
        first[params.second + i] = value;
    } else {
        second[params.second + i] = value;
    }
}

fn sgd(i: u32, p: Element, g: Element) -> Element {
    let rate = args.coefficients[0].x;
    if (MOMENTS == 0u) {
        return p - rate * g;
    }
    let v = args.coefficients[0].y * load_first(i) + g;
    store_first(i, v);
    return p - rate * (params.constants.y * v + params.constants.z * g);
}

fn adam(i: u32, p: Element, g: Element) -> Element {
    let rate = args.coefficients[0].x;
    var m = load_first(i);
    m += params.constants.y * (g - m);
    store_first(i, m);
    var v = load_second(i);
    v += params.constants.z * (g * g - v);
    store_second(i, v);
    return p - rate * m / (sqrt(v) * args.coefficients[0].y + params.constants.w);
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
    let p = parameters[params.parameters + i];
    let g = gradients[params.gradients + i] + params.constants.x * p;
    if (OPTIMIZER == 0u) {
        parameters[params.parameters + i] = sgd(i, p, g);
    } else {
        parameters[params.parameters + i] = adam(i, p, g);
    }
}
