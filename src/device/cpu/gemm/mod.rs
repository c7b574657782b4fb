//! stub
mod view;
pub(crate) use view::{Lhs, MatMut, MatRef};
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Beta { Overwrite, Accumulate }
#[derive(Default)]
pub(crate) struct Scratch;
impl Scratch { pub(crate) fn reserve(&mut self, _m: usize, _n: usize, _k: usize) {} }
pub(crate) fn gemm(a: Lhs<'_>, b: MatRef<'_>, mut c: MatMut<'_>, beta: Beta, mut epilogue: impl FnMut(usize, usize, &mut [f32]), _s: &mut Scratch) {
    for i in 0..c.rows() {
        for j in 0..c.cols() {
            let mut s = if beta == Beta::Accumulate { c.run(i, j, 1)[0] } else { 0.0 };
            for k in 0..a.cols() {
                let p = match a.picked_columns(k) { Some(o) => unsafe { a.row(i, 0).add(o[0] as usize * a.col_stride()) }, None => a.row(i, k) };
                s += unsafe { *p * *b.at(k, j) };
            }
            c.run(i, j, 1)[0] = s;
        }
        let n = c.cols();
        epilogue(i, 0, c.run(i, 0, n));
    }
}
