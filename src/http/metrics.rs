//! Prometheus metrics, on a separate address.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Instant,
};

use axum::{
    Router,
    extract::{MatchedPath, Request},
    http::{Method, header},
    routing::get,
};
use metrics::{counter, gauge, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use crate::service::App;

/// Whether metrics are enabled.
static STARTED: AtomicBool = AtomicBool::new(false);

const BACKUP_AGE: &str = "reelshelf_backup_age_seconds";
const BACKUP_FAILURES: &str = "reelshelf_backup_failures_total";
const DURATION: &str = "http_request_duration_seconds";
/// The bucket bounds of the histogram, in seconds.
const BUCKETS: [f64; 10] = [0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0];

/// Starts to collect metrics. Call it once in a process.
///
/// # Errors
/// If a recorder is installed already.
pub fn start() -> anyhow::Result<PrometheusHandle> {
    let builder =
        PrometheusBuilder::new().set_buckets_for_metric(Matcher::Full(DURATION.to_owned()), &BUCKETS)?;
    let handle = builder.install_recorder()?;
    metrics::describe_histogram!(
        DURATION,
        metrics::Unit::Seconds,
        "How long requests took, until the answer began"
    );
    metrics::describe_gauge!(BACKUP_AGE, metrics::Unit::Seconds, "How old the newest backup is");
    metrics::describe_counter!(BACKUP_FAILURES, "How many backups have failed since the start");
    STARTED.store(true, Relaxed);
    Ok(handle)
}

/// Serves `/metrics`.
pub fn routes(handle: PrometheusHandle, app: Arc<App>) -> Router {
    let show = move || async move {
        observe_backups(&app);
        handle.run_upkeep();
        ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], handle.render())
    };
    Router::new().route("/metrics", get(show))
}

/// Returns the label of a method. Unknown methods share a label, since labels are kept forever.
fn method(method: &Method) -> &'static str {
    const KNOWN: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"];

    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or("other")
}

/// Updates the metrics of automatic backups.
fn observe_backups(app: &App) {
    let Some(report) = app.backups.report(app.now()) else { return };
    counter!(BACKUP_FAILURES).absolute(report.failures);
    if let Some(age) = report.age {
        gauge!(BACKUP_AGE).set(age.as_secs_f64());
    }
}

/// Measures the duration of a request, labelled by method and route. Does nothing without metrics.
pub(super) struct Timer(Option<(Instant, &'static str, String)>);

impl Timer {
    pub(super) fn start(request: &Request) -> Self {
        Self(STARTED.load(Relaxed).then(|| {
            let route = request.extensions().get::<MatchedPath>().map_or("other", MatchedPath::as_str);
            (Instant::now(), method(request.method()), route.to_owned())
        }))
    }

    pub(super) fn stop(&self, status: u16) {
        if let Some((start, method, route)) = &self.0 {
            let labels =
                [("method", (*method).to_owned()), ("route", route.clone()), ("status", status.to_string())];
            histogram!(DURATION, &labels).record(start.elapsed());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_clients_make_up_are_one_label() {
        for known in ["GET", "PATCH", "TRACE"] {
            assert_eq!(method(&known.parse().expect("a method")), known);
        }
        for odd in ["get", "M00001", "PROPFIND", &"X".repeat(60_000)] {
            assert_eq!(method(&odd.parse().expect("a method")), "other");
        }
    }
}
