//! Text in one family, in sizes given in pixels.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::colours::INK;

pub const TITLE: u32 = 17;
pub const LABEL: u32 = 14;
pub const TICK: u32 = 13;

/// Text of a size, in ink, placed by its top left corner.
pub fn style(size: u32) -> TextStyle<'static> {
    // The SVG writer divides sizes by this number.
    let size = f64::from(size) * 1.24;
    TextStyle::from(("sans-serif", size).into_font()).color(&INK)
}

/// The same in bold.
pub fn bold(size: u32) -> TextStyle<'static> {
    let TextStyle { font, .. } = style(size);
    TextStyle::from(font.style(FontStyle::Bold)).color(&INK)
}

/// The same placed by another point of its box.
pub fn at(style: TextStyle<'_>, h_pos: HPos, v_pos: VPos) -> TextStyle<'_> {
    style.pos(Pos::new(h_pos, v_pos))
}

/// About how wide a text is; exact widths depend on the font that a viewer has.
pub fn width(text: &str, size: u32) -> i32 {
    (text.chars().count() as f64 * f64::from(size) * 0.55) as i32
}
