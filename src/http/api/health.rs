//! `/health/live`, `/health/ready`: for those who watch over the service.

use std::time::Instant;

use axum::{Json as Answer, extract::State};
use serde::Serialize;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    db::deadline,
    http::{Shared, openapi as schema, problem::Problem},
    limits::HEALTH_WAIT,
    service::health,
};

/// The routes of health, for everybody.
pub fn open_routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(live)).routes(routes!(ready))
}

/// What a healthy service answers.
#[derive(Serialize)]
struct Health {
    status: &'static str,
}

/// Whether the process runs
#[utoipa::path(get, path = "/health/live", operation_id = "getLiveness", tag = "health", security(()), responses(
    (status = 200, description = "It does", body = schema::Health),
))]
async fn live() -> Answer<Health> {
    Answer(Health { status: "live" })
}

/// Whether the database answers and takes writes
#[utoipa::path(get, path = "/health/ready", operation_id = "getReadiness", tag = "health", security(()), responses(
    (status = 200, description = "It does", body = schema::Health),
))]
async fn ready(State(state): State<Shared>) -> Result<Answer<Health>, Problem> {
    let ready = health::ready(&state.app, Instant::now());
    deadline::within(HEALTH_WAIT, deadline::in_time("the database", ready)).await??;
    Ok(Answer(Health { status: "ready" }))
}
