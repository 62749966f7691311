//! The pages, one file or folder each.

pub mod access;
pub mod account;
pub mod changes;
pub mod collection;
pub mod edit;
pub mod export;
pub mod film_page;
pub mod import;
pub mod login;
pub mod print;
pub mod samples;
pub mod selection;
pub mod setup;
pub mod statistics;
pub mod tonight;
pub mod users;
