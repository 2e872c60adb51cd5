//! A sentence with holes: `a table may have at most {0} open orders`.

/// A part of a sentence.
#[derive(Debug, PartialEq)]
pub(crate) enum Piece {
    /// As it stands.
    Text(String),
    /// The value of a field, with what stands behind the colon.
    Hole { name: String, format: String },
}

/// The pieces of a sentence.
pub(crate) fn pieces(sentence: &str) -> Result<Vec<Piece>, String> {
    let mut out = vec![];
    let mut text = String::new();
    let mut rest = sentence.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '{' | '}' if rest.peek() == Some(&c) => {
                rest.next();
                text.push(c);
            }
            '{' => {
                let mut inside = String::new();
                loop {
                    match rest.next() {
                        Some('}') => break,
                        Some(c) if c != '{' => inside.push(c),
                        _ => return Err(lonely('{')),
                    }
                }
                if !text.is_empty() {
                    out.push(Piece::Text(std::mem::take(&mut text)));
                }
                out.push(hole(&inside)?);
            }
            '}' => return Err(lonely('}')),
            c => text.push(c),
        }
    }
    if !text.is_empty() {
        out.push(Piece::Text(text));
    }
    Ok(out)
}

fn hole(inside: &str) -> Result<Piece, String> {
    let (name, format) = inside.split_once(':').unwrap_or((inside, ""));
    let name = name.trim();
    if name.is_empty() {
        return Err("`{}` does not say which field; write `{0}` or `{name}`".into());
    }
    if !name.chars().all(|c| c.is_alphanumeric() || c == '_') {
        return Err(format!("`{{{name}}}` is not the name of one field"));
    }
    Ok(Piece::Hole {
        name: name.into(),
        format: format.into(),
    })
}

fn lonely(brace: char) -> String {
    format!("a `{brace}` stands alone; write `{brace}{brace}` for the character itself")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_and_doubled_braces() {
        let hole = |name: &str, format: &str| Piece::Hole {
            name: name.into(),
            format: format.into(),
        };
        let text = |text: &str| Piece::Text(text.into());
        assert_eq!(
            pieces("{0} is {{out}}"),
            Ok(vec![hole("0", ""), text(" is {out}")])
        );
        assert_eq!(
            pieces("{price:.2}{a}"),
            Ok(vec![hole("price", ".2"), hole("a", "")])
        );
        assert_eq!(pieces(""), Ok(vec![]));
    }

    #[test]
    fn what_is_not_a_hole() {
        for wrong in ["{", "}", "a { b", "{a{b}", "{}", "{a.b}", "{a} }"] {
            assert!(pieces(wrong).is_err(), "{wrong}");
        }
    }
}
