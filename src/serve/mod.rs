//! Runs the service: listening, readiness, graceful shutdown.

mod activity;
mod admission;
mod own_errors;
mod run;
mod server;
mod systemd;
mod tls;
mod watched;

pub use activity::Waits;
pub use admission::MaxConnections;
pub use run::{Options, SETUP, run};
pub(crate) use run::{ended, here};
pub use server::Server;
pub use tls::{Certificate, Tls};
