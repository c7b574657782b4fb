//! A field over a rectangle of the plane, as colours.

use ndarray::Array2;
use plotters::prelude::*;

use super::colours::{ColourMap, GREY, INK};
use super::text::{self, LABEL, TICK, TITLE};
use super::ticks::Scale;
use super::{Area, Drawn, Picture, scale_bar};

/// The space around the field: above, right, below, left.
const SPACE: [u32; 4] = [52, 16 + scale_bar::WIDTH, 50, 64];
/// The colours told apart: more would only make the file larger.
const LEVELS: f32 = 64.0;

/// A picture of the values at the points of a grid, (x, y), with y upwards.
pub struct Field {
    title: String,
    axes: (String, String),
    values: Array2<f32>,
    /// The coordinates of the outer edges of the first and the last cell, in x and in y.
    extent: [(f64, f64); 2],
    map: ColourMap,
    limits: (f32, f32),
    discs: Vec<((f64, f64), f64)>,
    points: Vec<((f64, f64), bool)>,
    arrows: Vec<[(f64, f64); 2]>,
    scale: u32,
}

impl Field {
    /// A field in diverging colours between the negative and the positive of its largest value.
    pub fn new(title: impl Into<String>, values: Array2<f32>) -> Self {
        let (width, height) = values.dim();
        let map = ColourMap::Diverging;
        Self {
            title: title.into(),
            axes: (String::new(), String::new()),
            limits: map.limits(values.iter().copied()),
            values,
            extent: [(0.0, width as f64), (0.0, height as f64)],
            map,
            discs: Vec::new(),
            points: Vec::new(),
            arrows: Vec::new(),
            scale: 2,
        }
    }

    /// Names the axes.
    pub fn axes(self, x: impl Into<String>, y: impl Into<String>) -> Self {
        Self { axes: (x.into(), y.into()), ..self }
    }

    /// The coordinates of the outer edges.
    pub fn extent(self, x: (f64, f64), y: (f64, f64)) -> Self {
        Self { extent: [x, y], ..self }
    }

    /// The values of the last colours; what is beyond has these too.
    pub fn limits(self, low: f32, high: f32) -> Self {
        Self { limits: (low, high), ..self }
    }

    /// Other colours.
    pub fn map(self, map: ColourMap) -> Self {
        Self { map, ..self }
    }

    /// How many pixels high and wide a cell is; 2 unless set.
    pub fn scale(self, scale: u32) -> Self {
        Self { scale, ..self }
    }

    /// Covers a disc, such as a body in a flow.
    pub fn disc(mut self, centre: (f64, f64), radius: f64) -> Self {
        self.discs.push((centre, radius));
        self
    }

    /// Marks a point in the colour of the upper or of the lower limit, with a white ring.
    pub fn point(mut self, at: (f64, f64), upper: bool) -> Self {
        self.points.push((at, upper));
        self
    }

    /// Adds an arrow.
    pub fn arrow(mut self, from: (f64, f64), to: (f64, f64)) -> Self {
        self.arrows.push([from, to]);
        self
    }

    /// The points and arrows, whose places `pixel` finds.
    fn draw_marks(&self, area: &Area<'_>, pixel: impl Fn((f64, f64)) -> (i32, i32)) -> Drawn {
        for &(at, upper) in &self.points {
            let colour = self.map.colour(if upper { 1.0 } else { 0.0 });
            for (radius, colour) in [(9, INK), (8, WHITE), (6, colour)] {
                area.draw(&Circle::new(pixel(at), radius, colour.filled()))?;
            }
        }
        for &[from, to] in &self.arrows {
            let (from, to) = (pixel(from), pixel(to));
            let (dx, dy) = (f64::from(to.0 - from.0), f64::from(to.1 - from.1));
            let length = dx.hypot(dy).max(1.0);
            let (dx, dy) = (dx / length, dy / length);
            // Corners of the head, so far back along the arrow and so far aside.
            let corner = |back: f64, aside: f64| {
                let (x, y) = (f64::from(to.0) - back * dx, f64::from(to.1) - back * dy);
                ((x - aside * dy).round() as i32, (y + aside * dx).round() as i32)
            };
            area.draw(&PathElement::new([from, corner(8.0, 0.0)], INK.stroke_width(2)))?;
            area.draw(&Polygon::new([to, corner(11.0, 5.0), corner(11.0, -5.0)], INK.filled()))?;
            area.draw(&Circle::new(from, 3, INK.filled()))?;
        }
        Ok(())
    }

