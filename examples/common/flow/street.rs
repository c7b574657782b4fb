//! A von Karman vortex street: a flow past a cylinder at a Reynolds number.

use super::gusts::Gusts;
use super::lattice::Lattice;

/// The velocity of the inflow, cells a step: small against the speed of sound, 0.58.
pub const SPEED: f32 = 0.1;

/// The setting of a simulation; lengths are in cells, times in steps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Street {
    pub width: usize,
    pub height: usize,
    /// The diameter of the cylinder.
    pub diameter: usize,
    /// Before anything is recorded.
    pub warm_up: usize,
    pub frames: usize,
    /// Steps from frame to frame.
    pub every: usize,
    /// How turbulent the inflow is: the root mean square of its gusts as a part of its velocity.
    pub turbulence: f32,
}

impl Street {
    /// 320 x 128 cells, 600 frames: some nineteen pairs of vortices pass.
    pub const FULL: Self = Self {
        width: 320,
        height: 128,
        diameter: 16,
        warm_up: 10_000,
        frames: 600,
        every: 25,
        turbulence: 0.0,
    };

    /// A quarter of the cells and a tenth of the time, to see that everything works.
    pub const SHORT: Self = Self {
        width: 160,
        height: 64,
        diameter: 8,
        warm_up: 1_200,
        frames: 40,
        every: 25,
        turbulence: 0.0,
    };

    pub fn steps(&self) -> usize {
        self.warm_up + self.frames * self.every
    }

    /// The middle of the cylinder, between cells so that it is round.
    pub fn centre(&self) -> (f32, f32) {
        (4.0 * self.diameter as f32 - 0.5, self.height as f32 / 2.0 - 0.5)
    }

    /// Velocity fields, (time, x, y, 2) in one run. `advanced` is told of steps done.
    pub fn simulate(&self, reynolds: u32, advanced: impl Fn(u64)) -> Vec<f32> {
        let mut lattice = self.lattice(reynolds);
        let mut gusts = Gusts::new(self.turbulence, SPEED, self.height, self.diameter);
        let mut time = 0;
        let mut advance = |steps: usize| {
            for _ in 0..steps {
                if self.turbulence > 0.0 {
                    lattice.inflow(gusts.at(time));
                }
                lattice.step();
                time += 1;
            }
            advanced(steps as u64);
            lattice.velocity()
        };
        for done in (0..self.warm_up).step_by(self.every) {
            advance(self.every.min(self.warm_up - done));
        }
        let mut fields = Vec::with_capacity(self.frames * self.width * self.height * 2);
        (0..self.frames).for_each(|_| fields.extend(advance(self.every)));
        fields
    }

    fn lattice(&self, reynolds: u32) -> Lattice {
        let diameter = self.diameter as f32;
        let (centre_x, centre_y) = self.centre();
        let viscosity = SPEED * diameter / reynolds as f32;
        // A viscous layer before the outlet, two diameters wide, lets vortices fade instead of
        // reflecting them.
        let layer = |x: usize| (2.0 * diameter - (self.width - x) as f32).max(0.0) / diameter;
        let solid =
            |x: usize, y: usize| (x as f32 - centre_x).hypot(y as f32 - centre_y) < diameter / 2.0;
        // A puff from the side behind the cylinder breaks the symmetry.
        let puff = |x: usize, y: usize| {
            let (x, y) = (x as f32 - centre_x - 2.0 * diameter, y as f32 - centre_y);
            0.3 * SPEED * (-(x * x + y * y) / (diameter * diameter)).exp()
        };
        Lattice::new(
            (self.width, self.height),
            |x| viscosity + 0.05 * layer(x).powi(2),
            solid,
            |x, y| if solid(x, y) { (0.0, 0.0) } else { (SPEED, puff(x, y)) },
        )
    }
}
