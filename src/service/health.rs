//! Whether the service can do its work, for those who watch over it.

use std::time::Instant;

use super::{App, Error, setup};
use crate::limits::WRITER_STALL;

/// That the database answers, and that writes get on.
///
/// # Errors
/// [`Error::NotReady`] with the reason.
pub async fn ready(app: &App, now: Instant) -> Result<(), Error> {
    if let Err(error) = app.db.check_file() {
        tracing::debug!(%error, "not ready");
        let reason = "the database file was moved, removed or replaced while it was served; stop the service, put \
                      the file in its place, and start the service";
        return Err(Error::NotReady(reason.to_owned()));
    }
    let stalled = app.db.writer_stalled_for(now);
    if stalled >= WRITER_STALL {
        return Err(Error::NotReady(format!("no write has got on for {} seconds", stalled.as_secs())));
    }
    setup::needed(app).await?; // the shortest question that goes to the database
    Ok(())
}
