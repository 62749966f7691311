//! Statistics.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Statistics of movies.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Stats {
    pub movies: u64,
    /// In minutes.
    pub total_length: u64,
    /// In minutes, of the movies whose length is known (not 0); null if there is none.
    #[schema(required = true)]
    pub mean_length: Option<f64>,
    #[schema(required = true)]
    pub mean_rating: Option<f64>,
    /// By format, including zero counts.
    pub movie_format: BTreeMap<String, u64>,
    /// By rating, including zero counts.
    #[schema(value_type = BTreeMap<String, u64>)]
    pub rating: BTreeMap<i64, u64>,
    /// By release year, without zero counts.
    #[schema(value_type = BTreeMap<String, u64>)]
    pub release_year: BTreeMap<i64, u64>,
    /// By the first year of the decade, without zero counts.
    #[schema(value_type = BTreeMap<String, u64>)]
    pub decade: BTreeMap<i64, u64>,
}
