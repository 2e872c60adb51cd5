//! Other systems that are asked what they know of a flow.

use fait::app::Flow;
use std::sync::Arc;
use std::time::Duration;
use ureq::Agent;
use uuid::Uuid;

/// How long one of them may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Most bytes of an answer.
const MAX_ANSWER: u64 = 16 << 20;

/// Most events of a flow that are asked for in one system.
const MAX_EVENTS: usize = 5000;

/// Another system, as it is called here, and where it is.
#[derive(Clone, Debug)]
pub(crate) struct Other {
    pub(crate) name: String,
    pub(crate) address: String,
}

/// All that are asked. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Others {
    all: Arc<[Other]>,
    agent: Agent,
}

impl Default for Others {
    fn default() -> Self {
        Others::new(vec![])
    }
}

impl Others {
    pub(crate) fn new(all: Vec<Other>) -> Others {
        // Directly, never through a proxy; an answer is an answer, whatever its status.
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .timeout_global(Some(PATIENCE))
            .build();
        Others {
            all: all.into(),
            agent: config.new_agent(),
        }
    }

    /// Asks all of them at once. Whoever does not answer is named with the reason.
    pub(crate) async fn ask(&self, flow: Uuid) -> Vec<(Other, Result<Flow, String>)> {
        let asked = self.all.iter().map(|other| {
            let (agent, other) = (self.agent.clone(), other.clone());
            tokio::task::spawn_blocking(move || {
                let answer = ask(&agent, &other.address, flow);
                (other, answer)
            })
        });
        let mut answers = vec![];
        for asked in asked.collect::<Vec<_>>() {
            answers.extend(asked.await);
        }
        answers
    }
}

fn ask(agent: &Agent, address: &str, flow: Uuid) -> Result<Flow, String> {
    let path = format!("{}/api/flows/{flow}", address.trim_end_matches('/'));
    let mut whole = page(agent, &path, 0)?;
    while let Some(after) = whole.next
        && whole.events.len() < MAX_EVENTS
    {
        let more = page(agent, &path, after)?;
        whole.events.extend(more.events);
        whole.next = more.next;
    }
    Ok(whole)
}

fn page(agent: &Agent, path: &str, after: u64) -> Result<Flow, String> {
    let asked = agent.get(path).query("after", after.to_string());
    let mut answer = asked.call().map_err(|e| e.to_string())?;
    let status = answer.status();
    if !status.is_success() {
        return Err(format!("it answers {status}"));
    }
    let body = answer.body_mut().with_config().limit(MAX_ANSWER);
    let text = body.read_to_string().map_err(|e| e.to_string())?;
    serde_json::from_str(&text)
        .map_err(|_| "it does not answer like a system of this version".into())
}
