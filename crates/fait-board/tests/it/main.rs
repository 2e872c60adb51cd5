//! The board language from outside: the boards of the project, read, reported and drawn.

mod boards;
mod picture;
mod layout;
mod geometry;
mod contrast;
mod hostile;
mod rules;
mod quiet;
mod formats;
mod reference;
mod language;
