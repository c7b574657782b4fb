//! Every kernel that this machine can run against a naive product in f64.

mod direct;
mod parts;
mod precision;

use super::engine::{Engine, Operands};
use super::kernel::Kernel;
use super::product::{KC, LIGHT_KC};
use super::{Beta, Lhs, MatMut, MatRef, Scratch, Work};

/// A value that no kernel may leave or read.
const POISON: f32 = f32::NAN;

/// How the operands of a case lie in memory.
#[derive(Debug, Clone, Copy)]
struct Layout {
    /// A is the transposed of a row-major matrix.
    a_transposed: bool,
    /// Rows of the row-major matrix behind A are picked.
    gathered: bool,
    b_transposed: bool,
    beta: Beta,
    /// Elements between the rows of every matrix that do not belong to it.
    gap: usize,
}

impl Layout {
    fn all() -> impl Iterator<Item = Self> {
        (0..32).map(|bits| Self {
            a_transposed: bits & 1 != 0,
            gathered: bits & 2 != 0,
            b_transposed: bits & 4 != 0,
            beta: if bits & 8 != 0 { Beta::Accumulate } else { Beta::Overwrite },
            gap: if bits & 16 != 0 { 3 } else { 0 },
        })
    }
}

/// Numbers between -1 and 1, the same for the same seed.
fn numbers(seed: u64) -> impl Iterator<Item = f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    std::iter::repeat_with(move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    })
}

/// A row-major (rows, cols) matrix whose rows are `gap` poisoned elements apart.
struct Matrix {
    data: Vec<f32>,
    rows: usize,
    cols: usize,
    leading: usize,
}

impl Matrix {
    fn new(rows: usize, cols: usize, gap: usize, seed: u64) -> Self {
        let leading = cols + gap;
        let mut data = vec![POISON; rows * leading + gap];
        let mut values = numbers(seed);
        for i in 0..rows {
            data[i * leading..][..cols].fill_with(|| values.next().unwrap_or_default());
        }
        Self { data, rows, cols, leading }
    }

    fn view(&self) -> MatRef<'_> {
        MatRef::strided(&self.data, self.rows, self.cols, self.leading, 1)
    }

    fn at(&self, i: usize, j: usize, transposed: bool) -> f64 {
        let (i, j) = if transposed { (j, i) } else { (i, j) };
        f64::from(self.data[i * self.leading + j])
    }
}

/// The operands of one case; `order` picks rows of `a` where the layout says so.
struct Case {
    layout: Layout,
    shape: (usize, usize, usize),
    a: Matrix,
    order: Vec<u32>,
    b: Matrix,
    c: Matrix,
}

impl Case {
    fn new(layout: Layout, (m, n, k): (usize, usize, usize)) -> Self {
        let (rows, cols) = if layout.a_transposed { (k, m) } else { (m, k) };
        let source = if layout.gathered { rows + 2 } else { rows };
        let order = (0..rows).map(|i| ((i * 7 + 1) % source.max(1)) as u32).collect();
        let (b_rows, b_cols) = if layout.b_transposed { (n, k) } else { (k, n) };
        let mut c = Matrix::new(m, n, layout.gap, 3);
        if layout.beta == Beta::Overwrite {
            c.data.fill(POISON);
        }
        Self {
            layout,
            shape: (m, n, k),
            a: Matrix::new(source, cols, layout.gap, 1),
            order,
            b: Matrix::new(b_rows, b_cols, layout.gap, 2),
            c,
        }
    }

