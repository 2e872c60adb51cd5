//! Results as a person reads them, and as a program does.

use crate::measure::Workload;
use crate::peer::Kind;
use crate::results::{Median, Results};
use crate::verdict::{Target, targets};
use serde_json::json;
use std::fmt::Write;

/// One JSON document with everything.
pub(crate) fn json(results: &Results) -> serde_json::Value {
    json!({
        "results": results,
        "medians": results.medians(),
        "verdict": targets(results),
    })
}

/// Tables, one for each workload, and the verdict.
pub(crate) fn text(results: &Results) -> String {
    let machine = &results.machine;
    let mut out = format!(
        "{}, {} cores, Linux {}; load average {:.2} at the start\n\
         {} events loaded; medians of {} rounds, all stores in turn\n\
         (n×): fait is better by so much; below 1 it is behind\n",
        machine.processor,
        machine.cores,
        machine.kernel,
        machine.load,
        thousands(results.events as f64),
        results.rounds,
    );
    for not_run in &results.not_run {
        let name = not_run.store.name();
        out.push_str(&format!("{name}: not run: {}\n", not_run.reason));
    }
    let medians = results.medians();
    for of_one in medians.chunk_by(|a, b| a.workload == b.workload) {
        table(&mut out, results, of_one);
    }
    out.push_str("\nverdict\n");
    for target in targets(results) {
        out.push_str(&line(&target));
    }
    out
}

fn table(out: &mut String, results: &Results, medians: &[Median]) {
    let Some(first) = medians.first() else {
        return;
    };
    let workload = first.workload;
    out.push_str(&format!("\n{:<4} {}\n", workload.name(), workload.about()));
    let mut names: Vec<&str> = medians.iter().map(|m| m.metric).collect();
    names.sort_unstable_by_key(|name| column(name));
    names.dedup();
    let mut head = format!("     {:<9}", "store");
    for name in &names {
        write!(head, " {name:>24}").ok();
    }
    if workload.needs_open() {
        write!(head, " {:>8} {:>6}", "sync_us", "load").ok();
    }
    out.push_str(&head);
    out.push('\n');
    for of_store in medians.chunk_by(|a, b| a.store == b.store) {
        let store = of_store[0].store;
        let mut row = format!("     {:<9}", store.name());
        for name in &names {
            let found = of_store.iter().find(|m| m.metric == *name);
            let cell = found.map_or_else(String::new, |m| cell(m, store));
            write!(row, " {cell:>24}").ok();
        }
        if workload.needs_open() {
            let sync = results.sync_us(workload, store).unwrap_or_default();
            write!(row, " {sync:>8.0} {:>6.1}", results.load(workload, store)).ok();
        }
        out.push_str(&row);
        out.push('\n');
    }
}

/// Columns from left to right: what is hotter or shorter first, percentiles last.
fn column(name: &str) -> (usize, &str) {
    let order = [
        "hot10_us",
        "hot100_us",
        "hot1000_us",
        "random10_us",
        "read_us",
        "append_us",
    ];
    let rates = [
        "appends_per_s",
        "events_per_s",
        "decisions_per_s",
        "attempts",
        "bytes_per_event",
    ];
    let all = order.iter().chain(&rates);
    let at = all.into_iter().position(|known| *known == name);
    (at.unwrap_or(usize::MAX), name)
}

fn cell(median: &Median, store: Kind) -> String {
    let value = figure(median.median);
    match median.fait_is_better_by {
        Some(ratio) if store != Kind::Fait => format!("{value} ({ratio:.2}×)"),
        _ => value,
    }
}

/// With as many digits as can be meant.
fn figure(value: f64) -> String {
    match value {
        v if v >= 1_000.0 => thousands(v),
        v if v >= 100.0 => format!("{v:.0}"),
        v if v >= 10.0 => format!("{v:.1}"),
        v => format!("{v:.2}"),
    }
}

fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut out = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn line(target: &Target) -> String {
    let word = match target.reached {
        Some(true) => "reached",
        Some(false) => "NOT REACHED",
        None => "not measured",
    };
    let value = target.value.map_or_else(String::new, figure);
    let name = target.workload.name();
    let hint = match (target.workload, target.reached) {
        (Workload::W9, None) => " (it needs --events 10000000)",
        _ => "",
    };
    format!("{name:<4} {word:<12} {value:>8}  {}{hint}\n", target.aim)
}

#[cfg(test)]
mod tests {
    use super::{figure, json, text};
    use crate::measure::Workload;
    use crate::peer::Kind;
    use crate::results::tests::results;

    #[test]
    fn figures_have_the_digits_that_can_be_meant() {
        let shown = [1.234, 12.34, 123.4, 1_234.5, 1_234_567.0].map(figure);
        assert_eq!(shown, ["1.23", "12.3", "123", "1,234", "1,234,567"]);
    }

    #[test]
    fn a_report_has_every_store_with_its_ratio() {
        let results = results(&[
            (Workload::W2, Kind::Fait, "appends_per_s", 90_000.0),
            (Workload::W2, Kind::Umadb, "appends_per_s", 9_000.0),
        ]);
        let text = text(&results);
        assert!(text.contains("9,000 (10.00×)"), "{text}");
        let line = text.lines().find(|line| line.contains("UmaDB's ≥ 5"));
        let words: Vec<&str> = line.unwrap_or_default().split_whitespace().collect();
        assert_eq!(words[..3], ["W2", "reached", "10.0"]);
        let json = json(&results);
        assert_eq!(json["medians"][1]["fait_is_better_by"], 10.0);
        assert_eq!(json["results"]["samples"][1]["store"], "umadb");
    }
}
