//! Deployments.

mod nginx;
mod pgbouncer;
