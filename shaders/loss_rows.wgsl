// The losses with one term a row, by the codes of `Loss::code`: value, and gradients stored.
//
// 14 cross_entropy           -sum t ln softmax(y)             softmax(y) sum t - t
// 15 smoothed_cross_entropy  the same, t (1 - epsilon) + epsilon / cols for t
// 16 nll                     -sum t y                         -t
// 17 cosine                  1 - cos                          (cos y / |y| - t / |t|) / |y|
//
// t is the label's one-hot vector or the row's values. The row's largest y is subtracted before
// exp, so that nothing overflows. epsilon is params.constant.

// The least length of a vector in cosine, as PyTorch has it.
const LEAST_LENGTH: f32 = 1e-8;

// A target, or a sum of several, with its share of the smoothing.
fn smoothed(t: f32, share: f32) -> f32 {
    if (LOSS == 15u) {
        return (1.0 - params.constant) * t + params.constant * share;
    }
    return t;
}

fn smoothed_target(row: Row, col: u32) -> f32 {
    return smoothed(target_value(row, col), 1.0 / f32(params.cols));
}

fn cross_entropy(row: Row) -> f32 {
    var largest = output_value(row, 0u);
    for (var col = row.lane; col < params.cols; col += LANES) {
        largest = max(largest, output_value(row, col));
    }
    largest = lanes_max(row.thread, largest);
    // Of an unsmoothed label one element is all that counts.
    let plain = LOSS == 14u && LABELS == 1u;
    var sum = 0.0;
    var mass = 0.0;
    var below = 0.0;
    for (var col = row.lane; col < params.cols; col += LANES) {
        let y = output_value(row, col);
        sum += exp(y - largest);
        if (!plain) {
            mass += target_value(row, col);
            below += smoothed_target(row, col) * (largest - y);
        }
    }
    sum = lanes_sum(row.thread, sum);
    if (LABELS == 1u) {
        mass = 1.0;
    } else {
        mass = smoothed(lanes_sum(row.thread, mass), 1.0);
    }
    if (plain) {
        below = largest - output_value(row, row.label);
    } else {
        below = lanes_sum(row.thread, below);
    }
    let share = mass / sum;
    for (var col = row.lane; col < params.cols; col += LANES) {
        let likely = exp(output_value(row, col) - largest) * share;
        store_delta(row, col, likely - smoothed_target(row, col));
    }
    return mass * log(sum) + below;
}

fn nll(row: Row) -> f32 {
    var sum = 0.0;
    for (var col = row.lane; col < params.cols; col += LANES) {
        let t = target_value(row, col);
        sum -= t * output_value(row, col);
        store_delta(row, col, -t);
    }
    return lanes_sum(row.thread, sum);
}

// Both vectors are divided by their largest elements first, so that no square overflows.
fn cosine(row: Row) -> f32 {
    var largest = vec2(0.0, 0.0);
    for (var col = row.lane; col < params.cols; col += LANES) {
        let pair = vec2(output_value(row, col), target_value(row, col));
        largest = max(largest, abs(pair));
    }
    largest.x = lanes_max(row.thread, largest.x);
    largest.y = lanes_max(row.thread, largest.y);
    // A vector of zeros stays one.
    let divisor = select(largest, vec2(1.0, 1.0), largest == vec2(0.0, 0.0));
    var squares = vec2(0.0, 0.0);
    var product = 0.0;
    for (var col = row.lane; col < params.cols; col += LANES) {
        let pair = vec2(output_value(row, col), target_value(row, col)) / divisor;
        squares += pair * pair;
        product += pair.x * pair.y;
    }
    squares.x = lanes_sum(row.thread, squares.x);
    squares.y = lanes_sum(row.thread, squares.y);
    product = lanes_sum(row.thread, product);
    let held = divisor * sqrt(squares) <= vec2(LEAST_LENGTH, LEAST_LENGTH);
    // A length is `scale` times `rest`, and an element over it element / scale / rest.
    let scale = select(divisor, vec2(LEAST_LENGTH, LEAST_LENGTH), held);
    let rest = select(sqrt(squares), vec2(1.0, 1.0), held);
    // An unheld vector's scale is its divisor.
    let back = select(vec2(1.0, 1.0), divisor / scale, held);
    let cosine = product * back.x * back.y / rest.x / rest.y;
    // A length that is held at its least does not change with the output.
    let turned = select(cosine, 0.0, held.x);
    for (var col = row.lane; col < params.cols; col += LANES) {
        let pair = vec2(output_value(row, col), target_value(row, col)) / scale / rest;
        store_delta(row, col, (turned * pair.x - pair.y) / rest.x / scale.x);
    }
    return 1.0 - cosine;
}

// The losses of `loss_terms.wgsl`.
fn elementwise(row: Row) -> f32 {
    var sum = 0.0;
    for (var col = row.lane; col < params.cols; col += LANES) {
        let term = loss_term(output_value(row, col), target_value(row, col), positive_weight(col));
        sum += term.x;
        store_delta(row, col, term.y);
    }
    return lanes_sum(row.thread, sum);
}

fn row_loss(row: Row) -> f32 {
    switch (LOSS) {
        case 14u, 15u: { return cross_entropy(row); }
        case 16u: { return nll(row); }
        case 17u: { return cosine(row); }
        default: { return elementwise(row); }
    }
}
