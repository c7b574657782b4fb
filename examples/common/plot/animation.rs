//! Animated pictures: GIF files, in which each frame holds only what differs from the one before.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use gif::{DisposalMethod, Encoder, Frame, Repeat};

use super::png;
use crate::common::{Failure, Result};

/// How fast colours are chosen, from 1 (best) to 30.
const SPEED: i32 = 10;
/// How many frames longer the last one is seen.
const REST: u16 = 12;

/// Writes SVG documents of one size as the frames of an endless GIF file.
pub fn write(path: &Path, seconds: f64, frames: &[String]) -> Result {
    let delay = (100.0 * seconds).round() as u16;
    let mut encoder: Option<Encoder<BufWriter<File>>> = None;
    let mut before: Vec<u8> = Vec::new();
    for (i, svg) in frames.iter().enumerate() {
        let pixels = png::pixels(svg, 1.0)?;
        let size = |edge: u32| {
            u16::try_from(edge).map_err(|_| Failure::new(format!("{edge} pixels are too many")))
        };
        let (width, height) = (size(pixels.width())?, size(pixels.height())?);
        let mut changed = pixels.data().to_vec();
        for (pixel, old) in changed.chunks_exact_mut(4).zip(before.chunks_exact(4)) {
            if pixel == old {
                pixel.fill(0);
            }
        }
        before = pixels.take();
        let mut frame = Frame::from_rgba_speed(width, height, &mut changed, SPEED);
        frame.delay = if i + 1 == frames.len() { delay.saturating_mul(REST) } else { delay };
        frame.dispose = DisposalMethod::Keep;
        let encoder = match &mut encoder {
            Some(encoder) => encoder,
            none => {
                let file = BufWriter::new(File::create(path)?);
                let mut first = Encoder::new(file, width, height, &[])?;
                first.set_repeat(Repeat::Infinite)?;
                none.insert(first)
            }
        };
        encoder.write_frame(&frame)?;
    }
    Ok(())
}
