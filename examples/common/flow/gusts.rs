//! Turbulence that the inflow carries: without it, the wake is nearly the same in every period.

use std::f32::consts::TAU;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

/// How many waves make it up.
const WAVES: usize = 24;
/// The shortest and the longest wave along the flow, in diameters.
const LENGTHS: (f32, f32) = (2.0, 16.0);
/// The most waves across the channel.
const MOST_ACROSS: i32 = 3;

/// A pattern of eddies that flows in with the mean velocity and does not change (Taylor, 1938): a
/// sum of waves of random direction and phase, each of them across its direction, so that the
/// pattern has no divergence (Kraichnan, 1970).
pub struct Gusts {
    waves: Vec<Wave>,
    speed: f32,
    velocity: Vec<(f32, f32)>,
}

/// The wave amplitude sin(k.(x - speed t, y) + phase).
struct Wave {
    k: (f32, f32),
    phase: f32,
    amplitude: (f32, f32),
}

impl Gusts {
    /// The same eddies in every channel of a height, around a body of a diameter. Their intensity is
    /// the root of the mean squared deviation from the mean velocity, as a part of it.
    pub fn new(intensity: f32, speed: f32, height: usize, diameter: usize) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let amplitude = intensity * speed * (2.0 / WAVES as f32).sqrt();
        let wave = |_| {
            let length = LENGTHS.0 * (LENGTHS.1 / LENGTHS.0).powf(rng.random());
            let across = rng.random_range(-MOST_ACROSS..=MOST_ACROSS) as f32;
            let k = (TAU / (length * diameter as f32), TAU * across / height as f32);
            let along = amplitude / k.0.hypot(k.1);
            let phase = TAU * rng.random::<f32>();
            Wave { k, phase, amplitude: (-along * k.1, along * k.0) }
        };
        let waves = (0..WAVES).map(wave).collect();
        Self { waves, speed, velocity: vec![(speed, 0.0); height] }
    }

    /// The velocity across the inlet at a time, by y.
    pub fn at(&mut self, time: usize) -> &[(f32, f32)] {
        self.velocity.fill((self.speed, 0.0));
        for wave in &self.waves {
            // The phase is reduced in f64: times are long.
            let swept = f64::from(wave.k.0 * self.speed) * time as f64;
            let phase = wave.phase - (swept % f64::from(TAU)) as f32;
            for (y, velocity) in self.velocity.iter_mut().enumerate() {
                let sine = (wave.k.1 * y as f32 + phase).sin();
                velocity.0 += wave.amplitude.0 * sine;
                velocity.1 += wave.amplitude.1 * sine;
            }
        }
        &self.velocity
    }
}
