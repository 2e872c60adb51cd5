#![no_main]

use fait_board::{DrawOptions, draw, outline, parse};

libfuzzer_sys::fuzz_target!(|text: &str| {
    let board = parse(text).board;
    let _ = outline(&board);
    let _ = draw(&board, &DrawOptions::default());
});
