//! Writing SVG: elements, attributes and text, always escaped.

use std::collections::HashMap;

/// The ids that are taken, with the number that was put behind each of them last.
#[derive(Default)]
pub(super) struct Ids {
    taken: HashMap<String, usize>,
}

impl Ids {
    /// The id that is wanted; a number is put behind it where it is taken.
    pub(super) fn own(&mut self, wanted: String) -> String {
        let Some(last) = self.taken.get(&wanted).copied() else {
            self.taken.insert(wanted.clone(), 1);
            return wanted;
        };
        let mut again = last + 1;
        let mut id = format!("{wanted}-{again}");
        while self.taken.contains_key(&id) {
            again += 1;
            id = format!("{wanted}-{again}");
        }
        self.taken.insert(wanted, again);
        self.taken.insert(id.clone(), 1);
        id
    }
}

/// An SVG as it is written.
#[derive(Default)]
pub(super) struct Svg {
    out: String,
}

impl Svg {
    /// An element with attributes that has children, until [`Svg::close`].
    pub(super) fn open(&mut self, element: &str, attributes: &[(&str, &str)]) {
        self.start(element, attributes);
        self.out.push('>');
    }

    /// Ends an element.
    pub(super) fn close(&mut self, element: &str) {
        self.out.push_str("</");
        self.out.push_str(element);
        self.out.push('>');
    }

    /// An element without children.
    pub(super) fn empty(&mut self, element: &str, attributes: &[(&str, &str)]) {
        self.start(element, attributes);
        self.out.push_str("/>");
    }

    /// An element with text.
    pub(super) fn text(&mut self, element: &str, attributes: &[(&str, &str)], text: &str) {
        self.open(element, attributes);
        escape(&mut self.out, text);
        self.close(element);
    }

    /// A line break, for people and for version control.
    pub(super) fn line(&mut self) {
        self.out.push('\n');
    }

    pub(super) fn finish(self) -> String {
        self.out
    }

    fn start(&mut self, element: &str, attributes: &[(&str, &str)]) {
        self.out.push('<');
        self.out.push_str(element);
        for (name, value) in attributes {
            self.out.push(' ');
            self.out.push_str(name);
            self.out.push_str("=\"");
            escape(&mut self.out, value);
            self.out.push('"');
        }
    }
}

/// Text that cannot leave its place; what XML cannot hold at all becomes a replacement mark.
fn escape(out: &mut String, text: &str) {
    for letter in text.chars() {
        match letter {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(letter),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            _ => out.push(letter),
        }
    }
}
