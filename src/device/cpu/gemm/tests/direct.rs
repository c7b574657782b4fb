//! Products by tiles alone, of every instruction set.

use super::super::direct::{Direct, MOST_STEPS, UNIT};
use super::super::kernel::Kernel;
use super::{Case, Layout, Lhs, MatMut, Matrix, POISON, close};

const SIZES: [usize; 12] = [1, 2, 3, 7, 8, 9, 15, 16, 17, 48, 49, 50];

/// Runs a case by every kernel and compares elements and guards.
fn check(case: &Case, run: impl Fn(Direct, &mut MatMut)) {
    let (m, n, _) = case.shape;
    for kernel in Kernel::all() {
        let mut c = case.c.data.clone();
        run(Direct(kernel), &mut MatMut::new(&mut c, m, n, case.c.leading));
        for (at, &value) in c.iter().enumerate() {
            let (i, j) = (at / case.c.leading, at % case.c.leading);
            let what = format!("{:?}, {:?}, ({i}, {j}): {value}", case.shape, case.layout);
            if i < m && j < n {
                let (expected, bound) = case.expected(i, j);
                assert!(close(f64::from(value), expected, bound), "{what}");
            } else {
                assert!(value.is_nan(), "a guard was overwritten: {what}");
            }
        }
    }
}

fn layouts(b_transposed: bool) -> impl Iterator<Item = Layout> {
    Layout::all().filter(move |layout| !layout.gathered && layout.b_transposed == b_transposed)
}

/// The left operand as it lies.
fn a(case: &Case) -> super::MatRef<'_> {
    if case.layout.a_transposed { case.a.view().transposed() } else { case.a.view() }
}

#[test]
fn products_match_the_reference() {
    for layout in layouts(false) {
        for m in SIZES {
            for n in SIZES {
                let case = Case::new(layout, (m, n, 1 + (m * 7 + n) % 20));
                check(&case, |direct, c| direct.multiply(a(&case), case.b(), c, layout.beta));
            }
        }
    }
}

#[test]
fn dot_products_match_the_reference() {
    for layout in layouts(true).filter(|layout| !layout.a_transposed) {
        for m in SIZES {
            for (n, k) in SIZES.into_iter().zip([UNIT, 3 * UNIT, MOST_STEPS].into_iter().cycle()) {
                let case = Case::new(layout, (m, n, k));
                // B's rows are the columns of the product's right operand.
                let b = case.b().transposed();
                check(&case, |direct, c| direct.dots(a(&case), b, c, layout.beta));
            }
        }
    }
}

#[test]
fn rows_become_columns() {
    for (rows, gap) in SIZES.into_iter().chain([MOST_STEPS]).zip([0, 3].into_iter().cycle()) {
        for cols in SIZES {
            let source = Matrix::new(rows + 2, cols, gap, 4);
            let order: Vec<u32> =
                (0..rows as u32).map(|i| (i * 7 + 1) % (rows as u32 + 2)).collect();
            let leading = rows.next_multiple_of(UNIT);
            for kernel in Kernel::all() {
                let mut to = vec![POISON; cols * leading];
                Direct(kernel).transpose(Lhs::gathered(source.view(), &order), &mut to, leading);
                for (at, value) in to.iter().enumerate() {
                    let (j, i) = (at / leading, at % leading);
                    match order.get(i) {
                        Some(&row) => {
                            assert_eq!(f64::from(*value), source.at(row as usize, j, false))
                        }
                        None => assert!(value.is_nan(), "a guard was overwritten"),
                    }
                }
            }
        }
    }
}
