//! The command line: its definition, with one file for each command.

mod add;
mod administration;
mod backup;
mod check;
mod client;
mod completions;
mod database;
mod edit;
mod export;
mod health;
mod history;
mod import;
mod list;
mod log;
mod login;
mod logout;
mod man;
mod migrate;
mod open;
mod output;
mod password;
mod pick;
mod program;
mod restore;
mod rm;
mod serve;
mod session;
mod show;
mod stats;
mod text_file;
mod token;
mod undo;
mod user;
mod whoami;

use program::wrong_usage;
pub use program::{command, main};
