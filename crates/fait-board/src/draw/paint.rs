//! The plan as SVG: the paper, the lines, and the cards on top of them.

use super::arrows::{Arrow, Head, arrows, path};
use super::card::{Card, Shape};
use super::legend::Sample;
use super::plan::{Band, CHAPTER_BAND, CONTEXT_BAND, Plan, RAIL_LINE, Row};
use super::svg::{Ids, Svg};
use super::text::{Pen, wrap};
use crate::board::Board;
use crate::name::note_id;
use crate::note::{Kind, Note};

/// The heads of the arrows, by the class of their lines.
const HEADS: [&str; 6] = ["down", "hears", "asks", "does", "raises", "feeds"];

pub(super) fn paint(
    board: &Board,
    plan: &Plan<'_>,
    style: Option<&str>,
    links: Option<&str>,
) -> String {
    let mut brush = Brush {
        svg: Svg::default(),
        ids: Ids::default(),
        links,
    };
    brush.head(board, plan, style);
    brush.paper(plan);
    for arrow in arrows(plan) {
        brush.arrow(&arrow);
    }
    brush.svg.line();
    for band in &plan.bands {
        brush.band(board, band);
    }
    plan.sheet.cards().for_each(|card| brush.card(card));
    brush.legend(plan);
    brush.svg.close("svg");
    brush.svg.line();
    brush.svg.finish()
}

struct Brush<'a> {
    svg: Svg,
    /// The ids that are taken: a note may be drawn in several columns.
    ids: Ids,
    /// Where the addresses of notes begin, if notes are links.
    links: Option<&'a str>,
}

