//! `/health/live`, `/health/ready`: for those who watch over the service.

use std::time::Instant;

use axum::extract::State;
use serde::Serialize;

use crate::{
    http::{Shared, answer::Answer, openapi as schema, problem::Problem},
    service::health,
};

/// What a healthy service answers.
#[derive(Serialize)]
pub struct Health {
    status: &'static str,
}

/// What a service answers that is ready. A backup that is late does not make it answer otherwise: no other instance
/// would be of more use.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Ready {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    backup: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    backup_age_seconds: Option<u64>,
}

/// Whether the process runs
#[utoipa::path(get, path = "/health/live", operation_id = "getLiveness", tag = "health", security(()), responses(
    (status = 200, description = "It does", body = schema::Health),
))]
pub async fn live() -> Answer<Health> {
    Answer(Health { status: "live" })
}

/// Whether the database answers and takes writes
#[utoipa::path(get, path = "/health/ready", operation_id = "getReadiness", tag = "health", security(()), responses(
    (status = 200, description = "It does", body = schema::Ready),
))]
pub async fn ready(State(state): State<Shared>) -> Result<Answer<Ready>, Problem> {
    health::ready(&state.app, Instant::now()).await?;
    let report = state.app.backups.report(state.app.now());
    Ok(Answer(Ready {
        status: "ready",
        backup: report.map(|report| if report.is_late { "late" } else { "current" }),
        backup_age_seconds: report.and_then(|report| report.age).map(|age| age.as_secs()),
    }))
}
