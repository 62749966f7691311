//! Keeps the runtime going while a disk that hangs keeps some of its threads.
//!
//! Of the runtime's threads that have nothing to do, one waits for the network and the clock. What comes there it runs
//! itself. If the disk keeps it then, none of the others takes its place before somebody wakes one: no request would
//! be received, and no deadline would end one.

use std::{
    sync::{Arc, Weak},
    thread,
    time::Duration,
};

use tokio::runtime::Handle;

use super::readers::Readers;
use crate::db::DbError;

/// How often a thread is woken, in case that one is needed.
const INTERVAL: Duration = Duration::from_secs(1);

/// Wakes one of the threads that have nothing to do, each second, as long as there is somebody to read.
pub(super) fn start(readers: &Arc<Readers>) -> Result<(), DbError> {
    let (alive, runtime): (Weak<Readers>, _) = (Arc::downgrade(readers), Handle::current());
    let watch = move || {
        while alive.strong_count() > 0 {
            thread::sleep(INTERVAL);
            drop(runtime.spawn(async {}));
        }
    };
    let started = thread::Builder::new().name("disk-watch".to_owned()).spawn(watch);
    started.map(drop).map_err(|error| DbError::Failed(Arc::new(error)))
}
