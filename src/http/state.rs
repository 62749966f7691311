//! The state of handlers: the service and its HTTP settings.

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

/// The shared state of handlers.
pub type Shared = Arc<Service>;

/// The service and its HTTP settings.
pub struct Service {
    pub app: Arc<App>,
    pub settings: Settings,
    pub(super) cors: Option<CorsLayer>,
    pub(super) event_streams: Slots,
    /// Running imports and batches by user.
    pub(super) bulk_writes: Slots,
    /// Permits for parsing batches, which takes much memory.
    pub(super) batch_parsing: Semaphore,
    /// Disk space for uploaded files.
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

/// The HTTP settings.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Whether it serves https itself.
    pub tls: bool,
    /// The public URL.
    pub public_url: Option<Uri>,
    /// Networks of proxies whose `X-Forwarded-*` headers are trusted.
    pub trusted_proxies: Vec<IpNet>,
    /// Origins whose pages may call the API with a token.
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
            header::ALLOW,
            header::CONTENT_DISPOSITION,
            header::ETAG,
            header::LINK,
            header::LOCATION,
            header::RETRY_AFTER,
            header::WWW_AUTHENTICATE,
            HeaderName::from_static("accept-patch"),
            HeaderName::from_static("accept-post"),
            HeaderName::from_static("x-total-count"),
            HeaderName::from_static("x-request-id"),
            HeaderName::from_static("reelshelf-match"),
        ])
}
