//! Rust source as the checks see it: code apart from comments and texts, tests apart from the rest.

#[cfg(test)]
mod tests;

/// One Rust file.
#[derive(Debug)]
pub(crate) struct Source {
    /// From the root of the repository, with `/`.
    pub(crate) path: String,
    /// The lines with comments and the insides of string literals blanked.
    pub(crate) lines: Vec<String>,
    /// How wide each line is without the insides of string literals.
    pub(crate) widths: Vec<usize>,
    /// Which lines belong to tests.
    pub(crate) tests: Vec<bool>,
    /// The lines as they are.
    pub(crate) raw: Vec<String>,
}

/// A function with a body: where it starts, and how many lines it has.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Function {
    /// Its name.
    pub(crate) name: String,
    /// The line of `fn`, from 1.
    pub(crate) line: usize,
    /// From `fn` to the closing brace.
    pub(crate) lines: usize,
}

/// One path that a `use` brings in, braces resolved.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Use {
    /// The line of `use`, from 1.
    pub(crate) line: usize,
    /// Such as `std::fs::File`.
    pub(crate) path: String,
    /// Whether it is passed on to others: `pub use`.
    pub(crate) public: bool,
}

impl Source {
    /// Reads a file.
    pub(crate) fn new(path: &str, text: &str) -> Source {
        let (code, plain) = blank(text);
        let lines: Vec<String> = code.lines().map(str::to_owned).collect();
        let widths = plain.lines().map(|line| line.chars().count()).collect();
        let tests = test_lines(path, &lines);
        let raw = text.lines().map(str::to_owned).collect();
        Source {
            path: path.to_owned(),
            lines,
            widths,
            tests,
            raw,
        }
    }

    /// The lines of code that are no tests, counted from 1.
    pub(crate) fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.lines.iter().zip(&self.tests).enumerate();
        lines
            .filter(|(_, (_, test))| !**test)
            .map(|(i, (line, _))| (i + 1, line.as_str()))
    }

    /// Says that the whole file belongs to tests.
    pub(crate) fn set_test(&mut self) {
        self.tests.fill(true);
    }

    /// Whether a line, from 1, belongs to tests.
    pub(crate) fn is_test(&self, line: usize) -> bool {
        self.tests.get(line - 1).copied().unwrap_or(false)
    }

    /// Every function that has a body.
    pub(crate) fn functions(&self) -> Vec<Function> {
        let code = Chars::new(&self.lines);
        let mut found = Vec::new();
        for at in code.words("fn") {
            let name = code.name_after(at + 2);
            let Some(open) = code.body(at) else { continue };
            if name.is_empty() {
                continue;
            }
            let (line, end) = (code.line(at), code.line(code.closing(open)));
            found.push(Function {
                name,
                line: line + 1,
                lines: end - line + 1,
            });
        }
        found
    }

    /// Every path that is brought in by `use`.
    pub(crate) fn uses(&self) -> Vec<Use> {
        let code = Chars::new(&self.lines);
        let mut found = Vec::new();
        for at in code.words("use") {
            let statement = code.until(at + 3, ';');
            let line = code.line(at);
            let before: String = self.lines[line].chars().take_while(|c| *c != ';').collect();
            let public = before.trim_start().starts_with("pub");
            for path in branches(&statement) {
                found.push(Use {
                    line: line + 1,
                    path,
                    public,
                });
            }
        }
        found
    }

    /// Declared modules: line, name, and whether the body is in this file.
    pub(crate) fn modules(&self) -> Vec<(usize, String, bool)> {
        let code = Chars::new(&self.lines);
        let mut found = Vec::new();
        for at in code.words("mod") {
            let name = code.name_after(at + 3);
            if !name.is_empty() {
                found.push((code.line(at) + 1, name, code.body(at).is_some()));
            }
        }
        found
    }
}

/// Whether a line says `word`, not as a part of a longer one.
pub(crate) fn says(line: &str, word: &str) -> bool {
    positions(line, word).next().is_some()
}

