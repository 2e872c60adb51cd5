//! The macros inside a `macro_rules!`, whose pieces arrive in invisible groups.

use fait_core::command::Command;
use fait_core::event::Event;
use fait_macros::{EventSet, command, event};

macro_rules! happened {
    ($($name:ident $stored:literal $field:ident: $ty:ty),+) => {
        $(
            #[event(name = $stored, crate = "fait_core")]
            struct $name {
                $field: $ty,
            }
        )+
        #[derive(EventSet)]
        #[event_set(crate = "fait_core")]
        enum All {
            $($name($name)),+
        }
    };
}

macro_rules! asked {
    ($name:ident by $by:expr) => {
        #[command(by = $by, crate = "fait_core")]
        struct $name;
    };
}

happened!(Opened "opened" at: u32, Closed "closed" at: Option<u32>);
asked!(Open by "Cook");

fn main() {
    assert_eq!((Opened::TYPE, Closed::TYPE), ("opened", "closed"));
    assert_eq!(Open::PAGE.by, ["Cook"]);
    let _: [All; 2] = [Opened { at: 1 }.into(), Closed { at: None }.into()];
}
