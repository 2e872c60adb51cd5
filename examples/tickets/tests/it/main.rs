//! Meal tickets: the rules, the board, and what is promised to others.

mod rules;
mod announced;
mod board;
