//! The bar beside a picture that shows which colour is which number.

use plotters::coord::ranged1d::Ranged;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::colours::{ColourMap, GREY};
use super::text::{self, TICK};
use super::ticks::Scale;
use super::{Area, Drawn};

/// The width of a bar with its numbers.
pub const WIDTH: u32 = 74;
/// The width of the bar alone.
const BAR: i32 = 14;

/// Draws all colours between two numbers, `height` high, from the area's top left corner.
pub fn draw(area: &Area<'_>, map: ColourMap, (low, high): (f32, f32), height: i32) -> Drawn {
    let style = text::at(text::style(TICK), HPos::Left, VPos::Center);
    let scale = Scale::of([low, high].map(f64::from).into_iter(), false, 0.0);
    for y in 0..height {
        let colour = map.colour(1.0 - y as f32 / height as f32);
        area.draw(&Rectangle::new([(0, y), (BAR, y + 1)], colour.filled()))?;
    }
    area.draw(&Rectangle::new([(0, 0), (BAR, height)], GREY))?;
    for value in scale.key_points(0_usize) {
        let y = scale.map(&value, (height, 0));
        area.draw(&PathElement::new([(BAR, y), (BAR + 4, y)], GREY))?;
        area.draw_text(&scale.text(value), &style, (BAR + 8, y))?;
    }
    Ok(())
}
