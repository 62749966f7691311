//! The client of a server, shared by its commands.

pub mod batch;
mod connection;
pub mod filters;
pub mod history;
pub mod logins;
pub mod movies;
pub mod progress;
pub mod refusal;
pub mod selection;
pub mod server;
pub mod table;
pub mod terminal;
pub mod titles;
pub mod values;
pub mod words;

pub use connection::{ANSWERING, Client, Connection, Credentials, Interrupted};
