//! `/health/live`, `/health/ready`: for those who watch over the service.

use axum::{Json as Answer, extract::State};
use serde::Serialize;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    http::{Shared, openapi as schema, problem::Problem},
    service::setup,
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

/// Whether the database answers
#[utoipa::path(get, path = "/health/ready", operation_id = "getReadiness", tag = "health", security(()), responses(
    (status = 200, description = "It does", body = schema::Health),
))]
async fn ready(State(state): State<Shared>) -> Result<Answer<Health>, Problem> {
    setup::needed(&state.app).await?; // the shortest question that goes to the database
    Ok(Answer(Health { status: "ready" }))
}
