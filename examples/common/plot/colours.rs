//! Colours that stay distinct for the colour-blind (Okabe and Ito, 2008), and colour maps.

use plotters::style::RGBColor;

/// Text.
pub const INK: RGBColor = RGBColor(0x24, 0x29, 0x2f);
/// Axes.
pub const GREY: RGBColor = RGBColor(0x8c, 0x95, 0x9f);
/// Grid lines.
pub const PALE: RGBColor = RGBColor(0xe6, 0xe9, 0xec);

const BLUE: RGBColor = RGBColor(0x00, 0x72, 0xb2);
pub const RED: RGBColor = RGBColor(0xd5, 0x2b, 0x1e);
const ORANGE: RGBColor = RGBColor(0xe6, 0x7e, 0x00);
const GREEN: RGBColor = RGBColor(0x00, 0x8f, 0x6b);
const PURPLE: RGBColor = RGBColor(0xb0, 0x5c, 0x9a);
const SKY: RGBColor = RGBColor(0x3f, 0xa7, 0xdc);

/// The colours of series, in order.
pub const SERIES: [RGBColor; 6] = [BLUE, ORANGE, GREEN, PURPLE, SKY, RED];

/// How numbers become colours.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ColourMap {
    /// From black to white.
    Grey,
    /// From white to black, as on paper.
    Paper,
    /// From blue over white at 0 to red; its limits are symmetric.
    Diverging,
}

const DIVERGING: [RGBColor; 5] = [
    RGBColor(0x21, 0x66, 0xac),
    RGBColor(0x92, 0xc5, 0xde),
    RGBColor(0xf7, 0xf7, 0xf7),
    RGBColor(0xf4, 0xa5, 0x82),
    RGBColor(0xb2, 0x18, 0x2b),
];

impl ColourMap {
    /// The limits of the map for the given values.
    pub fn limits(self, values: impl Iterator<Item = f32>) -> (f32, f32) {
        let finite = values.filter(|x| x.is_finite());
        let start = (f32::INFINITY, f32::NEG_INFINITY);
        let (low, high) = finite.fold(start, |(low, high), x| (low.min(x), high.max(x)));
        match self {
            Self::Diverging => (-low.abs().max(high.abs()), low.abs().max(high.abs())),
            _ => (low, high),
        }
    }

    /// The colour of a fraction of the way from the lower to the upper limit.
    pub fn colour(self, fraction: f32) -> RGBColor {
        let white = RGBColor(255, 255, 255);
        let black = RGBColor(0, 0, 0);
        match self {
            Self::Grey => between(&[black, white], fraction),
            Self::Paper => between(&[white, INK], fraction),
            Self::Diverging => between(&DIVERGING, fraction),
        }
    }
}

/// The colour at a fraction of the way along equally spaced colours.
fn between(colours: &[RGBColor], fraction: f32) -> RGBColor {
    let place = fraction.clamp(0.0, 1.0) * (colours.len() - 1) as f32;
    let first = (place as usize).min(colours.len() - 2);
    let part = place - first as f32;
    let (RGBColor(r0, g0, b0), RGBColor(r1, g1, b1)) = (colours[first], colours[first + 1]);
    let mix = |a: u8, b: u8| (f32::from(a) + part * (f32::from(b) - f32::from(a))).round() as u8;
    RGBColor(mix(r0, r1), mix(g0, g1), mix(b0, b1))
}
