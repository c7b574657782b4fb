//! The lattice Boltzmann method on a plane: nine velocities (D2Q9), regularised collisions, and the
//! eddy viscosity of Smagorinsky for swirls that are smaller than a cell.
//!
//! Cells and time steps are of length 1. The populations of cell (x, y) travel by
//!
//!     c = (0,0)  (1,0) (0,1) (-1,0) (0,-1)  (1,1) (-1,1) (-1,-1) (1,-1)
//!
//! and their moments are density, momentum and stress: rho = sum f, m = rho u = sum c f,
//! P = sum c c f. A collision keeps rho and m, and brings P closer to that of equilibrium,
//! rho (1/3 + u u). Populations are then made anew from these moments and the third ones that
//! follow from them (recursive regularisation; Malaspinas, arXiv:1505.06900): plain relaxation is
//! unstable at viscosities this low, and without the third moments the field is full of ripples
//! two cells long.

/// The velocities.
const C: [(isize, isize); 9] =
    [(0, 0), (1, 0), (0, 1), (-1, 0), (0, -1), (1, 1), (-1, 1), (-1, -1), (1, -1)];
/// The places of the opposite velocities.
const OPPOSITE: [usize; 9] = [0, 3, 4, 1, 2, 7, 8, 5, 6];
/// The weights of rest, straight and diagonal velocities.
const W: (f32, f32, f32) = (4.0 / 9.0, 1.0 / 9.0, 1.0 / 36.0);
/// Smagorinsky's constant.
const SMAGORINSKY: f32 = 0.16;
/// Cells that collide together, in the lanes of vector registers.
const LANES: usize = 16;

/// The populations of a cell.
type Cell = [f32; 9];

/// A channel from an inlet at the left to an outlet at the right, periodic from top to bottom.
pub struct Lattice {
    width: usize,
    height: usize,
    /// Populations by column x, velocity and y, each run of y between two cells of padding.
    now: Vec<f32>,
    next: Vec<f32>,
    /// The relaxation time of each column.
    relaxation: Vec<f32>,
    solid: Vec<(usize, usize)>,
}

impl Lattice {
    /// A fluid of kinematic viscosity `viscosity(x)` that starts with the velocity `start(x, y)`.
    /// `height` is a multiple of 16.
    pub fn new(
        (width, height): (usize, usize),
        viscosity: impl Fn(usize) -> f32,
        solid: impl Fn(usize, usize) -> bool,
        start: impl Fn(usize, usize) -> (f32, f32),
    ) -> Self {
        assert_eq!(height % LANES, 0, "columns are whole vectors");
        let cells = (0..width).flat_map(|x| (0..height).map(move |y| (x, y)));
        let mut lattice = Self {
            width,
            height,
            now: vec![0.0; width * 9 * (height + 2)],
            next: Vec::new(),
            relaxation: (0..width).map(|x| 3.0 * viscosity(x) + 0.5).collect(),
            solid: cells.clone().filter(|&(x, y)| solid(x, y)).collect(),
        };
        cells.for_each(|(x, y)| lattice.set(x, y, start(x, y)));
        for column in lattice.now.chunks_exact_mut(9 * (height + 2)) {
            wrap(column, height);
        }
        lattice.next = lattice.now.clone();
        lattice
    }

    /// Changes the velocity of the fluid that comes in at the left, by y.
    pub fn inflow(&mut self, velocity: &[(f32, f32)]) {
        for (y, &velocity) in velocity.iter().enumerate() {
            self.set(0, y, velocity);
        }
        wrap(&mut self.now[..9 * (self.height + 2)], self.height);
    }

    /// Fills a cell with fluid of density 1 in equilibrium.
    fn set(&mut self, x: usize, y: usize, velocity: (f32, f32)) {
        let cell = populations(1.0, velocity, [0.0; 3]);
        for (q, f) in cell.into_iter().enumerate() {
            let at = self.column(x, q) + 1 + y;
            self.now[at] = f;
        }
    }

    /// One time step: populations arrive from the neighbours, and collide.
    pub fn step(&mut self) {
        let run = self.height + 2;
        for x in 1..self.width - 1 {
            let arriving: [&[f32]; 9] = std::array::from_fn(|q| {
                let (cx, cy) = C[q];
                let run_start = (x.wrapping_add_signed(-cx) * 9 + q) * run;
                &self.now[run_start.wrapping_add_signed(1 - cy)..][..self.height]
            });
            let column = &mut self.next[x * 9 * run..(x + 1) * 9 * run];
            for y in (0..self.height).step_by(LANES) {
                let block = collide_block(arriving.map(|f| &f[y..y + LANES]), self.relaxation[x]);
                for (f, run) in block.iter().zip(column.chunks_exact_mut(run)) {
                    run[1 + y..1 + y + LANES].copy_from_slice(f);
                }
            }
        }
        self.bounce_back();
        for column in self.next.chunks_exact_mut(9 * run).skip(1) {
            wrap(column, self.height);
        }
        // The outlet: what flows in from beyond it is what flows there.
        let last = (self.width - 1) * 9 * run;
        self.next.copy_within(last - 9 * run..last, last);
        std::mem::swap(&mut self.now, &mut self.next);
    }

    /// In a solid, populations turn back: the fluid is at rest half a cell outside of it.
    fn bounce_back(&mut self) {
        for &(x, y) in &self.solid {
            for q in 0..9 {
                let (cx, cy) = C[q];
                let from = self.column(x.wrapping_add_signed(-cx), q) + 1 + y;
                let to = self.column(x, OPPOSITE[q]) + 1 + y;
                self.next[to] = self.now[from.wrapping_add_signed(-cy)];
            }
        }
    }

