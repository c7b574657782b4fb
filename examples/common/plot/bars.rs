//! Bars of named heights, several a category.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::colours::{GREY, PALE, SERIES};
use super::header::{Mark, header};
use super::text::{self, LABEL, TICK};
use super::ticks::Scale;
use super::{Area, Drawn, Picture};

/// The part of a category's width that its bars take.
const FILLED: f64 = 0.7;

/// A chart with a group of bars for each category.
pub struct BarChart {
    title: String,
    axes: (String, String),
    categories: Vec<String>,
    series: Vec<(String, Vec<f64>)>,
}

impl BarChart {
    pub fn new(title: impl Into<String>, categories: impl IntoIterator<Item = String>) -> Self {
        Self {
            title: title.into(),
            axes: (String::new(), String::new()),
            categories: categories.into_iter().collect(),
            series: Vec::new(),
        }
    }

    /// Names the axes.
    pub fn axes(self, x: impl Into<String>, y: impl Into<String>) -> Self {
        Self { axes: (x.into(), y.into()), ..self }
    }

    /// Adds a bar to each category.
    pub fn bars(mut self, label: &str, heights: &[f64]) -> Self {
        self.series.push((label.into(), heights.to_vec()));
        self
    }
}

impl Picture for BarChart {
    fn size(&self) -> (u32, u32) {
        (560, 360)
    }

    fn draw(&self, area: &Area<'_>) -> Drawn {
        let colours = SERIES.into_iter().cycle();
        let names = self.series.iter().zip(colours.clone());
        let names = names.map(|((label, _), colour)| (label.as_str(), colour, Mark::Bars));
        header(area, &self.title, names)?;
        let heights = self.series.iter().flat_map(|(_, heights)| heights.iter().copied());
        let highest = heights.fold(0.0, f64::max);
        let y_scale = Scale::of([0.0, 1.05 * highest].into_iter(), false, 0.0);
        let mut plot = ChartBuilder::on(area)
            .margin_top(70)
            .margin_right(20)
            .margin_left(6)
            .margin_bottom(6)
            .x_label_area_size(44)
            .y_label_area_size(64)
            .build_cartesian_2d(0.0..self.categories.len() as f64, y_scale.clone())?;
        plot.configure_mesh()
            .disable_x_mesh()
            .x_labels(0)
            .bold_line_style(PALE)
            .light_line_style(TRANSPARENT)
            .axis_style(GREY)
            .x_desc(&self.axes.0)
            .y_desc(&self.axes.1)
            .axis_desc_style(text::style(LABEL))
            .label_style(text::style(TICK))
            .y_label_formatter(&|y| y_scale.text(*y))
            .draw()?;
        let width = FILLED / self.series.len().max(1) as f64;
        for (place, ((_, heights), colour)) in self.series.iter().zip(colours).enumerate() {
            let bar = |(category, height): (usize, &f64)| {
                let left = category as f64 + (1.0 - FILLED) / 2.0 + place as f64 * width;
                Rectangle::new([(left, 0.0), (left + width * 0.94, *height)], colour.filled())
            };
            plot.draw_series(heights.iter().enumerate().map(bar))?;
        }
        let style = text::at(text::style(TICK), HPos::Center, VPos::Top);
        for (category, name) in self.categories.iter().enumerate() {
            let (x, y) = plot.backend_coord(&(category as f64 + 0.5, 0.0));
            let (left, top) = area.get_pixel_range();
            area.draw_text(name, &style, (x - left.start, y - top.start + 8))?;
        }
        Ok(())
    }
}
