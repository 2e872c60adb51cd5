//! What every page has: head, navigation, foot.

use super::desk::Desk;
use super::trouble::head;
use super::words::{count, plain};
use crate::answer::Html;
use fait::board::play::Playing;
use maud::{DOCTYPE, Markup, html};

/// A page with its name and its place in the navigation.
pub(super) struct Page<'a> {
    title: &'a str,
    /// The address of the entry of the navigation that is lit.
    at: &'a str,
    /// Whether it follows along; the answer to a form stays as it is.
    live: bool,
    /// Whether it is the board, which fills the window and follows in its own time.
    board: bool,
}

impl<'a> Page<'a> {
    /// A page that follows along.
    pub(super) fn new(title: &'a str, at: &'a str) -> Self {
        Page {
            title,
            at,
            live: true,
            board: false,
        }
    }

    /// The page as it stands now.
    pub(super) fn still(mut self) -> Self {
        self.live = false;
        self
    }

    /// The page of the board.
    pub(super) fn with_board(mut self) -> Self {
        self.board = true;
        self
    }

    /// The whole page around its main part.
    pub(super) fn around(self, desk: &Desk, main: &Markup) -> Html {
        let system = &desk.shared.title;
        Html(html! {
            (DOCTYPE)
            html lang="en" {
                (head(&format!("{} – {system}", self.title), self.board))
                body class=[self.board.then_some("whole")] data-follow=[self.follows()] {
                    a.skip href="#main" { "Skip to the content" }
                    (top(desk, self.at))
                    main #main tabindex="-1" { (played(desk)) (behind(desk)) (main) }
                    (foot(desk))
                    p #said .unseen role="status" aria-live="polite" {}
                }
            }
        })
    }
}

impl Page<'_> {
    /// What says that the page is to be fetched again.
    fn follows(&self) -> Option<&'static str> {
        let stream = if self.board { "/board/live" } else { "/live" };
        self.live.then_some(stream)
    }
}

fn top(desk: &Desk, at: &str) -> Markup {
    let link = |to: &str, text: &str| {
        html! { li { a href=(to) aria-current=[(to == at).then_some("page")] { (text) } } }
    };
    html! {
        header.top {
            a.name href="/" { span.mark aria-hidden="true" {} (desk.shared.title) }
            nav aria-label="Main" {
                ul {
                    li {
                        a href="/inbox" aria-current=[(at == "/inbox").then_some("page")] {
                            "My tasks" span #open-count data-live {
                                @if !desk.asked.is_empty() {
                                    " " span.badge { (desk.asked.len()) }
                                }
                            }
                        }
                    }
                    @for view in desk.views() { (link(&format!("/views/{view}"), &plain(view))) }
                    (link("/events", "What happened"))
                    @if desk.shared.playing.is_some() { (link("/play", "Play")) }
                    @if desk.shared.board.is_some() { (link("/board", "Board")) }
                    (link("/status", "Status"))
                }
            }
            (who(desk))
        }
    }
}

fn who(desk: &Desk) -> Markup {
    let initial: String = desk.who.name.chars().take(1).collect();
    html! {
        p.who {
            @match &desk.who.role {
                Some(role) => {
                    span.full { (desk.who.name) ", " }
                    a href="/" title="Change who you are" { (role) }
                    span.face aria-hidden="true" { (initial.to_uppercase()) }
                }
                None => { a href="/" { "Say who you are" } }
            }
        }
    }
}

fn foot(desk: &Desk) -> Markup {
    let now = desk.now.to_string();
    html! {
        footer.foot {
            p { "Development mode: there is no login, and everybody is who they say. It listens "
                "to this machine only." }
            p #up-to-date data-live {
                "Times are UTC; this is as of "
                time datetime=(now) { (now.get(11..19).unwrap_or(&now)) } "."
            }
        }
    }
}

/// Says that the board was edited, and that what is played is still the text before.
fn played(desk: &Desk) -> Markup {
    let playing = desk.shared.playing.as_ref();
    let trouble = playing.map(Playing::trouble).unwrap_or_default();
    html! {
        @if playing.is_some() {
            div #played data-live {
                @if !trouble.is_empty() {
                    div.note role="status" {
                        p { "The board was saved with mistakes. What is played is as it was "
                            "before; it goes on with the next text that can be played." }
                        ul { @for line in &trouble { li { (line) } } }
                    }
                }
            }
        }
    }
}

/// Says that the lists do not show yet what the person has done.
fn behind(desk: &Desk) -> Markup {
    let text = (!desk.caught_up).then_some("Recorded. The list is catching up.");
    html! {
        @if !desk.said {
            div #behind data-live data-say=[text] {
                @if let Some(text) = text { p.behind { (text) } }
            }
        }
    }
}

/// Where one is, from the start.
pub(super) fn path(links: &[(&str, String)], here: &str) -> Markup {
    html! {
        nav.path aria-label="Where you are" {
            ol {
                @for (to, text) in links { li { a href=(to) { (text) } } }
                @if !here.is_empty() { li aria-current="page" { (here) } }
            }
        }
    }
}

/// `3 tasks for you as Cook. 1 is late.`
pub(super) fn how_many(desk: &Desk) -> String {
    let late = desk.asked.iter();
    let late = late.filter(|a| a.open.issued.due.is_some_and(|d| d < desk.now));
    let role = desk.who.role.as_deref().unwrap_or("nobody yet");
    let mut out = match desk.asked.len() {
        0 => format!("Nothing is asked of you as {role}."),
        n => format!("{} for you as {role}.", count(n as u64, "task")),
    };
    match late.count() {
        0 => {}
        1 => out.push_str(" 1 is late."),
        n => out.push_str(&format!(" {n} are late.")),
    }
    out
}
