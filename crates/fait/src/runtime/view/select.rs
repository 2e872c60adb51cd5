//! Which rows are wanted, as SQL: words such as `placed_at.ge` are held against the columns that
//! the table has, and values are compared as what they are, so that indexes are of use.

use super::column::{Column, Kind};
use super::read::{MAX_FILTERS, MAX_IN, MAX_ROWS, MAX_SORTS, ReadError, RowsQuery};
use crate::runtime::db::quoted;
use crate::runtime::nearest;
use rusqlite::types::Value as Sql;
use serde_json::{Value, json};
use std::fmt;
use std::str::FromStr;

/// How a column is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Op {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    In,
    Starts,
    Contains,
    Null,
}

impl Op {
    const ALL: [(&'static str, Op); 10] = [
        ("eq", Op::Eq),
        ("ne", Op::Ne),
        ("lt", Op::Lt),
        ("le", Op::Le),
        ("gt", Op::Gt),
        ("ge", Op::Ge),
        ("in", Op::In),
        ("starts", Op::Starts),
        ("contains", Op::Contains),
        ("null", Op::Null),
    ];

    fn names(kind: Kind) -> String {
        let fit = Op::ALL.iter().filter(|(_, op)| op.fits(kind));
        fit.map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
    }

    /// Whether it can be asked of such a column.
    fn fits(self, kind: Kind) -> bool {
        !matches!(self, Op::Starts | Op::Contains) || kind.is_text()
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Op::ALL.iter().find(|(_, op)| op == self);
        f.write_str(name.map_or("", |(name, _)| name))
    }
}

impl FromStr for Op {
    type Err = ();
    fn from_str(word: &str) -> Result<Op, ()> {
        let known = Op::ALL.iter().find(|(name, _)| *name == word);
        known.map(|(_, op)| *op).ok_or(())
    }
}

/// What is selected from one table.
pub(super) struct Select<'a> {
    view: &'a str,
    columns: Vec<Column>,
    /// How to say in SQL why a row does not follow.
    stale: String,
    /// Which rows.
    conditions: Vec<String>,
    /// What the `?` stand for, from the first on.
    pub(super) values: Vec<Sql>,
    /// The order: SQL, and whether it goes down. The key is last.
    order: Vec<(String, bool)>,
    /// The order in words, with which a cursor must agree.
    sorted: String,
    /// How many conditions are the filter; behind them stands where a page begins.
    filters: usize,
}

