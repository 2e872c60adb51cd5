//! A payment provider with faults, and a ledger of what it charged.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use fait::reexport::serde_json::{self, Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Notify;

/// What the server does with a request, instead of charging.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Does {
    Status(u16),
    RetryAfter(&'static str),
    Hangs,
    DropsAfterReading,
    ChargesAndDrops,
    ChargesAndHangs,
    TooLong,
}

/// Path, headers and body.
pub(crate) type Asked = (String, HeaderMap, Value);

#[derive(Default)]
struct Desk {
    script: Mutex<VecDeque<Does>>,
    asked: Mutex<Vec<Asked>>,
    /// The number of each charge by its key.
    ledger: Mutex<BTreeMap<String, u64>>,
    called: Notify,
}

pub(crate) struct Server {
    pub(crate) address: String,
    desk: Arc<Desk>,
}

impl Server {
    pub(crate) async fn start(script: &[Does]) -> Server {
        let desk = Arc::new(Desk::default());
        desk.script.lock().unwrap().extend(script);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/v1/", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(desk.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Server { address, desk }
    }

    /// An address at which nobody listens.
    pub(crate) async fn free_address(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.desk.asked.lock().unwrap().clone()
    }

    /// How many charges were made.
    pub(crate) fn charges(&self) -> usize {
        self.desk.ledger.lock().unwrap().len()
    }

    pub(crate) async fn called(&self) {
        self.desk.called.notified().await;
    }
}

async fn answer(
    State(desk): State<Arc<Desk>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let key = headers["idempotency-key"].to_str().unwrap().to_string();
    let path = uri.path_and_query().unwrap().to_string();
    let body = serde_json::from_slice(&body).unwrap();
    desk.asked.lock().unwrap().push((path, headers, body));
    let does = desk.script.lock().unwrap().pop_front();
    let charge = || {
        let mut ledger = desk.ledger.lock().unwrap();
        let next = ledger.len() as u64 + 1;
        let number = *ledger.entry(key.clone()).or_insert(next);
        json!({ "charge": number }).to_string().into_response()
    };
    let charged = match does {
        None | Some(Does::ChargesAndDrops | Does::ChargesAndHangs) => Some(charge()),
        _ => None,
    };
    desk.called.notify_one();
    match does {
        None => charged.unwrap(),
        Some(Does::Status(status)) => {
            (StatusCode::from_u16(status).unwrap(), "so it is").into_response()
        }
        Some(Does::RetryAfter(after)) => {
            let headers = [
                ("retry-after", after),
                ("date", "Thu, 01 Jan 2026 00:00:00 GMT"),
            ];
            (StatusCode::TOO_MANY_REQUESTS, headers).into_response()
        }
        Some(Does::Hangs | Does::ChargesAndHangs) => {
            tokio::time::sleep(Duration::from_secs(3600)).await;
            StatusCode::OK.into_response()
        }
        Some(Does::DropsAfterReading | Does::ChargesAndDrops) => {
            // The connection goes with its task.
            panic!("the server drops the connection");
        }
        Some(Does::TooLong) => vec![b' '; fait_http::MAX_ANSWER_BYTES + 1].into_response(),
    }
}
