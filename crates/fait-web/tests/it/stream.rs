//! The stream of events, read over real connections that break.

use axum::body::{Body, to_bytes};
use axum::http::Request;
use fait::event::{NewEvent, Origin, Position, Tag, Time};
use fait::query::Query;
use fait::reexport::uuid::Uuid;
use fait::store::{
    Append, AppendError, Appended, BoxFuture, CommandKey, Erase, Erased, Memory, Range, Slice,
    Store, StoreError,
};
use fait::{App, event};
use fait_web::Site;
use serde_json::{Value, json};
use std::io::{BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tower::ServiceExt;

/// Steps were counted. Version 1 had no place.
#[event(version = 2, upcast = somewhere, downcast = nowhere)]
struct Counted {
    n: u32,
    place: String,
}

fn somewhere(_: u32, mut data: Value) -> Result<Value, String> {
    data["place"] = json!("somewhere");
    Ok(data)
}

fn nowhere(_: u32, data: Value) -> Result<Value, String> {
    match data["place"].as_str() {
        Some("here") => Err("only today's version knows this place".into()),
        _ => Ok(json!({ "n": data["n"] })),
    }
}

/// A store that counts what is read from it, and may be out of order.
#[derive(Default)]
struct Watched {
    store: Memory,
    read: AtomicUsize,
    broken: AtomicBool,
}

impl Store for Watched {
    fn id(&self) -> Uuid {
        self.store.id()
    }
    fn append(&self, append: Append) -> BoxFuture<'_, Result<Appended, AppendError>> {
        self.store.append(append)
    }
    fn read<'a>(
        &'a self,
        query: &'a Query,
        range: Range,
    ) -> BoxFuture<'a, Result<Slice, StoreError>> {
        Box::pin(async move {
            if self.broken.load(Ordering::Relaxed) {
                return Err(StoreError::new("the disk is gone; put it back"));
            }
            let slice = self.store.read(query, range).await?;
            self.read.fetch_add(slice.events.len(), Ordering::Relaxed);
            Ok(slice)
        })
    }
    fn command(
        &self,
        id: Uuid,
    ) -> BoxFuture<'_, Result<Option<(CommandKey, Appended)>, StoreError>> {
        self.store.command(id)
    }
    fn event(&self, id: Uuid) -> BoxFuture<'_, Result<Option<Position>, StoreError>> {
        self.store.event(id)
    }
    fn head(&self) -> BoxFuture<'_, Result<Position, StoreError>> {
        self.store.head()
    }
    fn wait(&self, after: Position) -> BoxFuture<'_, Result<Position, StoreError>> {
        self.store.wait(after)
    }
    fn erase(&self, erase: Erase) -> BoxFuture<'_, Result<Erased, AppendError>> {
        self.store.erase(erase)
    }
}

/// A system that is served on a port of its own.
struct Served {
    store: Arc<Watched>,
    app: App,
    address: String,
}

impl Served {
    async fn open() -> Served {
        let store = Arc::new(Watched::default());
        let app = App::on(store.clone()).reads::<Counted>().build().unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let site = Site::new(app.clone());
        tokio::spawn(async move { site.serve(listener, std::future::pending()).await.unwrap() });
        Served {
            store,
            app,
            address,
        }
    }

    async fn append(&self, ty: &str, version: u32, data: Vec<Value>) {
        let event = |data: Value| NewEvent {
            id: Uuid::new_v4(),
            ty: ty.into(),
            version,
            tags: vec![Tag::raw("till:1")],
            data: data.to_string().into_bytes().into(),
            origin: Origin::default(),
        };
        let append = Append {
            events: data.into_iter().map(event).collect(),
            conditions: vec![],
            command: None,
            recorded_at: Time(1_767_225_600_000),
        };
        self.store.append(append).await.unwrap();
    }

    async fn count(&self, n: u32) {
        let data = (1..=n).map(|n| json!({ "n": n, "place": "there" }));
        self.append("Counted", 2, data.collect()).await;
    }

    fn reader(&self, words: &str) -> Reader {
        Reader {
            url: format!("{}/api/events/stream?{words}", self.address),
            last_id: String::new(),
            seen: vec![],
        }
    }

