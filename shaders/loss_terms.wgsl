// The losses with one term an element, by the codes of `Loss::code`: value and derivative from
// output y and target t, with d = y - t.
//
//  0 mse             d^2                                       2 d
//  1 half_squared    d^2 / 2                                   d
//  2 mae             |d|                                       sign d
//  3 huber           d^2 / 2, beyond delta delta(|d| - delta/2)  d, delta sign d
//  4 smooth_l1       d^2 / (2 beta), beyond beta |d| - beta/2  d / beta, sign d
//  5 log_cosh        log cosh d                                tanh d
//  6 quantile        tau -d below, (1 - tau) d above           -tau, 1 - tau
//  7 chi_square      d^2 (1 / sigma^2 is part of the weight)   2 d
//  8 poisson         e^y - t y                                 e^y - t
//  9 bce             -t ln y - (1 - t) ln(1 - y)               d / (y (1 - y))
// 10 bce_with_logits p t softplus(-y) + (1 - t) softplus(y)    (1 - t) s(y) - p t s(-y)
// 11 kl_divergence   t (ln t - y)                              -t
// 12 hinge           max(0, 1 - t y)                           -t inside
// 13 squared_hinge   max(0, 1 - t y)^2                         -2 t max(0, 1 - t y)
//
// delta, beta, tau are params.constant. Needs the functions of `activation.wgsl`.

const LN_2: f32 = 0.69314718;

// The bounds of bce, as PyTorch has them.
const LEAST_LOGARITHM: f32 = -100.0;
const LEAST_VARIANCE: f32 = 1e-12;

// ln(1 + x) for -1/2 <= x <= 1, as 2 atanh(x / (2 + x)): |s| <= 1/3, so the series' remainder is
// below half a unit in the last place.
fn log_1p(x: f32) -> f32 {
    let s = x / (2.0 + x);
    let q = s * s;
    let tail = 1.0 / 9.0 + q * (1.0 / 11.0 + q * (1.0 / 13.0 + q * (1.0 / 15.0)));
    return 2.0 * s * (1.0 + q * (1.0 / 3.0 + q * (1.0 / 5.0 + q * (1.0 / 7.0 + q * tail))));
}

// The logarithm of a probability whose complement is 1 - p, accurate at both ends.
fn log_probability(p: f32, complement: f32) -> f32 {
    if (p >= 0.5) {
        return log_1p(-complement);
    }
    // log(0) may be anything.
    if (p <= 0.0) {
        return LEAST_LOGARITHM;
    }
    return max(log(p), LEAST_LOGARITHM);
}

fn log_cosh(d: f32) -> f32 {
    let magnitude = abs(d);
    if (magnitude < 1.0) {
        let u = hyperbolic_tangent(0.5 * d);
        return log_1p(2.0 * u * u / (1.0 - u * u));
    }
    return magnitude + (log_1p(exp(-2.0 * magnitude)) - LN_2);
}

fn bce_with_logits(y: f32, t: f32, positive: f32) -> vec2<f32> {
    let e = exp(-abs(y));
    let tail = log_1p(e);
    let small = e / (1.0 + e);
    let large = 1.0 / (1.0 + e);
    let up = select(large, small, y < 0.0);
    let down = select(small, large, y < 0.0);
    let hot = positive * t;
    let cold = 1.0 - t;
    let value = hot * (max(-y, 0.0) + tail) + cold * (max(y, 0.0) + tail);
    return vec2(value, cold * up - hot * down);
}

fn loss_term(y: f32, t: f32, positive: f32) -> vec2<f32> {
    let d = y - t;
    let far = abs(d);
    let constant = params.constant;
    switch (LOSS) {
        case 1u: { return vec2(0.5 * d * d, d); }
        case 2u: { return vec2(far, sign(d)); }
        case 3u: {
            if (far > constant) {
                return vec2(constant * (far - 0.5 * constant), constant * sign(d));
            }
            return vec2(0.5 * d * d, d);
        }
        case 4u: {
            if (far >= constant) {
                return vec2(far - 0.5 * constant, sign(d));
            }
            return vec2(0.5 * d * (d / constant), d / constant);
        }
        case 5u: { return vec2(log_cosh(d), hyperbolic_tangent(d)); }
        case 6u: {
            let slope = select(select(0.0, -constant, d < 0.0), 1.0 - constant, d > 0.0);
            return vec2(slope * d, slope);
        }
        case 8u: {
            let rate = exp(y);
            return vec2(rate - t * y, rate - t);
        }
        case 9u: {
            let complement = 1.0 - y;
            let value = t * log_probability(y, complement)
                + (1.0 - t) * log_probability(complement, y);
            return vec2(-value, d / max(y * complement, LEAST_VARIANCE));
        }
        case 10u: { return bce_with_logits(y, t, positive); }
        case 11u: {
            if (t == 0.0) {
                return vec2(0.0, 0.0);
            }
            return vec2(t * (log(t) - y), -t);
        }
        case 12u: {
            // Not max(): a NaN must pass through, so that divergence is seen.
            let margin = 1.0 - t * y;
            return vec2(select(margin, 0.0, margin <= 0.0), select(-t, 0.0, margin <= 0.0));
        }
        case 13u: {
            let signed = 1.0 - t * y;
            let margin = select(signed, 0.0, signed <= 0.0);
            return vec2(margin * margin, -2.0 * t * margin);
        }
        default: { return vec2(d * d, 2.0 * d); }
    }
}
