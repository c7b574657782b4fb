// output = the reduction of input along an axis, by the codes of `Reduction::ALL`:
// 0 sum, 1 mean, 2 max, 3 min, 4 argmax, 5 norm; and for `record` losses[slot] = scale sum.
//
// There are `outputs` results of `length` elements each: element e of result o is at
// input + o output_stride + e element_stride. The elements are cut into `slices` of `per_slice`.
// LANES threads sum up a slice, strided and then as a tree; a second dispatch reduces the slices.
// A partial result is a value, and as many words on, for argmax, its index.
//
// Bindings: params, source, destination. Grid: slices x (outputs / (THREADS / LANES)) workgroups,
// outputs first.

struct Params {
    outputs: u32,
    length: u32,
    output_stride: u32,
    element_stride: u32,
    input: u32,
    output: u32,
    slices: u32,
    per_slice: u32,
    // The words between a partial result's value and index in the source.
    source_indices: u32,
    // The slots of `record`.
    slots: u32,
    // What the sum is divided by (mean) or multiplied with (record).
    scale: f32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> source: array<u32>;
@group(1) @binding(2) var<storage, read_write> destination: array<u32>;

override LANES: u32 = 64u;
override THREADS: u32 = 64u;
override REDUCTION: u32 = 0u;
// Whether the source are elements, not partial results.
override FIRST: u32 = 1u;
// Whether the destination are results, not partial results.
override LAST: u32 = 1u;
override RECORD: u32 = 0u;

struct Partial {
    value: f32,
    index: u32,
}

var<workgroup> values: array<f32, THREADS>;
var<workgroup> indices: array<u32, THREADS>;

fn load(output: u32, element: u32) -> Partial {
    let at = params.input + output * params.output_stride + element * params.element_stride;
    let value = bitcast<f32>(source[at]);
    if (FIRST == 0u) {
        var index = 0u;
        if (REDUCTION == 4u) {
            index = source[at + params.source_indices];
        }
        return Partial(value, index);
    }
    return Partial(select(value, value * value, REDUCTION == 5u), element);
}

fn combine(x: Partial, y: Partial) -> Partial {
    switch (REDUCTION) {
        // A NaN stays where it is found first: a difference is only seen where it is one.
        case 2u: { return Partial(select(x.value, y.value, y.value > x.value || is_nan(y.value)), 0u); }
        case 3u: { return Partial(select(x.value, y.value, y.value < x.value || is_nan(y.value)), 0u); }
        case 4u: {
            let better = y.value > x.value || (y.value == x.value && y.index < x.index);
            return Partial(select(x.value, y.value, better), select(x.index, y.index, better));
        }
        default: { return Partial(x.value + y.value, 0u); }
    }
}

fn finish(result: Partial) -> f32 {
    switch (REDUCTION) {
        case 1u: { return result.value / params.scale; }
        case 4u: { return f32(result.index); }
        case 5u: { return sqrt(result.value); }
        default: { return result.value; }
    }
}

fn store(output: u32, slice: u32, result: Partial) {
    if (LAST == 0u) {
        let at = params.output + output * params.slices + slice;
        destination[at] = bitcast<u32>(result.value);
        if (REDUCTION == 4u) {
            destination[at + params.outputs * params.slices] = result.index;
        }
    } else if (RECORD == 1u) {
        let slot = min(args.slot, params.slots - 1u);
        destination[params.output + slot] = bitcast<u32>(params.scale * result.value);
    } else {
        destination[params.output + output] = bitcast<u32>(finish(result));
    }
}

fn reduce_slice(number: u32, thread: u32) {
    let per_group = THREADS / LANES;
    let blocks = (params.outputs + per_group - 1u) / per_group;
    let wanted = number % blocks * per_group + thread / LANES;
    let slice = number / blocks;
    // Results beyond the end are computed as copies of the last, and not stored.
    let output = min(wanted, params.outputs - 1u);
    let real = wanted < params.outputs && slice < params.slices;
    let start = min(slice, params.slices - 1u) * params.per_slice;
    let end = min(start + params.per_slice, params.length);
    let lane = thread % LANES;

    // Sums begin at 0, the others at an element: seeing it twice changes nothing.
    var result = load(output, start);
    if (REDUCTION < 2u || REDUCTION == 5u) {
        result = Partial(0.0, 0u);
    }
    for (var element = start + lane; element < end; element += LANES) {
        result = combine(result, load(output, element));
    }
    if (LANES > 1u) {
        values[thread] = result.value;
        indices[thread] = result.index;
        for (var width = LANES / 2u; width > 0u; width /= 2u) {
            workgroupBarrier();
            if (lane < width) {
                let other = thread + width;
                result = combine(result, Partial(values[other], indices[other]));
                values[thread] = result.value;
                indices[thread] = result.index;
            }
        }
    }
    if (real && lane == 0u) {
        store(output, slice, result);
    }
}

@compute @workgroup_size(THREADS)
fn reduce(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    reduce_slice(group_number(group, groups), thread);
}

@compute @workgroup_size(THREADS)
fn record(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    reduce_slice(group_number(group, groups), thread);
}
