//! Two programs on one store: what one of them did, the other goes on with.

use crate::routing::{ParcelId, ParcelSent, ParcelWeighed, hears, sent, weighed};
use fait::app::App;
use fait::event::{Never, minutes};
use fait::process::{Input, Outbox, Process, Status};
use fait::store::Memory;
use fait::{Clock, EventSet, data};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

#[derive(EventSet, Clone, Debug, PartialEq)]
enum Post {
    Sent(ParcelSent),
    Weighed(ParcelWeighed),
}

#[data]
enum Alarm {
    First,
    Second,
}

/// Two alarms after one another; a parcel of no weight matters between them only.
#[data]
#[derive(Default)]
struct Watch {
    first: bool,
    found: bool,
}

impl Process for Watch {
    const NAME: &'static str = "watch";
    type Key = ParcelId;
    type Events = Post;
    type Timer = Alarm;
    type Sends = Never;
    type Raises = Never;
    fn react(mut self, _: &ParcelId, input: Input<Self>, out: &mut Outbox<Self>) -> Self {
        match input {
            Input::Event(Post::Sent(_)) => out.wake_after(minutes(10), Alarm::First),
            Input::Event(Post::Weighed(_)) => self.found = self.first,
            Input::Timer(Alarm::First) => {
                self.first = true;
                out.wake_after(minutes(10), Alarm::Second);
            }
            Input::Timer(Alarm::Second) => out.end(),
            _ => {}
        }
        self
    }
}

fn open(store: &Arc<Memory>) -> App {
    let app = App::on(store.clone()).clock(Clock::by_hand());
    let app = app.receives::<ParcelSent>("Post");
    let app = app.receives::<ParcelWeighed>("Post");
    app.process::<Watch>().build().unwrap()
}

/// Both know a parcel; then one of them reaches its first alarm, and is gone.
async fn one_is_gone(store: &Arc<Memory>) -> App {
    let (stays, goes) = (open(store), open(store));
    hears(&stays, sent("a")).await;
    goes.settle().await;
    goes.advance(minutes(11)).await;
    goes.stop().await;
    stays.settle().await;
    let instance = stays.instance("watch", "a").await.unwrap().unwrap();
    assert_eq!(instance.state.unwrap().1["first"], true);
    stays
}

#[tokio::test]
async fn a_deadline_that_one_program_set_comes_in_the_other() {
    let store = Arc::default();
    let stays = one_is_gone(&store).await;
    let advanced = timeout(Duration::from_secs(20), stays.advance(minutes(60)));
    advanced.await.expect("it gets on");
    let instance = stays.instance("watch", "a").await.unwrap().unwrap();
    assert_eq!(instance.status, Status::Ended);
}

#[tokio::test]
async fn an_event_is_heard_with_the_state_that_the_other_program_left() {
    let store = Arc::default();
    let stays = one_is_gone(&store).await;
    hears(&stays, weighed("a", 0)).await;
    let instance = stays.instance("watch", "a").await.unwrap().unwrap();
    assert_eq!(instance.state.unwrap().1["found"], true);
}
