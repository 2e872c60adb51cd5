//! The contract of every store: one public function per clause, and macros that make them tests.
//!
//! ```
//! # use fait_core::store::Memory;
//! fait_core::store_contract!(make: Memory::default);
//! ```
//!
//! A clause takes a fresh, empty store and panics with a sentence when the store breaks it. The
//! clauses need no runtime: they block on futures themselves and use threads where several
//! writers are meant. Stores that outlive the program also pass
//! [`store_reopen_contract!`](crate::store_reopen_contract).

pub mod append;
pub mod command;
pub mod condition;
pub mod durability;
pub mod erase;
pub mod event_id;
pub mod feed;
pub mod last;
pub mod limit;
pub mod metadata;
pub mod read;
pub mod reopen;
pub mod slices;
pub mod wait;

use super::{
    Append, AppendCondition, AppendError, Appended, BoxFuture, CommandKey, Erase, Erased, Range,
    Slice, Store, StoreError,
};
use crate::event::{NewEvent, Origin, Position, StoredEvent, Tag, Time};
use crate::query::{Query, QueryItem};
use bytes::Bytes;
use std::future::{Future, poll_fn};
use std::ops::RangeInclusive;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use uuid::Uuid;

/// Makes one `#[test]` per clause: `store_contract!(make: <function that gives a fresh store>)`.
///
/// The function may be `async`. Call the macro inside a module of its own when a test file checks
/// several stores.
#[macro_export]
macro_rules! store_contract {
    (make: $make:expr $(,)?) => {
        $crate::store_contract! { @clauses $make;
            append: a_batch_is_atomic, positions_are_consecutive, an_append_is_read_at_once,
                concurrent_appends_leave_no_gap, readers_never_see_half_a_batch,
                a_dropped_append_harms_nobody, the_identity_stays,
                writers_of_their_own_streams_do_not_conflict;
            condition: a_condition_holds_or_nothing_is_appended,
                a_condition_looks_only_behind_its_position,
                a_conflict_names_the_first_event_and_the_condition,
                a_condition_joins_types_and_tags, every_condition_must_hold,
                a_condition_on_nothing_always_holds, a_condition_sees_other_writers,
                of_simultaneous_appends_one_wins, each_condition_has_its_own_position,
                a_condition_may_name_types_only, a_condition_may_name_tags_only,
                a_condition_sees_what_is_under_way, accepted_appends_are_serialisable;
            command: a_repeated_command_gets_the_first_receipt,
                a_command_id_with_another_fingerprint_is_refused,
                a_command_is_judged_before_the_conditions,
                a_refused_append_leaves_no_receipt, a_receipt_is_looked_up,
                simultaneous_duplicates_have_one_effect;
            event_id: an_event_id_is_appended_once, an_identical_batch_changes_nothing,
                an_event_id_stands_once_in_an_append, an_event_is_looked_up;
            read: reads_go_forwards, reads_go_backwards, reads_stop_at_the_limit,
                reads_stay_between_after_and_before, a_query_selects_by_type,
                a_query_joins_tags_by_and, a_query_joins_items_by_or,
                an_empty_query_selects_nothing, a_slice_names_its_head,
                a_read_beyond_the_head_is_empty;
            slices: small_slices_give_everything_once, a_limit_of_0_counts_as_1,
                backwards_reads_stay_between_their_bounds, a_read_beside_a_writer_is_a_prefix,
                an_unknown_type_selects_nothing, many_events_are_selected_by_type,
                a_query_has_many_items, an_event_with_many_tags_is_found_by_each,
                a_tag_given_twice_selects_once, a_full_batch_is_one_append;
            last: the_last_of_a_query_is_its_newest, the_last_of_nothing_is_0,
                the_last_moves_with_the_appends;
            metadata: every_field_comes_back, bytes_come_back_as_they_were,
                recorded_time_never_runs_backwards;
            limit: an_empty_append_is_refused, bad_names_are_refused,
                too_much_is_refused, the_largest_is_accepted,
                a_condition_beyond_the_head_is_refused, names_are_of_any_script,
                names_of_255_bytes_fit, the_type_of_the_erased_is_reserved;
            wait: a_wait_behind_the_head_is_over, a_wait_wakes_every_waiter,
                a_wait_ends_only_when_there_is_more, a_follower_misses_nothing,
                each_wait_has_its_own_end;
            feed: a_feed_catches_up_and_goes_live, a_feed_has_no_gap_and_no_repetition,
                feeds_do_not_disturb_each_other, a_feed_keeps_its_limit,
                a_feed_moves_on_without_a_match, a_dropped_next_loses_nothing,
                a_feed_beyond_the_head_is_an_error, a_feed_goes_on_where_another_ended;
            erase: what_is_erased_reads_as_erased, the_type_is_kept_or_not,
                the_time_is_kept_or_not, the_tombstone_stays,
                what_is_erased_is_not_selected_by_what_it_was,
                what_is_erased_is_selected_as_such, other_streams_stay_as_they_are,
                an_event_of_two_streams_goes_with_either,
                a_condition_on_the_erased_holds_again, an_erased_event_is_known_by_its_id,
                receipts_outlive_an_erasure, an_erasure_sent_again_erases_nothing_more,
                a_later_erasure_takes_what_came_since, a_tombstone_without_the_tag_is_refused,
                a_refused_erasure_erases_nothing, a_repeated_erasure_command_is_finished,
                a_feed_hears_of_an_erasure, an_erasure_of_nothing_is_its_tombstone,
                many_events_are_erased_at_once, an_erasure_beside_writers_ends_at_its_tombstone;
            durability: receipts_name_one_durability,
                a_repeated_receipt_names_the_same_durability;
        }
    };
    (@clauses $make:expr; $($module:ident: $($clause:ident),+;)+) => {
        $($(
            #[test]
            fn $clause() {
                $crate::store::contract::check($make, $crate::store::contract::$module::$clause);
            }
        )+)+
    };
}

