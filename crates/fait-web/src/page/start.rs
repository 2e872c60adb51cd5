//! `/`: who are you? There is no login in this mode.

use super::desk::{Desk, MOST};
use super::frame::Page;
use super::trouble::{Trouble, Words, words};
use super::words::count;
use crate::answer::Html;
use crate::kebab::kebab;
use crate::request::encode;
use crate::shared::Shared;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use fait::app::Asked;
use maud::{Markup, html};

/// The longest name of a person.
const MAX_NAME: usize = 60;

/// `GET /`
pub(super) async fn show(desk: Desk) -> Result<Html, Trouble> {
    let mut cards = vec![];
    for (role, tasks) in &desk.shared.manifest.roles {
        let open = desk.shared.app.inbox(role, MOST)?;
        cards.push((role.as_str(), card(&desk, role, tasks, &open)));
    }
    let main = html! {
        h1 { "Who are you?" }
        p.lead { "Choose what you do here. You see the tasks that are asked of that role." }
        form.start method="post" action="/me" {
            div.field {
                label for="name" { "Your name" }
                p.hint #name-hint { "It stands beside what you do." }
                input #name type="text" name="name" value=(desk.who.name) maxlength=(MAX_NAME)
                    autocomplete="off" aria-describedby="name-hint";
            }
            ul.roles { @for (_, card) in &cards { li { (card) } } }
        }
        @if cards.is_empty() { p { "No task of this system is for people." } }
    };
    Ok(Page::new("Who are you?", "/").still().around(&desk, &main))
}

fn card(desk: &Desk, role: &str, tasks: &[String], open: &[Asked]) -> Markup {
    let titles = tasks.iter().filter_map(|t| desk.shared.command(t));
    let titles: Vec<&str> = titles.map(|t| t.title.as_str()).collect();
    let late = open
        .iter()
        .filter(|a| a.open.issued.due.is_some_and(|d| d < desk.now));
    let late = late.count();
    let mine = desk.who.role.as_deref() == Some(role);
    html! {
        button.role type="submit" name="role" value=(role) {
            span.title { (role) @if mine { " (you)" } }
            span.asked {
                @match open.len() {
                    0 => "nothing asked",
                    n => (count(n as u64, "open task")),
                }
                @if late > 0 { span.late { " · ▲ " (late) " late" } }
            }
            span.does { (titles.join(" · ")) }
        }
    }
}

/// `POST /me`
pub(super) async fn choose(State(shared): State<Shared>, form: Words) -> Result<Response, Trouble> {
    let form = words(form)?;
    let said = |name: &str| form.iter().find(|(n, _)| n == name).map(|(_, v)| v.trim());
    let wanted = said("role").unwrap_or_default();
    let Some(role) = shared.role(wanted) else {
        return Err(Trouble::malformed(format!(
            "there is no role `{wanted}`; choose one at /"
        )));
    };
    let name = said("name").unwrap_or_default();
    let name: String = name
        .chars()
        .filter(|c| !c.is_control())
        .take(MAX_NAME)
        .collect();
    let mut response = goto("/inbox")?;
    for (cookie, value) in [("fait_role", kebab(role)), ("fait_name", name)] {
        let text = format!(
            "{cookie}={}; Path=/; HttpOnly; SameSite=Lax; Max-Age=31536000",
            encode(&value)
        );
        if let Ok(value) = HeaderValue::from_str(&text) {
            response.headers_mut().append(header::SET_COOKIE, value);
        }
    }
    Ok(response)
}

/// See other.
pub(super) fn goto(address: &str) -> Result<Response, Trouble> {
    let to = HeaderValue::from_str(address)
        .map_err(|_| Trouble::malformed("the address has letters that cannot be sent"))?;
    let headers: [(HeaderName, HeaderValue); 1] = [(header::LOCATION, to)];
    Ok((StatusCode::SEE_OTHER, headers).into_response())
}
