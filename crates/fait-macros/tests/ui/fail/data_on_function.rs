use fait_macros::data;

#[data(crate = "fait_core")]
fn row() {}

#[data(crat = "fait_core", crate = "fait_core")]
struct Row {
    open: u32,
}

fn main() {}
