//! Small charts side by side over the same axes, each with two curves.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::colours::{GREY, PALE, SERIES};
use super::text::{self, LABEL, TICK, TITLE};
use super::{Area, Drawn, Picture};

const COLUMNS: usize = 4;
/// Width and height of a panel.
const PANEL: (u32, u32) = (210, 190);
/// The height of the title and the names of the curves.
const HEADER: u32 = 76;
const MARGIN: u32 = 16;

/// The axes of every panel, and what is cut off at them.
const X: (f64, f64) = (-4.0, 4.0);
const Y: (f64, f64) = (-2.2, 4.2);
/// Where the grid lines are.
const GRID: [f64; 4] = [-2.0, 0.0, 2.0, 4.0];

/// One small chart.
pub struct Panel {
    pub title: String,
    pub lines: [Vec<(f64, f64)>; 2],
}

/// A page of them, in rows.
pub struct Panels {
    title: String,
    names: [String; 2],
    panels: Vec<Panel>,
}

impl Panels {
    pub fn new(title: &str, first: &str, second: &str) -> Self {
        Self { title: title.into(), names: [first.into(), second.into()], panels: Vec::new() }
    }

    /// Adds a panel behind the others.
    pub fn panel(mut self, panel: Panel) -> Self {
        self.panels.push(panel);
        self
    }

    fn draw_header(&self, area: &Area<'_>) -> Drawn {
        area.draw_text(&self.title, &text::bold(TITLE), (MARGIN as i32, 14))?;
        let mut x = MARGIN as i32;
        for (name, colour) in self.names.iter().zip(SERIES) {
            area.draw(&PathElement::new([(x, 52), (x + 22, 52)], colour.stroke_width(3)))?;
            let style = text::at(text::style(LABEL), HPos::Left, VPos::Center);
            area.draw_text(name, &style, (x + 29, 52))?;
            x += 29 + text::width(name, LABEL) + 24;
        }
        Ok(())
    }
}

impl Picture for Panels {
    fn size(&self) -> (u32, u32) {
        let rows = self.panels.len().div_ceil(COLUMNS) as u32;
        (COLUMNS as u32 * PANEL.0 + 2 * MARGIN, HEADER + rows * PANEL.1 + MARGIN)
    }

    fn draw(&self, area: &Area<'_>) -> Drawn {
        self.draw_header(area)?;
        for (at, panel) in self.panels.iter().enumerate() {
            let left = MARGIN + (at % COLUMNS) as u32 * PANEL.0;
            let top = HEADER + (at / COLUMNS) as u32 * PANEL.1;
            let place = area.clone().shrink((left, top), PANEL);
            draw_panel(&place, panel)?;
        }
        Ok(())
    }
}

fn draw_panel(area: &Area<'_>, panel: &Panel) -> Drawn {
    let left = pixel((X.0, Y.1)).0;
    area.draw_text(&panel.title, &text::style(LABEL), (left, 2))?;
    let number = |at: f64| format!("{at:.0}").replace('-', "−");
    let style = text::style(TICK - 2).color(&GREY);
    for at in GRID {
        let colour = if at == 0.0 { GREY } else { PALE };
        for line in [[(X.0, at), (X.1, at)], [(at, Y.0), (at, Y.1)]] {
            area.draw(&PathElement::new(line.map(pixel), colour))?;
        }
        let below = text::at(style.clone(), HPos::Center, VPos::Top);
        area.draw_text(&number(at), &below, (pixel((at, Y.0)).0, pixel((at, Y.0)).1 + 4))?;
        let beside = text::at(style.clone(), HPos::Right, VPos::Center);
        area.draw_text(&number(at), &beside, (left - 5, pixel((X.0, at)).1))?;
    }
    // The derivative first, so that the function lies above it.
    for (line, colour) in panel.lines.iter().zip(SERIES).rev() {
        for part in inside(line) {
            let points: Vec<_> = part.into_iter().map(pixel).collect();
            area.draw(&PathElement::new(points, colour.stroke_width(2)))?;
        }
    }
    Ok(())
}

/// Where a point is in its panel.
fn pixel((x, y): (f64, f64)) -> (i32, i32) {
    let (left, right, top, bottom) =
        (22.0, f64::from(PANEL.0) - 12.0, 22.0, f64::from(PANEL.1) - 24.0);
    let x = left + (x - X.0) / (X.1 - X.0) * (right - left);
    let y = bottom - (y - Y.0) / (Y.1 - Y.0) * (bottom - top);
    (x.round() as i32, y.round() as i32)
}

/// The parts of a line that lie within the axes, and end at them. A jump ends a part too.
fn inside(line: &[(f64, f64)]) -> Vec<Vec<(f64, f64)>> {
    let mut parts = vec![Vec::new()];
    for pair in line.windows(2) {
        let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
        let visible = |y: f64| (Y.0..=Y.1).contains(&y);
        let steep = (y1 - y0).abs() > 20.0 * (x1 - x0);
        let part = parts.last_mut();
        if let Some(part) = part.filter(|_| visible(y0)) {
            part.push((x0, y0));
            if !visible(y1) {
                let edge = if y1 > Y.1 { Y.1 } else { Y.0 };
                part.push((x0 + (edge - y0) / (y1 - y0) * (x1 - x0), edge));
            }
        }
        if !visible(y0) || steep {
            parts.push(Vec::new());
        }
    }
    let last = line.last().filter(|(_, y)| (Y.0..=Y.1).contains(y));
    if let Some(part) = parts.last_mut() {
        part.extend(last);
    }
    parts.retain(|part| part.len() > 1);
    parts
}
