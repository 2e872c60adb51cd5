//! How wide text is, without a font at hand.

/// Parts of a pixel in which text is measured, so that sums are exact.
const FINE: u64 = 10_000;

/// A way to write a line of text; the style sheet has a class for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pen {
    /// The name of a note.
    Name,
    /// The words of a note.
    Detail,
    /// A condition.
    When,
    /// What a reaction answers.
    Trigger,
    /// What a reaction waits for.
    Waits,
    /// What a reaction asks or does.
    Step,
    /// What a reaction raises.
    Raise,
    /// What a reaction tells another system.
    Tell,
    /// An open question.
    Question,
    /// Small print beside a label.
    Small,
    /// The name of a row.
    Label,
    /// The name of a context.
    Band,
}

impl Pen {
    pub(super) fn class(self) -> &'static str {
        match self {
            Pen::Name => "name",
            Pen::Detail => "detail",
            Pen::When => "when",
            Pen::Trigger => "trigger",
            Pen::Waits => "waits",
            Pen::Step => "step",
            Pen::Raise => "step raise",
            Pen::Tell => "step tell",
            Pen::Question => "question",
            Pen::Small => "small",
            Pen::Label => "label",
            Pen::Band => "band",
        }
    }

    /// The height of a line in pixels.
    pub(super) fn line_height(self) -> i32 {
        match self {
            Pen::Label => 16,
            Pen::Name | Pen::Step | Pen::Raise | Pen::Tell => 15,
            _ => 14,
        }
    }

    /// The size of the letters in tenths of a pixel, and whether they are heavy.
    fn letters(self) -> (u64, bool) {
        match self {
            Pen::Label => (130, true),
            Pen::Name | Pen::Step | Pen::Raise | Pen::Tell => (120, true),
            Pen::Trigger | Pen::Waits | Pen::Question | Pen::Band => (110, true),
            Pen::Detail | Pen::When | Pen::Small => (110, false),
        }
    }

    /// The width of a text in pixels, rounded up.
    pub(super) fn width(self, text: &str) -> i32 {
        i32::try_from(self.fine_width(text).div_ceil(FINE)).unwrap_or(i32::MAX)
    }

    /// The width of a text in parts of a pixel.
    fn fine_width(self, text: &str) -> u64 {
        let (size, heavy) = self.letters();
        let units = |letter| u64::from(units(letter, heavy)) * size;
        text.chars().map(units).fold(0, u64::saturating_add)
    }
}

/// The width of a letter in thousandths of its size. The numbers are rounded up from what common
/// sans-serif fonts use, so that text fits whichever of them the reader has.
fn units(letter: char, heavy: bool) -> u32 {
    let thin = match letter {
        'i' | 'j' | 'l' | '\'' | '’' | '.' | ',' | ':' | ';' | '|' | '!' => 290,
        ' ' => 300,
        'f' | 't' | 'r' | 'I' | '(' | ')' | '-' | '/' | '·' => 395,
        's' | 'z' | 'c' | 'k' | 'v' | 'x' | 'y' | 'J' | '?' => 560,
        'a' | 'e' | 'L' | 'g' | 'b' | 'd' | 'h' | 'n' | 'o' | 'p' | 'q' | 'u' => 605,
        '0'..='9' => 625,
        'F' | 'E' | 'T' | 'S' | 'P' | 'Z' | 'Y' => 640,
        'm' | 'M' | '—' | '…' => 920,
        'w' | 'W' | '%' | '@' => 900,
        'A'..='Z' => 740,
        ' '..='~' => 800,
        _ => return foreign(letter),
    };
    if heavy { thin * 114 / 100 } else { thin }
}

/// The width of a letter beyond English, heavy or not.
fn foreign(letter: char) -> u32 {
    match letter {
        // Small print above or below another letter.
        '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200f}' | '\u{fe00}'..='\u{fe0f}' => 0,
        'æ' | 'œ' | 'Æ' | 'Œ' | '‰' => 1200,
        // Scripts that fill a square.
        '\u{1100}'..='\u{11ff}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7ff}' => 1000,
        '\u{f900}'..='\u{faff}' | '\u{ff00}'..='\u{ffef}' => 1000,
        // Pictures, and letters that few fonts have.
        '\u{2100}'.. => 1400,
        'а'..='я' | 'α'..='ω' => 860,
        _ if letter.is_uppercase() => 1000,
        // Latin letters with a mark are as wide as those without.
        '\u{80}'..='\u{24f}' => 740,
        _ => 1000,
    }
}

/// The most lines a text gets; what is longer is a document, not a note.
const MOST_LINES: usize = 9;

/// The lines of a text that may be `width` wide. Words are kept whole where they fit.
pub(super) fn wrap(text: &str, pen: Pen, width: i32) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let (mut line, mut used) = (String::new(), 0);
    let space = pen.fine_width(" ");
    let most = u64::try_from(width).unwrap_or(0) * FINE;
    let words = text.split_whitespace();
    for (word, wide) in words.flat_map(|word| broken(word, pen, most)) {
        if !line.is_empty() && used + space + wide <= most {
            line.push(' ');
            line.push_str(&word);
            used += space + wide;
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        if lines.len() == MOST_LINES {
            cut(&mut lines, pen, width);
            return lines;
        }
        (line, used) = (word, wide);
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// Says that there is more; the last line gives way to it.
fn cut(lines: &mut [String], pen: Pen, width: i32) {
    let Some(last) = lines.last_mut() else { return };
    while pen.width(last) + pen.width("…") > width && last.pop().is_some() {}
    last.truncate(last.trim_end().len());
    last.push('…');
}

/// A word with its width, cut where it does not fit into one line: with a hyphen where a letter
/// follows a letter in a script that has hyphens.
fn broken(word: &str, pen: Pen, width: u64) -> Vec<(String, u64)> {
    let whole = pen.fine_width(word);
    if whole <= width {
        return vec![(word.to_owned(), whole)];
    }
    let hyphen = pen.fine_width("-");
    let mut pieces = Vec::new();
    let (mut piece, mut used) = (String::new(), 0);
    for letter in word.chars().take(MOST_LINES * 60) {
        let more = pen.fine_width(letter.encode_utf8(&mut [0; 4]));
        if used + more + hyphen > width && !piece.is_empty() && more > 0 {
            let spelt = |letter: char| letter.is_alphabetic() && letter < '\u{1100}';
            if piece.chars().next_back().is_some_and(spelt) && spelt(letter) {
                piece.push('-');
                used += hyphen;
            }
            pieces.push((std::mem::take(&mut piece), used));
            used = 0;
        }
        piece.push(letter);
        used += more;
    }
    pieces.push((piece, used));
    pieces
}

/// A number with a comma before every third digit from the right.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
