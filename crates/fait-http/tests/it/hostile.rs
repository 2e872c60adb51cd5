//! What another system may answer, and should not: it does no harm here.

use axum::Router;
use axum::extract::RawQuery;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use fait::app::{App, System, TellError, Told};
use fait::bus::{BusError, Inlet, Mark};
use fait::reexport::serde_json::json;
use fait::reexport::uuid::Uuid;
use fait_http::{Feed, Http};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;

/// A server that has this to say to everything; gives its address.
async fn serving(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// A feed without messages that was looked at up to 50, and then was restored from a copy that ends
/// at 30.
async fn restored(RawQuery(words): RawQuery) -> Response {
    let words = words.unwrap_or_default();
    if words.contains("after=50") {
        let problem = r#"{"type": "urn:fait:problem:other-history", "detail": "it ends at 30"}"#;
        return (StatusCode::CONFLICT, problem).into_response();
    }
    ([("fait-history", "one log"), ("fait-position", "50")], "[]").into_response()
}

#[tokio::test]
async fn a_place_that_was_only_looked_at_is_forgotten_with_its_history() {
    let address = serving(Router::new().fallback(restored)).await;
    let feed = Feed::of(&address).unwrap();
    let mark = Mark {
        history: "one log".into(),
        sequence: 10,
    };
    assert_eq!(feed.take(Some(mark.clone())).await, Ok(vec![]));
    let error = feed.take(Some(mark.clone())).await.unwrap_err();
    assert_eq!(error, BusError::Other("it ends at 30".into()));
    // An operator says that it goes on behind the same place as before.
    assert_eq!(feed.take(Some(mark)).await, Ok(vec![]));
}

#[tokio::test]
async fn what_a_feed_says_of_itself_is_short_and_plain() {
    let long = format!("\u{1b}[2Jgone\u{7}{}", "x".repeat(100_000));
    let problem = json!({ "type": "about:blank", "detail": long }).to_string();
    for body in [problem, long] {
        let answer = (StatusCode::SERVICE_UNAVAILABLE, body);
        let address = serving(Router::new().fallback(|| async { answer })).await;
        let error = Feed::of(&address).unwrap().take(None).await.unwrap_err();
        let BusError::Later(why) = error else {
            panic!("{error:?}");
        };
        assert!(
            why.contains("gone") && why.len() < 1000,
            "{} bytes",
            why.len()
        );
        assert!(!why.contains(char::is_control), "{why:?}");
    }
}

#[tokio::test]
async fn a_page_with_more_messages_than_were_asked_for_is_no_page() {
    let message = r#"{"sequence": "7"}"#;
    let page = |n: usize| format!("[{}]", vec![message; n].join(","));
    for (n, fits) in [(50, true), (51, false)] {
        let headers = [("fait-history", "one log"), ("fait-position", "50")];
        let answer = (headers, page(n));
        let address = serving(Router::new().fallback(|| async { answer })).await;
        let found = Feed::of(&address).unwrap().take(None).await;
        match fits {
            true => assert_eq!(found.unwrap().len(), n),
            false => assert!(
                matches!(&found, Err(BusError::Unfit(why)) if why.contains("more than 50")),
                "{found:?}"
            ),
        }
    }
}

#[tokio::test]
async fn a_receipt_is_asked_for_neither_without_a_pause_nor_never() {
    for after in ["0", "18446744073709551615"] {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = asked.clone();
        let router = Router::new().fallback(move |method: Method| async move {
            let told = method == Method::POST;
            count.fetch_add(1, Ordering::Relaxed);
            let status = if told {
                StatusCode::ACCEPTED
            } else {
                StatusCode::OK
            };
            let body = r#"{"status": "pending", "receipt": "/api/receipts/7"}"#;
            (status, [("retry-after", after)], body)
        });
        let address = serving(router).await;
        let door = Http::door(&address, None).unwrap();
        let told = Told {
            id: Uuid::nil(),
            name: "BookRoom".into(),
            body: json!({}),
            attempt: 1,
            correlation: Uuid::nil(),
            cause: Uuid::nil(),
            traceparent: None,
        };
        let app = App::in_memory().build().unwrap();
        let door = door.within(Duration::from_secs(1));
        let error = door.tell(told, app).await.unwrap_err();
        assert!(matches!(error, TellError::Later { .. }), "{error}");
        let asked = asked.load(Ordering::Relaxed);
        assert!(asked <= 12, "asked {asked} times in a second");
    }
}
