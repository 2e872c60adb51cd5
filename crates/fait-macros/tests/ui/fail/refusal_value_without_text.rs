use fait_macros::Refusal;

#[derive(Clone, Debug, PartialEq)]
struct Dish;

#[derive(Clone, Debug, PartialEq, Refusal)]
#[refused(crate = "fait_core")]
enum Reason {
    #[refused("{0} is sold out")]
    SoldOut(Dish),
}

fn main() {}