impl Brush<'_> {
    fn head(&mut self, board: &Board, plan: &Plan<'_>, style: Option<&str>) {
        let (width, height) = (plan.width.to_string(), plan.height.to_string());
        self.svg.open(
            "svg",
            &[
                ("xmlns", "http://www.w3.org/2000/svg"),
                ("class", "fait-board"),
                ("viewBox", &format!("0 0 {width} {height}")),
                ("width", &width),
                ("height", &height),
                ("role", if style.is_some() { "img" } else { "group" }),
                ("aria-labelledby", "board-title board-desc"),
            ],
        );
        self.svg.text(
            "title",
            &[("id", "board-title")],
            &format!("Board: {}", board.name()),
        );
        self.svg
            .text("desc", &[("id", "board-desc")], &described(board));
        if let Some(style) = style {
            self.svg.text("style", &[], style);
        }
        self.svg.open("defs", &[]);
        for head in HEADS {
            self.svg.open(
                "marker",
                &[
                    ("id", &format!("board-head-{head}")),
                    ("viewBox", "0 0 8 8"),
                    ("refX", "7"),
                    ("refY", "4"),
                    ("markerWidth", "8"),
                    ("markerHeight", "8"),
                    ("markerUnits", "userSpaceOnUse"),
                    ("orient", "auto-start-reverse"),
                ],
            );
            self.svg.empty(
                "path",
                &[("class", &format!("head {head}")), ("d", "M0 0 L8 4 L0 8z")],
            );
            self.svg.close("marker");
        }
        self.svg.close("defs");
        self.svg.line();
    }

    fn paper(&mut self, plan: &Plan<'_>) {
        let (width, height) = (plan.width.to_string(), plan.height.to_string());
        self.svg.empty(
            "rect",
            &[("class", "paper"), ("width", &width), ("height", &height)],
        );
        for row in &plan.rows {
            self.row(plan, row);
        }
        for panel in &plan.panels {
            let area = [
                ("x", panel.x),
                ("y", panel.y),
                ("width", panel.width),
                ("height", panel.height),
            ];
            self.rect("panel", &[&area[..], &[("rx", 8)]].concat());
        }
        let bottom = plan.rows.last().map_or(0, |row| row.y + row.height);
        for x in &plan.borders {
            let d = format!("M{x} {} V{bottom}", CHAPTER_BAND.0);
            self.svg.empty("path", &[("class", "border"), ("d", &d)]);
        }
        self.svg.line();
    }

    fn row(&mut self, plan: &Plan<'_>, row: &Row) {
        let class = format!("row {}", row.class);
        let area = [("width", plan.width), ("y", row.y), ("height", row.height)];
        self.rect(&class, &area);
        let (name, sub) = row.names;
        if !name.is_empty() {
            self.words(Pen::Label.class(), 12, row.y + 24, name);
            self.words(Pen::Small.class(), 12, row.y + 38, sub);
        }
    }

    fn band(&mut self, board: &Board, band: &Band) {
        let ((y, height), pen) = match band.kind {
            Kind::Chapter => (CHAPTER_BAND, Pen::Label),
            _ => (CONTEXT_BAND, Pen::Band),
        };
        let Some((note, elsewhere)) = banded(board, band) else {
            return;
        };
        let name = &note.name.text;
        let (outside, more) = if elsewhere {
            (" elsewhere", ", runs elsewhere")
        } else {
            ("", "")
        };
        let class = format!("note {}{outside}", band.kind.keyword());
        let label = format!("{}: {name}{more}", band.kind.keyword());
        self.open_note(&class, Some((band.kind, name)), &label);
        let area = [
            ("x", band.x),
            ("y", y),
            ("width", band.width),
            ("height", height),
            ("rx", 6),
        ];
        self.rect("", &area);
        let forms = if elsewhere {
            &[" (runs elsewhere)", " (elsewhere)", ""][..]
        } else {
            &[""]
        };
        let text = in_one_line(name, forms, pen, band.width - 24);
        self.words(pen.class(), band.x + 12, y + height / 2 + 4, &text);
        self.close_note(Some((band.kind, name)));
    }

    fn card(&mut self, card: &Card) {
        let note = card
            .note
            .as_ref()
            .map(|(kind, name)| (*kind, name.as_str()));
        if card.id.is_empty() {
            self.open_note(&card.class, note, &card.label);
        } else {
            self.open_part(card);
        }
        let round = match card.shape {
            Shape::Pill => (card.height / 2).min(13),
            Shape::Button => 9,
            Shape::Ring => 12,
            Shape::Paper | Shape::Clock => 2,
        };
        let area = [
            ("x", card.x),
            ("y", card.y),
            ("width", card.width),
            ("height", card.height),
        ];
        self.rect("", &[&area[..], &[("rx", round)]].concat());
        let mut y = card.y + card.top_edge();
        for (pen, line) in &card.lines {
            y += pen.line_height();
            let base = y - 3;
            if card.shape == Shape::Pill {
                let class = format!("{} middle", pen.class());
                self.words(&class, card.x + card.width / 2, base, line);
            } else {
                self.words(pen.class(), card.x + card.text_start(), base, line);
            }
        }
        self.mark(card);
        self.close_note(note.filter(|_| card.id.is_empty()));
    }

    /// What marks a card besides its colour.
    fn mark(&mut self, card: &Card) {
        if let Some(badge) = &card.badge {
            let width = Pen::Detail.width(badge) + 12;
            let x = card.right() - width - 6;
            let area = [
                ("x", x),
                ("y", card.y - 8),
                ("width", width),
                ("height", 16),
                ("rx", 8),
            ];
            self.rect("badge", &area);
            self.words("badge middle", x + width / 2, card.y + 4, badge);
        }
        match card.shape {
            Shape::Clock => self.sign(card.shape, card.right() - 6, card.y),
            Shape::Ring => self.sign(card.shape, card.x, card.y + RAIL_LINE),
            Shape::Paper | Shape::Pill | Shape::Button => {}
        }
    }

    /// A clock, or a ring.
    fn sign(&mut self, shape: Shape, x: i32, y: i32) {
        let (class, radius) = match shape {
            Shape::Clock => ("clock", "7"),
            _ => ("ring", "6"),
        };
        let (cx, cy) = (x.to_string(), y.to_string());
        self.svg.empty(
            "circle",
            &[("class", class), ("cx", &cx), ("cy", &cy), ("r", radius)],
        );
        if shape == Shape::Clock {
            let hands = format!("M{x} {} V{y} H{}", y - 4, x + 3);
            self.svg.empty("path", &[("class", "clock"), ("d", &hands)]);
        }
    }

    fn legend(&mut self, plan: &Plan<'_>) {
        let y = plan.height - 14;
        for entry in &plan.legend {
            match entry.sample {
                Sample::Arrow(class) => {
                    let d = format!("M{} {} h{}", entry.x, y - 4, entry.sample.width());
                    let head = format!("url(#board-head-{class})");
                    self.svg.empty(
                        "path",
                        &[("class", class), ("d", &d), ("marker-end", &head)],
                    );
                }
                Sample::Card(class) => {
                    self.svg.open("g", &[("class", &format!("legend {class}"))]);
                    let area = [("x", entry.x), ("y", y - 11), ("width", 22), ("height", 14)];
                    self.rect("", &[&area[..], &[("rx", 2)]].concat());
                    self.svg.close("g");
                }
                Sample::Mark(shape) => self.sign(shape, entry.x + 7, y - 4),
            }
            self.words(Pen::Small.class(), entry.text_start(), y, entry.text);
        }
        self.svg.line();
    }

    fn arrow(&mut self, arrow: &Arrow) {
        let class = format!("arrow {}", arrow.class);
        let head = format!("url(#board-head-{})", arrow.class);
        let d = path(&arrow.points);
        let mut attributes = vec![("class", class.as_str()), ("d", &d)];
        attributes.extend([("data-from", arrow.from.as_str()), ("data-to", &arrow.to)]);
        if let Some(via) = &arrow.via {
            attributes.push(("data-via", via));
        }
        match arrow.head {
            Head::Start => attributes.push(("marker-start", &head)),
            Head::End => attributes.push(("marker-end", &head)),
            Head::None => {}
        }
        self.svg.empty("path", &attributes);
        self.svg.line();
    }

    /// A group for a note; its title is what a reader hears, and sees where the mouse rests.
    fn open_note(&mut self, class: &str, note: Option<(Kind, &str)>, label: &str) {
        let wanted = note.map(|(kind, name)| note_id(kind, name));
        if let (Some(links), Some(note)) = (self.links, &wanted) {
            let own = note.strip_prefix("note-").unwrap_or(note);
            let address = format!("{links}{own}#{note}");
            self.svg.open("a", &[("href", &address)]);
        }
        let id = wanted.clone().map(|wanted| self.ids.own(wanted));
        let mut attributes = Vec::new();
        if let (Some(id), Some(note)) = (&id, &wanted) {
            attributes.extend([("id", id.as_str()), ("data-note", note)]);
        }
        attributes.push(("class", class));
        if let Some((kind, name)) = note {
            attributes.extend([("data-kind", kind.keyword()), ("data-name", name)]);
        }
        attributes.push(("role", "img"));
        self.svg.open("g", &attributes);
        self.svg.text("title", &[], label);
    }

    fn close_note(&mut self, note: Option<(Kind, &str)>) {
        self.svg.close("g");
        if self.links.is_some() && note.is_some() {
            self.svg.close("a");
        }
        self.svg.line();
    }

    /// A group for a card that belongs to a note: a reaction, or where a process ends.
    fn open_part(&mut self, card: &Card) {
        let attributes = [
            ("id", card.id.as_str()),
            ("class", &card.class),
            ("data-of", &card.of),
            ("role", "img"),
        ];
        self.svg.open("g", &attributes);
        self.svg.text("title", &[], &card.label);
    }

    fn rect(&mut self, class: &str, numbers: &[(&str, i32)]) {
        let texts: Vec<(&str, String)> = numbers
            .iter()
            .map(|(name, number)| (*name, number.to_string()))
            .collect();
        let mut attributes: Vec<(&str, &str)> = Vec::new();
        if !class.is_empty() {
            attributes.push(("class", class));
        }
        attributes.extend(texts.iter().map(|(name, text)| (*name, text.as_str())));
        self.svg.empty("rect", &attributes);
    }

    fn words(&mut self, class: &str, x: i32, y: i32, text: &str) {
        let (x, y) = (x.to_string(), y.to_string());
        self.svg
            .text("text", &[("class", class), ("x", &x), ("y", &y)], text);
    }
}

