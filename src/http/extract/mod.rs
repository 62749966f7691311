//! Extractors, one file for each part of a request.

pub mod accept;
pub mod body;
pub mod client;
pub mod etag;
pub mod form;
pub mod idempotency;
pub mod path;
pub mod query;
pub mod upload;
