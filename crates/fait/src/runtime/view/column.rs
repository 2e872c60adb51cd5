//! The columns of a view: one for each field of the row that has a place in SQL, and those that
//! every view has. What a column holds is the name of its type in SQL, so that whoever opens the
//! file, with this program or without, knows it too.

use fait_core::event::{Money, Time};
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, OptionalExtension};
use serde_json::Value;
use std::fmt;

/// Columns that every view has; a field of one of these names is found in `row` only.
pub(crate) const OWN: [&str; 4] = ["key", "position", "stale", "row"];

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Whole numbers. Those beyond 2⁶³ − 1 are floating-point numbers in SQL, rounded.
    Whole,
    Real,
    /// Yes and no, as 1 and 0.
    Flag,
    /// An amount in hundredths, so that it is compared, sorted and added up as what it is.
    Money,
    /// A moment as text, `2026-11-23T18:05:00.000Z`; the order of texts is that of time.
    Time,
    /// A list or a structure, as JSON text.
    Json,
    Text,
}

impl Kind {
    const ALL: [Kind; 7] = [
        Kind::Whole,
        Kind::Real,
        Kind::Flag,
        Kind::Money,
        Kind::Time,
        Kind::Json,
        Kind::Text,
    ];

    /// Its name in SQL.
    pub(crate) fn sql(self) -> &'static str {
        match self {
            Kind::Whole => "INTEGER",
            Kind::Real => "REAL",
            Kind::Flag => "BOOLEAN",
            Kind::Money => "MONEY",
            // With `TEXT` in its name nothing in it is ever compared as a number.
            Kind::Time => "DATETIME TEXT",
            Kind::Json => "JSON TEXT",
            Kind::Text => "TEXT",
        }
    }

    fn of_sql(name: &str) -> Kind {
        let known = Kind::ALL.into_iter().find(|k| k.sql() == name);
        known.unwrap_or(Kind::Text)
    }

    /// Whether one can look into it for a text.
    pub(crate) fn is_text(self) -> bool {
        matches!(self, Kind::Time | Kind::Json | Kind::Text)
    }

    /// What would have fit in place of a value.
    pub(crate) fn wanted(self, instead: &Value) -> String {
        let number = |t: &str| t.parse::<f64>().is_ok_and(|n| n.fract() == 0.0);
        let large = instead.as_str().map_or(instead.is_u64(), number);
        match self {
            Kind::Whole if large => "a whole number from -2^63 to 2^63 - 1".into(),
            kind => kind.to_string(),
        }
    }

    /// A value of this kind for SQL; values may be given as text, as in an address.
    pub(crate) fn value(self, value: &Value) -> Option<Sql> {
        let text = value.as_str();
        match self {
            Kind::Whole => match text {
                Some(t) => t.parse().ok().map(Sql::Integer),
                None => value.as_i64().map(Sql::Integer),
            },
            Kind::Real => {
                let n = text.map_or_else(|| value.as_f64(), |t| t.parse().ok());
                n.filter(|n| n.is_finite()).map(Sql::Real)
            }
            Kind::Flag => {
                let flag = text.map_or_else(|| value.as_bool(), |t| t.parse().ok());
                flag.map(|f| Sql::Integer(f.into()))
            }
            Kind::Money => {
                let amount = text.map_or_else(|| value.to_string(), String::from);
                amount.parse::<Money>().ok().map(|m| Sql::Integer(m.0))
            }
            Kind::Time => {
                let text = text?;
                let day = (text.len() == 10).then(|| format!("{text}T00:00:00Z"));
                let time: Time = day.as_deref().unwrap_or(text).parse().ok()?;
                Some(Sql::Text(time.to_string()))
            }
            Kind::Json if value.is_array() || value.is_object() => Some(value.to_string().into()),
            Kind::Json | Kind::Text => text.map(|t| Sql::Text(t.into())),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Whole => "a whole number",
            Kind::Real => "a number",
            Kind::Flag => "`true` or `false`",
            Kind::Money => "an amount like 24.00",
            Kind::Time => "a time like 2026-11-23T18:05:00Z, or a day like 2026-11-23",
            Kind::Json => "JSON: a text, a list or an object",
            Kind::Text => "a text",
        })
    }
}

/// A column.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// The only values that it can have; none: any.
    pub(crate) choices: Vec<String>,
}

/// The fields of a row that have a column of their own.
pub(crate) fn columns(row: &Value) -> Vec<Column> {
    let fields = row["properties"].as_object().into_iter().flatten();
    let fields = fields.filter(|(name, _)| {
        !OWN.contains(&name.to_ascii_lowercase().as_str()) && !name.contains(['"', '\0'])
    });
    let column = |(name, schema): (&String, &Value)| Column {
        name: name.clone(),
        kind: kind(row, schema, 0),
        choices: choices(row, schema, 0).unwrap_or_default(),
    };
    fields.map(column).collect()
}

