//! Every limit of the service: what one client, one request or one file can use, and how long anything waits.
//!
//! The same table stands in `docs/security.md`, and a test compares the two. Rules about a value, such as the
//! characters of a title, stand with its type in `domain/`.

use std::time::Duration;

/// How long a request waits for the database in all: for the writer, a connection, a lock, a statement.
pub const REQUEST_WAIT: Duration = Duration::from_secs(10);
