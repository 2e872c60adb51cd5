//! What can be known to be wrong with views before anything runs.

use super::BuildError;
use crate::runtime::nearest;
use crate::runtime::view::column::{OWN, columns};
use crate::runtime::view::table::sql_name;
use crate::sql::SqlDef;
use fait_core::projection::ProjectionDef;

/// Names and indexes of views, as far as SQL is concerned.
pub(super) fn views(views: &[ProjectionDef]) -> Result<(), BuildError> {
    let wrong = |message: String| Err(BuildError::Wiring(message));
    for (n, view) in views.iter().enumerate() {
        if let Some(why) = bad_name(&view.name) {
            return wrong(format!("view `{}`: its name {why}", view.name));
        }
        for name in names(view) {
            let own = name.to_ascii_lowercase();
            if own.starts_with("fait_") || own.starts_with("sqlite_") || own.contains("__") {
                return wrong(format!(
                    "view `{}`: its table `{name}` has a name that `fait` or SQLite may use; \
                     choose one without `__`, `fait_` and `sqlite_`",
                    view.name
                ));
            }
            let same = |o: &&ProjectionDef| names(o).iter().any(|n| n.eq_ignore_ascii_case(&name));
            if let Some(other) = views[..n].iter().find(same) {
                return wrong(format!(
                    "views `{}` and `{}` are both `{name}` in SQL",
                    other.name, view.name
                ));
            }
        }
        if let Some(why) = same_columns(view) {
            return wrong(format!("view `{}`: {why}", view.name));
        }
        for column in view.indexes.iter().flatten() {
            if let Some(why) = no_column(view, column) {
                return wrong(format!("view `{}`: {why}", view.name));
            }
        }
    }
    Ok(())
}

/// What a view is called in SQL: itself, or its tables.
fn names(view: &ProjectionDef) -> Vec<String> {
    match SqlDef::in_def(view) {
        None => vec![sql_name(&view.name)],
        Some(own) => own.tables.iter().map(|t| t.0.to_string()).collect(),
    }
}

fn bad_name(name: &str) -> Option<&'static str> {
    let fit = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !name.chars().all(fit) || !name.starts_with(|c: char| c.is_ascii_lowercase()) {
        return Some(
            "must be lower-case letters, digits and `-`, with a letter first, such as `open-orders`",
        );
    }
    if name.starts_with("fait-") || name.starts_with("sqlite-") {
        return Some("begins with a word that belongs to `fait` or SQLite; choose another");
    }
    if name.contains("--") || name.ends_with('-') {
        return Some("has a `-` with no letter or digit behind it");
    }
    None
}

/// SQL does not tell capitals from small letters.
fn same_columns(view: &ProjectionDef) -> Option<String> {
    let all = columns(&view.row);
    all.iter().enumerate().find_map(|(n, column)| {
        let name = &column.name;
        let other = all[..n]
            .iter()
            .find(|o| o.name.eq_ignore_ascii_case(name))?;
        Some(format!(
            "its fields `{}` and `{name}` are one column in SQL; name one of them otherwise",
            other.name
        ))
    })
}

fn no_column(view: &ProjectionDef, wanted: &str) -> Option<String> {
    let mut names: Vec<String> = columns(&view.row).into_iter().map(|c| c.name).collect();
    names.extend(OWN[..2].iter().map(|n| n.to_string()));
    if names.iter().any(|n| n == wanted) {
        return None;
    }
    let hint = match nearest(wanted, names.iter()) {
        Some(near) => format!("did you mean `{near}`? There is"),
        None => "there is".into(),
    };
    let names = names.join(", ");
    Some(format!(
        "it has an index of `{wanted}`, which is no column of it; {hint} {names}"
    ))
}
