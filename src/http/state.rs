//! What every handler needs: the service, and how it is reached.

use std::sync::Arc;

use axum::http::{HeaderName, HeaderValue, Method, Uri, header};
use ipnet::IpNet;
use tokio::sync::Semaphore;
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::{extract::upload::SpoolSpace, slots::Slots};
use crate::{
    limits::{MAX_BATCHES_PARSED, MAX_BULK_WRITES_PER_USER, MAX_EVENT_STREAMS_PER_USER},
    service::App,
};

/// What every handler needs.
pub type Shared = Arc<Service>;

/// The service and how it is reached.
pub struct Service {
    pub app: Arc<App>,
    pub settings: Settings,
    pub(super) cors: Option<CorsLayer>,
    pub(super) event_streams: Slots,
    /// Imports and batches.
    pub(super) bulk_writes: Slots,
    /// Turns of parsing batches, which takes much memory.
    pub(super) batch_parsing: Semaphore,
    /// For the files of imports.
    pub(super) room: SpoolSpace,
}

impl Service {
    pub(super) fn new(app: Arc<App>, settings: Settings) -> Self {
        Self {
            app,
            cors: (!settings.cors_origins.is_empty()).then(|| cors(settings.cors_origins.clone())),
            settings,
            event_streams: Slots::new(MAX_EVENT_STREAMS_PER_USER, "event streams"),
            bulk_writes: Slots::new(MAX_BULK_WRITES_PER_USER, "imports and batches"),
            batch_parsing: Semaphore::new(MAX_BATCHES_PARSED),
            room: SpoolSpace::default(),
        }
    }
}

/// How the service is reached.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Whether it speaks https itself.
    pub tls: bool,
    /// The address under which users know it.
    pub public_url: Option<Uri>,
    /// The networks of proxies whose `X-Forwarded-*` headers are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// The other sites whose pages may use the API, with a token.
    pub cors_origins: Vec<HeaderValue>,
}

fn cors(origins: Vec<HeaderValue>) -> CorsLayer {
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods([Method::GET, Method::POST, Method::PATCH, Method::DELETE])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::IF_MATCH,
            header::IF_NONE_MATCH,
            HeaderName::from_static("last-event-id"),
            HeaderName::from_static("idempotency-key"),
        ])
        .expose_headers([
            header::ETAG,
            header::LINK,
            header::LOCATION,
            HeaderName::from_static("x-total-count"),
            HeaderName::from_static("x-request-id"),
            HeaderName::from_static("reelshelf-match"),
        ])
}
