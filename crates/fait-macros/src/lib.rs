//! The attributes and derives of `fait`. Applications get them from the crate `fait`.
//!
//! | write | on | for |
//! |---|---|---|
//! | [`#[event]`](macro@event) | a struct | something that happened |
//! | [`#[derive(EventSet)]`](derive@EventSet) | an enum of events | the match and the query |
//! | [`#[command]`](macro@command) | a struct | something asked; also the form and the page |
//! | [`#[derive(CommandSet)]`](derive@CommandSet) | an enum of commands | what a process sends |
//! | [`#[derive(Refusal)]`](derive@Refusal) | an enum | why a command is not done |
//! | [`#[published]`](macro@published) | a struct | what other systems are told |
//! | [`#[derive(PublishedSet)]`](derive@PublishedSet) | an enum of these | what a `Publish` makes |
//! | [`#[data]`](macro@data) | a struct or an enum | rows, states, nested values |
//!
//! They add implementations to types that you wrote, and never make types of their own. The four
//! attributes also derive `Clone`, `Debug`, `PartialEq`, `Serialize`, `Deserialize` and
//! `JsonSchema`, except what a `#[derive(…)]` below them names already. Each macro takes
//! `crate = "…"` for crates that name `fait_core` rather than `fait`, as the examples here do.

mod problems;
mod words;
mod args;
mod data;
mod unit;
mod sentence;
mod record;
mod event;
mod set;
mod event_set;
mod command;
mod command_set;
mod refusal;
mod published;
mod published_set;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// One event: a struct with named fields or none, in the past tense.
///
/// The documentation comment is what the expert would say. `#[tag]` stands on the fields that hold
/// the ids of what it happened to: an id, an `Option`, `Vec` or `BTreeSet` of ids, or a `BTreeMap`
/// by ids. A struct without fields is stored as `{}`, so that fields can be added later.
///
/// ```
/// # use fait_macros::event;
/// # use fait_core::reexport::serde_json::{Value, json};
/// # fait_core::entity_ids! { OrderId => "order" }
/// /// A guest ordered dishes.
/// #[event(version = 2, upcast = one_dish_to_many, was = "Ordered", crate = "fait_core")]
/// pub struct OrderPlaced {
///     #[tag]
///     pub order: OrderId,
///     pub dishes: Vec<String>,
/// }
///
/// fn one_dish_to_many(_from: u32, mut data: Value) -> Result<Value, String> {
///     let dish = data["dish"].as_str().ok_or("no dish")?.to_string();
///     data["dishes"] = json!([dish]);
///     Ok(data)
/// }
/// ```
///
/// | argument | meaning |
/// |---|---|
/// | `"…"` or `name = "…"` | the stored name; the struct's name without it |
/// | `version = 2` | the version written today; 1 without it |
/// | `upcast = path` | brings older JSON to this version; needed from version 2 |
/// | `downcast = path` | brings this version's JSON to an older one, for feeds that ask for it |
/// | `oldest = 2` | the oldest version that `downcast` gives; 1 without it |
/// | `was = "…"`, `was = ["…", "…"]` | older stored names |
#[proc_macro_attribute]
pub fn event(args: TokenStream, item: TokenStream) -> TokenStream {
    event::expand(args.into(), item.into()).into()
}

/// Some events: an enum whose variants hold one event each, or one set.
///
/// ```
/// # use fait_macros::{EventSet, event};
/// # #[event(crate = "fait_core")] pub struct OrderPlaced { dishes: u32 }
/// # #[event(crate = "fait_core")] pub struct OrderCancelled;
/// #[derive(EventSet)]
/// #[event_set(crate = "fait_core")]
/// pub enum OrderHistory {
///     Placed(OrderPlaced),
///     Cancelled(OrderCancelled),
/// }
///
/// let cancelled: OrderHistory = OrderCancelled.into();
/// # let _ = cancelled;
/// ```
#[proc_macro_derive(EventSet, attributes(event_set))]
pub fn derive_event_set(input: TokenStream) -> TokenStream {
    event_set::expand(parse_macro_input!(input as DeriveInput)).into()
}

/// What is asked of the system: a struct in the imperative, which is also the form.
///
/// The first line of the documentation is the instruction, the rest explains it. The same holds
/// for the fields: question and hint. What has no documentation is named in plain words.
/// `#[field(fresh)]` stands on an id that the form makes rather than asks for. A field may be
/// renamed in JSON with `#[serde(rename = "…")]` and left out with `Option` or `#[serde(default)]`.
///
/// ```
/// # use fait_macros::command;
/// # fait_core::entity_ids! { OrderId => "order", TableId(number) => "table" }
/// /// Place an order
/// ///
/// /// The kitchen hears of it at once.
/// #[command(by = "Waiter", sees = "table-plan", starts, crate = "fait_core")]
/// pub struct PlaceOrder {
///     #[field(fresh)]
///     pub order: OrderId,
///     /// Which table?
///     pub table: TableId,
///     pub served_by: Option<String>,
/// }
/// ```
///
/// | argument | meaning |
/// |---|---|
/// | `by = "…"`, `by = ["…", COOK]` | the roles that may do it |
/// | `sees = "…"` | the view that shows what it is about |
/// | `about = "… {table}"` | the title with words of that view's row |
/// | `button = "…"` | the primary button, worded as the outcome |
/// | `undone_by = "…"` | the command that takes it back |
/// | `to = "…"` | the outside system that does it |
/// | `starts` | it starts something new, and so is always offered |
/// | `name = "…"` | the name in the interface; the struct's name without it |
///
/// In place of a text may stand the path of a `&str` constant.
#[proc_macro_attribute]
pub fn command(args: TokenStream, item: TokenStream) -> TokenStream {
    command::expand(args.into(), item.into()).into()
}