/// Makes one `#[test]` per clause of durable stores:
/// `store_reopen_contract!(make: <function that gives a function that opens the same store>)`.
///
/// The inner function opens the store of one test again and again; it is called again only after
/// the store it gave was dropped. Both may close over a temporary folder.
#[macro_export]
macro_rules! store_reopen_contract {
    (make: $make:expr $(,)?) => {
        $crate::store_reopen_contract! { @clauses $make;
            an_empty_store_opens_again, events_are_there_again, appends_go_on_where_they_ended,
            receipts_are_there_again, event_ids_are_known_again, conditions_see_what_was_before,
            queries_select_as_before, time_never_runs_backwards_across_openings,
            what_is_erased_stays_erased, an_erasure_is_known_again,
            appends_go_on_behind_an_erasure, an_interrupted_erasure_is_finished,
            a_feed_goes_on_after_opening, receipts_name_their_durability_again,
        }
    };
    (@clauses $make:expr; $($clause:ident),+ $(,)?) => {
        $(
            #[test]
            fn $clause() {
                $crate::store::contract::check_reopen(
                    ($make)(),
                    $crate::store::contract::reopen::$clause,
                );
            }
        )+
    };
}

/// A function, `async` or not, that gives a store. `Kind` only tells the two apart.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not give a store",
    label = "give a function without arguments that returns a `Store`, or a future of one"
)]
pub trait Make<Kind> {
    /// A store.
    fn make(&self) -> BoxFuture<'static, Arc<dyn Store>>;
}

/// Marks functions that give a store.
#[derive(Debug)]
pub struct Now;

/// Marks functions that give a future of a store.
#[derive(Debug)]
pub struct Later;

impl<F: Fn() -> S, S: Store> Make<(Now, S)> for F {
    fn make(&self) -> BoxFuture<'static, Arc<dyn Store>> {
        let store: Arc<dyn Store> = Arc::new(self());
        Box::pin(async move { store })
    }
}

