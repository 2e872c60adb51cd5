//! An SVG as pixels. The letters come from the fonts of the machine.

use crate::failure::Failure;
use fait_board::plain_style;
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::fontdb::{Database, Family, Query};
use resvg::usvg::{Options, Tree};

/// The most pixels of a picture: what the memory for them stays below, 400 MB.
const MOST: f32 = 100e6;

/// Sans-serif fonts that many machines have; the first that is there draws what the style's own
/// list does not find.
const FONTS: [&str; 8] = [
    "Noto Sans",
    "Roboto",
    "Helvetica Neue",
    "Segoe UI",
    "Arial",
    "Liberation Sans",
    "DejaVu Sans",
    "Verdana",
];

/// The SVG, drawn without its own style, as the bytes of a PNG.
pub(super) fn pixels(svg: &str, dark: bool, scale: f32) -> Result<Vec<u8>, Failure> {
    let mut fonts = Database::new();
    fonts.load_system_fonts();
    let tree = Tree::from_str(svg, &options(fonts, dark)?)
        .map_err(|e| Failure::Internal(format!("the picture cannot be read: {e}")))?;
    let size = tree.size();
    let (width, height) = (size.width() * scale, size.height() * scale);
    let (wide, high) = (width.ceil(), height.ceil());
    let large = || {
        let sorry = format!(
            "the picture would have {wide} × {high} pixels: draw with a smaller --scale, chapter \
             by chapter with --each-chapter, or as SVG"
        );
        Failure::Usage(sorry)
    };
    if wide * high > MOST {
        return Err(large());
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the sizes of a picture of fewer than 100 million pixels"
    )]
    let pixmap = Pixmap::new(wide as u32, high as u32);
    let mut pixmap = pixmap.ok_or_else(large)?;
    let by = Transform::from_scale(scale, scale);
    resvg::render(&tree, by, &mut pixmap.as_mut());
    pixmap
        .encode_png()
        .map_err(|e| Failure::Internal(format!("the picture cannot be written as PNG: {e}")))
}

/// Without any font all text would be missing without a word, so that is an error.
fn options<'a>(mut fonts: Database, dark: bool) -> Result<Options<'a>, Failure> {
    let known = FONTS.into_iter().find(|name| {
        let query = Query {
            families: &[Family::Name(name)],
            ..Query::default()
        };
        fonts.query(&query).is_some()
    });
    let any = || {
        let faces = fonts.faces();
        let mut letters = faces.filter(|face| !face.monospaced);
        let face = letters.next().or_else(|| fonts.faces().next())?;
        Some(face.families.first()?.0.clone())
    };
    let Some(family) = known.map(str::to_owned).or_else(any) else {
        return Err(Failure::NotReady(
            "this machine has no fonts, so a PNG would have no text: install one, such as DejaVu \
             Sans (the package is often called fonts-dejavu), or draw an SVG"
                .into(),
        ));
    };
    fonts.set_sans_serif_family(family.clone());
    Ok(Options {
        font_family: family,
        fontdb: fonts.into(),
        style_sheet: Some(plain_style(dark)),
        ..Options::default()
    })
}

#[cfg(test)]
mod tests;