/// The note of a band, and whether it runs elsewhere.
fn banded<'b>(board: &'b Board, band: &Band) -> Option<(&'b Note, bool)> {
    if band.kind == Kind::Chapter {
        return Some((&board.chapters.get(band.index)?.note, false));
    }
    let context = board.contexts.get(band.index)?;
    Some((&context.note, context.runs_elsewhere.is_some()))
}

/// A name with the longest of the given endings that leaves it in one line; cut if none does.
fn in_one_line(name: &str, endings: &[&str], pen: Pen, width: i32) -> String {
    let whole = endings.iter().map(|ending| format!("{name}{ending}"));
    if let Some(fitting) = whole.into_iter().find(|text| pen.width(text) <= width) {
        return fitting;
    }
    let lines = wrap(name, pen, width - pen.width("…"));
    lines
        .first()
        .map(|first| format!("{first}…"))
        .unwrap_or_default()
}

/// The picture in words.
fn described(board: &Board) -> String {
    let count = |number: usize, one: &str, many: &str| {
        format!("{number} {}", if number == 1 { one } else { many })
    };
    let about: Vec<&str> = board
        .about
        .iter()
        .map(|about| about.text.as_str())
        .collect();
    let about = if about.is_empty() {
        String::new()
    } else {
        format!("{} ", about.join(" "))
    };
    format!(
        "{about}Tasks from left to right in the order of time; below each of them what decides \
         and what happened, and below all a strip for every process. {}, {}, {}, {}, {}, {}.",
        count(board.chapters.len(), "chapter", "chapters"),
        count(board.tasks.len(), "task", "tasks"),
        count(board.events.len(), "event", "events"),
        count(board.processes.len(), "process", "processes"),
        count(board.policies.len(), "policy", "policies"),
        count(
            board.open_questions().len(),
            "open question",
            "open questions"
        ),
    )
}