/// Where a line says `word`, as byte offsets.
pub(crate) fn positions<'a>(line: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let open = word.chars().next_back().is_some_and(is_name);
    let starts = word.chars().next().is_some_and(is_name);
    line.match_indices(word)
        .map(|(at, _)| at)
        .filter(move |at| {
            let before = line[..*at].chars().next_back().is_some_and(is_name);
            let after = line[at + word.len()..].chars().next().is_some_and(is_name);
            !(starts && before || open && after)
        })
}

/// Whether a character may stand in a name.
pub(crate) fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The paths of a use tree: `a::{b, c::d}` is `a::b` and `a::c::d`.
fn branches(tree: &str) -> Vec<String> {
    let tree: String = tree.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut found = Vec::new();
    grow("", &tree, &mut found);
    found
}

fn grow(prefix: &str, tree: &str, found: &mut Vec<String>) {
    let tree = tree.trim();
    let Some((stem, rest)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap_or(tree).trim();
        let path = format!("{prefix}{path}");
        let path = path.trim_start_matches("::").trim_end_matches("::self");
        if !path.is_empty() {
            found.push(path.to_owned());
        }
        return;
    };
    let prefix = format!("{prefix}{}", stem.trim());
    let (mut depth, mut start) = (0_usize, 0);
    for (i, c) in rest.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                if start <= i && !rest[start..i].trim().is_empty() {
                    grow(&prefix, &rest[start..i], found);
                }
                start = i + 1;
            }
            _ => {}
        }
    }
}

/// Which lines belong to tests: by the file's place, or under an attribute for tests.
fn test_lines(path: &str, lines: &[String]) -> Vec<bool> {
    let in_tests = path
        .split('/')
        .any(|part| matches!(part, "tests" | "benches" | "fuzz"));
    let mut tests = vec![in_tests || path.ends_with("/tests.rs"); lines.len()];
    let code = Chars::new(lines);
    for (i, line) in lines.iter().enumerate() {
        if tests[i] || !is_test_attribute(line.trim()) {
            continue;
        }
        let at = code.start(i);
        let end = match code.body(at) {
            Some(open) => code.line(code.closing(open)),
            None => code.line(code.position(at, ';').min(code.position(at, '}'))),
        };
        tests[i..=end.min(lines.len() - 1)].fill(true);
    }
    tests
}

fn is_test_attribute(line: &str) -> bool {
    line.starts_with("#[test]")
        || line.starts_with("#[cfg(") && says(line, "test") && !line.contains("not(test")
}

/// The text twice: without comments and the insides of literals, and without the latter only.
fn blank(text: &str) -> (String, String) {
    let chars: Vec<char> = text.chars().collect();
    let (mut code, mut plain) = (String::new(), String::new());
    let mut i = 0;
    while i < chars.len() {
        let (end, kind) = next(&chars, i);
        for &c in &chars[i..end] {
            let blank = if c == '\n' { '\n' } else { ' ' };
            code.push(if kind == Kind::Code { c } else { blank });
            if kind != Kind::Literal || c == '\n' {
                plain.push(c);
            }
        }
        i = end;
    }
    (code, plain)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Code,
    Comment,
    Literal,
}

/// What stands at a place, and where it ends.
fn next(chars: &[char], i: usize) -> (usize, Kind) {
    let at = |j: usize| chars.get(j).copied().unwrap_or('\0');
    let in_name = i > 0 && is_name(chars[i - 1]);
    match at(i) {
        '/' if at(i + 1) == '/' => {
            let line = chars[i..].iter().take_while(|c| **c != '\n').count();
            (i + line, Kind::Comment)
        }
        '/' if at(i + 1) == '*' => (comment_end(chars, i), Kind::Comment),
        '"' => (string_end(chars, i + 1), Kind::Literal),
        'r' if !in_name || matches!(chars[i - 1], 'b' | 'c') => {
            let hashes = chars[i + 1..].iter().take_while(|c| **c == '#').count();
            if at(i + 1 + hashes) == '"' {
                (raw_end(chars, i + 2 + hashes, hashes), Kind::Literal)
            } else {
                (i + 1, Kind::Code)
            }
        }
        '\'' if at(i + 1) == '\\' => {
            let rest = chars[(i + 3).min(chars.len())..]
                .iter()
                .take_while(|c| **c != '\'')
                .count();
            ((i + 4 + rest).min(chars.len()), Kind::Literal)
        }
        '\'' if at(i + 2) == '\'' => (i + 3, Kind::Literal),
        _ => (i + 1, Kind::Code),
    }
}