    /// The colours, neighbours of one colour in a column of cells as one rectangle.
    fn draw_cells(&self, area: &Area<'_>, left: i32, bottom: i32) -> Drawn {
        let (low, high) = self.limits;
        let level = |value: &f32| ((value - low) / (high - low) * LEVELS).round();
        let scale = self.scale as i32;
        for (y, row) in self.values.columns().into_iter().enumerate() {
            let levels: Vec<f32> = row.iter().map(level).map(|l| l.clamp(0.0, LEVELS)).collect();
            let end = bottom - y as i32 * scale;
            let mut x = 0;
            for run in levels.chunk_by(|a, b| a == b) {
                let start = left + x * scale;
                x += run.len() as i32;
                // One pixel more to the right and the top, drawn over by what follows: no seams.
                let right = (start + run.len() as i32 * scale + 1)
                    .min(left + self.values.nrows() as i32 * scale);
                let top = (end - scale - 1).max(bottom - self.values.ncols() as i32 * scale);
                let colour = self.map.colour(run[0] / LEVELS).filled();
                area.draw(&Rectangle::new([(start, top), (right, end)], colour))?;
            }
        }
        Ok(())
    }
}

impl Picture for Field {
    fn size(&self) -> (u32, u32) {
        let (width, height) = self.values.dim();
        let [above, right, below, left] = SPACE;
        (left + width as u32 * self.scale + right, above + height as u32 * self.scale + below)
    }

    fn draw(&self, area: &Area<'_>) -> Drawn {
        let (width, height) = self.size();
        let [above, right, below, left] = SPACE;
        area.draw_text(&self.title, &text::bold(TITLE), (left as i32, 20))?;
        self.draw_cells(area, left as i32, (height - below) as i32)?;

        let [x_scale, y_scale] =
            self.extent.map(|(low, high)| Scale::of([low, high].into_iter(), false, 0.0));
        let page = area.margin(
            0,
            area.dim_in_pixel().1.saturating_sub(height),
            0,
            area.dim_in_pixel().0.saturating_sub(width),
        );
        let mut plot = ChartBuilder::on(&page)
            .margin_top(above)
            .margin_right(right)
            .x_label_area_size(below)
            .y_label_area_size(left)
            .build_cartesian_2d(x_scale.clone(), y_scale.clone())?;
        plot.configure_mesh()
            .disable_mesh()
            .axis_style(GREY)
            .x_desc(&self.axes.0)
            .y_desc(&self.axes.1)
            .axis_desc_style(text::style(LABEL))
            .label_style(text::style(TICK))
            .x_label_formatter(&|x| x_scale.text(*x))
            .y_label_formatter(&|y| y_scale.text(*y))
            .draw()?;
        for &((x, y), radius) in &self.discs {
            let round = (0..=60).map(|i| {
                let (sin, cos) = (f64::from(i) * std::f64::consts::TAU / 60.0).sin_cos();
                (x + radius * cos, y + radius * sin)
            });
            plot.draw_series([Polygon::new(round.collect::<Vec<_>>(), INK.filled())])?;
        }
        let (left, top) = area.get_pixel_range();
        self.draw_marks(area, |at| {
            let (x, y) = plot.backend_coord(&at);
            (x - left.start, y - top.start)
        })?;
        let bar = area.margin(above, 0, width - right + 12, 0);
        scale_bar::draw(&bar, self.map, self.limits, (height - above - below) as i32)
    }
}
