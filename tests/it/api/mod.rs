//! The API, request by request.

mod account;
mod auth;
mod cross_site;
mod errors;
mod export;
mod import;
mod list;
mod movies;
mod real_films;
mod search;
mod sessions;
mod stats;
mod throttle;
mod tokens;
mod users;
