use fait_macros::Refusal;

#[derive(Clone, Debug, PartialEq, Refusal)]
#[refused(crate = "fait_core")]
enum Reason {
    AlreadyPlaced,
    #[refused]
    NotWaiting,
    #[refused()]
    Late,
    #[refused("")]
    Closed,
    #[refused("a table may have at most {1} open orders")]
    TableFull(u32),
    #[refused("{dish} is sold out")]
    SoldOut { dishes: u32 },
    #[refused("{name} is away")]
    Away,
    #[refused("at most {} orders")]
    Unsaid(u32),
    #[refused("at most {0 orders")]
    Open(u32),
    #[refused(text = "no")]
    Named,
}

fn main() {}
