//! The Strouhal number: the frequency at which vortices are shed, in units of speed over diameter.

use std::f64::consts::TAU;

use ndarray::{Array4, s};

use super::{SPEED, Street};
use crate::common::{Failure, Result};

/// How strong the oscillation across the wake is at each frequency.
pub struct Spectrum {
    /// Strouhal number and power, the greatest power being 1.
    pub points: Vec<(f64, f64)>,
}

impl Spectrum {
    /// The spectrum of the velocity across the flow, three diameters behind the cylinder.
    ///
    /// Vortices of alternating sign pass there, so that its frequency is that of the lift. The
    /// signal is tapered (Hann) and summed up frequency by frequency: a few hundred values need no
    /// fast transform, and the peak is found between the multiples of one over the duration.
    ///
    /// # Errors
    /// If the fields are of another lattice.
    pub fn of(street: &Street, fields: &Array4<f32>) -> Result<Self> {
        let lattice = [street.frames, street.width, street.height, 2];
        if fields.shape() != lattice {
            return Err(Failure::new(format!(
                "the velocity fields are of shape {:?} and not {lattice:?}: another simulation's?",
                fields.shape()
            )));
        }
        let (x, y) = street.centre();
        let probe = s![.., x as usize + 3 * street.diameter, y as usize, 1];
        let signal: Vec<f64> = fields.slice(probe).iter().map(|&v| f64::from(v)).collect();
        let mean = signal.iter().sum::<f64>() / signal.len() as f64;
        let taper = |i: usize| 0.5 - 0.5 * (TAU * (i as f64 + 0.5) / signal.len() as f64).cos();
        let tapered: Vec<f64> =
            signal.iter().enumerate().map(|(i, v)| (v - mean) * taper(i)).collect();

        // The phase that a Strouhal number of 1 gains from frame to frame.
        let phase = TAU * f64::from(SPEED) / street.diameter as f64 * street.every as f64;
        let power = |strouhal: f64| {
            let waves = tapered.iter().enumerate().map(|(i, v)| {
                let (sin, cos) = (strouhal * phase * i as f64).sin_cos();
                (v * sin, v * cos)
            });
            let (sin, cos) = waves.fold((0.0, 0.0), |(s, c), (sin, cos)| (s + sin, c + cos));
            sin * sin + cos * cos
        };
        let mut points: Vec<_> =
            (200..=800).map(|i| f64::from(i) / 2000.0).map(|s| (s, power(s))).collect();
        let most = points.iter().fold(f64::MIN_POSITIVE, |most, (_, power)| most.max(*power));
        points.iter_mut().for_each(|(_, power)| *power /= most);
        Ok(Self { points })
    }

    /// The Strouhal number of the strongest oscillation.
    pub fn peak(&self) -> f64 {
        let peak = self.points.iter().max_by(|a, b| a.1.total_cmp(&b.1));
        peak.map_or(f64::NAN, |(strouhal, _)| *strouhal)
    }
}
