//! HTTP: routes ([`router`]), middleware and authentication.

mod answer;
mod api;
mod auth;
mod compression;
mod cookies;
mod docs;
mod extract;
mod layers;
mod listing;
mod metrics;
mod openapi;
mod problem;
mod router;
mod sign_in;
mod slots;
mod state;
mod static_file;
mod web;

pub(crate) use self::problem::Problem;
pub use self::{
    extract::upload::check as check_spool,
    metrics::{routes as metrics_routes, start as start_metrics},
    router::{openapi, router},
    state::{Service, Settings, Shared},
};
