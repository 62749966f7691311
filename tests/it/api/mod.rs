//! The API, request by request.

mod access;
mod account;
mod auth;
mod batch;
mod cors;
mod cross_site;
mod errors;
pub mod events;
mod export;
mod forgiving;
pub mod health;
mod history;
mod idempotency;
mod import;
mod limits;
pub mod list;
mod long_import;
mod movies;
mod openapi;
mod real_films;
mod search;
mod sessions;
mod stats;
mod throttle;
mod tokens;
mod undo;
mod users;