    /// Status and problem of a request that is refused.
    async fn refused(&self, words: &str, last_id: Option<&str>) -> (u16, Value) {
        let mut request = Request::get(format!("/api/events/stream?{words}"));
        if let Some(id) = last_id {
            request = request.header("Last-Event-ID", id);
        }
        let web = Site::new(self.app.clone()).into_service();
        let answer = web
            .oneshot(request.body(Body::empty()).unwrap())
            .await
            .unwrap();
        let status = answer.status().as_u16();
        assert!(status >= 400, "`{words}` is answered with {status}");
        let body = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap())
    }
}

/// An `EventSource` as the HTML standard has it: what it has seen, and the last id, outlive a
/// connection; half an event does not.
struct Reader {
    url: String,
    last_id: String,
    /// Type and data.
    seen: Vec<(String, Value)>,
}

impl Reader {
    /// Connects, and reads until enough is seen or so many bytes have come.
    fn read(&mut self, bytes: usize, enough: impl Fn(&Reader) -> bool) {
        let mut request = ureq::get(&self.url);
        if !self.last_id.is_empty() {
            request = request.header("Last-Event-ID", &self.last_id);
        }
        let body = request.call().unwrap().into_body().into_reader();
        let mut body = BufReader::new(body);
        let (mut block, mut line, mut read) = (Block::default(), vec![], 0);
        let mut byte = [0];
        while read < bytes && !enough(self) && body.read(&mut byte).unwrap_or(0) == 1 {
            read += 1;
            match byte[0] {
                b'\n' => self.take(
                    &mut block,
                    &String::from_utf8(std::mem::take(&mut line)).unwrap(),
                ),
                byte => line.push(byte),
            }
        }
    }

    fn take(&mut self, block: &mut Block, line: &str) {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "id" => block.id = Some(value.into()),
            "event" => block.kind = value.into(),
            "data" => block.data.push_str(value),
            "" if line.is_empty() => {
                let Block { id, kind, data } = std::mem::take(block);
                if let Some(id) = id {
                    self.last_id = id;
                }
                if !data.is_empty() {
                    self.seen.push((kind, serde_json::from_str(&data).unwrap()));
                }
            }
            _ => {}
        }
    }

    fn positions(&self) -> Vec<u64> {
        let position = |(_, event): &(String, Value)| event["position"].as_u64().unwrap();
        self.seen.iter().map(position).collect()
    }
}

#[derive(Default)]
struct Block {
    id: Option<String>,
    kind: String,
    data: String,
}

/// Reads on a thread that may block.
async fn reading<T: Send + 'static>(read: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(read).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_is_cut_off_again_and_again_gets_each_event_once_and_in_order() {
    let served = Served::open().await;
    let mut reader = served.reader("heartbeat=1");
    let reader = reading_while(
        &served,
        async |served: &Served| {
            for _ in 0..300 {
                served.count(5).await;
                tokio::task::yield_now().await;
            }
        },
        move || {
            let mut connections = 0;
            while reader.seen.len() < 1500 {
                let chance = Uuid::new_v4().as_u128() as usize;
                reader.read(chance % 20_000, |r| r.seen.len() >= 1500);
                connections += 1;
            }
            assert!(connections > 10, "{connections} connections");
            reader
        },
    );
    let reader = reader.await;
    assert_eq!(reader.positions(), (1..=1500).collect::<Vec<_>>());
    assert!(reader.seen.iter().all(|(kind, _)| kind == "event"));
}

