//! SVG documents as images of pixels. DejaVu Sans comes with the program: no font has to be installed.

use std::sync::Arc;

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};

use crate::common::{Failure, Result};

/// Pixels of a PNG file for each unit of the page.
const SCALE: f32 = 2.0;

/// The PNG file of an SVG document.
pub fn from_svg(svg: &str) -> Result<Vec<u8>> {
    Ok(pixels(svg, SCALE)?.encode_png()?)
}

/// An SVG document with so many pixels for each unit of the page.
pub fn pixels(svg: &str, scale: f32) -> Result<Pixmap> {
    let mut fonts = fontdb::Database::new();
    fonts.load_font_data(dejavu::sans::regular().to_vec());
    fonts.load_font_data(dejavu::sans::bold().to_vec());
    fonts.set_sans_serif_family("DejaVu Sans");
    let options = Options { fontdb: Arc::new(fonts), ..Options::default() };

    let tree = Tree::from_str(svg, &options)?;
    let size = tree.size();
    let (width, height) = ((size.width() * scale) as u32, (size.height() * scale) as u32);
    let mut pixels = Pixmap::new(width, height)
        .ok_or_else(|| Failure::new(format!("no image of {width} x {height} pixels")))?;
    resvg::render(&tree, Transform::from_scale(scale, scale), &mut pixels.as_mut());
    Ok(pixels)
}
