//! What the log shows: as `RUST_LOG` says, but always the audit log, and never what could hold a secret.

use tracing_subscriber::{
    EnvFilter, Registry,
    filter::{FilterExt, LevelFilter, Targets},
    layer::Filter,
};

use crate::{serve::SETUP, service::audit::TARGET};

/// The most that is ever written. Libraries log what they are given at `debug` and `trace`: tokio-postgres the
/// parameters of statements, h2 the headers of requests. So no library may, but those listed here, which log nothing
/// that is sent.
fn most() -> Targets {
    Targets::new()
        .with_default(LevelFilter::INFO)
        .with_target("reelshelf", LevelFilter::TRACE)
        .with_target("rustls", LevelFilter::DEBUG)
}

/// Which events the log shows, by `RUST_LOG` and by two rules that it cannot change: the limit above, and the lines
/// that are always written, which are the address of the set-up and, if wanted, the audit log.
#[must_use]
pub fn filter(audit: bool) -> impl Filter<Registry> {
    let level = if audit { LevelFilter::INFO } else { LevelFilter::OFF };
    let wanted = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let always = Targets::new().with_target(SETUP, LevelFilter::WARN).with_target(TARGET, level);
    wanted.and(most().with_target(TARGET, level)).or(always)
}
