// The update rules, by the codes of `Optimizer::code`; the formulas are in `src/optim`, each with its
// rule.
//
// The step's coefficients c are numbered as `Rule::coefficients` returns them; c0 and c1 are
// multiplied by the factor of these parameters. The constants are the weight decay, up to two
// numbers of `Rule::constants` (a and b here), and that factor.
//
// Needs OPTIMIZER, MOMENTS (how many there are) and VARIANT, the moments as arrays `first`, `second`
// and `third`, and where those of element 0 are: params.first, params.second, params.third.

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
fn adam_quotient(i: u32, g: Element, a: f32, b: f32) -> Element {
    let m = mean_in_first(i, g, args.coefficients[0].z);
    var v = mean_in_second(i, g * g, a);
    if (MOMENTS == 3u) {
        v = max(third[params.third + i], v);
        third[params.third + i] = v;
    }
    return m / (sqrt(v) * args.coefficients[0].w + b);
}

fn nadam(i: u32, p: Element, g: Element, c0: f32, c1: f32, a: f32, b: f32) -> Element {
    let m = mean_in_first(i, g, args.coefficients[0].z);
    let v = mean_in_second(i, g * g, a);
    return p - (c0 * m + c1 * g) / (sqrt(v) * args.coefficients[0].w + b);
}

fn radam(i: u32, p: Element, g: Element, c0: f32, c1: f32, a: f32, b: f32) -> Element {
    let m = mean_in_first(i, g, args.coefficients[0].z);
    let v = mean_in_second(i, g * g, a);
    return p - (c0 * m / (sqrt(v) + b) + c1 * m);
}

fn adamax(i: u32, p: Element, g: Element, c0: f32, a: f32, b: f32) -> Element {
    let m = mean_in_first(i, g, args.coefficients[0].z);
    let u = max(a * second[params.second + i], abs(g) + b);
    second[params.second + i] = u;
    return p - c0 * m / u;
}

// VARIANT 1 is centered: the second moment is the gradient's mean. Momentum is the last moment.
fn rmsprop(i: u32, p: Element, g: Element, c0: f32, a: f32, b: f32) -> Element {
    var v = mean_in_first(i, g * g, a);
    if (VARIANT == 1u) {
        let m = mean_in_second(i, g, a);
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

fn adadelta(i: u32, p: Element, g: Element, c0: f32, a: f32, b: f32) -> Element {
    let v = mean_in_first(i, g * g, a);
    let step = sqrt(second[params.second + i] + b) / sqrt(v + b) * g;
    mean_in_second(i, step * step, a);
    return p - c0 * step;
}

fn lion(i: u32, p: Element, g: Element, c0: f32, decay: f32, a: f32) -> Element {
    let old = first[params.first + i];
    first[params.first + i] = old + a * (g - old);
    let step = sign(old + args.coefficients[0].z * (g - old));
    return p - c0 * (step + decay * p);
}

// Parameter i after the step along its gradient; its moments are moved on.
fn moved(i: u32, p: Element, plain: Element, constants: vec4<f32>) -> Element {
    let c0 = args.coefficients[0].x * constants.w;
    let c1 = args.coefficients[0].y * constants.w;
    let decay = constants.x;
    let a = constants.y;
    let b = constants.z;
    // The gradient with the penalty's.
    let g = plain + decay * p;
    switch (OPTIMIZER) {
        case 0u: { return sgd(i, p, g, c0); }
        case 1u: { return p - c0 * adam_quotient(i, g, a, b); }
        case 2u: { return p - (c1 * decay * p + c0 * adam_quotient(i, plain, a, b)); }
        case 3u: { return nadam(i, p, g, c0, c1, a, b); }
        case 4u: { return radam(i, p, g, c0, c1, a, b); }
        case 5u: { return adamax(i, p, g, c0, a, b); }
        case 6u: { return rmsprop(i, p, g, c0, a, b); }
        case 7u: { return adagrad(i, p, g, c0, b); }
        case 8u: { return adadelta(i, p, g, c0, a, b); }
        case 9u: { return lion(i, p, plain, c0, decay, a); }
        default: { return p; }
    }
}