impl<F, W, S> Make<(Later, W, S)> for F
where
    F: Fn() -> W,
    W: Future<Output = S> + Send + 'static,
    S: Store,
{
    fn make(&self) -> BoxFuture<'static, Arc<dyn Store>> {
        let store = self();
        Box::pin(async move { Arc::new(store.await) as Arc<dyn Store> })
    }
}

/// A store with something that must live as long as it: a temporary folder, a container.
#[derive(Debug)]
pub struct Guarded<S, G> {
    /// The store. It is dropped first.
    pub store: S,
    /// What it needs.
    pub guard: G,
}

impl<S: Store, G: Send + Sync + 'static> Store for Guarded<S, G> {
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
        self.store.read(query, range)
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
    fn last<'a>(&'a self, query: &'a Query) -> BoxFuture<'a, Result<Position, StoreError>> {
        self.store.last(query)
    }
    fn erase(&self, erase: Erase) -> BoxFuture<'_, Result<Erased, AppendError>> {
        self.store.erase(erase)
    }
    fn close(&self) -> BoxFuture<'_, ()> {
        self.store.close()
    }
}

/// Runs one clause on a fresh store; what [`store_contract!`](crate::store_contract) writes.
///
/// # Panics
/// The store breaks the clause.
pub fn check<K, M, C, F>(make: M, clause: C)
where
    M: Make<K>,
    C: FnOnce(Arc<dyn Store>) -> F,
    F: Future<Output = ()>,
{
    block_on(async { clause(make.make().await).await });
}

/// Runs one clause of the reopen contract; what
/// [`store_reopen_contract!`](crate::store_reopen_contract) writes.
///
/// # Panics
/// The store breaks the clause.
pub fn check_reopen<K, M, C, F>(open: M, clause: C)
where
    M: Make<K>,
    C: FnOnce(Opener<K, M>) -> F,
    F: Future<Output = ()>,
{
    block_on(clause(Opener {
        open,
        kind: std::marker::PhantomData,
    }));
}

/// Opens the same store again and again.
#[derive(Debug)]
pub struct Opener<K, M> {
    open: M,
    kind: std::marker::PhantomData<K>,
}

impl<K, M: Make<K>> Opener<K, M> {
    /// Opens the store. The one before must have been dropped.
    pub async fn open(&self) -> Arc<dyn Store> {
        self.open.make().await
    }
}

/// Runs a future to its end on this thread.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Some event, the same for the same number.
fn event(number: u128, ty: &str, tags: &[&str]) -> NewEvent {
    NewEvent {
        id: Uuid::from_u128(number),
        ty: ty.into(),
        version: 1,
        tags: tags.iter().map(|t| Tag::raw(*t)).collect(),
        data: Bytes::from(format!("{{\"number\":{number}}}")),
        origin: Origin {
            correlation: Uuid::from_u128(number + 1),
            ..Origin::default()
        },
    }
}

/// An append of some events without conditions.
fn append(events: Vec<NewEvent>) -> Append {
    Append {
        events,
        conditions: vec![],
        command: None,
        recorded_at: Time(1_000),
    }
}

/// An append of one numbered event.
fn one(number: u128, ty: &str, tags: &[&str]) -> Append {
    append(vec![event(number, ty, tags)])
}

fn if_none(mut append: Append, query: Query, after: Position) -> Append {
    append.conditions.push(AppendCondition {
        fail_if_events_match: query,
        after,
    });
    append
}

fn by_command(mut append: Append, id: u128, fingerprint: u128) -> Append {
    append.command = Some(key(id, fingerprint));
    append
}

fn key(id: u128, fingerprint: u128) -> CommandKey {
    CommandKey {
        id: Uuid::from_u128(id),
        fingerprint: Uuid::from_u128(fingerprint),
    }
}

