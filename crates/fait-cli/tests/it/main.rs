//! What the program `fait` prints and with which code it ends.

mod asked;
mod history;
mod bakery;
mod folder;
mod running;
mod usage;
