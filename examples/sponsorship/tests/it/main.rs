//! Sponsorship: the rules, the board, the other system's words, and the process across both.

mod rules;
mod words;
mod process;
mod both;
mod programs;
mod kill;
mod python;
mod guide;
mod board;
