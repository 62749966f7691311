//! Whether the service runs, and whether it is ready.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a healthy service answers.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Health {
    #[schema(value_type = String)]
    pub status: HealthState,
}

/// The only state of a service that answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HealthState {
    Live,
}

/// A service that is ready.
// A backup that is late does not make it answer otherwise: no other instance would be of more use.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"status": "ready", "backup": "current", "backupAgeSeconds": 3600}))]
#[serde(rename_all = "camelCase")]
pub struct Ready {
    #[schema(value_type = String)]
    pub status: Readiness,
    /// How it stands with the backups that the service makes by itself, where it does: `late` where the newest is
    /// more than twice as old as it is to become.
    #[schema(required = false, value_type = BackupState)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup: Option<BackupState>,
    /// How old the newest of them is.
    #[schema(required = false, minimum = 0, value_type = u64)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup_age_seconds: Option<u64>,
}

/// The only state of a service that is ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Readiness {
    Ready,
}

/// Whether there is a backup in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = Backup)]
pub enum BackupState {
    Current,
    Late,
}