fn tagged(tags: &[&str]) -> Query {
    Query::tags(tags.iter().map(|t| Tag::raw(*t)).collect())
}

fn item(types: &[&str], tags: &[&str]) -> QueryItem {
    QueryItem::of(types, tags.iter().map(|t| Tag::raw(*t)).collect())
}

/// An append of numbered events that are alike.
fn many(numbers: RangeInclusive<u128>, ty: &str, tags: &[&str]) -> Append {
    append(numbers.map(|n| event(n, ty, tags)).collect())
}

async fn done(store: &dyn Store, append: Append) -> Appended {
    match store.append(append).await {
        Ok(done) => done,
        Err(e) => panic!("the append should have been accepted, but: {e}"),
    }
}

async fn refused(store: &dyn Store, append: Append) -> AppendError {
    match store.append(append).await {
        Err(e) => e,
        Ok(done) => panic!(
            "the append should have been refused, but it stands at {}",
            done.first
        ),
    }
}

/// The append is refused as invalid, and nothing has changed.
async fn invalid(store: &dyn Store, what: &str, append: Append) {
    let before = all(store).await;
    match store.append(append).await {
        Err(AppendError::Invalid(text)) => assert!(!text.is_empty(), "{what}: no reason given"),
        Err(e) => panic!("{what}: should have been refused as invalid, but: {e}"),
        Ok(_) => panic!("{what}: should have been refused"),
    }
    assert_eq!(
        all(store).await,
        before,
        "{what}: a refused append changes nothing"
    );
}

async fn slice(store: &dyn Store, query: &Query, range: Range) -> Slice {
    match store.read(query, range).await {
        Ok(slice) => slice,
        Err(e) => panic!("the read should have worked, but: {e}"),
    }
}

async fn all(store: &dyn Store) -> Vec<StoredEvent> {
    slice(store, &Query::all(), Range::after(0, usize::MAX))
        .await
        .events
}

async fn positions(store: &dyn Store, query: &Query, range: Range) -> Vec<Position> {
    slice(store, query, range)
        .await
        .events
        .iter()
        .map(|e| e.meta.position)
        .collect()
}

async fn last(store: &dyn Store, query: &Query) -> Position {
    match store.last(query).await {
        Ok(last) => last,
        Err(e) => panic!("the last event should be known, but: {e}"),
    }
}

async fn head(store: &dyn Store) -> Position {
    match store.head().await {
        Ok(head) => head,
        Err(e) => panic!("the head should be known, but: {e}"),
    }
}

/// Runs the same work on some threads and gives what each brought back, in their order.
fn together<T: Send>(threads: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let work = &work;
    thread::scope(|scope| {
        let all: Vec<_> = (0..threads).map(|n| scope.spawn(move || work(n))).collect();
        all.into_iter()
            .map(|t| {
                t.join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
            .collect()
    })
}

/// Has all futures under way before any is waited for, and gives their answers.
async fn at_once<T>(mut futures: Vec<BoxFuture<'_, T>>) -> Vec<T> {
    let mut answers: Vec<_> = futures.iter().map(|_| None).collect();
    poll_fn(|context| {
        for (future, answer) in futures.iter_mut().zip(&mut answers) {
            if answer.is_none()
                && let Poll::Ready(given) = future.as_mut().poll(context)
            {
                *answer = Some(given);
            }
        }
        match answers.iter().all(Option::is_some) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    })
    .await;
    answers.into_iter().flatten().collect()
}

/// The event as it stands in the store.
fn as_stored(event: NewEvent, position: Position, recorded_at: Time) -> StoredEvent {
    let NewEvent {
        id,
        ty,
        version,
        tags,
        data,
        origin,
    } = event;
    let meta = crate::event::Meta {
        position,
        id,
        recorded_at,
        origin,
    };
    StoredEvent {
        ty,
        version,
        tags,
        data,
        meta,
    }
}
