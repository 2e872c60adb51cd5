use fait_macros::Refusal;

#[derive(Refusal)]
#[refused(crate = "fait_core")]
enum Bare {
    #[refused("sold out")]
    SoldOut,
}

fn main() {}