async fn reading_while<T: Send + 'static>(
    served: &Served,
    write: impl AsyncFnOnce(&Served),
    read: impl FnOnce() -> T + Send + 'static,
) -> T {
    let read = tokio::task::spawn_blocking(read);
    write(served).await;
    read.await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_place_moves_on_though_nothing_is_selected() {
    let served = Served::open().await;
    served.count(200).await;
    let mut reader = served.reader("types=Missed&heartbeat=1");
    let reader = reading(move || {
        reader.read(1 << 20, |r| r.last_id == "200");
        reader
    });
    let mut reader = reader.await;
    served.count(1000).await;
    // What it is resumed with is near the head, and the next that is selected comes.
    let resumed = reader.last_id.clone();
    let reader = reading_while(
        &served,
        async |served: &Served| {
            served.append("$Noted", 1, vec![json!({})]).await;
            served.append("Missed", 1, vec![json!({})]).await;
        },
        move || {
            reader.read(1 << 20, |r| !r.seen.is_empty());
            reader
        },
    );
    assert_eq!(
        (resumed.as_str(), reader.await.positions()),
        ("200", vec![1202])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn facts_come_when_they_are_asked_for_and_now_is_the_head() {
    let served = Served::open().await;
    served.append("$Noted", 1, vec![json!({})]).await;
    served.count(2).await;
    let seen = async |words: &str, n: usize| {
        let mut reader = served.reader(words);
        reading(move || {
            reader.read(1 << 20, |r| r.seen.len() >= n);
            reader.positions()
        })
        .await
    };
    assert_eq!(seen("", 2).await, [2, 3]);
    assert_eq!(seen("facts=true", 3).await, [1, 2, 3]);
    let mut reader = served.reader("after=now");
    let reader = reading(move || {
        reader.read(1 << 20, |r| !r.last_id.is_empty());
        reader
    });
    let mut reader = reader.await;
    // Also a reader that has seen nothing yet is resumed where it was.
    assert_eq!((reader.last_id.as_str(), reader.seen.len()), ("3", 0));
    served.count(1).await;
    let reader = reading(move || {
        reader.read(1 << 20, |r| !r.seen.is_empty());
        reader
    });
    assert_eq!(reader.await.positions(), [4]);
}

#[tokio::test]
async fn a_place_beyond_the_log_is_refused_and_says_what_to_do() {
    let served = Served::open().await;
    served.count(3).await;
    for (words, last_id) in [("", Some("4")), ("after=4", None), ("after=1", Some("9"))] {
        let (status, problem) = served.refused(words, last_id).await;
        assert_eq!((status, &problem["head"]), (409, &json!(3)), "{problem}");
        assert_eq!(problem["type"], "urn:fait:problem:other-history");
        let detail = problem["detail"].as_str().unwrap();
        assert!(
            detail.contains("begin with `after=0`; or with `after=3`"),
            "{detail}"
        );
    }
    for (words, last_id, said) in [
        ("", Some("three"), "Last-Event-ID `three` is no position"),
        ("after=soon", None, "or `now`"),
        ("heartbeat=0", None, "from 1 to 300"),
        ("facts=some", None, "true or false"),
        ("since=3", None, "`since` means nothing here"),
        ("as=Counted", None, "the name of an event and a version"),
        ("as=Counted:3", None, "it has versions 1 to 2"),
        ("as=Conted:1", None, "did you mean `Counted`?"),
    ] {
        let (status, problem) = served.refused(words, last_id).await;
        let detail = problem["detail"].as_str().unwrap();
        assert!(
            status == 400 && detail.contains(said),
            "{words}: {status} {detail}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_come_in_the_version_that_is_asked_for() {
    let served = Served::open().await;
    served.append("Counted", 1, vec![json!({ "n": 1 })]).await;
    served.count(1).await;
    served
        .append("Counted", 2, vec![json!({ "n": 3, "place": "here" })])
        .await;
    served.count(1).await;
    let mut reader = served.reader("as=Counted:1");
    let reader = reading(move || {
        reader.read(1 << 20, |r| r.seen.len() > 3);
        reader
    });
    // The stream is over behind the problem, and would be taken up before it.
    let reader = reader.await;
    let versions: Vec<_> = reader.seen[..2]
        .iter()
        .map(|(_, e)| (e["version"].clone(), e["data"].clone()))
        .collect();
    let one = (json!(1), json!({ "n": 1 }));
    assert_eq!(versions, [one.clone(), one]);
    let [(kind, problem)] = &reader.seen[2..] else {
        panic!("{:?}", reader.seen);
    };
    assert_eq!((kind.as_str(), reader.last_id.as_str()), ("problem", "2"));
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("Counted version 2 at position 3") && detail.ends_with("`after=3`"));
    assert_eq!(problem["event"]["data"]["place"], "here");
    let url = format!("{}/api/events?as=Counted:1", served.address);
    let page: Value = reading(move || {
        ureq::get(url)
            .call()
            .unwrap()
            .body_mut()
            .read_json()
            .unwrap()
    })
    .await;
    let given = |n: usize| (&page["events"][n]["version"], &page["events"][n]["data"]);
    assert_eq!(given(1), (&json!(1), &json!({ "n": 1 })));
    assert_eq!(given(2), (&json!(2), &json!({ "n": 3, "place": "here" })));
    let why = page["events"][2]["unreadable"].as_str().unwrap();
    assert!(
        why.contains("only today's version knows this place"),
        "{why}"
    );
    assert!(page["events"][3].get("unreadable").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_says_why_it_ends() {
    let served = Served::open().await;
    served.count(2).await;
    let mut reader = served.reader("");
    served.store.broken.store(true, Ordering::Relaxed);
    let reader = reading(move || {
        reader.read(1 << 20, |_| false);
        reader
    });
    let reader = reader.await;
    let [(kind, problem)] = &reader.seen[..] else {
        panic!("{:?}", reader.seen);
    };
    assert_eq!((kind.as_str(), reader.last_id.as_str()), ("problem", "0"));
    assert_eq!(problem["detail"], "the disk is gone; put it back");
}

/// What nobody takes is not read from the log, so that a slow reader costs no memory.
#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_does_not_read_is_not_read_for() {
    const EVENTS: usize = 3000;
    let served = Served::open().await;
    for _ in 0..EVENTS / 100 {
        let data = json!({ "n": 1, "place": "x".repeat(16 << 10) });
        served.append("Counted", 2, vec![data; 100]).await;
    }
    let before = served.store.read.load(Ordering::Relaxed);
    let read = || served.store.read.load(Ordering::Relaxed) - before;
    let mut reader = served.reader("");
    let url = reader.url.clone();
    let mut body = reading(move || ureq::get(url).call().unwrap().into_body().into_reader()).await;
    let (mut last, mut quiet) = (0, 0);
    while last == 0 || quiet < 25 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        quiet = if read() == last { quiet + 1 } else { 0 };
        last = read();
    }
    // The rest of 48 MB waits in the log; connections hold some megabytes.
    assert!(
        last < EVENTS * 2 / 3,
        "{last} events were read for a reader that takes none"
    );
    let reader = reading(move || {
        let mut one = [0; 100];
        body.read_exact(&mut one).unwrap();
        drop(body);
        reader.read(usize::MAX, |r| r.seen.len() >= EVENTS);
        reader
    });
    assert_eq!(reader.await.positions().len(), EVENTS);
}

#[tokio::test]
async fn named_feeds_are_watched_and_reset() {
    let served = Served::open().await;
    served.count(5).await;
    let web = Site::new(served.app.clone()).into_service();
    let ask = async |request: Request<Body>| {
        let answer = web.clone().oneshot(request).await.unwrap();
        let status = answer.status().as_u16();
        let body = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    };
    let get = async |path: &str| ask(Request::get(path).body(Body::empty()).unwrap()).await.1;
    let reset = async |name: &str, body: &str| {
        let request = Request::post(format!("/api/ops/feeds/{name}/reset"))
            .header("Content-Type", "application/json");
        let (status, told) = ask(request.body(Body::from(body.to_string())).unwrap()).await;
        let told: Value = serde_json::from_str(&told).unwrap();
        (
            status,
            told["detail"].as_str().unwrap_or_default().to_string(),
        )
    };
    let feed = served.app.feed(Query::all()).named("ledger").at_most(2);
    let mut feed = feed.open().await.unwrap();
    feed.next().await.unwrap().unwrap().done().await.unwrap();
    let all: Value = serde_json::from_str(&get("/api/ops/feeds").await).unwrap();
    let wanted = json!([{
        "name": "ledger", "position": 2, "head": 5, "lag_events": 3, "reading": true,
        "elsewhere": false, "set_aside": 0,
    }]);
    assert_eq!(all, wanted);
    let metrics = get("/metrics").await;
    assert!(
        metrics.contains(r#"fait_feed_lag_events{feed="ledger"} 3"#),
        "{metrics}"
    );
    let (status, told) = reset("ledger", r#"{"to": 0}"#).await;
    assert!(
        status == 409 && told.contains("is being read already"),
        "{status} {told}"
    );
    drop(feed);
    assert_eq!(reset("ledger", r#"{"to": 4}"#).await.0, 200);
    for (name, body, wanted, said) in [
        ("ledger", r#"{"to": 6}"#, 400, "the log ends at 5"),
        ("ledger", r#"{"to": "start"}"#, 400, "`to` is the position"),
        ("leger", r#"{"to": 1}"#, 404, "did you mean `ledger`?"),
    ] {
        let (status, told) = reset(name, body).await;
        assert!(status == wanted && told.contains(said), "{status} {told}");
    }
    assert_eq!(served.app.feeds().await.unwrap()[0].position, 4);
}
