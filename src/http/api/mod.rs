//! The JSON API, one file for each resource.

pub mod account;
pub mod batch;
pub mod events;
pub mod health;
pub mod history;
pub mod import;
pub mod movies;
pub mod sessions;
pub mod tokens;
pub mod users;