    /// The velocity of each cell, by (x, y, component); 0 in solids.
    pub fn velocity(&self) -> Vec<f32> {
        let mut velocity = vec![0.0; self.width * self.height * 2];
        for (place, pair) in velocity.chunks_exact_mut(2).enumerate() {
            let (x, y) = (place / self.height, place % self.height);
            let cell: Cell = std::array::from_fn(|q| self.now[self.column(x, q) + 1 + y]);
            let (rho, (mx, my), _) = moments(&cell);
            pair.copy_from_slice(&[mx / rho, my / rho]);
        }
        for &(x, y) in &self.solid {
            velocity[2 * (x * self.height + y)..][..2].fill(0.0);
        }
        velocity
    }

    /// Where the populations of column x with velocity q begin.
    fn column(&self, x: usize, q: usize) -> usize {
        (x * 9 + q) * (self.height + 2)
    }
}

/// The cells beyond top and bottom are those at bottom and top.
fn wrap(column: &mut [f32], height: usize) {
    for run in column.chunks_exact_mut(height + 2) {
        run[0] = run[height];
        run[height + 1] = run[1];
    }
}

/// The collisions of neighbouring cells; `arriving` are their populations, velocity by velocity.
/// They are copied to a block whose size is known, so that the loop over lanes becomes vectors.
#[inline(always)]
fn collide_block(arriving: [&[f32]; 9], relaxation: f32) -> [[f32; LANES]; 9] {
    let mut block = [[0.0; LANES]; 9];
    for (f, arriving) in block.iter_mut().zip(arriving) {
        f.copy_from_slice(arriving);
    }
    for lane in 0..LANES {
        let cell = collide(&std::array::from_fn(|q| block[q][lane]), relaxation);
        for (f, population) in block.iter_mut().zip(cell) {
            f[lane] = population;
        }
    }
    block
}

/// One cell's collision.
#[inline(always)]
fn collide(cell: &Cell, relaxation: f32) -> Cell {
    let (rho, (mx, my), [xx, yy, xy]) = moments(cell);
    let (u, v) = (mx / rho, my / rho);
    let excess = [xx - rho / 3.0 - mx * u, yy - rho / 3.0 - my * v, xy - mx * v];

    // The eddy viscosity grows with the strain rate, of which the excess stress is the measure
    // (Hou et al., 1996).
    let stress =
        (excess[0] * excess[0] + excess[1] * excess[1] + 2.0 * excess[2] * excess[2]).sqrt();
    let eddy = 18.0 * std::f32::consts::SQRT_2 * SMAGORINSKY * SMAGORINSKY * stress / rho;
    let relaxation = 0.5 * (relaxation + (relaxation * relaxation + eddy).sqrt());
    let keep = 1.0 - 1.0 / relaxation;
    populations(rho, (u, v), excess.map(|excess| keep * excess))
}

/// Density, momentum, and stress as xx, yy, xy.
#[inline(always)]
fn moments(f: &Cell) -> (f32, (f32, f32), [f32; 3]) {
    let (sum, difference) = (f[5] + f[7], f[5] - f[7]);
    let (anti_sum, anti_difference) = (f[6] + f[8], f[8] - f[6]);
    let diagonal = sum + anti_sum;
    let rho = f[0] + f[1] + f[2] + f[3] + f[4] + diagonal;
    let mx = f[1] - f[3] + difference + anti_difference;
    let my = f[2] - f[4] + difference - anti_difference;
    (rho, (mx, my), [f[1] + f[3] + diagonal, f[2] + f[4] + diagonal, sum - anti_sum])
}

/// The populations with a density, a velocity u = (u, v), and a stress beyond that of equilibrium:
/// f = w (rho + 3 c.m + 9/2 (c c - 1/3) : S + 27/2 ((cx cx - 1/3) cy T + (cy cy - 1/3) cx R)) with
/// S = rho u u + excess, T = rho u u v + 2 u excess_xy + v excess_xx, and R alike with x for y.
#[inline(always)]
fn populations(rho: f32, (u, v): (f32, f32), excess: [f32; 3]) -> Cell {
    let (mx, my) = (rho * u, rho * v);
    let [xx, yy, xy] = [mx * u + excess[0], my * v + excess[1], mx * v + excess[2]];
    let xxy = mx * u * v + 2.0 * u * excess[2] + v * excess[0];
    let xyy = mx * v * v + 2.0 * v * excess[2] + u * excess[1];

    // Opposite populations share the moments of even order, and have those of odd order negated.
    let trace = (xx + yy) / 3.0;
    let even = |w: f32, stress: f32| w * (rho + 4.5 * (stress - trace));
    let (x, dx) = (even(W.1, xx), W.1 * (3.0 * mx - 4.5 * xyy));
    let (y, dy) = (even(W.1, yy), W.1 * (3.0 * my - 4.5 * xxy));
    let (p, dp) = (even(W.2, xx + yy + 2.0 * xy), W.2 * (3.0 * (mx + my) + 9.0 * (xyy + xxy)));
    let (a, da) = (even(W.2, xx + yy - 2.0 * xy), W.2 * (3.0 * (mx - my) + 9.0 * (xyy - xxy)));
    [even(W.0, 0.0), x + dx, y + dy, x - dx, y - dy, p + dp, a - da, p - dp, a + da]
}