/// The columns that a table has, which an older program may have made.
pub(crate) fn columns_of(c: &Connection, table: &str) -> rusqlite::Result<Vec<Column>> {
    c.prepare_cached("SELECT name, type FROM pragma_table_xinfo(?1)")?
        .query_map([table], |r| {
            Ok(Column {
                name: r.get(0)?,
                kind: Kind::of_sql(&r.get::<_, String>(1)?),
                choices: vec![],
            })
        })?
        .filter(|column| {
            column
                .as_ref()
                .map_or(true, |c| !OWN.contains(&c.name.as_str()))
        })
        .collect()
}

/// The table of the generation of a view that serves, and how far it has come.
pub(crate) fn serving(c: &Connection, view: &str) -> rusqlite::Result<Option<(String, i64)>> {
    c.prepare_cached(
        "SELECT tables, position FROM fait_views WHERE name = ?1 AND state = 'serving'",
    )?
    .query_row([view], |r| {
        let tables: String = r.get(0)?;
        let table = tables.split(' ').next().unwrap_or_default().to_string();
        Ok((table, r.get(1)?))
    })
    .optional()
}

/// How a column is computed from the row.
pub(crate) fn expression(column: &Column) -> String {
    let path = column.name.replace('\'', "''");
    let json = format!("json_extract(\"row\", '$.\"{path}\"')");
    match column.kind {
        // It is written with two decimals; by other hands perhaps not.
        Kind::Money => format!(
            "CASE WHEN substr({json}, -3, 1) = '.' THEN CAST(replace({json}, '.', '') AS INTEGER)
             ELSE CAST(round({json} * 100) AS INTEGER) END"
        ),
        _ => json,
    }
}

/// The schema behind a reference.
fn behind<'a>(root: &'a Value, schema: &'a Value) -> Option<&'a Value> {
    let reference = schema["$ref"].as_str()?;
    root.pointer(reference.trim_start_matches('#'))
}

/// The alternatives of a schema but null.
fn alternatives(schema: &Value) -> Option<impl Iterator<Item = &Value>> {
    let several = schema["anyOf"].as_array().or(schema["oneOf"].as_array())?;
    Some(several.iter().filter(|s| s["type"] != "null"))
}

/// What all values of a schema but null have in common.
fn kind(root: &Value, schema: &Value, depth: usize) -> Kind {
    if depth > 8 {
        return Kind::Text;
    }
    if schema.get("$ref").is_some() {
        return behind(root, schema).map_or(Kind::Text, |s| kind(root, s, depth + 1));
    }
    if let Some(several) = alternatives(schema) {
        let mut kinds = several.map(|s| kind(root, s, depth + 1));
        let first = kinds.next().unwrap_or(Kind::Text);
        return if kinds.all(|k| k == first) {
            first
        } else {
            Kind::Text
        };
    }
    let named = |name: &str| match (name, schema["format"].as_str()) {
        ("integer", _) => Kind::Whole,
        ("number", _) => Kind::Real,
        ("boolean", _) => Kind::Flag,
        ("array" | "object", _) => Kind::Json,
        ("string", Some("money")) => Kind::Money,
        ("string", Some("date-time")) => Kind::Time,
        _ => Kind::Text,
    };
    match &schema["type"] {
        Value::String(name) => named(name),
        Value::Array(names) => {
            let mut names = names.iter().filter_map(Value::as_str);
            let mut names = names.by_ref().filter(|n| *n != "null");
            match (names.next(), names.next()) {
                (Some(one), None) => named(one),
                _ => Kind::Text,
            }
        }
        _ => Kind::Text,
    }
}

/// The texts that are the only values of a schema, if they are.
fn choices(root: &Value, schema: &Value, depth: usize) -> Option<Vec<String>> {
    if depth > 8 {
        return None;
    }
    if schema.get("$ref").is_some() {
        return choices(root, behind(root, schema)?, depth + 1);
    }
    if let Some(only) = schema["const"].as_str() {
        return Some(vec![only.into()]);
    }
    if let Some(all) = schema["enum"].as_array() {
        let all = all.iter().filter(|v| !v.is_null());
        return all.map(|v| v.as_str().map(String::from)).collect();
    }
    let several = alternatives(schema)?.map(|s| choices(root, s, depth + 1));
    Some(several.collect::<Option<Vec<_>>>()?.concat())
}
