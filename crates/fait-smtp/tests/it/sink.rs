//! A mail relay with faults, and a ledger of the mails that it took.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// What the relay does in one talk, instead of taking the mail.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Does {
    /// It greets with a code.
    Greets(u16),
    /// It goes away without a word.
    NoGreeting,
    /// It answers to the recipient with a code.
    Rcpt(u16),
    /// It answers to the mail with a code, and does not take it.
    Taken(u16),
    /// It takes the mail and goes away.
    TakesAndDrops,
    /// It takes the mail and says nothing.
    TakesAndHangs,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Taken {
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    pub(crate) text: String,
}

impl Taken {
    pub(crate) fn header(&self, name: &str) -> String {
        let head = self.text.split("\r\n\r\n").next().unwrap();
        let mut values = head.split("\r\n").filter_map(|line| line.split_once(": "));
        let found = values.find(|(n, _)| *n == name);
        found
            .unwrap_or_else(|| panic!("no {name} in {head}"))
            .1
            .into()
    }
}

#[derive(Default)]
struct Desk {
    script: Mutex<VecDeque<Does>>,
    mails: Mutex<Vec<Taken>>,
    talks: Mutex<usize>,
    taken: Notify,
}

pub(crate) struct Sink {
    pub(crate) port: u16,
    desk: Arc<Desk>,
}

impl Sink {
    pub(crate) async fn start(script: &[Does]) -> Sink {
        let desk = Arc::new(Desk::default());
        desk.script.lock().unwrap().extend(script);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let at = desk.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                *at.talks.lock().unwrap() += 1;
                let does = at.script.lock().unwrap().pop_front();
                let desk = at.clone();
                tokio::spawn(async move { talk(stream, does, &desk).await });
            }
        });
        Sink { port, desk }
    }

    pub(crate) fn mails(&self) -> Vec<Taken> {
        self.desk.mails.lock().unwrap().clone()
    }

    /// How many connections there were.
    pub(crate) fn talks(&self) -> usize {
        *self.desk.talks.lock().unwrap()
    }

    pub(crate) async fn taken(&self) {
        self.desk.taken.notified().await;
    }
}

struct Line {
    reads: Lines<BufReader<OwnedReadHalf>>,
    writes: OwnedWriteHalf,
}

impl Line {
    async fn says(&mut self, words: &str) -> Option<()> {
        let line = format!("{words}\r\n");
        self.writes.write_all(line.as_bytes()).await.ok()
    }
}

async fn talk(stream: TcpStream, does: Option<Does>, desk: &Desk) -> Option<()> {
    let (reads, writes) = stream.into_split();
    let reads = BufReader::new(reads).lines();
    let mut line = Line { reads, writes };
    match does {
        Some(Does::NoGreeting) => return None,
        Some(Does::Greets(code)) => line.says(&format!("{code} not now")).await?,
        _ => line.says("220 sink").await?,
    }
    let mut mail = Taken::default();
    while let Some(said) = line.reads.next_line().await.ok()? {
        let address = || {
            said.split(['<', '>'])
                .nth(1)
                .unwrap_or_default()
                .to_string()
        };
        match (said.to_uppercase().get(..4)?, does) {
            ("EHLO", _) => line.says("250-sink\r\n250 8BITMIME").await?,
            ("MAIL", _) => {
                mail.from = address();
                line.says("250 ok").await?;
            }
            ("RCPT", Some(Does::Rcpt(code))) => line.says(&format!("{code} no")).await?,
            ("RCPT", _) => {
                mail.to.push(address());
                line.says("250 ok").await?;
            }
            ("DATA", _) => {
                line.says("354 go on").await?;
                mail.text = body(&mut line).await?;
                if let Some(Does::Taken(code)) = does {
                    line.says(&format!("{code} no")).await?;
                    continue;
                }
                desk.mails.lock().unwrap().push(std::mem::take(&mut mail));
                desk.taken.notify_one();
                match does {
                    Some(Does::TakesAndDrops) => return None,
                    Some(Does::TakesAndHangs) => {
                        tokio::time::sleep(Duration::from_secs(3600)).await;
                    }
                    _ => line.says("250 taken").await?,
                }
            }
            ("QUIT", _) => {
                line.says("221 bye").await?;
                return None;
            }
            _ => line.says("500 what?").await?,
        }
    }
    None
}

/// The mail up to the dot.
async fn body(line: &mut Line) -> Option<String> {
    let mut text = String::new();
    while let Some(next) = line.reads.next_line().await.ok()? {
        if next == "." {
            return Some(text);
        }
        text.push_str(next.strip_prefix('.').unwrap_or(&next));
        text.push_str("\r\n");
    }
    None
}