impl<'a> Select<'a> {
    /// What a query selects from a table with these columns. The values come behind those given.
    pub(super) fn new(
        view: &'a str,
        columns: Vec<Column>,
        stale: &str,
        given: Vec<Sql>,
        q: &RowsQuery,
    ) -> Result<Select<'a>, ReadError> {
        let mut select = Select {
            view,
            columns,
            stale: stale.into(),
            conditions: vec![],
            values: given,
            order: vec![],
            sorted: String::new(),
            filters: 0,
        };
        if !(1..=MAX_ROWS).contains(&q.limit) {
            let limit = q.limit;
            let why = format!("limit is from 1 to {MAX_ROWS}, not {limit}");
            return Err(ReadError::query("limit", why));
        }
        if q.filter.len() > MAX_FILTERS {
            let why = format!("at most {MAX_FILTERS} filters can be given");
            return Err(ReadError::query("filter", why));
        }
        for (word, value) in &q.filter {
            select.filter(word, value)?;
        }
        select.filters = select.conditions.len();
        select.sort(&q.sort)?;
        if let Some(cursor) = &q.after {
            select.after(cursor)?;
        }
        Ok(select)
    }

    /// The conditions; without where the page begins, when all pages are meant.
    pub(super) fn conditions(&self, all_pages: bool) -> String {
        let many = match all_pages {
            true => self.filters,
            false => self.conditions.len(),
        };
        match many {
            0 => "TRUE".into(),
            n => self.conditions[..n].join(" AND "),
        }
    }

    /// The whole of it: key, row, position, why it does not follow, and what it is sorted by.
    pub(super) fn sql(&self, from: &str, stale: &str, limit: usize) -> String {
        let by: String = self
            .order
            .iter()
            .map(|(sql, _)| format!(", {sql}"))
            .collect();
        let order = self.order.iter().map(|(sql, down)| match down {
            true => format!("{sql} DESC"),
            false => sql.clone(),
        });
        let order = order.collect::<Vec<_>>().join(", ");
        let conditions = self.conditions(false);
        format!(
            "SELECT v.key, v.\"row\", v.position, {stale}{by} FROM {from} WHERE {conditions}
             ORDER BY {order} LIMIT {limit}"
        )
    }

    /// How many columns the rows are sorted by.
    pub(super) fn sorts(&self) -> usize {
        self.order.len()
    }

    fn put(&mut self, value: Sql) -> String {
        self.values.push(value);
        format!("?{}", self.values.len())
    }

    /// A column, and its SQL.
    fn column(&self, name: &str) -> Option<(Column, String)> {
        let own = |kind| Column {
            name: name.into(),
            kind,
            choices: vec![],
        };
        Some(match name {
            "key" => (own(Kind::Text), "v.key".into()),
            "position" => (own(Kind::Whole), "v.position".into()),
            "stale" => (own(Kind::Text), self.stale.clone()),
            name => {
                let column = self.columns.iter().find(|c| c.name == name)?;
                (column.clone(), format!("v.{}", quoted(name)))
            }
        })
    }

    fn no_column(&self, name: &str) -> ReadError {
        let mut names: Vec<String> = self.columns.iter().map(|c| c.name.clone()).collect();
        names.extend(["key", "position", "stale"].map(String::from));
        let hint = match nearest(name, names.iter()) {
            Some(near) => format!("did you mean `{near}`? It has"),
            None => "it has".into(),
        };
        let (view, shown, names) = (self.view, short(name), names.join(", "));
        let why = format!("view `{view}` has no column `{shown}`; {hint} {names}");
        ReadError::query(name, why)
    }

    fn filter(&mut self, word: &str, value: &Value) -> Result<(), ReadError> {
        let split = match self.column(word) {
            Some(_) => None,
            None => word.rsplit_once('.'),
        };
        let (name, op) = match split {
            None => (word, Op::Eq),
            Some((name, op)) => match (self.column(name), op.parse()) {
                (None, _) => return Err(self.no_column(name)),
                (Some(_), Ok(op)) => (name, op),
                (Some((c, _)), Err(())) => {
                    return Err(no_op(word, name, op, c.kind));
                }
            },
        };
        let Some((column, sql)) = self.column(name) else {
            return Err(self.no_column(name));
        };
        if !op.fits(column.kind) {
            let why = format!(
                "`{op}` looks into a text, and `{name}` is {}; it can be compared by {}",
                column.kind,
                Op::names(column.kind)
            );
            return Err(ReadError::query(word, why));
        }
        let condition = self.condition(word, &column, &sql, op, value)?;
        self.conditions.push(condition);
        Ok(())
    }

    fn condition(
        &mut self,
        word: &str,
        column: &Column,
        sql: &str,
        op: Op,
        value: &Value,
    ) -> Result<String, ReadError> {
        let wrong = |wanted: &str| unfit(word, value, wanted);
        Ok(match op {
            Op::Null => match Kind::Flag.value(value) {
                Some(Sql::Integer(1)) => format!("{sql} IS NULL"),
                Some(_) => format!("{sql} IS NOT NULL"),
                None => return Err(wrong("`true` or `false`")),
            },
            Op::Eq if value.is_null() => format!("{sql} IS NULL"),
            Op::Ne if value.is_null() => format!("{sql} IS NOT NULL"),
            Op::Starts | Op::Contains => {
                let Some(text) = value.as_str() else {
                    return Err(wrong("a text"));
                };
                match op {
                    Op::Starts => self.starts(sql, text),
                    _ => {
                        let escaped = text.replace('\\', "\\\\");
                        let escaped = escaped.replace('%', "\\%").replace('_', "\\_");
                        let place = self.put(Sql::Text(format!("%{escaped}%")));
                        format!("{sql} LIKE {place} ESCAPE '\\'")
                    }
                }
            }
            Op::In => {
                let list = match value {
                    Value::Array(list) => list.clone(),
                    Value::String(text) => text.split(',').map(|t| json!(t.trim())).collect(),
                    _ => return Err(wrong("a list, or values with commas")),
                };
                if list.len() > MAX_IN {
                    return Err(wrong(&format!("a list of at most {MAX_IN} values")));
                }
                let mut places = vec![];
                for one in &list {
                    let one = self.fitting(word, column, one)?;
                    places.push(self.put(one));
                }
                format!("{sql} IN ({})", places.join(", "))
            }
            Op::Eq | Op::Ne => {
                let value = self.fitting(word, column, value)?;
                let place = self.put(value);
                let sign = if op == Op::Eq { "=" } else { "IS NOT" };
                format!("{sql} {sign} {place}")
            }
            Op::Lt | Op::Le | Op::Gt | Op::Ge => {
                let fit = column.kind.value(value);
                let fit = fit.ok_or_else(|| wrong(&column.kind.wanted(value)))?;
                let place = self.put(fit);
                let sign = match op {
                    Op::Lt => "<",
                    Op::Le => "<=",
                    Op::Gt => ">",
                    _ => ">=",
                };
                format!("{sql} {sign} {place}")
            }
        })
    }

    /// A value that the column can have.
    fn fitting(&self, word: &str, column: &Column, value: &Value) -> Result<Sql, ReadError> {
        let fit = column.kind.value(value);
        let fit = fit.ok_or_else(|| unfit(word, value, &column.kind.wanted(value)))?;
        if let Sql::Text(text) = &fit
            && !column.choices.is_empty()
            && !column.choices.contains(text)
        {
            let near = nearest(text, column.choices.iter());
            let near = near.map_or(String::new(), |n| format!("; did you mean `{n}`?"));
            let all = column.choices.join(", ");
            return Err(unfit(word, value, &format!("one of {all}{near}")));
        }
        Ok(fit)
    }

    /// Texts with a beginning are those between two texts, which an index finds.
    fn starts(&mut self, sql: &str, text: &str) -> String {
        let from = self.put(Sql::Text(text.into()));
        match behind(text) {
            Some(behind) => {
                let to = self.put(Sql::Text(behind));
                format!("{sql} >= {from} AND {sql} < {to}")
            }
            None => format!("{sql} >= {from}"),
        }
    }

    fn sort(&mut self, words: &[String]) -> Result<(), ReadError> {
        if words.len() > MAX_SORTS {
            let why = format!("rows can be sorted by at most {MAX_SORTS} columns");
            return Err(ReadError::query("sort", why));
        }
        let (mut seen, mut keyed) = (vec![], false);
        for word in words {
            let (name, down) = match word.strip_prefix('-') {
                Some(name) => (name, true),
                None => (word.as_str(), false),
            };
            let Some((_, sql)) = self.column(name) else {
                return Err(self.no_column(name).of("sort"));
            };
            // Behind the key nothing is left to sort, nor by a column a second time.
            if keyed || seen.contains(&name) {
                continue;
            }
            keyed = name == "key";
            seen.push(name);
            self.order.push((sql, down));
            self.sorted.push_str(&format!("{word},"));
        }
        if !keyed {
            self.order.push(("v.key".into(), false));
        }
        Ok(())
    }

    /// Only rows behind a cursor: those with a later value in the first column, or the same there
    /// and a later one in the second, and so on.
    fn after(&mut self, cursor: &str) -> Result<(), ReadError> {
        let values = read_cursor(cursor, &self.sorted, self.order.len())?;
        let order = self.order.clone();
        let (mut ways, mut same): (Vec<String>, Vec<String>) = (vec![], vec![]);
        for ((sql, down), value) in order.iter().zip(values) {
            let nothing = value == Sql::Null;
            let place = self.put(value);
            let later = match (down, nothing) {
                (false, true) => Some(format!("{sql} IS NOT NULL")),
                (false, false) => Some(format!("{sql} > {place}")),
                (true, true) => None,
                (true, false) => Some(format!("({sql} < {place} OR {sql} IS NULL)")),
            };
            if let Some(later) = later {
                let all = same.iter().cloned().chain([later]);
                ways.push(all.collect::<Vec<_>>().join(" AND "));
            }
            if ways.len() == 1 && same.is_empty() && !down && !nothing && order.len() > 1 {
                // Follows from the rest; with it an index begins at the right place.
                self.conditions.push(format!("{sql} >= {place}"));
            }
            same.push(format!("{sql} IS {place}"));
        }
        // The key is last and always there, unless somebody made the cursor up.
        self.conditions.push(match ways.is_empty() {
            true => "FALSE".into(),
            false => format!("({})", ways.join(" OR ")),
        });
        Ok(())
    }

    /// Where the next page begins, behind a row with these values.
    pub(super) fn cursor(&self, values: &[Sql]) -> String {
        let values: Vec<Value> = values
            .iter()
            .map(|v| match v {
                Sql::Null | Sql::Blob(_) => Value::Null,
                Sql::Integer(n) => json!(n),
                // Bit by bit: a number that is rounded is another place.
                Sql::Real(n) => json!({ "bits": n.to_bits() }),
                Sql::Text(text) => json!(text),
            })
            .collect();
        let text = json!([self.sorted, values]).to_string();
        text.bytes().map(|b| format!("{b:02x}")).collect()
    }
}

