//! Liveness and readiness.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The response of a running service.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Health {
    #[schema(value_type = String)]
    pub status: HealthState,
}

/// The only state of a service that responds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HealthState {
    Live,
}

/// The response of a ready service. A late backup does not make the service unready, since another instance
/// would not help.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"status": "ready", "backup": "current", "backupAgeSeconds": 3600}))]
#[serde(rename_all = "camelCase")]
pub struct Ready {
    #[schema(value_type = String)]
    pub status: Readiness,
    /// The state of the automatic backups, if there are any: `late` if the newest is older than twice the
    /// interval.
    #[schema(required = false, value_type = BackupState)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup: Option<BackupState>,
    /// The age of the newest backup.
    #[schema(required = false, minimum = 0, value_type = u64)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup_age_seconds: Option<u64>,
}

/// The only state of a ready service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Readiness {
    Ready,
}

/// Whether the newest backup is recent enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = Backup)]
pub enum BackupState {
    Current,
    Late,
}
