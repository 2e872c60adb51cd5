//! Which rows of a view a page shows, in which order: the words of its address, the form that
//! makes them, and the heads of the columns that sort. All of it works without a script.

use super::trouble::Params;
use super::words::{bare, kind_of, label, plain};
use crate::request::encode;
use fait::app::RowsQuery;
use maud::{Markup, html};
use serde_json::Value;

/// The words of an address that are no filters.
const OWN: [&str; 2] = ["sort", "after"];

/// What the address asks for.
pub(super) struct Asked {
    here: String,
    filters: Vec<(String, String)>,
    sort: String,
    after: Option<String>,
}

impl Asked {
    /// What was left empty in the form is not asked for.
    pub(super) fn of(here: &str, params: &Params) -> Asked {
        let given = params
            .0
            .iter()
            .filter(|(name, value)| !OWN.contains(&name.as_str()) && !value.trim().is_empty());
        let trimmed = |(name, value): &(String, String)| (name.clone(), value.trim().to_string());
        Asked {
            here: here.into(),
            filters: given.map(trimmed).collect(),
            sort: params.text("sort").unwrap_or_default().into(),
            after: params.text("after").map(String::from),
        }
    }

    pub(super) fn query(&self, limit: usize) -> RowsQuery {
        let mut query = RowsQuery::default().limit(limit).sort(&self.sort);
        query.after = self.after.clone();
        query.count = self.is_filtered();
        for (word, value) in &self.filters {
            query = query.filter(word, value);
        }
        query
    }

    pub(super) fn is_filtered(&self) -> bool {
        !self.filters.is_empty()
    }

    pub(super) fn is_further(&self) -> bool {
        self.after.is_some()
    }

    /// The address of the first page, or of one further on, in an order.
    fn address(&self, sort: &str, after: Option<&str>) -> String {
        let filters = self.filters.iter();
        let mut words: Vec<String> = filters
            .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
            .collect();
        if !sort.is_empty() {
            words.push(format!("sort={}", encode(sort)));
        }
        words.extend(after.map(|a| format!("after={}", encode(a))));
        match words.is_empty() {
            true => self.here.clone(),
            false => format!("{}?{}", self.here, words.join("&")),
        }
    }

    pub(super) fn first_page(&self) -> String {
        self.address(&self.sort, None)
    }

    pub(super) fn further(&self, next: &str) -> String {
        self.address(&self.sort, Some(next))
    }

    /// The head of a column: pressed once it sorts up, once more down.
    pub(super) fn head(&self, column: &str, text: &str, number: bool) -> Markup {
        let first = self.sort.split(',').next().unwrap_or_default();
        let (name, down) = match first.strip_prefix('-') {
            Some(name) => (name, true),
            None => (first, false),
        };
        // Nothing said is the order of keys.
        let sorts = name == column || (first.is_empty() && column == "key");
        let (now, mark) = match (sorts, down) {
            (false, _) => (None, ""),
            (true, false) => (Some("ascending"), " ↑"),
            (true, true) => (Some("descending"), " ↓"),
        };
        let next = if sorts && !down { "-" } else { "" };
        let to = self.address(&format!("{next}{column}"), None);
        html! {
            th.number[number] scope="col" aria-sort=[now] {
                a.sorts href=(to) { (text) @if sorts { span aria-hidden="true" { (mark) } } }
            }
        }
    }

    /// The form: one field for each column that can be asked for in a word.
    pub(super) fn form(&self, key: &str, columns: &[(String, Value)]) -> Markup {
        let fields: Vec<Field> = columns
            .iter()
            .filter_map(|(n, s)| Field::of(n, s))
            .collect();
        let key = Field {
            // The page shows the end of a long key.
            word: "key.contains".into(),
            text: plain(key),
            choices: vec![],
            hint: "contains",
        };
        let fields: Vec<Field> = [key].into_iter().chain(fields).collect();
        let others = self.filters.iter();
        let others = others.filter(|(n, _)| fields.iter().all(|f| f.word != *n));
        html! {
            details open[self.is_filtered()] {
                summary { "Show only some rows" }
                form.filter method="get" action=(self.here) {
                    @if !self.sort.is_empty() { input type="hidden" name="sort" value=(self.sort); }
                    @for (name, value) in others { input type="hidden" name=(name) value=(value); }
                    @for (n, field) in fields.iter().enumerate() {
                        div { (field.draw(n, self.value(&field.word))) }
                    }
                    p.buttons {
                        button.second type="submit" { "Show" }
                        @if self.is_filtered() {
                            @let all = Asked { filters: vec![], ..self.same() };
                            a.button href=(all.first_page()) { "Show all" }
                        }
                    }
                }
            }
        }
    }

    fn same(&self) -> Asked {
        Asked {
            here: self.here.clone(),
            filters: self.filters.clone(),
            sort: self.sort.clone(),
            after: None,
        }
    }

    fn value(&self, word: &str) -> &str {
        let given = self.filters.iter().find(|(name, _)| name == word);
        given.map_or("", |(_, value)| value)
    }
}

/// Whether rows can be sorted by a column in a way that anybody would understand.
pub(super) fn sorts(schema: &Value) -> bool {
    !matches!(kind_of(&bare(schema)), "array" | "object")
}

/// A field of the form.
struct Field {
    /// The word of the address.
    word: String,
    text: String,
    /// The values that there are, as they stand in the address and on the page.
    choices: Vec<(String, String)>,
    hint: &'static str,
}

impl Field {
    fn of(name: &str, schema: &Value) -> Option<Field> {
        let bare = bare(schema);
        let text = label(name, schema);
        let kind = kind_of(&bare);
        let field = |word: String, hint| Field {
            word,
            text: text.clone(),
            choices: vec![],
            hint,
        };
        let flag = [("true", "yes"), ("false", "no")];
        let only = choices(&bare);
        Some(match (kind, bare["format"].as_str()) {
            ("boolean", _) => Field {
                choices: flag.map(|(v, t)| (v.into(), t.into())).into(),
                ..field(name.into(), "")
            },
            _ if !only.is_empty() => Field {
                choices: only.into_iter().map(|v| (v.clone(), plain(&v))).collect(),
                ..field(name.into(), "")
            },
            ("integer" | "number", _) => field(name.into(), "a number"),
            ("string", Some("money")) => field(name.into(), "such as 24.00"),
            ("string", Some("date-time")) => {
                field(format!("{name}.ge"), "since, such as 2026-11-23")
            }
            ("object", _) => return None,
            _ => field(format!("{name}.contains"), "contains"),
        })
    }

    fn draw(&self, n: usize, value: &str) -> Markup {
        let id = format!("filter-{n}");
        html! {
            label for=(id) { (self.text) @if !self.hint.is_empty() { small { ", " (self.hint) } } }
            @if self.choices.is_empty() {
                input id=(id) type="text" name=(self.word) value=(value) autocomplete="off";
            } @else {
                select id=(id) name=(self.word) {
                    option value="" { "any" }
                    @for (choice, text) in &self.choices {
                        option value=(choice) selected[choice == value] { (text) }
                    }
                }
            }
        }
    }
}

/// The texts that are the only values of a bare schema.
fn choices(schema: &Value) -> Vec<String> {
    let listed = schema["enum"].as_array().into_iter().flatten();
    let listed = listed.map(Value::as_str);
    let each = schema["oneOf"].as_array().into_iter().flatten();
    let each = each.map(|s| s["const"].as_str().or_else(|| s["enum"][0].as_str()));
    let all: Option<Vec<&str>> = listed.chain(each).collect();
    all.unwrap_or_default()
        .into_iter()
        .map(String::from)
        .collect()
}