fn comment_end(chars: &[char], start: usize) -> usize {
    let (mut depth, mut i) = (0_usize, start);
    while i + 1 < chars.len() {
        match (chars[i], chars[i + 1]) {
            ('/', '*') => (depth, i) = (depth + 1, i + 2),
            ('*', '/') => (depth, i) = (depth - 1, i + 2),
            _ => i += 1,
        }
        if depth == 0 {
            return i;
        }
    }
    chars.len()
}

fn string_end(chars: &[char], start: usize) -> usize {
    let mut i = start;
    while i < chars.len() {
        match chars[i] {
            '\\' => i += 2,
            '"' => return i + 1,
            _ => i += 1,
        }
    }
    chars.len()
}

fn raw_end(chars: &[char], start: usize, hashes: usize) -> usize {
    let closes = |i: &usize| {
        let rest = &chars[*i..];
        rest[0] == '"' && rest[1..].iter().take_while(|c| **c == '#').count() >= hashes
    };
    (start..chars.len())
        .find(closes)
        .map_or(chars.len(), |i| i + 1 + hashes)
}

/// Blanked code as characters with their lines.
struct Chars {
    chars: Vec<char>,
    starts: Vec<usize>,
}

impl Chars {
    fn new(lines: &[String]) -> Chars {
        let (mut chars, mut starts) = (Vec::new(), Vec::new());
        for line in lines {
            starts.push(chars.len());
            chars.extend(line.chars());
            chars.push('\n');
        }
        Chars { chars, starts }
    }

    /// Where a line, from 0, starts.
    fn start(&self, line: usize) -> usize {
        self.starts[line]
    }

    /// The line of a place, from 0.
    fn line(&self, at: usize) -> usize {
        self.starts
            .partition_point(|start| *start <= at)
            .saturating_sub(1)
    }

    /// Where a word stands by itself.
    fn words(&self, word: &str) -> Vec<usize> {
        let word: Vec<char> = word.chars().collect();
        let found = self.chars.windows(word.len()).enumerate().filter(|(i, w)| {
            let before = *i > 0 && (is_name(self.chars[i - 1]) || self.chars[i - 1] == '#');
            let after = self.chars.get(i + word.len()).is_some_and(|c| is_name(*c));
            *w == word && !before && !after
        });
        found.map(|(i, _)| i).collect()
    }

    /// The name that follows, or nothing.
    fn name_after(&self, at: usize) -> String {
        let rest = self.chars[at..].iter().skip_while(|c| **c == ' ');
        rest.take_while(|c| is_name(**c)).collect()
    }

    /// The text up to a character.
    fn until(&self, at: usize, end: char) -> String {
        self.chars[at..].iter().take_while(|c| **c != end).collect()
    }

    /// Where a character stands next, or the end.
    fn position(&self, at: usize, what: char) -> usize {
        let found = self.chars[at..].iter().position(|c| *c == what);
        found.map_or(self.chars.len().saturating_sub(1), |i| at + i)
    }

    /// The brace that opens the body of the item at a place; none when `;` comes first.
    fn body(&self, at: usize) -> Option<usize> {
        let mut depth = 0_i32;
        for (i, c) in self.chars.iter().enumerate().skip(at) {
            match c {
                '(' | '[' => depth += 1,
                ')' | ']' => depth -= 1,
                ';' if depth <= 0 => return None,
                '{' if depth <= 0 => return Some(i),
                '}' if depth <= 0 => return None,
                _ => {}
            }
        }
        None
    }

    /// The brace that closes the one at a place.
    fn closing(&self, open: usize) -> usize {
        let mut depth = 0_i32;
        for (i, c) in self.chars.iter().enumerate().skip(open) {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return i;
            }
        }
        self.chars.len().saturating_sub(1)
    }
}
