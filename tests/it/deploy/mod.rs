//! The service as it is deployed.

mod nginx;
mod pgbouncer;