/// As much of what somebody wrote as fits into a sentence.
fn short(text: &str) -> String {
    text.chars().take(60).collect()
}

fn unfit(word: &str, value: &Value, wanted: &str) -> ReadError {
    let shown = match value {
        Value::String(text) => short(text),
        other => short(&other.to_string()),
    };
    ReadError::query(word, format!("`{word}={shown}`: it is {wanted}"))
}

fn no_op(word: &str, name: &str, op: &str, kind: Kind) -> ReadError {
    let known: Vec<String> = Op::ALL.map(|(n, _)| n.to_string()).into();
    let hint = match nearest(op, known.iter()) {
        Some(near) => format!("did you mean `{near}`? It can be by"),
        None => "it can be by".into(),
    };
    let (op, names) = (short(op), Op::names(kind));
    let why = format!("`{name}` cannot be compared by `{op}`; {hint} {names}");
    ReadError::query(word, why)
}

/// The first text behind all that start with this one; none, if there is none.
fn behind(text: &str) -> Option<String> {
    let mut chars: Vec<char> = text.chars().collect();
    while let Some(last) = chars.pop() {
        let next = match last {
            '\u{d7ff}' => Some('\u{e000}'),
            c => char::from_u32(u32::from(c) + 1),
        };
        if let Some(next) = next {
            chars.push(next);
            return Some(chars.into_iter().collect());
        }
    }
    None
}

