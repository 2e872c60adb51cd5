//! `fait board draw`: the picture of a board, as SVG or PNG.

use super::text_of;
use crate::failure::Failure;
use crate::output::{Out, note};
use clap::Args;
use fait_board::name::{kebab_name, same};
use fait_board::{Board, Colours, DrawOptions, Look, draw, parse, report};
use std::collections::HashSet;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

/// Which board, and how.
#[derive(Debug, Args)]
#[command(after_help = "\
A board with problems is drawn all the same; the problems are said on the standard error.
On paper the picture is light and fits one page; a long board is better printed chapter by chapter.

Examples:
  fait board draw restaurant.board --out restaurant.svg
  fait board draw restaurant.board --chapter Cook --out cook.png --scale 2
  fait board draw restaurant.board --each-chapter --out pictures
  fait board draw - <restaurant.board >restaurant.svg")]
pub(crate) struct Draw {
    /// The board; `-` for standard input
    file: PathBuf,
    /// Where to write: a file, or with --each-chapter a folder; standard output when not given
    #[arg(long, short, value_name = "FILE | FOLDER")]
    out: Option<PathBuf>,
    /// Draw pixels instead of SVG; a file that ends in `.png` means the same
    #[arg(long)]
    png: bool,
    /// How many pixels for one of the SVG, from 0.1 to 8
    #[arg(long, value_name = "N", default_value_t = 1.0, value_parser = scale)]
    scale: f32,
    /// Draw only this chapter
    #[arg(long, value_name = "NAME", conflicts_with = "each_chapter")]
    chapter: Option<String>,
    /// Draw one picture for each chapter, into the folder --out
    #[arg(long, requires = "out")]
    each_chapter: bool,
    /// Draw dark, whatever the reader's system prefers
    #[arg(long, conflicts_with = "light")]
    dark: bool,
    /// Draw light, whatever the reader's system prefers
    #[arg(long)]
    light: bool,
}

fn scale(text: &str) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(scale) if (0.1..=8.0).contains(&scale) => Ok(scale),
        _ => Err("a number from 0.1 to 8 is wanted".into()),
    }
}

pub(crate) fn run(args: &Draw, out: &mut Out) -> Result<(), Failure> {
    let text = text_of(&args.file)?;
    let parsed = parse(&text);
    if !parsed.problems.is_empty() {
        let path = args.file.display().to_string();
        note(report(&text, &path, &parsed.problems, Look::Plain).trim_end());
    }
    if args.each_chapter {
        return each_chapter(args, &parsed.board, out);
    }
    let chapter = match &args.chapter {
        Some(name) => Some(chapter_named(&parsed.board, name)?),
        None => None,
    };
    let picture = picture(args, &parsed.board, chapter)?;
    match &args.out {
        Some(file) => write(file, &picture),
        None if args.is_png() && std::io::stdout().is_terminal() => Err(Failure::Usage(
            "a PNG is nothing for a terminal: name a file with --out".into(),
        )),
        None => out.bytes().write_all(&picture).map_err(Failure::writing),
    }
}

impl Draw {
    fn is_png(&self) -> bool {
        let named = |file: &PathBuf| file.extension().is_some_and(|end| end == "png");
        self.png || (!self.each_chapter && self.out.as_ref().is_some_and(named))
    }
}

fn each_chapter(args: &Draw, board: &Board, out: &mut Out) -> Result<(), Failure> {
    let Some(folder) = &args.out else {
        return Err(Failure::Usage("name a folder with --out".into()));
    };
    if board.chapters.is_empty() {
        let sorry = "the board has no chapter; without --each-chapter it is drawn as a whole";
        return Err(Failure::Finding(sorry.into()));
    }
    let refused = |e| Failure::NotReady(format!("{} cannot be made: {e}", folder.display()));
    std::fs::create_dir_all(folder).map_err(refused)?;
    let ending = if args.is_png() { "png" } else { "svg" };
    let mut taken = HashSet::new();
    for chapter in &board.chapters {
        let name = &chapter.note.name.text;
        let stem = match kebab_name(name) {
            stem if stem.is_empty() => "chapter".to_owned(),
            stem => stem,
        };
        let own = |number: usize| match number {
            1 => format!("{stem}.{ending}"),
            _ => format!("{stem}-{number}.{ending}"),
        };
        let free = (1..).map(own).find(|name| taken.insert(name.clone()));
        let file = folder.join(free.unwrap_or(stem));
        write(&file, &picture(args, board, Some(name.clone()))?)?;
        out.line(file.display())?;
    }
    let outside = board.tasks.iter().map(|task| &task.note);
    let outside = outside.chain(board.events.iter().map(|event| &event.note));
    match outside.filter(|note| note.chapter.is_none()).count() {
        0 => {}
        n => note(format_args!(
            "{n} tasks and events stand in no chapter; they are only in the picture of the whole"
        )),
    }
    Ok(())
}

/// The chapter as the board spells it.
fn chapter_named(board: &Board, wanted: &str) -> Result<String, Failure> {
    let names = || board.chapters.iter().map(|chapter| &chapter.note.name.text);
    let found = names().find(|name| *name == wanted);
    if let Some(name) = found.or_else(|| names().find(|name| same(name, wanted))) {
        return Ok(name.clone());
    }
    let all: Vec<&str> = names().map(String::as_str).collect();
    Err(Failure::Finding(match all.as_slice() {
        [] => format!("there is no chapter `{wanted}`: the board has none"),
        all => format!(
            "there is no chapter `{wanted}`; there are: {}",
            all.join(", ")
        ),
    }))
}

/// The picture as the bytes of its file.
fn picture(args: &Draw, board: &Board, chapter: Option<String>) -> Result<Vec<u8>, Failure> {
    let colours = match (args.dark, args.light) {
        (true, _) => Colours::Dark,
        (_, true) => Colours::Light,
        _ => Colours::Preferred,
    };
    let options = DrawOptions {
        embed_style: !args.is_png(),
        chapter,
        colours,
        ..DrawOptions::default()
    };
    let svg = draw(board, &options);
    if args.is_png() {
        pixels(&svg, args)
    } else {
        Ok(svg.into_bytes())
    }
}

#[cfg(feature = "png")]
fn pixels(svg: &str, args: &Draw) -> Result<Vec<u8>, Failure> {
    super::png::pixels(svg, args.dark, args.scale)
}

#[cfg(not(feature = "png"))]
fn pixels(_: &str, _: &Draw) -> Result<Vec<u8>, Failure> {
    Err(Failure::Usage(
        "this program was built without the feature `png`: draw an SVG instead".into(),
    ))
}

/// A picture may be written over, a board never.
fn write(file: &Path, picture: &[u8]) -> Result<(), Failure> {
    if file.extension().is_some_and(|end| end == "board") {
        let sorry = format!(
            "{} is a board: name another file with --out",
            file.display()
        );
        return Err(Failure::Usage(sorry));
    }
    std::fs::write(file, picture)
        .map_err(|e| Failure::NotReady(format!("{} cannot be written: {e}", file.display())))
}
