//! `fait view`: what is kept for reading.

use crate::address::Address;
use crate::folder::Folder;
use crate::output::{Output, Table, short};
use crate::source::Source;
use crate::trouble::Trouble;
use clap::Subcommand;
use fait::app::ViewStatus;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use std::time::Duration;

/// How often a rebuild is looked at.
const BEAT: Duration = Duration::from_millis(100);

/// Shows and rebuilds views.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Lists the views: how far they have come, and which keys are parked.
    #[command(after_help = "Example:\n  fait --at http://127.0.0.1:7070 view list")]
    List,
    /// Makes a view again from all of history, beside the one that serves meanwhile.
    ///
    /// In a folder it is only noted: the program does it at its next start.
    #[command(after_help = "Example:\n  fait --at http://127.0.0.1:7070 view rebuild tables")]
    Rebuild {
        /// The view.
        name: String,
    },
}

/// Carries the verb out.
pub(crate) async fn run(verb: Verb, source: &Source, out: &Output) -> Result<(), Trouble> {
    match (verb, source) {
        (Verb::List, _) => list(&source.views().await?, out),
        (Verb::Rebuild { name }, Source::Folder(folder)) => mark(&name, folder, out).await,
        (Verb::Rebuild { name }, Source::Address(address)) => rebuild(&name, address, out).await,
    }
}

fn list(views: &[ViewStatus], out: &Output) -> Result<(), Trouble> {
    if out.is_json() {
        return out.document(&json!(views));
    }
    if views.is_empty() {
        out.note("there is no view yet");
        return Ok(());
    }
    let mut table = Table::new(&["VIEW", "#VERSION", "#ROWS", "#POSITION", "#BEHIND", "STATE"]);
    for v in views {
        table.row(vec![
            v.name.clone(),
            v.version.to_string(),
            v.rows.to_string(),
            v.position.to_string(),
            v.lag_events.to_string(),
            state(v),
        ]);
    }
    out.text(&table.text())
}

fn state(view: &ViewStatus) -> String {
    if let Some(rebuild) = &view.rebuild {
        return format!("rebuilding: {} of {}", rebuild.position, rebuild.until);
    }
    if let Some(why) = &view.rebuild_failed {
        return format!("rebuild failed: {}", short(why, 60));
    }
    match view.parked.first_key_value() {
        None => "ok".into(),
        Some((key, why)) if view.parked.len() == 1 => {
            format!("parked: {key}: {}", short(why, 60))
        }
        Some((key, why)) => {
            let more = view.parked.len() - 1;
            format!("parked: {key} and {more} more: {}", short(why, 60))
        }
    }
}

fn unknown(name: &str, views: &[ViewStatus]) -> Trouble {
    Trouble::unknown("view", name, views.iter().map(|v| v.name.as_str()))
}

async fn mark(name: &str, folder: &Folder, out: &Output) -> Result<(), Trouble> {
    if !folder.mark_for_rebuild(name)? {
        return Err(unknown(name, &folder.views().await?));
    }
    if out.is_json() {
        return out.document(&json!({ "name": name, "rebuilt": false, "marked": true }));
    }
    out.text(&format!(
        "{name} is marked: the program rebuilds it beside the old one at its next start"
    ))
}

async fn rebuild(name: &str, address: &Address, out: &Output) -> Result<(), Trouble> {
    let Some(before) = address.views()?.into_iter().find(|v| v.name == name) else {
        return Err(unknown(name, &address.views()?));
    };
    address.rebuild(name)?;
    let bar = ProgressBar::new(before.head);
    let look = "{msg} [{bar:30}] {pos} of {len} events, {eta} left";
    if let Ok(style) = ProgressStyle::with_template(look) {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.set_message(format!("rebuilding {name}"));
    if bar.is_hidden() {
        out.note(&format!("rebuilding {name} from {} events", before.head));
    }
    let after = loop {
        let now = address.view(name)?;
        if now.rebuilds_finished > before.rebuilds_finished {
            break now;
        }
        if now.rebuilds_finished < before.rebuilds_finished {
            bar.finish_and_clear();
            return Err(Trouble::Unreachable(format!(
                "the program was started again meanwhile; ask again for the rebuild of {name}"
            )));
        }
        if let Some(rebuild) = &now.rebuild {
            bar.set_length(rebuild.until.max(now.head));
            bar.set_position(rebuild.position);
        }
        tokio::time::sleep(BEAT).await;
    };
    bar.finish_and_clear();
    if let Some(why) = after.rebuild_failed {
        return Err(Trouble::Finding(format!(
            "the rebuild of {name} failed, the old view serves on: {why}"
        )));
    }
    if out.is_json() {
        return out.document(&json!(after));
    }
    out.text(&format!(
        "{name} is rebuilt: {} rows at position {}",
        after.rows, after.position
    ))
}
