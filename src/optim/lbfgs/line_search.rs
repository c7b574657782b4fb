//! Which steps along a direction to try, until one satisfies the strong Wolfe conditions (Nocedal
//! and Wright, 2006, algorithms 3.5 and 3.6, with cubic interpolation).

/// How much of the decrease that the first slope promises a step must bring.
const DECREASE: f64 = 1e-4;

/// To what share of its first magnitude the slope must fall.
const CURVATURE: f64 = 0.9;

/// The share of a value that is rounding: near a minimum only slopes tell which step is better, and
/// a step counts that leaves the value as it is (Hager and Zhang, 2005, approximate Wolfe conditions).
const NOISE: f64 = 4.0 * f32::EPSILON as f64;

/// The most evaluations.
const MOST_TRIALS: usize = 25;

/// How much longer a step becomes as long as the loss falls steeply.
const GROWTH: f64 = 4.0;

/// The function along the direction: its value and slope at a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Point {
    pub(crate) step: f64,
    pub(crate) value: f64,
    pub(crate) slope: f64,
}

/// What comes of a step that was tried.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Verdict {
    /// It is the one.
    Accept,
    /// Try this one.
    Try(f64),
    /// Take this step, which was tried and is the best; 0 where none was better than the start.
    Settle(f64),
}

/// A line search under way.
#[derive(Debug)]
pub(crate) struct LineSearch {
    start: Point,
    /// The best step so far, 0 at first.
    low: Point,
    /// With `low` it encloses a step to be accepted, once there is one.
    high: Option<Point>,
    trials: usize,
}

impl LineSearch {
    /// A search from step 0, with the value and the negative slope there.
    pub(crate) fn new(value: f64, slope: f64) -> Self {
        let start = Point { step: 0.0, value, slope };
        Self { start, low: start, high: None, trials: 0 }
    }

    /// Judges a step that was tried. A value or a slope that is not finite is a step too long.
    pub(crate) fn judge(&mut self, tried: Point) -> Verdict {
        self.trials += 1;
        let known = tried.value.is_finite() && tried.slope.is_finite();
        let enough = self.start.value + DECREASE * tried.step * self.start.slope;
        let better = known && tried.value <= enough && tried.value < self.low.value;
        let as_good = known && tried.value <= self.start.value + NOISE * self.start.value.abs();
        let flat = tried.slope.abs() <= -CURVATURE * self.start.slope;
        if (better || as_good) && flat {
            return Verdict::Accept;
        }
        if better {
            // The minimum lies on the side to which the function falls from the new best step.
            let ahead = self.high.map_or(1.0, |high| high.step - self.low.step);
            if tried.slope * ahead >= 0.0 {
                self.high = Some(self.low);
            }
            self.low = tried;
        } else {
            self.high = Some(tried);
        }
        let next = self.high.map_or(GROWTH * tried.step, |high| between(self.low, high));
        let moves = next != self.low.step && self.high.is_none_or(|high| next != high.step);
        if self.trials < MOST_TRIALS && moves && next.is_finite() {
            Verdict::Try(next)
        } else {
            Verdict::Settle(self.low.step)
        }
    }
}

/// The minimum of the cubic through both points, but not too near either of them; their middle
/// where there is no such cubic.
fn between(low: Point, high: Point) -> f64 {
    let width = high.step - low.step;
    let d1 = low.slope + high.slope - 3.0 * (high.value - low.value) / width;
    let d2 = (d1 * d1 - low.slope * high.slope).sqrt() * width.signum();
    let share = 1.0 - (high.slope + d2 - d1) / (high.slope - low.slope + 2.0 * d2);
    let share = if share.is_finite() { share.clamp(0.1, 0.9) } else { 0.5 };
    low.step + share * width
}
