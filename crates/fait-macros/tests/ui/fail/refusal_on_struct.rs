use fait_macros::Refusal;

#[derive(Clone, Debug, PartialEq, Refusal)]
#[refused(crate = "fait_core")]
struct SoldOut;

#[derive(Clone, Debug, PartialEq, Refusal)]
#[refused(crate = "fait_core")]
enum Reason<T> {
    #[refused("sold out")]
    SoldOut(T),
}

fn main() {}
