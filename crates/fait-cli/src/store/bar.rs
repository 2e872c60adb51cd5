//! A bar on stderr that shows how far a tool has come.

use crate::output::Out;
use fait_store::tools::Progress;
use indicatif::{ProgressBar, ProgressStyle};

/// The bar; nothing is drawn where stderr is no terminal, and when JSON is wanted.
pub(super) struct Bar(ProgressBar);

impl Bar {
    pub(super) fn new(doing: &'static str, out: &Out) -> Bar {
        if out.json() {
            return Bar::none();
        }
        let bar = ProgressBar::no_length();
        bar.set_message(doing);
        let style = "{msg} {bytes}, {bytes_per_sec}";
        if let Ok(style) = ProgressStyle::with_template(style) {
            bar.set_style(style);
        }
        Bar(bar)
    }

    pub(super) fn none() -> Bar {
        Bar(ProgressBar::hidden())
    }

    pub(super) fn to(&self, progress: Progress) {
        if progress.total > 0 && self.0.length().is_none() {
            let style = "{msg} [{bar:30}] {bytes} of {total_bytes}, {eta} left";
            if let Ok(style) = ProgressStyle::with_template(style) {
                self.0.set_style(style.progress_chars("█▌ "));
            }
            self.0.set_length(progress.total);
        }
        self.0.set_position(progress.done);
    }

    pub(super) fn end(&self) {
        self.0.finish_and_clear();
    }
}
