use super::{Database, options, pixels};
use fait_board::{DrawOptions, draw, parse};

const BOARD: &str =
    "board Tea\nactor Guest\ntask Drink tea\n  by Guest\n  raises Tea drunk\nevent Tea drunk\n";

fn svg() -> String {
    let options = DrawOptions {
        embed_style: false,
        ..DrawOptions::default()
    };
    draw(&parse(BOARD).board, &options)
}

#[test]
fn without_fonts_there_is_no_picture() {
    let sorry = options(Database::new(), false).err().unwrap().to_string();
    assert!(sorry.starts_with("this machine has no fonts"), "{sorry}");
}

#[test]
fn a_picture_that_is_too_large_is_refused() {
    let large = svg().replacen("width=\"", "width=\"1", 1);
    let large = large.replacen("height=\"", "height=\"10", 1);
    let mut fonts = Database::new();
    fonts.load_system_fonts();
    if fonts.is_empty() {
        return;
    }
    let sorry = pixels(&large, false, 8.0).unwrap_err().to_string();
    assert!(sorry.contains("a smaller --scale"), "{sorry}");
}
