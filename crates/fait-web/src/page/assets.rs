//! The files that pages load. Their names carry a hash of what is in them, so that browsers may
//! keep them for good.

use crate::answer::Problem;
use crate::request::At;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use std::sync::LazyLock;
use uuid::Uuid;

/// A file with its address.
struct Asset {
    stem: &'static str,
    end: &'static str,
    kind: &'static str,
    text: &'static str,
    address: String,
}

static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    let css = "text/css; charset=utf-8";
    let js = "text/javascript; charset=utf-8";
    let all = [
        ("app", "css", css, include_str!("../../assets/app.css")),
        ("picture", "css", css, fait_board::style()),
        ("board", "css", css, include_str!("../../assets/board.css")),
        ("app", "js", js, include_str!("../../assets/app.js")),
        ("board", "js", js, include_str!("../../assets/board.js")),
        (
            "icon",
            "svg",
            "image/svg+xml",
            include_str!("../../assets/icon.svg"),
        ),
    ];
    let asset = |(stem, end, kind, text): (_, _, _, &'static str)| {
        let hash = Uuid::new_v5(&Uuid::NAMESPACE_OID, text.as_bytes()).simple();
        let hash = hash.to_string();
        let address = format!("{stem}-{}.{end}", hash.get(..12).unwrap_or_default());
        Asset {
            stem,
            end,
            kind,
            text,
            address,
        }
    };
    all.into_iter().map(asset).collect()
});

/// The address of a file, such as `app`, `css`.
pub(super) fn address(stem: &str, end: &str) -> String {
    let found = ASSETS.iter().find(|a| a.stem == stem && a.end == end);
    format!("/assets/{}", found.map_or("", |a| a.address.as_str()))
}

/// `GET /assets/{file}`
pub(super) async fn serve(At(file): At<String>) -> Result<Response, Problem> {
    let Some(asset) = ASSETS.iter().find(|a| a.address == file) else {
        return Err(Problem::not_found(format!(
            "there is no file `{file}`; load the page again"
        )));
    };
    let headers = [
        (header::CONTENT_TYPE, asset.kind),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    Ok((headers, asset.text).into_response())
}
