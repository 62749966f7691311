//! Known CSV layouts, each a table of rules in its own file.

mod clz;
mod imdb;
mod layout;
mod letterboxd;
mod libib;
mod movielens;
mod reelshelf;
mod tellico;

pub(super) use layout::{Kinds, Layout, List, Scale, Titles, Years, place};
pub(super) use movielens::MOVIELENS;
pub(super) use reelshelf::{REELSHELF, SPREADSHEET, SPREADSHEET_RATINGS};
