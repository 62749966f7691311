//! The operations: rules, permissions and transactions. API, pages and command line call them.
//!
//! Permissions are argument types: an operation that takes an [`Editor`] cannot be called without one.

mod app;
pub mod audit;
pub mod auth;
pub mod backup;
pub mod batch;
mod catalogue;
pub mod check;
mod error;
pub mod health;
pub mod history;
mod idempotency;
pub mod import;
pub mod movies;
mod rights;
pub mod selection;
pub mod sessions;
pub mod setup;
pub mod staged_imports;
pub mod tokens;
pub mod users;

pub use self::{
    app::{App, Clock, Pause, YieldPolicy},
    catalogue::{facets, load_catalogue, neighbours, search},
    error::Error,
    idempotency::IdempotencyKey,
    rights::{AuthMethod, Editor, Identity, Owner, Viewer},
};
