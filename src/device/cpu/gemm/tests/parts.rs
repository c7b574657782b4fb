//! Products in parts, and in blocks that are not kept, have the bits of the whole.

use super::{Case, Layout, POISON};
use crate::device::cpu::gemm::engine::{Engine, Operands};
use crate::device::cpu::gemm::product::KC;
use crate::device::cpu::gemm::{Beta, MatMut, Scratch, Stream, Work};

#[test]
fn parts_of_a_product_have_the_bits_of_the_whole() {
    // Columns are split after whole vectors; the last two are narrow.
    let (m, n, k) = (77, 242, KC + 44);
    for engine in Engine::all() {
        for layout in Layout::all().filter(|layout| layout.beta == Beta::Overwrite) {
            let case = Case::new(layout, (m, n, k));
            let mut scratch = Scratch::default();
            let whole = case.run(engine, &mut scratch);
            let mut parts = case.c.data.clone();
            let mut seen = vec![0; parts.len()];
            let mut right = MatMut::new(&mut parts, m, n, case.c.leading);
            let top = right.take_rows(13);
            let left = right.take_cols(48);
            let (a, b) = (case.a(), case.b());
            let beta = layout.beta;
            for (a, b, c) in [
                (a.row_range(0..13), b, top),
                (a.row_range(13..m), b.columns(0..48), left),
                (a.row_range(13..m), b.columns(48..n), right),
            ] {
                let epilogue = |row: usize, col: usize, run: &mut [f32]| {
                    let from = row * case.c.leading + col;
                    seen[from..from + run.len()].iter_mut().for_each(|seen| *seen += 1);
                };
                engine.run(Operands { a, b, c, beta, stream: None }, epilogue, &mut scratch);
            }
            for i in 0..m {
                let row = i * case.c.leading..i * case.c.leading + n;
                assert_eq!(parts[row.clone()], whole[row.clone()], "{layout:?}, row {i}");
                assert!(seen[row].iter().all(|&seen| seen == 1), "{layout:?}, row {i}");
            }
        }
    }
}

/// A shape whose parts would by themselves be too small for a matrix unit.
const LARGE: (usize, usize, usize) = (230, 131, 130);

/// The layouts of products that are shared.
fn shared_layouts() -> impl Iterator<Item = Layout> {
    Layout::all().filter(|layout| layout.gap == 0 && layout.beta == Beta::Overwrite)
}

/// What a product in parts leaves, and what its epilogue copies.
fn in_parts(case: &Case, parts: usize) -> [Vec<f32>; 2] {
    let (m, n, _) = case.shape;
    let [mut c, mut copy] = [vec![POISON; m * n], vec![POISON; m * n]];
    let beside = [None, Some(MatMut::row_major(&mut copy, m, n))];
    let work = Work {
        a: case.a(),
        b: case.b(),
        c: MatMut::row_major(&mut c, m, n),
        beta: Beta::Overwrite,
        beside,
    };
    let (engine, mut scratch) = (work.engine(), Scratch::default());
    let mut seen = vec![0; m * n];
    for part in work.parts(parts) {
        let epilogue =
            |row: usize, col: usize, run: &mut [f32], [nothing, copy]: [&mut [f32]; 2]| {
                assert!(nothing.is_empty());
                copy.copy_from_slice(run);
                seen[row * n + col..][..run.len()].iter_mut().for_each(|seen| *seen += 1);
            };
        part.run(engine, epilogue, &mut scratch);
    }
    assert!(seen.iter().all(|&seen| seen == 1), "{:?} in {parts} parts", case.shape);
    [c, copy]
}

#[test]
fn shared_products_have_the_bits_of_the_whole() {
    let shapes =
        [(5, 3, 4), (64, 1, 30), (70, 9, 100), (33, 100, 40), (40, 289, 60), (7, 600, KC), LARGE];
    for shape in shapes {
        for case in shared_layouts().map(|layout| Case::new(layout, shape)) {
            let [whole, _] = in_parts(&case, 1);
            for parts in [1, 2, 3, 5] {
                let [c, copy] = in_parts(&case, parts);
                assert_eq!((&c, &copy), (&whole, &whole), "{shape:?}, {:?}, {parts}", case.layout);
            }
        }
    }
}

