//! Counts and means.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Counts and means.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Stats {
    pub movies: u64,
    /// Minutes.
    pub total_length: u64,
    /// Minutes; null where there is no movie.
    #[schema(required = true)]
    pub mean_length: Option<f64>,
    #[schema(required = true)]
    pub mean_rating: Option<f64>,
    /// By format, those without a movie too.
    pub movie_format: BTreeMap<String, u64>,
    /// By rating, those without a movie too.
    #[schema(value_type = BTreeMap<String, u64>)]
    pub rating: BTreeMap<i64, u64>,
    /// By release year, those with movies.
    #[schema(value_type = BTreeMap<String, u64>)]
    pub release_year: BTreeMap<i64, u64>,
    /// By the first year of the decade, those with movies.
    #[schema(value_type = BTreeMap<String, u64>)]
    pub decade: BTreeMap<i64, u64>,
}