fn read_cursor(text: &str, sorted: &str, many: usize) -> Result<Vec<Sql>, ReadError> {
    let wrong = |why: &str| ReadError::query("after", format!("`after` {why}"));
    let not_one = || wrong("is what `next` of the page before was, as it stood there");
    let byte = |pair: &[u8]| {
        let pair = std::str::from_utf8(pair).ok()?;
        u8::from_str_radix(pair, 16).ok()
    };
    let bytes: Option<Vec<u8>> = text.as_bytes().chunks(2).map(byte).collect();
    let read = bytes.and_then(|b| serde_json::from_slice::<(String, Vec<Value>)>(&b).ok());
    let (order, values) = read.ok_or_else(not_one)?;
    if order != sorted {
        return Err(wrong(
            "is of a page in another order; begin again without it",
        ));
    }
    if values.len() != many {
        return Err(not_one());
    }
    let value = |v: Value| match v {
        Value::Null => Some(Sql::Null),
        Value::String(text) => Some(Sql::Text(text)),
        Value::Number(n) => n.as_i64().map(Sql::Integer),
        other => other["bits"].as_u64().map(|b| Sql::Real(f64::from_bits(b))),
    };
    let values: Option<Vec<Sql>> = values.into_iter().map(value).collect();
    values.ok_or_else(not_one)
}

#[cfg(test)]
mod tests {
    use super::behind;

    #[test]
    fn the_text_behind_a_beginning() {
        assert_eq!(behind("ab").as_deref(), Some("ac"));
        assert_eq!(behind("a\u{10ffff}").as_deref(), Some("b"));
        assert_eq!(behind("\u{d7ff}").as_deref(), Some("\u{e000}"));
        assert_eq!(behind("\u{10ffff}"), None);
        assert_eq!(behind(""), None);
    }
}
