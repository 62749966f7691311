//! Log filters: `RUST_LOG`, but always with the audit log and never with secrets.

use tracing_subscriber::{
    Registry,
    filter::{FilterExt, LevelFilter, Targets},
    layer::Filter,
};

use crate::{serve::SETUP, service::audit::TARGET};

/// The most verbose level of each target. At `debug` and `trace`, libraries log their data: tokio-postgres
/// logs statement parameters, h2 logs headers. Only the libraries listed here, which log no such data, may
/// use these levels.
fn most() -> Targets {
    Targets::new()
        .with_default(LevelFilter::INFO)
        .with_target("reelshelf", LevelFilter::TRACE)
        .with_target("rustls", LevelFilter::DEBUG)
}

/// Builds the log filter from `RUST_LOG`. Two rules cannot be changed by it: the maximum levels above, and
/// the lines that are always written (the set-up URL and, if enabled, the audit log).
///
/// # Errors
/// If `RUST_LOG` is invalid. An empty value counts as unset.
pub fn filter(audit: bool) -> Result<impl Filter<Registry>, String> {
    let given = std::env::var("RUST_LOG").unwrap_or_default();
    let level = if audit { LevelFilter::INFO } else { LevelFilter::OFF };
    let always = Targets::new().with_target(SETUP, LevelFilter::WARN).with_target(TARGET, level);
    Ok(wanted(&given)?.and(most().with_target(TARGET, level)).or(always))
}

fn wanted(given: &str) -> Result<Targets, String> {
    const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

    let given = given.trim();
    if given.is_empty() {
        return Ok(Targets::new().with_default(LevelFilter::INFO));
    }
    let is_level = |word: &str| LEVELS.iter().any(|level| level.eq_ignore_ascii_case(word));
    // The library would accept `nonsense=` and `verbose` as names of targets and silently log nothing.
    let is_directive = |directive: &str| match directive.rsplit_once('=') {
        _ if directive.contains(['[', ']', '{', '}']) => false, // by spans or fields
        Some((target, level)) => !target.is_empty() && is_level(level),
        None => {
            is_level(directive)
                || directive.parse::<u8>().is_ok_and(|level| level <= 5)
                || directive == CRATE
                || directive.starts_with("reelshelf::")
        }
    };
    let directives: Vec<&str> =
        given.split(',').map(str::trim).filter(|directive| !directive.is_empty()).collect();
    let unread = directives.iter().find(|directive| !is_directive(directive));
    let filter = directives.join(",").parse().ok().filter(|_| unread.is_none());
    filter.ok_or_else(|| {
        let shown = unread.copied().unwrap_or(given);
        format!(
            "RUST_LOG must be a level ({}), or levels for parts of the program such as info,reelshelf=debug; got {shown:?}",
            LEVELS.join(", ")
        )
    })
}

/// The log target of this program.
const CRATE: &str = "reelshelf";

#[cfg(test)]
mod tests {
    use super::wanted;

    #[test]
    fn a_filter_is_read_or_refused() {
        for good in [
            "",
            " ",
            "info",
            "DEBUG",
            "off",
            "info,reelshelf=debug",
            "reelshelf=trace, warn",
            "reelshelf",
            "hyper=warn",
            "info,",
        ] {
            assert!(wanted(good).is_ok(), "{good}");
        }
        for bad in [
            "nonsense=",
            "verbose",
            "=debug",
            "reelshelf=loud",
            "info;debug",
            "info debug",
            "reelshelf[request]=debug",
        ] {
            assert!(wanted(bad).is_err_and(|error| error.contains("RUST_LOG")), "{bad}");
        }
    }
}
