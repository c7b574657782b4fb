//! Charts of lines, dots and bars over linear or logarithmic axes.

use plotters::prelude::*;

use super::colours::{GREY, PALE, SERIES};
use super::header::{Mark, header};
use super::text::{self, LABEL, TICK};
use super::ticks::Scale;
use super::{Area, Drawn, Picture};

/// Up to so many dots are large.
const FEW: usize = 12;

#[derive(Clone)]
struct Series {
    label: String,
    points: Vec<(f64, f64)>,
    colour: RGBColor,
    mark: Mark,
}

/// A chart with a title, two labelled axes, and named series of lines or of dots.
#[derive(Clone)]
pub struct Chart {
    title: String,
    axes: (String, String),
    log: (bool, bool),
    series: Vec<Series>,
    size: (u32, u32),
}

impl Chart {
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            axes: (String::new(), String::new()),
            log: (false, false),
            series: Vec::new(),
            size: (640, 400),
        }
    }

    /// Names the axes.
    pub fn axes(self, x: impl Into<String>, y: impl Into<String>) -> Self {
        Self { axes: (x.into(), y.into()), ..self }
    }

    /// Makes the horizontal axis logarithmic.
    pub fn log_x(self) -> Self {
        Self { log: (true, self.log.1), ..self }
    }

    /// Makes the vertical axis logarithmic.
    pub fn log_y(self) -> Self {
        Self { log: (self.log.0, true), ..self }
    }

    /// Sets width and height.
    pub fn size(self, width: u32, height: u32) -> Self {
        Self { size: (width, height), ..self }
    }

    /// Adds one value for each epoch, counted from 1.
    pub fn epochs(self, label: &str, values: &[f64]) -> Self {
        self.line(label, values.iter().enumerate().map(|(i, &y)| (i as f64 + 1.0, y)))
    }

    /// Adds a line.
    pub fn line(self, label: &str, points: impl IntoIterator<Item = (f64, f64)>) -> Self {
        self.series(label, points, Mark::Line)
    }

    /// Adds a dot for each point.
    pub fn points(self, label: &str, points: impl IntoIterator<Item = (f64, f64)>) -> Self {
        self.series(label, points, Mark::Dots)
    }

    /// Adds a bar that stands on 0 for each point, as wide as the first two are apart.
    pub fn bars(self, label: &str, points: impl IntoIterator<Item = (f64, f64)>) -> Self {
        self.series(label, points, Mark::Bars)
    }

    fn series(
        mut self,
        label: &str,
        points: impl IntoIterator<Item = (f64, f64)>,
        mark: Mark,
    ) -> Self {
        let colour = SERIES[self.series.len() % SERIES.len()];
        let points = points.into_iter().collect();
        self.series.push(Series { label: label.into(), points, colour, mark });
        self
    }
}

impl Picture for Chart {
    fn size(&self) -> (u32, u32) {
        self.size
    }

    fn draw(&self, area: &Area<'_>) -> Drawn {
        let names = self.series.iter();
        let names = names.map(|series| (series.label.as_str(), series.colour, series.mark));
        header(area, &self.title, names)?;
        let all = || self.series.iter().flat_map(|series| series.points.iter().copied());
        let x_scale = Scale::of(all().map(|(x, _)| x), self.log.0, 0.02);
        // Bars are compared by their lengths, so all of each has to be seen.
        let foot = self.series.iter().any(|series| series.mark == Mark::Bars).then_some(0.0);
        let y_scale = Scale::of(all().map(|(_, y)| y).chain(foot), self.log.1, 0.05);
        let mut plot = ChartBuilder::on(area)
            .margin_top(70)
            .margin_right(20)
            .margin_left(6)
            .margin_bottom(6)
            .x_label_area_size(44)
            .y_label_area_size(74)
            .build_cartesian_2d(x_scale.clone(), y_scale.clone())?;
        plot.configure_mesh()
            .bold_line_style(PALE)
            .light_line_style(TRANSPARENT)
            .axis_style(GREY)
            .x_desc(&self.axes.0)
            .y_desc(&self.axes.1)
            .axis_desc_style(text::style(LABEL))
            .label_style(text::style(TICK))
            .x_label_formatter(&|x| x_scale.text(*x))
            .y_label_formatter(&|y| y_scale.text(*y))
            .draw()?;
        for series in &self.series {
            let shown = |(x, y): &(f64, f64)| x_scale.shows(*x) && y_scale.shows(*y);
            let points: Vec<_> = series.points.iter().copied().filter(shown).collect();
            match series.mark {
                Mark::Line => {
                    plot.draw_series(LineSeries::new(points, series.colour.stroke_width(2)))?;
                }
                Mark::Dots => {
                    // A few dots stand by themselves; many are a cloud.
                    let (size, opacity) = if points.len() > FEW { (2, 0.6) } else { (5, 1.0) };
                    let style = series.colour.mix(opacity).filled();
                    plot.draw_series(points.into_iter().map(|at| Circle::new(at, size, style)))?;
                }
                Mark::Bars => {
                    let width = points.windows(2).next().map_or(1.0, |pair| pair[1].0 - pair[0].0);
                    let style = series.colour.mix(0.5).filled();
                    let bar = |(x, y)| {
                        Rectangle::new([(x - width / 2.0, 0.0), (x + width / 2.0, y)], style)
                    };
                    plot.draw_series(points.into_iter().map(bar))?;
                }
            }
        }
        Ok(())
    }
}
