//! Grids of small images on one colour scale, each with a caption.

use ndarray::Array2;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::colours::{ColourMap, INK, PALE};
use super::text::{self, LABEL, TITLE};
use super::{Area, Drawn, Picture, scale_bar};

const MARGIN: u32 = 16;
const GAP: u32 = 10;
const FOOT: u32 = 6;
/// The colours told apart: more would only make the file larger.
const LEVELS: f32 = 64.0;

struct Tile {
    image: Array2<f32>,
    caption: String,
    colour: RGBColor,
}

/// Images of one size in rows, with a title.
pub struct ImageGrid {
    title: String,
    subtitle: String,
    columns: usize,
    map: ColourMap,
    tiles: Vec<Tile>,
    scale_bar: bool,
    edge: u32,
}

impl ImageGrid {
    pub fn new(title: impl Into<String>, columns: usize, map: ColourMap) -> Self {
        Self {
            title: title.into(),
            subtitle: String::new(),
            columns: columns.max(1),
            map,
            tiles: Vec::new(),
            scale_bar: false,
            edge: 96,
        }
    }

    /// A line below the title.
    pub fn subtitle(self, subtitle: impl Into<String>) -> Self {
        Self { subtitle: subtitle.into(), ..self }
    }

    /// Shows at the right which colour is which number.
    pub fn scale_bar(self) -> Self {
        Self { scale_bar: true, ..self }
    }

    /// About how wide and high each image is.
    pub fn edge(self, edge: u32) -> Self {
        Self { edge, ..self }
    }

    /// Adds an image, (height, width), with a caption.
    pub fn tile(self, image: Array2<f32>, caption: impl Into<String>) -> Self {
        self.marked_tile(image, caption, INK)
    }

    /// Adds an image with caption and frame in a colour that marks it.
    pub fn marked_tile(
        mut self,
        image: Array2<f32>,
        caption: impl Into<String>,
        colour: RGBColor,
    ) -> Self {
        self.tiles.push(Tile { image, caption: caption.into(), colour });
        self
    }

    /// The size of an image's pixel on the page, and of the whole image.
    fn tile_size(&self) -> (u32, u32, u32) {
        let (height, width) = self.tiles.first().map_or((1, 1), |tile| tile.image.dim());
        let (height, width) = (height as u32, width as u32);
        let pixel = (self.edge / height.max(width)).max(1);
        (pixel, pixel * width, pixel * height)
    }

    fn caption_height(&self) -> u32 {
        if self.tiles.iter().any(|tile| !tile.caption.is_empty()) { 24 } else { 0 }
    }

    fn header_height(&self) -> u32 {
        let title = if self.title.is_empty() { 0 } else { 32 };
        let subtitle = if self.subtitle.is_empty() { 0 } else { 22 };
        MARGIN + title + subtitle
    }
}

impl Picture for ImageGrid {
    fn size(&self) -> (u32, u32) {
        let (_, width, height) = self.tile_size();
        let columns = self.columns.min(self.tiles.len().max(1)) as u32;
        let rows = self.tiles.len().div_ceil(self.columns) as u32;
        let bar = if self.scale_bar { scale_bar::WIDTH } else { 0 };
        let row = height + self.caption_height() + GAP;
        (2 * MARGIN + columns * (width + GAP) - GAP + bar, self.header_height() + rows * row + FOOT)
    }

    fn draw(&self, area: &Area<'_>) -> Drawn {
        area.draw_text(&self.title, &text::bold(TITLE), (MARGIN as i32, 14))?;
        area.draw_text(&self.subtitle, &text::style(LABEL), (MARGIN as i32, 42))?;
        let limits = self.map.limits(self.tiles.iter().flat_map(|tile| tile.image.iter().copied()));
        let (pixel, width, height) = self.tile_size();
        let row_height = height + self.caption_height() + GAP;
        for (place, tile) in self.tiles.iter().enumerate() {
            let (row, column) = ((place / self.columns) as u32, (place % self.columns) as u32);
            let x = (MARGIN + column * (width + GAP)) as i32;
            let y = (self.header_height() + row * row_height) as i32;
            draw_image(area, tile, (x, y), pixel as i32, |value| {
                let fraction = (value - limits.0) / (limits.1 - limits.0);
                self.map.colour((fraction * LEVELS).round() / LEVELS)
            })?;
            let style = text::style(LABEL).color(&tile.colour);
            let style = text::at(style, HPos::Center, VPos::Top);
            let below = (x + width as i32 / 2, y + height as i32 + 6);
            area.draw_text(&tile.caption, &style, below)?;
        }
        if self.scale_bar {
            let ((width, height), top) = (self.size(), self.header_height());
            let left = width - MARGIN - scale_bar::WIDTH + GAP;
            let bottom = height - FOOT - GAP - self.caption_height();
            let area = area.margin(top, 0, left, 0);
            scale_bar::draw(&area, self.map, limits, (bottom - top) as i32)?;
        }
        Ok(())
    }
}

/// One image, with neighbours of one colour in one rectangle, and its frame.
fn draw_image(
    area: &Area<'_>,
    tile: &Tile,
    (x, y): (i32, i32),
    pixel: i32,
    colour: impl Fn(f32) -> RGBColor,
) -> Drawn {
    let (height, width) = (tile.image.nrows() as i32, tile.image.ncols() as i32);
    for (row, values) in tile.image.rows().into_iter().enumerate() {
        let values: Vec<RGBColor> = values.iter().map(|&value| colour(value)).collect();
        let top = y + row as i32 * pixel;
        let mut column = 0;
        for run in values.chunk_by(|a, b| a == b) {
            let left = x + column * pixel;
            column += run.len() as i32;
            // One pixel more on either side, drawn over by what follows: no seams when scaled.
            let right = (left + run.len() as i32 * pixel + 1).min(x + width * pixel);
            let bottom = (top + pixel + 1).min(y + height * pixel);
            area.draw(&Rectangle::new([(left, top), (right, bottom)], run[0].filled()))?;
        }
    }
    let (right, bottom) = (x + width * pixel, y + height * pixel);
    let corners = [(x, y), (right, y), (right, bottom), (x, bottom), (x, y)];
    let frame = if tile.colour == INK { PALE.stroke_width(1) } else { tile.colour.stroke_width(2) };
    area.draw(&PathElement::new(corners, frame))
}
