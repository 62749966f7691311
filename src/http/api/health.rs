//! `/health/live` and `/health/ready`: for monitoring.

use std::time::Instant;

use axum::extract::State;

use crate::{
    documents::{self, BackupState, Health, HealthState, Readiness, Ready},
    http::{Shared, answer::Answer, problem::Problem},
    service::health,
};

/// Check liveness
#[utoipa::path(get, path = "/health/live", operation_id = "getLiveness", tag = "health", security(()), responses(
    (status = 200, description = "The process runs", body = documents::Health),
))]
pub async fn live() -> Answer<Health> {
    Answer(Health { status: HealthState::Live })
}

/// Check readiness
#[utoipa::path(get, path = "/health/ready", operation_id = "getReadiness", tag = "health", security(()), responses(
    (status = 200, description = "The service is ready", body = documents::Ready),
))]
pub async fn ready(State(state): State<Shared>) -> Result<Answer<Ready>, Problem> {
    health::ready(&state.app, Instant::now()).await?;
    let report = state.app.backups.report(state.app.now());
    Ok(Answer(Ready {
        status: Readiness::Ready,
        backup: report.map(|report| if report.is_late { BackupState::Late } else { BackupState::Current }),
        backup_age_seconds: report.and_then(|report| report.age).map(|age| age.as_secs()),
    }))
}