    fn a(&self) -> Lhs<'_> {
        let rows = if self.layout.gathered {
            Lhs::gathered(self.a.view(), &self.order)
        } else {
            self.a.view().into()
        };
        if self.layout.a_transposed { rows.transposed() } else { rows }
    }

    fn b(&self) -> MatRef<'_> {
        if self.layout.b_transposed { self.b.view().transposed() } else { self.b.view() }
    }

    /// Element (i, j) of the result, and the largest error it may have.
    fn expected(&self, i: usize, j: usize) -> (f64, f64) {
        let k = self.shape.2;
        let before = match self.layout.beta {
            Beta::Overwrite => 0.0,
            Beta::Accumulate => self.c.at(i, j, false),
        };
        let (mut sum, mut size) = (before, before.abs());
        for p in 0..k {
            let (row, col) = if self.layout.a_transposed { (p, i) } else { (i, p) };
            let row = if self.layout.gathered { self.order[row] as usize } else { row };
            let term = self.a.at(row, col, false) * self.b.at(p, j, self.layout.b_transposed);
            sum += term;
            size += term.abs();
        }
        (sum, (k + 2) as f64 * f64::from(f32::EPSILON) * size)
    }

    /// Runs the product, asserting that every element is handed out once, when it is final.
    fn run(&self, engine: Engine, scratch: &mut Scratch) -> Vec<f32> {
        let (m, n, _) = self.shape;
        let mut c = self.c.data.clone();
        let mut seen = vec![POISON; c.len()];
        let view = MatMut::new(&mut c, m, n, self.c.leading);
        let epilogue = |row: usize, col: usize, run: &mut [f32]| {
            for (j, value) in run.iter().enumerate() {
                let place = &mut seen[row * self.c.leading + col + j];
                assert!(place.is_nan(), "({row}, {}) is handed out twice", col + j);
                *place = *value;
            }
        };
        let (a, b, beta) = (self.a(), self.b(), self.layout.beta);
        engine.run(Operands { a, b, c: view, beta, stream: None }, epilogue, scratch);
        for i in 0..m {
            let row = i * self.c.leading..i * self.c.leading + n;
            assert_eq!(c[row.clone()], seen[row], "row {i} changed after its epilogue");
        }
        c
    }

    fn check(&self, engine: Engine, scratch: &mut Scratch) {
        let (m, n, _) = self.shape;
        let c = self.run(engine, scratch);
        let what = format!("{engine}, {:?}, {:?}", self.shape, self.layout);
        for (at, &value) in c.iter().enumerate() {
            let (i, j) = (at / self.c.leading.max(1), at % self.c.leading.max(1));
            if i < m && j < n {
                let (expected, bound) = self.expected(i, j);
                assert!(close(f64::from(value), expected, bound), "{what}, ({i}, {j}): {value}");
            } else {
                assert!(value.is_nan(), "{what}: a guard at {at} was overwritten");
            }
        }
    }
}

fn close(value: f64, expected: f64, bound: f64) -> bool {
    !(value.is_nan() || (value - expected).abs() > bound)
}

fn check_all(shapes: impl Iterator<Item = (usize, usize, usize)> + Clone) {
    let mut scratch = Scratch::default();
    for engine in Engine::all() {
        for shape in shapes.clone() {
            for layout in Layout::all() {
                Case::new(layout, shape).check(engine, &mut scratch);
            }
        }
    }
}

#[test]
fn comparison_rejects_nan_and_distance() {
    assert!(close(1.0, 1.0, 0.0));
    assert!(!close(f64::NAN, 1.0, 1.0));
    assert!(!close(1.1, 1.0, 0.01));
}

#[test]
fn small_shapes_match_the_reference() {
    let sizes = [1, 2, 3, 5, 7, 8, 9];
    check_all(sizes.into_iter().flat_map(move |m| {
        sizes.into_iter().flat_map(move |n| sizes.into_iter().map(move |k| (m, n, k)))
    }));
}

#[test]
fn shapes_around_tiles_match_the_reference() {
    let rows = [1, 4, 8, 17, 31];
    let cols = [1, 4, 10, 12, 13, 15, 16, 17, 24, 25, 33, 47, 48, 49, 97];
    check_all(rows.into_iter().flat_map(move |m| {
        cols.into_iter().flat_map(move |n| [1, 4, 37].into_iter().map(move |k| (m, n, k)))
    }));
}

#[test]
fn shapes_around_blocks_match_the_reference() {
    check_all(
        [
            (3, 5, LIGHT_KC + 1),
            (2, 1, LIGHT_KC + 3),
            (33, 50, LIGHT_KC + 1),
            (9, 300, KC + 1),
            (3, 1050, KC + 3),
            (9, 49, KC - 1),
            (9, 50, KC),
            (17, 101, KC + 1),
            (66, 51, KC + 3),
            // Strips with narrow columns, few of all.
            (9, 35, 130),
            (70, 19, KC),
            (390, 60, 20),
            (40, 200, 130),
            (257, 101, 23),
            (70, 101, KC + 5),
            (101, 58, KC + 5),
            (150, 10, 33),
            (70, 9, 5),
            (35, 50, 96),
            (67, 51, 95),
            (41, 100, LIGHT_KC + 97),
            (300, 52, KC + 100),
            (530, 33, 70),
            (289, 129, 385),
            (63, 6, 7),
            (64, 13, 40),
            (65, 18, 1),
            (40, 12, 30),
            (200, 30, 3),
            (129, 17, 2 * KC + 1),
            (100, 256, 70),
            (100, 257, 70),
        ]
        .into_iter(),
    );
}