/// What the epilogue of a stream copies; `between` is called after each block.
fn streamed(
    case: &Case,
    threads: usize,
    scratch: &mut Scratch,
    between: impl Fn(&mut Scratch),
) -> Vec<f32> {
    let (m, n, _) = case.shape;
    let mut copy = vec![POISON; m * n];
    let target = MatMut::row_major(&mut copy, m, n);
    for block in Stream::new(case.a(), case.b(), [None, Some(target)]).blocks(threads) {
        let epilogue = |run: &mut [f32], [nothing, copy]: [&mut [f32]; 2]| {
            assert!(nothing.is_empty());
            copy.copy_from_slice(run);
        };
        block.run(epilogue, scratch);
        between(scratch);
    }
    copy
}

#[test]
fn streamed_products_have_the_bits_of_the_whole() {
    let light = [
        (5, 3, 4),
        (20_000, 1, 3),
        (1100, 17, 20),
        (700, 100, 40),
        (1000, 13, KC + 9),
        (0, 3, 4),
        LARGE,
    ];
    // Blocks of columns too, of which the last may be one more; the last is cut along rows first.
    let heavy =
        [(300, 1027, 20), (40, 2049, 4), (70, 100, 1400), (600, 1060, 130), (1500, 600, 220)];
    for (shape, threads) in light.into_iter().chain(heavy).flat_map(|s| [(s, 1), (s, 3)]) {
        let layouts = if light.contains(&shape) { usize::MAX } else { 2 };
        for case in shared_layouts().map(|layout| Case::new(layout, shape)).take(layouts) {
            let [whole, _] = in_parts(&case, 1);
            let mut scratch = Scratch::default();
            let copy = streamed(&case, threads, &mut scratch, |_| ());
            assert_eq!(copy, whole, "{shape:?}, {:?}", case.layout);
            let block = scratch.take_block().floats().len();
            let large = if light.contains(&shape) { 17_000 } else { 8_000 };
            assert!(block < whole.len() || whole.len() <= large, "{shape:?}: {block} at once");
        }
    }
}

/// Blocks that have columns of B in common pack them once, over several blocks of k: neither another stream
/// of the same matrices nor a product between two blocks may be taken for them.
#[test]
fn blocks_of_a_stream_read_its_own_columns() {
    let shape = (700, 300, KC + 9);
    for layout in shared_layouts() {
        let (mut case, mut scratch) = (Case::new(layout, shape), Scratch::default());
        let other = Case::new(layout, (300, 200, 40));
        for _ in 0..2 {
            let [whole, _] = in_parts(&case, 1);
            let copy = streamed(&case, 1, &mut scratch, |scratch| {
                other.run(Engine::vectors(), scratch);
            });
            assert!(copy == whole, "{layout:?}, with a product between blocks");
            assert!(streamed(&case, 1, &mut scratch, |_| ()) == whole, "{layout:?}");
            case.b.data.iter_mut().for_each(|b| *b = 1.0 - *b);
        }
    }
}

#[test]
fn reserved_room_for_a_stream_does_not_grow() {
    let threads = 2;
    for shape in [(700, 530, 2 * KC + 9), (700, 100, 1400), LARGE] {
        let case = Case::new(shared_layouts().next().unwrap(), shape);
        let (m, n, k) = shape;
        let mut scratch = Scratch::default();
        Stream::<0>::reserve([m, n, k], threads, &mut scratch);
        let size = |scratch: &mut Scratch| [scratch.blocks().0.len(), scratch.blocks().1.len()];
        let reserved = size(&mut scratch);
        streamed(&case, threads, &mut scratch, |_| ());
        assert_eq!(size(&mut scratch), reserved, "{shape:?}");
    }
}
