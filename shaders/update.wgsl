// parameters = the optimizer's step along the gradients, by the codes of `Optimizer::code`.
//
// 0 SGD:  g += decay p; v = change v + g; p -= rate (ahead v + keep g)
// 1 Adam: g += decay p; m += c1 (g - m); v += c2 (g^2 - v); p -= rate m / (sqrt(v) change + epsilon)
// rate and change come from the step's coefficients, the other numbers are constants.
//
// An Element is a word, or a vector of 4 where everything lies at multiples of 4; count and offsets
// are in elements.
// Bindings: params, gradients, parameters, first moment, second moment.
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

fn sgd(i: u32, p: Element, g: Element) -> Element {
    let rate = args.coefficients[0].x;
    if (MOMENTS == 0u) {
        return p - rate * g;
    }
    let v = args.coefficients[0].y * first[params.first + i] + g;
    first[params.first + i] = v;
    return p - rate * (params.constants.y * v + params.constants.z * g);
}

fn adam(i: u32, p: Element, g: Element) -> Element {
    let rate = args.coefficients[0].x;
    var m = first[params.first + i];
    m += params.constants.y * (g - m);
    first[params.first + i] = m;
    var v = second[params.second + i];
    v += params.constants.z * (g * g - v);
    second[params.second + i] = v;
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
