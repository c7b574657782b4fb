//! What stands above a chart: its title, and the names of its series.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::text::{self, LABEL, TITLE};
use super::{Area, Drawn};

/// How a series looks, and so the sample beside its name.
#[derive(Clone, Copy, PartialEq)]
pub enum Mark {
    Line,
    Dots,
    Bars,
}

/// Draws the title, and the names of the series beside samples of how they look.
pub fn header<'a>(
    area: &Area<'_>,
    title: &str,
    series: impl Iterator<Item = (&'a str, RGBColor, Mark)>,
) -> Drawn {
    area.draw_text(title, &text::bold(TITLE), (16, 14))?;
    let middle = 51;
    let mut x = 16;
    for (label, colour, mark) in series.filter(|(label, ..)| !label.is_empty()) {
        let (filled, width) = (colour.filled(), if mark == Mark::Line { 22 } else { 12 });
        match mark {
            Mark::Line => {
                let ends = [(x, middle), (x + width, middle)];
                area.draw(&PathElement::new(ends, colour.stroke_width(3)))?;
            }
            Mark::Dots => area.draw(&Circle::new((x + width / 2, middle), 4, filled))?,
            Mark::Bars => {
                let corners = [(x, middle - 6), (x + width, middle + 6)];
                area.draw(&Rectangle::new(corners, filled))?;
            }
        }
        x += width + 7;
        let style = text::at(text::style(LABEL), HPos::Left, VPos::Center);
        area.draw_text(label, &style, (x, middle))?;
        x += text::width(label, LABEL) + 20;
    }
    Ok(())
}
