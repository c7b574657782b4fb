//! Pictures: charts, pages of small charts, bars, fields over the plane, grids of images, and rows and
//! columns of these.
//!
//! A [`Picture`] draws itself with plotters into an SVG document; a [`Folder`] saves it, as SVG or
//! turned into a PNG image with an embedded font, so that no font has to be installed. Several make
//! an animated GIF.

mod animation;
mod bars;
mod chart;
mod colours;
mod field;
mod header;
mod images;
mod panels;
mod png;
mod scale_bar;
mod text;
mod ticks;

use std::path::PathBuf;

use plotters::coord::Shift;
use plotters::prelude::*;

pub use bars::BarChart;
pub use chart::Chart;
pub use colours::{ColourMap, RED};
pub use field::Field;
pub use images::ImageGrid;
pub use panels::{Panel, Panels};

use super::output::Result;

/// A part of a page to draw on; one unit is a pixel.
pub type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// What drawing gives.
pub type Drawn = std::result::Result<(), DrawingAreaErrorKind<std::io::Error>>;

/// Something that can be drawn.
pub trait Picture {
    /// Width and height.
    fn size(&self) -> (u32, u32);

    /// Draws the picture into an area of its size or more.
    fn draw(&self, area: &Area<'_>) -> Drawn;
}

/// The format of a file.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub enum Format {
    Svg,
    Png,
}

/// A folder for pictures.
pub struct Folder {
    path: PathBuf,
    format: Format,
}

impl Folder {
    pub fn new(path: PathBuf, format: Format) -> Self {
        Self { path, format }
    }

    /// The path of a file in the folder, which is there afterwards.
    pub fn file(&self, name: &str) -> Result<PathBuf> {
        std::fs::create_dir_all(&self.path)?;
        Ok(self.path.join(name))
    }

    /// Saves pictures of one size as an animated GIF, and says where; each is seen for so long.
    pub fn animate(&self, name: &str, seconds: f64, frames: &[impl Picture]) -> Result {
        let frames = frames.iter().map(|frame| svg(frame)).collect::<Result<Vec<String>>>()?;
        let file = self.file(&format!("{name}.gif"))?;
        animation::write(&file, seconds, &frames)?;
        println!("saved {}", file.display());
        Ok(())
    }

    /// Saves a picture under a name without extension, and says where.
    pub fn save(&self, name: &str, picture: &dyn Picture) -> Result {
        let svg = svg(picture)?;
        let (extension, bytes) = match self.format {
            Format::Svg => ("svg", svg.into_bytes()),
            Format::Png => ("png", png::from_svg(&svg)?),
        };
        let file = self.file(&format!("{name}.{extension}"))?;
        std::fs::write(&file, bytes)?;
        println!("saved {}", file.display());
        Ok(())
    }
}

/// A picture as an SVG document.
fn svg(picture: &dyn Picture) -> Result<String> {
    let mut svg = String::new();
    {
        let page = SVGBackend::with_string(&mut svg, picture.size()).into_drawing_area();
        page.fill(&WHITE)?;
        picture.draw(&page)?;
        page.present()?;
    }
    Ok(svg)
}

/// Pictures below each other.
pub struct Column(pub Vec<Box<dyn Picture>>);

impl Picture for Column {
    fn size(&self) -> (u32, u32) {
        let sizes = self.0.iter().map(|picture| picture.size());
        sizes.fold((0, 0), |(width, height), (w, h)| (width.max(w), height + h))
    }

    fn draw(&self, area: &Area<'_>) -> Drawn {
        let mut rest = area.clone();
        for picture in &self.0 {
            let (top, bottom) = rest.split_vertically(picture.size().1);
            picture.draw(&top)?;
            rest = bottom;
        }
        Ok(())
    }
}

/// Pictures beside each other.
pub struct Row(pub Vec<Box<dyn Picture>>);

impl Picture for Row {
    fn size(&self) -> (u32, u32) {
        let sizes = self.0.iter().map(|picture| picture.size());
        sizes.fold((0, 0), |(width, height), (w, h)| (width + w, height.max(h)))
    }

    fn draw(&self, area: &Area<'_>) -> Drawn {
        let mut rest = area.clone();
        for picture in &self.0 {
            let (left, right) = rest.split_horizontally(picture.size().0);
            picture.draw(&left)?;
            rest = right;
        }
        Ok(())
    }
}