#[test]
fn wide_panels_match_the_reference() {
    let shape = (18, 2200, 9);
    let mut scratch = Scratch::default();
    for engine in Engine::all() {
        for layout in Layout::all().filter(|layout| layout.gap == 0 && !layout.gathered) {
            Case::new(layout, shape).check(engine, &mut scratch);
        }
    }
}

#[test]
fn nothing_to_multiply_overwrites_with_zero() {
    for engine in Engine::all() {
        for layout in Layout::all() {
            for n in [1, 3, 60] {
                Case::new(layout, (3, n, 0)).check(engine, &mut Scratch::default());
            }
            Case::new(layout, (0, 3, 2)).check(engine, &mut Scratch::default());
            Case::new(layout, (3, 0, 2)).check(engine, &mut Scratch::default());
        }
    }
}

/// Else a part that is computed by tiles, which begin at zero, would differ from a whole that is not.
#[test]
fn a_product_that_is_zero_has_no_sign() {
    for engine in Kernel::all().map(Engine::Vectors) {
        for n in [1, 10, 16, 17, 60] {
            let (a, b, mut c) = ([0.0, -0.0, 0.0], vec![-1.0; n], vec![POISON; 3 * n]);
            let (a, b) = (MatRef::row_major(&a, 3, 1).into(), MatRef::row_major(&b, 1, n));
            let operands = Operands {
                a,
                b,
                c: MatMut::row_major(&mut c, 3, n),
                beta: Beta::Overwrite,
                stream: None,
            };
            engine.run(operands, |_, _, _| (), &mut Scratch::default());
            assert!(c.iter().all(|x| x.to_bits() == 0), "{engine}, {n} columns: {c:?}");
        }
    }
}

#[test]
fn bits_do_not_depend_on_alignment() {
    let (m, n, k) = (19, 53, 100);
    let layout = Layout {
        a_transposed: false,
        gathered: false,
        b_transposed: false,
        beta: Beta::Overwrite,
        gap: 0,
    };
    let case = Case::new(layout, (m, n, k));
    for engine in Engine::all() {
        let expected = case.run(engine, &mut Scratch::default());
        for shift in 1..16 {
            let mut a = vec![POISON; shift];
            a.extend(&case.a.data);
            let mut b = vec![POISON; 2 * shift];
            b.extend(&case.b.data);
            let mut c = vec![POISON; 3 * shift + m * n];
            let operands = Operands {
                a: MatRef::row_major(&a[shift..], m, k).into(),
                b: MatRef::row_major(&b[2 * shift..], k, n),
                c: MatMut::new(&mut c[3 * shift..], m, n, n),
                beta: Beta::Overwrite,
                stream: None,
            };
            engine.run(operands, |_, _, _| (), &mut Scratch::default());
            assert_eq!(c[3 * shift..], expected, "shift {shift}");
        }
    }
}

#[test]
fn reserved_scratch_does_not_grow() {
    let sizes = [1, 5, 16, 33, 64, 65, 100, 300, 1100, 2200];
    let shapes = sizes.into_iter().flat_map(|m| {
        sizes.into_iter().flat_map(move |n| sizes.into_iter().map(move |k| (m, n, k)))
    });
    for (m, n, k) in shapes {
        let mut scratch = Scratch::default();
        scratch.reserve(m, n, k);
        let size = |scratch: &mut Scratch| scratch.blocks().0.len() + scratch.blocks().1.len();
        let reserved = size(&mut scratch);
        scratch.reserve(m.div_ceil(2), n, k);
        scratch.reserve(m, n.div_ceil(3), k);
        scratch.reserve(m, n, k.div_ceil(2));
        assert_eq!(size(&mut scratch), reserved, "({m}, {n}, {k})");
    }
}

#[test]
#[should_panic(expected = "shapes disagree")]
fn shapes_that_disagree_panic() {
    let (a, b, mut c) = ([0.0; 6], [0.0; 6], [0.0; 4]);
    let (a, b) = (MatRef::row_major(&a, 2, 3), MatRef::row_major(&b, 2, 3));
    let c = MatMut::new(&mut c, 2, 2, 2);
    Work { a: a.into(), b, c, beta: Beta::Overwrite, beside: [] }.run(
        Engine::vectors(),
        |_, _, _, []| (),
        &mut Scratch::default(),
    );
}

#[test]
#[should_panic(expected = "a matrix leaves its slice")]
fn matrices_longer_than_their_slice_panic() {
    MatRef::row_major(&[0.0; 5], 2, 3);
}

#[test]
#[should_panic(expected = "a gathered row is not there")]
fn rows_that_are_not_there_panic() {
    Lhs::gathered(MatRef::row_major(&[0.0; 6], 2, 3), &[0, 2]);
}