/// Some commands: an enum whose variants hold one command each, or one set.
///
/// ```
/// # use fait_macros::{CommandSet, command};
/// # #[command(crate = "fait_core")] pub struct CancelOrder { why: String }
/// # #[command(crate = "fait_core")] pub struct CloseKitchen;
/// #[derive(CommandSet, Clone, Debug, PartialEq)]
/// #[command_set(crate = "fait_core")]
/// pub enum Sends {
///     Cancel(CancelOrder),
///     Close(CloseKitchen),
/// }
/// ```
#[proc_macro_derive(CommandSet, attributes(command_set))]
pub fn derive_command_set(input: TokenStream) -> TokenStream {
    command_set::expand(parse_macro_input!(input as DeriveInput)).into()
}

/// The business reasons not to do what is asked: an enum with a sentence for each.
///
/// The sentence is what the person is told; `{0}` and `{name}` show fields of the variant.
///
/// ```
/// # use fait_macros::Refusal;
/// #[derive(Clone, Debug, PartialEq, Refusal)]
/// #[refused(crate = "fait_core")]
/// pub enum Reason {
///     #[refused("this order was already placed")]
///     AlreadyPlaced,
///     #[refused("a table may have at most {0} open orders")]
///     TableFull(u32),
///     #[refused("{dish} is sold out")]
///     SoldOut { dish: String },
/// }
///
/// assert_eq!(Reason::TableFull(3).to_string(), "a table may have at most 3 open orders");
/// ```
#[proc_macro_derive(Refusal, attributes(refused))]
pub fn derive_refusal(input: TokenStream) -> TokenStream {
    refusal::expand(parse_macro_input!(input as DeriveInput)).into()
}

/// What other systems are told: a struct with named fields or none. It is a promise to them, and no
/// event: a struct is one or the other.
///
/// `#[subject]` stands on the field that says what it is about: an id, a text, a UUID, a number, or
/// an `Option` of these. Messages with the same subject stay in order everywhere.
///
/// ```
/// # use fait_macros::published;
/// # use fait_core::bus::{Published, cloud_type};
/// /// Tickets were issued to a guest.
/// #[published(name = "com.example.tickets.tickets-issued", version = 2, crate = "fait_core")]
/// pub struct TicketsIssued {
///     #[subject]
///     pub purchase: String,
///     pub tickets: u32,
/// }
///
/// let ty = cloud_type(TicketsIssued::NAME, TicketsIssued::VERSION);
/// assert_eq!(ty, "com.example.tickets.tickets-issued.v2");
/// ```
///
/// | argument | meaning |
/// |---|---|
/// | `name = "…"` | what others know it by: a reversed domain name and what it is; needed |
/// | `version = 2` | the version; 1 without it. Another version is another type |
/// | `deprecated(since = "…", sunset = "…", instead = "…")` | it will cease: dates, what to use |
#[proc_macro_attribute]
pub fn published(args: TokenStream, item: TokenStream) -> TokenStream {
    published::expand(args.into(), item.into()).into()
}

/// Some published types: an enum whose variants hold one each, or one set.
///
/// ```
/// # use fait_macros::{PublishedSet, published};
/// # #[published(name = "com.example.tickets.issued", crate = "fait_core")]
/// # pub struct TicketsIssued { tickets: u32 }
/// # #[published(name = "com.example.tickets.refused", crate = "fait_core")]
/// # pub struct TicketsRefused;
/// #[derive(PublishedSet)]
/// #[published_set(crate = "fait_core")]
/// pub enum Told {
///     Issued(TicketsIssued),
///     Refused(TicketsRefused),
/// }
/// ```
#[proc_macro_derive(PublishedSet, attributes(published_set))]
pub fn derive_published_set(input: TokenStream) -> TokenStream {
    published_set::expand(parse_macro_input!(input as DeriveInput)).into()
}

/// Plain data beside events and commands: rows, states of processes, nested values.
///
/// ```
/// # use fait_macros::data;
/// #[data(crate = "fait_core")]
/// #[derive(Default)]
/// pub struct TableRow {
///     pub open: Vec<String>,
/// }
/// ```
#[proc_macro_attribute]
pub fn data(args: TokenStream, item: TokenStream) -> TokenStream {
    data::expand(args.into(), item.into()).into()
}
