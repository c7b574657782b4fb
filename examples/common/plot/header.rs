//! What stands above a chart: its title, and the names of its series.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::text::{self, LABEL, TITLE};
use super::{Area, Drawn};

/// Draws the title, and the names of the series beside samples of their colours.
pub fn header<'a>(
    area: &Area<'_>,
    title: &str,
    series: impl Iterator<Item = (&'a str, RGBColor)>,
) -> Drawn {
    area.draw_text(title, &text::bold(TITLE), (16, 14))?;
    let middle = 51;
    let mut x = 16;
    for (label, colour) in series.filter(|(label, _)| !label.is_empty()) {
        area.draw(&PathElement::new([(x, middle), (x + 22, middle)], colour.stroke_width(3)))?;
        let style = text::at(text::style(LABEL), HPos::Left, VPos::Center);
        area.draw_text(label, &style, (x + 29, middle))?;
        x += 29 + text::width(label, LABEL) + 20;
    }
    Ok(())
}
